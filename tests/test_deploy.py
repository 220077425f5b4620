"""The files to deploy it with: what they name is there, and their own tools have nothing to say.

Neither containers nor a cluster run here. What a file says is held against the program; nginx,
Caddy and systemd read theirs, and the first two run with them in interop/test_proxy_files.py.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from idp import measures
from idp.cli import main
from idp.cli.server import HEADERS_WITHIN, KILLED_AFTER
from idp.config import Settings, load_settings
from idp.exposition import Figures
from idp.web import metrics
from idp.web.sizes import IMPORT_CALL, MAX_BODY
from tests.helpers.clock import FakeClock
from tests.helpers.house import House
from tests.helpers.servers import TEST_KEY

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
MANIFESTS = {path.name: path for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))}
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS = [name for name in COMPOSE["services"] if "idp" in name or name == "migrate"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
UNIT = (DEPLOY / "systemd/gatehouse.service").read_text()
SETTINGS = {f"IDP_{one.name.upper()}" for one in fields(Settings)} | {"IDP_KEYS_FILE"}


def manifest(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(MANIFESTS[name].read_text())
    return found


def pods() -> Iterator[dict[str, Any]]:
    """The pods' specifications."""
    for name in ("deployment.yaml", "migrate.yaml"):
        yield manifest(name)["spec"]["template"]["spec"]


def tool(name: str) -> str:
    """Where a program is. One that is missing is no reason to pass."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/bin")
    assert found, f"{name} is not installed: run .ci/system-packages"
    return found


def run(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


# Everywhere


def test_every_variable_is_a_setting() -> None:
    files = [path for path in DEPLOY.rglob("*") if path.is_file()]
    named = {one for file in files for one in re.findall(r"\bIDP_[A-Z_]+\b", file.read_text())}
    assert len(named) > 5
    assert named - SETTINGS == set()


def test_every_command_is_one(tmp_path: Path) -> None:
    pod_args = [pod["containers"][0]["args"] for pod in pods()]
    composed = [COMPOSE["services"][name]["command"] for name in OURS]
    (unit,) = re.findall(r"^ExecStart=\S+/bin/idp (.*)$", UNIT, flags=re.MULTILINE)
    told = re.findall(r"--no-deps idp-1 (.*)", (DEPLOY / "compose.yaml").read_text())
    assert told
    for line in [*pod_args, *composed, *map(str.split, [unit, *told])]:
        command: click.Command = main
        words = list(line)
        while isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        command.make_context("idp", words)


# Containers


def test_the_image_holds_what_the_package_is_made_of() -> None:
    sources = {line.split()[1] for line in DOCKERFILE.splitlines() if line.startswith("COPY ")}
    assert {"idp", "templates", "migrations", "clients"} <= sources
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in ignored
    kept = {line[1:] for line in ignored if line.startswith("!")}
    copied = set(re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, flags=re.MULTILINE))
    assert kept == {name for line in copied for name in line.split()}
    assert all((ROOT / name).exists() for name in kept)


def test_the_image_runs_as_nobody_in_particular() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, flags=re.MULTILINE)
    assert "/healthz" in last
    assert not re.search(r"(?i)^(ARG|ENV) .*(KEY|SECRET|PASSWORD)", DOCKERFILE, flags=re.MULTILINE)


def test_nothing_is_compiled_when_it_starts() -> None:
    """With a root file system that nobody writes it would be, every time.

    Times of files are rounded where layers are made, and the base image's library has no bytecode.
    """
    build, _, last = DOCKERFILE.rpartition("\nFROM ")
    assert "install --no-compile" in build
    for stage in (build, last):
        assert "compileall -q --invalidation-mode unchecked-hash" in stage


def test_whoever_gets_in_finds_nothing_to_install_more_with() -> None:
    build, _, last = DOCKERFILE.rpartition("\nFROM ")
    assert "venv --without-pip" in build
    assert re.search(r"-m pip uninstall .*\bpip\b", last)  # the base image's
    assert re.search(r"rm -rf .*/ensurepip", last)
    assert "pip install" not in last


def test_a_composed_command_knows_the_database(tmp_path: Path) -> None:
    """What the entry point puts together, by a shell, whatever the command is."""
    printed = 'printf "%s\\n" "$IDP_DATABASE_URL" "$@"'
    secret = tmp_path / "postgres"
    secret.write_text("5e3e")
    for name in OURS:
        shell, flag, script, zero = COMPOSE["services"][name]["entrypoint"]
        assert script.endswith('exec idp "$$@"')
        here = script.replace("$$", "$").replace("/run/secrets/postgres", str(secret))
        here = here.replace('exec idp "$@"', printed)
        told = run(shell, flag, here, zero, "users", "create", "a b")
        url = "postgresql+psycopg://gatehouse:5e3e@postgres/gatehouse"
        assert told.stdout.splitlines() == [url, "users", "create", "a b"]


@pytest.mark.parametrize("name", OURS)
def test_a_container_may_do_next_to_nothing(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["init"] is True  # or a stop during the start is lost
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert int(service["stop_grace_period"].rstrip("s")) > KILLED_AFTER
    assert set(service["secrets"]) <= COMPOSE["secrets"].keys()


def test_composed_is_the_provider_twice_and_what_it_needs() -> None:
    services = COMPOSE["services"]
    assert {"caddy", "idp-1", "idp-2", "migrate", "postgres", "valkey"} == services.keys()
    upstreams = services["caddy"]["environment"]["UPSTREAMS"].split()
    assert upstreams == ["idp-1:8000", "idp-2:8000"]
    # Only the proxy is to be reached, and only its word about addresses counts.
    assert [name for name, one in services.items() if "ports" in one] == ["caddy"]
    address = services["caddy"]["networks"]["outside"]["ipv4_address"]
    assert services["idp-1"]["environment"]["IDP_TRUSTED_PROXIES"] == f"{address}/32"
    assert COMPOSE["networks"]["inside"]["internal"] is True
    environment = {**services["idp-1"]["environment"], "IDP_ISSUER": "https://id.example.com"}
    del environment["IDP_KEYS_FILE"]  # a file inside
    assert load_settings(environ=environment, keys=TEST_KEY).redis_url


def test_compose_has_the_shape_of_the_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    checked = run(*command, str(DEPLOY / "compose.yaml"))
    assert checked.returncode == 0, checked.stdout


# Kubernetes


def test_every_manifest_is_part_of_it() -> None:
    parts = manifest("kustomization.yaml")["resources"]
    assert set(parts) == MANIFESTS.keys() - {"kustomization.yaml", "secret.example.yaml"}


def test_pods_are_restricted_as_their_namespace_insists() -> None:
    """The Pod Security Standards' "restricted", and a root file system that nobody writes."""
    assert manifest("namespace.yaml")["metadata"]["labels"] == {
        "pod-security.kubernetes.io/enforce": "restricted"
    }
    for pod in pods():
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert pod["automountServiceAccountToken"] is False
        assert container["image"] == manifest("kustomization.yaml")["images"][0]["name"]
        assert "memory" in container["resources"]["limits"]


