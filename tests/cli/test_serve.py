"""The server as a process: started, asked, killed and stopped."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from idp.migrate import downgrade
from tests.cli.command import PASSWORD, Command
from tests.helpers.plain import PLAIN
from tests.helpers.ports import free_port, wait_until
from tests.helpers.servers import TEST_KEY, Server, environment, serve
from tests.helpers.smtp import Outbox, links

Serve = Callable[..., list[Server]]


def workers_of(pid: int) -> list[int]:
    """The processes that this one started and that still run."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in children.read_text().split()] if children.exists() else []


def is_running(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_from_nothing_to_an_answer_and_back(tmp_path: Path) -> None:
    port = free_port()
    child = environment("", "", {})
    for name in ("IDP_ISSUER", "IDP_DATABASE_URL", "IDP_KEYS"):
        del child[name]

    init = [sys.executable, "-m", "idp", "init", "--issuer", f"http://localhost:{port}"]
    subprocess.run(init, cwd=tmp_path, env=child, check=True, stdout=subprocess.DEVNULL)
    idp = Command({"IDP_CONFIG": str(tmp_path / "idp.toml")})
    idp.done("users", "create", "ann@example.com", "--password-stdin", stdin=PASSWORD)
    command = [sys.executable, "-m", "idp", "serve", "--host", "localhost", "--port", str(port)]
    server = Server(lambda _: command, port, child, tmp_path)
    server.start()
    try:
        wait_until(lambda: "answers at" in server.output(), seconds=15, what="the line")
        line, link = [one for one in server.output().splitlines() if not one.startswith("{")]
        assert line == f"Gatehouse answers at http://127.0.0.1:{port} for http://localhost:{port}"
        # Ann has no role: somebody has yet to administer.
        assert f"once: http://localhost:{port}/login/first/" in link
        assert httpx.get(f"{server.url}/readyz", verify=PLAIN).json() == {"status": "ready"}
        discovery = httpx.get(f"{server.url}/.well-known/openid-configuration", verify=PLAIN).json()
        assert discovery["issuer"] == server.url
        assert httpx.get(discovery["jwks_uri"], verify=PLAIN).json()["keys"]
        again = idp.refused("serve", "--port", str(port))
        assert again.startswith(f"127.0.0.1:{port} cannot be listened on")
    finally:
        server.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_it_is_told_to_with_all_its_workers(
    sqlite_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "idp", "serve", "--port", str(port), "--workers", "2"],
        env=environment(sqlite_url, f"http://localhost:{port}", {}),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Gatehouse answers")
        workers = workers_of(process.pid)
        assert len(workers) == 2
        os.killpg(process.pid, number)  # as a terminal's Ctrl-C reaches all of them
        assert process.wait(timeout=15) == 0
        _, errors = process.communicate()
        assert [line for line in errors.splitlines() if '"level": "INFO"' not in line] == []
        assert not any(map(is_running, workers))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.communicate()


BY_ANOTHER_SERVER = """
import sys
from wsgiref.simple_server import make_server
from idp.wsgi import app
make_server("127.0.0.1", int(sys.argv[1]), app).serve_forever()
"""


def test_another_server_can_run_it_and_it_does_its_upkeep(
    sqlite_url: str, tmp_path: Path, outbox: Outbox
) -> None:
    command = [sys.executable, "-c", BY_ANOTHER_SERVER]
    mail = {"IDP_MAIL_URL": outbox.url}
    Command.over(sqlite_url).json("keys", "rotate")  # as the page on commands says
    with serve(sqlite_url, tmp_path, settings=mail, command=lambda port: [*command, str(port)]) as (
        server,
    ):
        assert httpx.get(f"{server.url}/readyz", verify=PLAIN).json() == {"status": "ready"}
        assert len(httpx.get(f"{server.url}/oauth/jwks", verify=PLAIN).json()["keys"]) == 4
        Command.over(sqlite_url, **mail).done("users", "invite", "ann@example.com")
        wait_until(lambda: bool(outbox.messages), seconds=20, what="the mail")


def test_workers_that_are_still_loading_stop_as_well(sqlite_url: str, tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "idp", "serve", "--port", str(port), "--workers", "2"],
        env=environment(sqlite_url, f"http://localhost:{port}", {}),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        wait_until(lambda: len(workers_of(process.pid)) == 2, seconds=20, what="two workers")
        process.terminate()
        _, errors = process.communicate(timeout=20)
        assert "refused to gracefully stop" not in errors
        assert process.returncode == 0
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_worker_that_dies_is_replaced_and_none_outlives_a_server_that_was_killed(
    sqlite_url: str, run_servers: Serve
) -> None:
    (server,) = run_servers(sqlite_url)
    (worker,) = workers_of(server.pid)
    os.kill(worker, signal.SIGKILL)

    def is_back() -> bool:
        with suppress(httpx.TransportError):
            answered = httpx.get(f"{server.url}/healthz", timeout=2, verify=PLAIN).is_success
            return answered and workers_of(server.pid) not in ([], [worker])
        return False

    wait_until(is_back, seconds=15, what="another worker")
    workers = workers_of(server.pid)
    assert workers
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: not any(map(is_running, workers)), seconds=15, what="the workers' end")


