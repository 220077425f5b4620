import os
import sys

import httpx
import pytest

from tests.helpers.fixtures import Serve
from tests.helpers.plain import PLAIN
from tests.helpers.relying_party import RelyingParty
from tests.helpers.servers import environment
from tests.helpers.sign_in import sign_in
from tests.helpers.stub_provider import PASSWORD
from tests.helpers.user_agent import UserAgent

DATABASE = "sqlite:///unused.sqlite3"


def stub(port: int) -> list[str]:
    return [sys.executable, "-m", "tests.helpers.stub_provider", str(port)]


def quitter(port: int) -> list[str]:
    return [sys.executable, "-c", "raise SystemExit('settings: nothing is right')"]


def teller(_: int) -> list[str]:
    return [sys.executable, "-c", "import os; raise SystemExit(dict(os.environ))"]


def test_several_processes_run_and_end(run_servers: Serve) -> None:
    one, other = run_servers(DATABASE, n=2, command=stub)
    assert one.pid != other.pid
    assert httpx.get(f"{other.url}/healthz", verify=PLAIN).text == "ok"
    other.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{other.url}/healthz", verify=PLAIN)
    assert httpx.get(f"{one.url}/healthz", verify=PLAIN).text == "ok"


def test_a_killed_server_comes_back_at_its_port(run_servers: Serve) -> None:
    (server,) = run_servers(DATABASE, command=stub)
    killed = server.pid
    server.kill()
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.pid
    server.start()
    assert server.pid != killed
    assert httpx.get(f"{server.url}/healthz", verify=PLAIN).text == "ok"


def test_a_server_that_does_not_start_says_why(run_servers: Serve) -> None:
    with pytest.raises(RuntimeError, match="ended by itself") as failed:
        run_servers(DATABASE, command=quitter)
    assert "settings: nothing is right" in str(failed.value.__notes__)


def test_all_are_told_the_same_and_nothing_of_the_developers(
    run_servers: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_LOGIN_STYLE", "mine")
    told = environment(DATABASE, "http://localhost:1", {"IDP_MAIL_URL": "console:"})
    settings = {name: told[name] for name in told if name.startswith("IDP_")}
    assert settings.pop("IDP_KEYS")
    assert settings == {
        "IDP_ISSUER": "http://localhost:1",
        "IDP_DATABASE_URL": DATABASE,
        "IDP_MAIL_URL": "console:",
    }
    assert told["PATH"] == os.environ["PATH"]
    with pytest.raises(RuntimeError) as failed:
        run_servers(DATABASE, settings={"IDP_MAIL_URL": "console:"}, command=teller)
    assert "'IDP_MAIL_URL': 'console:'" in str(failed.value.__notes__)


def test_a_sign_in_over_the_wire(run_servers: Serve) -> None:
    (server,) = run_servers(DATABASE, command=stub)
    shop = RelyingParty(server.url, "shop", "https://shop.test/callback", "s:e cret")
    with UserAgent(server.url) as agent:
        departure = sign_in(agent, shop.authorization_url(), username="ana", password=PASSWORD)
        code, _ = shop.authorization_code(departure)
    shop.http.close()
    assert code == "c0de"