def test_labels_ports_and_probes_fit_together() -> None:
    deployment = manifest("deployment.yaml")["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels
    assert manifest("service.yaml")["spec"]["selector"] == labels
    assert manifest("disruption.yaml")["spec"]["selector"]["matchLabels"] == labels
    selected = manifest("network.yaml")["spec"]["podSelector"]["matchExpressions"][0]["values"]
    assert set(selected) == {*labels.values(), "gatehouse-migrate"}
    pod = deployment["template"]["spec"]
    (container,) = pod["containers"]
    (port,) = container["ports"]
    assert str(port["containerPort"]) in container["args"]
    assert manifest("service.yaml")["spec"]["ports"][0]["targetPort"] == port["name"]
    probed = {
        name: container[name]["httpGet"]["path"]
        for name in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert probed == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }
    (waits,) = re.findall(r"\d+", str(container["lifecycle"]["preStop"]))
    assert pod["terminationGracePeriodSeconds"] > int(waits) + KILLED_AFTER


def test_the_settings_of_the_cluster_can_be_used() -> None:
    given = {**manifest("config.yaml")["data"], **manifest("secret.example.yaml")["stringData"]}
    assert load_settings(environ=given | {"IDP_KEYS": TEST_KEY}).metrics


# What stands in front


PROXIES = {path.name: path.read_text() for path in (DEPLOY / "proxies").iterdir()}


@pytest.mark.parametrize("name", PROXIES)
def test_a_proxy_keeps_connections_for_less_long_than_the_server(name: str) -> None:
    """Or now and then a request meets a connection that is just being closed."""
    kept = re.findall(r"(?:keepalive_timeout|keepalive|idleConnTimeout:) (\d+)s", PROXIES[name])
    assert kept
    assert max(map(int, kept)) < HEADERS_WITHIN


@pytest.mark.parametrize("name", PROXIES)
def test_a_proxy_lets_nobody_say_where_they_come_from(name: str) -> None:
    text = PROXIES[name]
    assert "/metrics" in text
    told = {
        "Caddyfile": ("header_up -X_Forwarded_For", "header_up -Client-Cert"),
        "nginx.conf": ("underscores_in_headers off", 'Client-Cert ""'),
        "traefik.yaml": ('X_Forwarded_For: ""', 'X-Forwarded-Tls-Client-Cert: ""'),
    }[name]
    assert [one for one in told if one not in text] == []


def test_nginx_takes_its_file(tmp_path: Path) -> None:
    keys = run(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-days", "1", "-subj", "/CN=id.example.com"),
        *(
            "-keyout",
            str(tmp_path / "id.example.com.key"),
            "-out",
            str(tmp_path / "id.example.com.pem"),
        ),
    )
    assert keys.returncode == 0, keys.stderr
    text = PROXIES["nginx.conf"].replace("/etc/nginx/tls", str(tmp_path))
    text = text.replace("/var/log/nginx", str(tmp_path))
    http = f"access_log off; {_places(tmp_path)} {text}"
    whole = f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ {http} }}"
    file = tmp_path / "nginx.conf"
    file.write_text(whole)
    checked = run(tool("nginx"), "-t", "-p", str(tmp_path), "-c", str(file))
    assert checked.returncode == 0, checked.stderr
    file.write_text(whole.replace("least_conn", "most_conn"))
    assert run(tool("nginx"), "-t", "-p", str(tmp_path), "-c", str(file)).returncode != 0
    assert f"client_max_body_size {MAX_BODY // 1024}k" in text
    assert f"client_max_body_size {IMPORT_CALL // 2**20 + 1}m" in text