REFUSED = {
    "settings that are wrong": ({"IDP_ISSUER": "http://id.example.com"}, "The settings cannot"),
    "keys of another deployment": (
        {"IDP_KEYS": "b3RoZXIga2V5IG90aGVyIGtleSBvdGhlciBrZXkgb3Q="},
        "cannot be read with the configured deployment keys",
    ),
}


@pytest.mark.parametrize(("settings", "why"), REFUSED.values(), ids=REFUSED)
def test_it_does_not_start_with(sqlite_idp: Command, settings: dict[str, str], why: str) -> None:
    sqlite_idp.json("keys", "rotate")
    assert why in sqlite_idp.with_(**settings).refused("serve", "--port", str(free_port()))


def test_it_does_not_start_over_an_old_schema(idp: Command) -> None:
    downgrade(idp.environment["IDP_DATABASE_URL"], "base")
    assert "`idp db upgrade`" in idp.refused("serve", "--port", str(free_port()))


def test_mail_goes_out_by_itself_and_no_secret_reaches_the_log(
    sqlite_url: str, run_servers: Serve, outbox: Outbox
) -> None:
    settings = {"IDP_MAIL_URL": outbox.url, "IDP_LOG_LEVEL": "DEBUG"}
    one, two = run_servers(sqlite_url, n=2, settings=settings)
    idp = Command.over(sqlite_url, IDP_ISSUER=one.url, IDP_MAIL_URL=outbox.url)
    idp.done("users", "create", "ann@example.com", "--password-stdin", stdin=PASSWORD)
    idp.done("users", "reset", "ann@example.com")
    (link,) = [one for one in links(outbox.latest(to="ann@example.com")) if "/login/reset/" in one]
    token = link.rpartition("/")[2]
    for server in (one, two):
        page = httpx.get(f"{server.url}/login/reset/{token}", verify=PLAIN)
        assert page.status_code == 200
        httpx.get(f"{server.url}/oauth/authorize?client_id=x&code={token}", verify=PLAIN)
        httpx.post(
            f"{server.url}/oauth/token", data={"code": token, "client_secret": token}, verify=PLAIN
        )
    outbox.wait(1, to="ann@example.com")
    assert len(outbox.to("ann@example.com")) == 1
    for server in (one, two):
        server.stop()
        told = server.output()
        assert "Gatehouse answers" in told
        for secret in (token, PASSWORD, TEST_KEY):
            assert secret not in told


def test_what_is_logged_is_json_a_line(sqlite_url: str, run_servers: Serve) -> None:
    dead = f"smtp://127.0.0.1:{free_port()}"
    (server,) = run_servers(sqlite_url, settings={"IDP_MAIL_URL": dead})
    idp = Command.over(sqlite_url, IDP_ISSUER=server.url, IDP_MAIL_URL=dead)
    idp.done("users", "invite", "ann@example.com")
    wait_until(lambda: "was not sent" in server.output(), seconds=10, what="a complaint")
    (line,) = [line for line in server.output().splitlines() if "was not sent" in line]
    assert re.match(r'\{"time": "[^"]+", "level": "WARNING", "logger": "[^"]+", "message": ', line)
