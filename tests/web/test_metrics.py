"""/metrics: who may read it, what it counts, and that it counts over all workers."""

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from idp import measures
from idp.exposition import Figures
from idp.models import db
from idp.web import metrics
from tests.cli.test_serve import workers_of
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House
from tests.helpers.plain import PLAIN
from tests.helpers.ports import wait_until
from tests.helpers.servers import Server, serve
from tests.web.walking import enter, gone, shown

TOKEN = "a-token-that-nobody-guesses"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def heard() -> Iterator[Figures]:
    """What a process counts is the process's: so each of these tests begins with nothing."""
    figures = Figures()
    measures.listen(figures)
    yield figures
    measures.listen(None)


@pytest.fixture
def house(heard: Figures, sqlite_url: str, clock: FakeClock) -> House:
    return House(sqlite_url, clock, metrics_token=TOKEN)


def samples(told: str) -> Samples:
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(told)
        for one in family.samples
    }


def scraped(house: House) -> Callable[..., float]:
    """Of a sample, by name and labels, its value; 0 for one that there is not."""
    answer = house.http().get("/metrics", headers=BEARER)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found = samples(answer.text)
    return lambda name, **labels: found.get((name, frozenset(labels.items())), 0)


SHOWN = {
    "nothing": {},
    "another token": {"Authorization": "Bearer another-token-of-no-use"},
    "the token as a password": {"Authorization": f"Basic {TOKEN}"},
}


@pytest.mark.parametrize("headers", SHOWN.values(), ids=SHOWN)
def test_nobody_reads_it_without_the_token(house: House, headers: dict[str, str]) -> None:
    refused = house.http().get("/metrics", headers=headers)
    assert refused.status_code == 401
    assert "idp_" not in refused.text
    assert house.http().get("/metrics", headers=BEARER).status_code == 200  # the control


def test_a_network_needs_no_token_but_comes_straight(
    heard: Figures, sqlite_url: str, clock: FakeClock
) -> None:
    inside = House(sqlite_url, clock, metrics_networks=["127.0.0.0/8"]).http()
    assert inside.get("/metrics").status_code == 200
    assert inside.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 401
    elsewhere = House(sqlite_url, clock, metrics_networks=["10.0.0.0/8"]).http()
    assert elsewhere.get("/metrics").status_code == 401


def test_unless_it_is_set_up_it_is_not_there(sqlite_url: str, clock: FakeClock) -> None:
    assert House(sqlite_url, clock).http().get("/metrics", headers=BEARER).status_code == 404


def test_a_sign_in_is_counted_and_timed(house: House) -> None:
    alice, shop, agent = house.person(), house.client(consent="never"), house.browser()
    page = shown(agent.page(shop.authorization_url()))
    wrong = shown(enter(agent, page, alice, password="not this one"))
    shop.finish(gone(enter(agent, wrong, alice)))
    value = scraped(house)
    sign_ins = "idp_sign_ins_total"
    assert value(sign_ins, method="password", outcome="accepted") == 1
    assert value(sign_ins, method="password", outcome="refused") == 1
    assert value("idp_audit_events_total", event="client.registered") == 1
    token = {"endpoint": "oidc.token", "method": "POST", "status": "200"}
    assert value("idp_requests_total", **token) == 1
    assert value("idp_request_seconds_count", endpoint="oidc.token") == 1
    for stage in ("hash", "hash_wait", "sign", "database", "render"):
        assert value("idp_stage_seconds_count", stage=stage) > 0, stage


def test_what_happens_to_a_link_is_no_sign_in(house: House) -> None:
    for name in ("login.handed_link.made", "login.link.disowned", "login.totp.throttled"):
        measures.event(name)
    value = scraped(house)
    assert value("idp_audit_events_total", event="login.handed_link.made") == 1
    assert value("idp_sign_ins_total", method="totp", outcome="throttled") == 1
    assert value("idp_sign_ins_total", method="handed_link", outcome="made") == 0
    assert value("idp_sign_ins_total", method="link", outcome="disowned") == 0