def _places(folder: Path) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)


def test_caddy_takes_its_file(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "ISSUER_HOST": "id.example.com", "UPSTREAMS": "a:1 b:2"}
    plain = PROXIES["Caddyfile"]
    whole = plain.replace("# mtls", "mtls").replace("# \t", "\t").replace("# }", "}")
    assert "mtls.id.example.com {" in whole
    file = tmp_path / "Caddyfile"
    adapt = (tool("caddy"), "adapt", "--validate", "--adapter", "caddyfile", "--config", str(file))
    for text in (plain, whole):
        file.write_text(text)
        checked = run(*adapt, env=environment)
        assert checked.returncode == 0, checked.stderr
        assert {"dial": "b:2"} in _upstreams(json.loads(checked.stdout))
    file.write_text(plain.replace("lb_policy", "lb_police"))
    assert run(*adapt, env=environment).returncode != 0


def _upstreams(found: Any) -> list[dict[str, str]]:
    """Wherever they are in it."""
    if isinstance(found, list):
        return [one for item in found for one in _upstreams(item)]
    if not isinstance(found, dict):
        return []
    return [*found.get("upstreams", []), *_upstreams(list(found.values()))]


def test_systemd_takes_its_unit(tmp_path: Path) -> None:
    unit = tmp_path / "gatehouse.service"
    ours = Path(sys.executable).parent / "idp"
    text = UNIT.replace("/opt/gatehouse/bin/idp serve", f"{ours} serve")
    unit.write_text(text)
    verify = (tool("systemd-analyze"), "verify", "--man=no", "--recursive-errors=no", str(unit))
    checked = run(*verify)
    assert (checked.returncode, checked.stderr) == (0, "")
    unit.write_text(text.replace("ProtectSystem=strict", "ProtectSystem=most"))
    assert "protect system" in run(*verify).stderr
    (stop,) = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, flags=re.MULTILINE)
    assert int(stop) > KILLED_AFTER


# What is watched

