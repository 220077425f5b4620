"""The demo: one command, everything runs, one key and everything stops."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from idp.cli.demo_site import Site
from idp.protocol.claims import PERSONAL_CLAIMS
from idp.resources import resource_dir
from tests.cli.command import PASSWORD, Command
from tests.helpers.plain import PLAIN
from tests.helpers.servers import environment


@pytest.fixture
def offset() -> int:
    """Moves the demo's ports to where nobody else's demo is."""
    for number in range(100, 2000, 10):
        ports = (8000 + number, 9000 + number, 9001 + number)
        if not any(map(is_taken, ports)):
            return number
    raise RuntimeError("no ports are free")


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Demo:
    """A running demo in ``folder``."""

    def __init__(self, process: subprocess.Popen[str], offset: int, folder: Path) -> None:
        self.process = process
        self.provider = f"http://localhost:{8000 + offset}"
        self.shop = f"http://localhost:{9000 + offset}"
        self.command = Command({"IDP_CONFIG": str(folder / "var/demo/idp.toml")})

    def panel(self) -> str:
        """What it shows once everything answers."""
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                return "".join(lines)
        raise AssertionError(self.process.stderr and self.process.stderr.read())

    def stop(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@contextmanager
def running(folder: Path, offset: int, *arguments: str) -> Iterator[Demo]:
    child = environment("", "", {})
    stray = {"IDP_ISSUER": "https://elsewhere.example.com", "IDP_MAIL_URL": "smtp://elsewhere"}
    process = subprocess.Popen(
        [sys.executable, "-m", "idp", "demo", "--offset", str(offset), *arguments],
        cwd=folder,
        # Settings of a real deployment lie about, and are no matter.
        env={**child, **stray},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Demo(process, offset, folder)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=30)
        process.communicate()


def test_start_look_stop_and_start_again(tmp_path: Path, offset: int) -> None:
    """One after the other, and the second ends because a part of it does: a start takes seconds."""
    with running(tmp_path, offset) as demo:
        panel = demo.panel()
        for shown in (demo.provider, demo.shop, f"{demo.provider}/demo/mail", PASSWORD):
            assert shown in panel
        assert "alice@example.com  administrator" in panel
        _runs_on_a_device(panel, tmp_path)
        assert httpx.get(f"{demo.provider}/healthz", verify=PLAIN).is_success
        assert httpx.get(f"{demo.provider}/demo/mail", verify=PLAIN).is_success
        _sees_the_way_to_the_provider(demo)
        kept = tmp_path / "var" / "demo"
        open_to_others = [one for one in (kept, *kept.rglob("*")) if one.stat().st_mode & 0o077]
        assert open_to_others == []
        _knows_its_people(demo.command)
        demo.command.done("users", "disable", "bob@example.com")
        second = _start_another(tmp_path, offset)
        assert second.returncode == 1
        assert second.stderr.startswith(f"idp: Taken already: port {8000 + offset} (provider)")
        assert demo.stop(signal.SIGINT) == 0
        assert not is_taken(8000 + offset)
        assert not is_taken(9000 + offset)
    with running(tmp_path, offset) as demo:
        demo.panel()
        assert demo.command.json("users", "show", "bob@example.com")["disabled"] is True
        _ends_because_a_part_does(demo, offset)
    with running(tmp_path, offset, "--reset", "--login-style", "identifier_first") as demo:
        demo.panel()
        assert demo.command.json("users", "show", "bob@example.com")["disabled"] is False
        asked = httpx.get(f"{demo.provider}/me", follow_redirects=True, verify=PLAIN).text
        assert 'name="username"' in asked
        assert 'name="password"' not in asked
        assert demo.stop(signal.SIGTERM) == 0


def test_its_clients_are_what_their_files_say(tmp_path: Path) -> None:
    """`idp clients apply clients` finds nothing to do, and ends no secret that is in use."""
    clients = tmp_path / "clients"
    shutil.copytree(
        resource_dir("clients"), clients, ignore=lambda _, names: {"client.secret"} & {*names}
    )
    site = Site(tmp_path / "demo")
    idp = Command({"IDP_CONFIG": str(site.config)})
    applications = site.applications_in(clients)
    (shop,) = [one for one in applications if one.name == "shop"]
    lost = site.secret_file(shop)
    for _ in range(2):  # a secret that was lost is made anew, in the registration as well
        site.prepare(applications)
        for option in ("--dry-run", "--json"):
            told = idp.done("clients", "apply", str(clients), option)
            assert "changed" not in told.replace("unchanged", "")
        assert _is_the_secret(idp, lost)
        lost.unlink()
    lost = clients / "shop" / "client.secret"
    lost.write_text("beside-the-code-and-long-enough-to-count\n")
    site.prepare(applications)
    assert site.secret_file(shop) == lost
    assert _is_the_secret(idp, lost)


def test_its_applications_are_linked_where_they_run(tmp_path: Path) -> None:
    site = Site(tmp_path / "demo", offset=50)
    site.prepare(site.applications_in(resource_dir("clients")))
    idp = Command({"IDP_CONFIG": str(site.config)})
    shop, ledger = (idp.json("clients", "show", one) for one in ("shop", "http://localhost:9001"))
    assert shop["client_uri"] == "http://localhost:9050/"
    assert shop["redirect_uris"] == ["http://localhost:9050/callback"]
    assert shop["post_logout_redirect_uris"] == ["http://localhost:9050/signed-out"]
    assert shop["backchannel_logout_uri"] == "http://localhost:9050/backchannel-logout"
    assert ledger["client_uri"] == "http://localhost:9051/"


def _is_the_secret(idp: Command, file: Path) -> bool:
    with idp.services() as services:
        client = services.clients.get("shop")
        assert client is not None
        secret = file.read_text(encoding="utf-8").strip()
        return services.clients.accepts(client, secret, services.clock())


def _runs_on_a_device(panel: str, folder: Path) -> None:
    """By the command that the panel shows: it is registered, and gets as far as a code."""
    (line,) = [line.strip() for line in panel.splitlines() if line.strip().startswith("Device")]
    setting, _, path = line.split()[1:]
    name, _, issuer = setting.partition("=")
    with subprocess.Popen(
        [sys.executable, folder / path],
        env={name: issuer},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == f"Open {issuer}/device in a browser, and type:\n"
        process.kill()


def _sees_the_way_to_the_provider(demo: Demo) -> None:
    """The shop knows where to send a person, and the provider knows the shop."""
    with httpx.Client(verify=PLAIN) as browser:
        browser.get(demo.shop)
        sent = browser.post(f"{demo.shop}/sign-in")
        assert sent.is_redirect, sent.text
        location = sent.headers["location"]
        assert location.startswith(f"{demo.provider}/oauth/authorize?")
        assert parse_qs(urlsplit(location).query)["client_id"] == ["shop"]
        assert browser.get(location, follow_redirects=True).status_code == 200


def _knows_its_people(idp: Command) -> None:
    people = {user["email"]: user for user in idp.json("users", "list")}
    assert people["alice@example.com"]["role"] == "administrator"
    assert people["bob@example.com"]["role"] is None
    for email in people:
        shown = idp.json("users", "show", email)
        assert set(PERSONAL_CLAIMS) <= set(shown["claims"])
        assert [one["kind"] for one in shown["credentials"]] == ["password"]


def _start_another(folder: Path, offset: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "idp", "demo", "--offset", str(offset)],
        cwd=folder,
        env=os.environ | environment("", "", {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _ends_because_a_part_does(demo: Demo, offset: int) -> None:
    _kill_listener(9000 + offset)
    assert demo.process.wait(timeout=30) == 1
    assert demo.process.stderr is not None
    (line,) = demo.process.stderr.read().splitlines()
    assert line.startswith("idp: shop ended by itself")
    assert not is_taken(8000 + offset)


def _kill_listener(port: int) -> None:
    """Kill the process whose environment says that it serves this port."""
    wanted = f"PORT={port}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                variables = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if wanted in variables:
                os.kill(int(entry.name), signal.SIGKILL)
                return
    raise AssertionError(f"nothing serves port {port}")
