# Sourced by check, test and lowest: runs named steps, remembers which failed, closes with one line.
failed=()

step() {
    local name=$1
    shift
    echo "--- $name"
    "$@" || failed+=("$name")
}

# beside COMMAND: runs the steps of COMMAND in the background; awaited waits for them, and shows
# what they said if one of them failed, else only their names: whoever sees no more than the end
# should see which test failed.
beside() {
    aside=$(mktemp -d)
    trap 'rm -rf "$aside"' EXIT
    {
        "$@"
        printf '%s\n' "${failed[@]}" >"$aside/failed"
    } >"$aside/said" 2>&1 &
}

awaited() {
    wait
    if grep -q . "$aside/failed"; then
        cat "$aside/said"
    else
        sed -n 's/^--- \(.*\)/--- \1: passed/p' "$aside/said"
    fi
    mapfile -t -O ${#failed[@]} failed < <(grep . "$aside/failed")
}

# finish COMMAND: the one line, and the exit status that goes with it.
finish() {
    if [ ${#failed[@]} -eq 0 ]; then
        echo "$1: passed"
        exit 0
    fi
    local list
    list=$(printf ', %s' "${failed[@]}")
    echo "$1: FAILED (${list:2})"
    exit 1
}

# Three on two processors: there is always one of them that waits for a server or a browser.
# worksteal: each worker takes neighbouring tests, so a module's servers and browsers start once
# or at most twice, and no worker is idle while the other has a long module.
# Two plugins that came with what tests import are not asked for, and cost each process their load.
every_test() {
    .venv/bin/python -m pytest --quiet --nothing-skipped -n 3 --dist worksteal \
        --force-short-summary -p no:schemathesis -p no:anyio
}

static_steps() {
    step format .venv/bin/ruff format --check --output-format concise .
    step lint .venv/bin/ruff check --output-format concise .
    step types .venv/bin/mypy
    local client
    for client in clients/*/; do # programs of their own, each with an app.py
        step "types of ${client%/}" env MYPYPATH="$client" .venv/bin/mypy "$client"
    done
    step contracts .venv/bin/lint-imports --no-logo
}