EXPRESSIONS = {
    "docs/alerts.yaml": [
        str(rule["expr"])
        for group in yaml.safe_load((ROOT / "docs/alerts.yaml").read_text())["groups"]
        for rule in group["rules"]
    ],
    "docs/grafana-dashboard.json": [
        target["expr"]
        for panel in json.loads((ROOT / "docs/grafana-dashboard.json").read_text())["panels"]
        for target in panel["targets"]
    ],
}


@pytest.fixture
def series(sqlite_url: str, clock: FakeClock) -> Iterator[dict[str, list[dict[str, str]]]]:
    """Every metric with the labels of its samples, from a house in which everything happened."""
    figures = Figures()
    measures.listen(figures)
    try:
        house = House(sqlite_url, clock, metrics_networks=["127.0.0.0/8"])
        alice = house.person()
        house.do(lambda services: services.password_reset.request(alice.email, house.context))
        for event in ("login.password.accepted", "login.password.refused", "step_up.satisfied"):
            measures.event(event)
        for where in ("hash", "redis"):
            measures.turned_away(where)
        measures.upkeep("outbox", failed=True)
        measures.error("invalid_grant")
        measures.took("hash", 0.04)
        house.http().post("/oauth/token")
        with house.app.app_context():
            metrics.in_this_process()
        found: dict[str, list[dict[str, str]]] = {}
        for family in text_string_to_metric_families(house.http().get("/metrics").text):
            for sample in family.samples:
                found.setdefault(sample.name, []).append(sample.labels)
        yield found
    finally:
        measures.listen(None)


@pytest.mark.parametrize("file", EXPRESSIONS)
def test_every_metric_and_label_that_is_watched_is_there(
    file: str, series: dict[str, list[dict[str, str]]]
) -> None:
    for expression in EXPRESSIONS[file]:
        named = re.findall(r"\b(idp_\w+)(?:\{([^}]*)\})?", expression)
        assert named or "up{" in expression, expression
        for name, matchers in named:
            assert name in series, name
            for label, operator, value in re.findall(r'(\w+)(=~|!=|=)"([^"]*)"', matchers):
                if label != "job":  # which Prometheus adds
                    given = {labels[label] for labels in series[name]}
                    assert operator != "=" or value in given, (name, label, value)
        by = re.findall(r"by \(([\w, ]+)\)", expression)
        labels = {one.strip() for some in by for one in some.split(",")} - {"instance", "le"}
        known = {label for name, _ in named for one in series[name] for label in one}
        assert labels <= known, expression


TOLD = re.findall(
    r"^\| (`idp_[^|]+)\|([^|]*)\|", (ROOT / "docs/operations.md").read_text(), flags=re.MULTILINE
)
"""The rows of the table of metrics: their names, and their labels, some with all values."""


def families(series: dict[str, list[dict[str, str]]]) -> dict[str, list[dict[str, str]]]:
    """The same by the names that people use, without the parts of a histogram."""
    found: dict[str, list[dict[str, str]]] = {}
    for name, labels in series.items():
        if not name.endswith("_created"):
            found.setdefault(re.sub(r"_(bucket|count|sum)$", "", name), []).extend(labels)
    return found


def test_the_table_of_metrics_has_all_of_them_and_no_other(
    series: dict[str, list[dict[str, str]]],
) -> None:
    told = [name for names, _ in TOLD for name in re.findall(r"`(idp_\w+)`", names)]
    assert len(told) == len(set(told))
    assert set(told) == families(series).keys()


def test_the_table_of_metrics_has_their_labels_and_values(
    series: dict[str, list[dict[str, str]]],
) -> None:
    for names, by in TOLD:
        labels = dict(re.findall(r"`(\w+)`(?: \(([^)]*)\))?", by))
        for name in re.findall(r"`(\w+)`", names):
            found = families(series)[name]
            assert {one for sample in found for one in sample} - {"le"} == labels.keys(), name
            for label, values in labels.items():
                given = {sample[label] for sample in found}
                assert not values or given <= set(re.findall(r"`(\w+)`", values)), (name, given)


def test_every_metric_is_watched_or_told(series: dict[str, list[dict[str, str]]]) -> None:
    """One that nobody looks at costs and is worth nothing."""
    watched = " ".join(one for some in EXPRESSIONS.values() for one in some)
    families = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in series}
    assert [name for name in sorted(families) if name not in watched] == []