def test_what_could_not_be_reached_and_other_errors_are_counted(house: House) -> None:
    shop, agent = house.client(), house.browser()
    agent.client.get(shop.authorization_url(prompt="none"))
    agent.client.get(shop.authorization_url(acr_values="urn:nobody:knows"))
    house.http().post("/oauth/token", data={"grant_type": "magic"})
    value = scraped(house)
    for code in ("login_required", "unmet_authentication_requirements", "unsupported_grant_type"):
        assert value("idp_errors_total", error=code) == 1, code
    assert value("idp_step_ups_total", outcome="unmet") == 1


def test_strangers_add_no_series(house: House) -> None:
    """Or whoever asks for a million addresses fills somebody's memory."""
    before = house.http().get("/metrics", headers=BEARER).text
    for number in range(3):
        house.http().request(f"ODD{number}", f"/nothing/{number}")
        house.http().get(f"/login/{number:022}")
    after = house.http().get("/metrics", headers=BEARER).text
    added = {name for name, _ in samples(after).keys() - samples(before).keys()}
    series = samples(after).keys()
    assert added <= {name for name, _ in series if name.startswith(("idp_request", "idp_stage"))}
    assert {dict(labels)["method"] for name, labels in series if "method" in dict(labels)} <= {
        *("GET", "POST", "other"),
    }
    assert not any(
        "nothing" in value or "ODD" in value for _, labels in series for _, value in labels
    )


def test_what_waits_and_how_old_keys_are(house: House) -> None:
    alice = house.person()
    house.do(lambda services: services.password_reset.request(alice.email, house.context))
    house.clock.advance(minutes=3)
    with house.app.app_context():
        metrics.in_this_process()
    value = scraped(house)
    assert (value("idp_database_up"), value("idp_database_writable")) == (1, 1)
    assert value("idp_outbox_messages", kind="mail") == 1
    assert value("idp_outbox_oldest_seconds", kind="mail") == 180
    assert value("idp_outbox_given_up") == 0
    assert value("idp_signing_key_age_seconds", algorithm="ES256") == 180
    assert value("idp_hashing", state="working") == 0
    assert value("idp_worker_memory_bytes") > 2**20


def test_without_a_database_it_says_so(house: House) -> None:
    with house.app.app_context():
        db.session.execute(text("ALTER TABLE outbox RENAME TO elsewhere"))
        db.session.commit()
    value = scraped(house)
    assert value("idp_database_up") == 0
    assert value("idp_outbox_given_up") == 0
    assert value("idp_requests_total", endpoint="metrics.exposed", method="GET", status="200") == 0


def two_workers(port: int) -> list[str]:
    serve = [sys.executable, "-m", "idp", "serve", "--port", str(port)]
    return [*serve, "--workers", "2"]


def test_whichever_worker_is_asked_tells_of_all(databases: Databases, tmp_path: Path) -> None:
    settings = {"IDP_METRICS_TOKEN": TOKEN}
    with (
        databases.fresh("sqlite") as url,
        serve(url, tmp_path, settings=settings, command=two_workers) as (server,),
    ):
        for _request in range(20):  # each over a connection of its own: to either worker
            assert httpx.get(f"{server.url}/oauth/jwks", verify=PLAIN).is_success
        assert {jwks_counted(server) for _ in range(6)} == {20}
        wait_until(lambda: connections(server) > 0, seconds=20, what="what workers have")
        victim, other = workers_of(server.pid)
        os.kill(victim, signal.SIGKILL)
        wait_until(
            lambda: len(now := workers_of(server.pid)) == 2 and victim not in now and other in now,
            seconds=30,
            what="another worker",
        )
        assert jwks_counted(server) == 20  # what was counted stays counted
        mapped = Path(f"/proc/{other}/maps").read_text()
        (kept,) = {Path(one) for one in re.findall(r"(/\S*idp-figures-[^/]+)/", mapped)}
        assert kept.exists()
    assert not kept.exists()


def jwks_counted(server: Server) -> float:
    labels = {"endpoint": "oidc.jwks", "method": "GET", "status": "200"}
    return told_by(server)[("idp_requests_total", frozenset(labels.items()))]


def connections(server: Server) -> float:
    found = told_by(server)
    return sum(value for (name, _), value in found.items() if name == "idp_worker_memory_bytes")


def told_by(server: Server) -> Samples:
    answer = httpx.get(f"{server.url}/metrics", headers=BEARER, timeout=10, verify=PLAIN)
    assert answer.status_code == 200
    return samples(answer.text)
