"""The database goes away in the middle: nothing is skipped, nothing half done, and it goes on.

Mutation: ``errors.install`` without the families of the database's errors, and it is a 500. With
``SET LOCAL synchronous_commit = off`` before the commit of a mail, a proof or a device's permission
a crash forgets it.
"""

import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import event, func, select

from idp.models import db
from tests.failures.half_way import WAYS, Alice
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Departure, Page
from tests.web.walking import enter, housed, newcomer, shown, silently


@pytest.fixture(scope="module")
def house(databases: Databases) -> Iterator[House]:
    with databases.fresh("postgresql") as url, housed(url, FakeClock()) as made:
        yield made


@pytest.fixture(scope="module")
def shop(house: House) -> RelyingParty:
    return house.client(consent="always")


@contextmanager
def away(databases: Databases) -> Iterator[None]:
    """The server crashes, and comes back at the end."""
    databases.cluster.stop(immediate=True)
    try:
        yield
    finally:
        databases.cluster.start()


def calm(response: httpx.Response) -> None:
    """Assert that it says so, calmly, and says when to try again."""
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "Location" not in response.headers
    assert "idp_session" not in response.headers.get("Set-Cookie", "")
    assert "Back in a moment" in response.text
    for word in ("psycopg", "sqlalchemy", "Traceback", "127.0.0.1"):
        assert word not in response.text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def on_disk(house: House) -> None:
    """Wait for all that was written so far, also for what nobody else waits for."""
    with house.app.app_context():
        db.session.execute(select(func.pg_logical_emit_message(True, "test", "")))
        db.session.commit()


@contextmanager
def unhurried(databases: Databases) -> Iterator[None]:
    """Nothing is on the disk before somebody waits for it."""
    cluster = databases.cluster
    with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
    cluster.restart()
    try:
        yield
    finally:
        with psycopg.connect(cluster.conninfo("postgres"), autocommit=True) as admin:
            admin.execute("ALTER SYSTEM RESET wal_writer_delay")
        cluster.restart()


def begun(house: House, shop: RelyingParty, way: str = "password") -> Alice:
    """Alice, and all that she has is on the disk."""
    alice = Alice(house, shop, way)
    on_disk(house)
    return alice


STEPS = {
    **dict.fromkeys(["ask", "look", "password", "code", "allow", "cancel"], "password"),
    **dict.fromkeys(["mail", "link"], "mailed link"),
    "passkey": "passkey",
    **dict.fromkeys(["user_code", "connect"], "device code"),
}
"""And the way that each is a step of."""

GAINED = {
    "password": {"sessions", "proofs"},
    "code": {"proofs"},
    "allow": {"grants"},
    "mail": {"mails"},
    "link": {"sessions", "proofs"},
    "passkey": {"sessions", "proofs"},
    "connect": {"grants"},
}
"""What there is one more of afterwards; of all else as much as before."""


@pytest.mark.parametrize("step", STEPS)
def test_each_step_fails_whole_and_goes_on_afterwards(
    house: House, shop: RelyingParty, databases: Databases, step: str
) -> None:
    alice = begun(house, shop, STEPS[step])
    alice.go_to(step)
    before = alice.kept()
    with away(databases):
        for _ in range(2):
            calm(alice.take(step))
    assert alice.kept() == before
    again = alice.take(step)
    assert again.status_code == (200 if step == "look" else 303)
    if step == "allow":
        assert alice.arrived(again)["amr"] == ["pwd", "otp", "mfa"]
    gained = dict.fromkeys(GAINED.get(step, ()), 1)
    before |= {"events": alice.kept()["events"]}
    assert alice.kept() == {name: number + gained.get(name, 0) for name, number in before.items()}


@pytest.mark.parametrize("way", WAYS)
def test_a_whole_sign_in_with_a_crash_before_each_step(
    house: House, shop: RelyingParty, databases: Databases, way: str
) -> None:
    alice = begun(house, shop, way)
    for step in alice.way:
        databases.cluster.restart(immediate=True)
        response = alice.take(step)
        alice.follow(step, response)
    assert alice.arrived(response)["sub"] == alice.person.id
    assert {name: alice.kept()[name] for name in ("sessions", "proofs", "grants")} == {
        "sessions": 1,
        "proofs": 1 if way == "passkey" else 2,
        "grants": 1,
    }


def test_a_device_is_told_to_come_again_and_then_served_once(
    house: House, shop: RelyingParty, databases: Databases
) -> None:
    alice = begun(house, shop, "device code")
    alice.go_to("poll")
    with away(databases):
        for refused in (alice.poll(), alice.tv.post("/oauth/device", {"scope": "openid"})):
            assert refused.status_code == 503
            assert int(refused.headers["Retry-After"]) > 0
            assert refused.json()["error"] == "temporarily_unavailable"
    assert alice.arrived(alice.poll())["sub"] == alice.person.id
    assert alice.poll().json()["error"] == "invalid_grant"


def test_a_sign_in_that_a_crash_forgot_begins_anew(
    house: House, shop: RelyingParty, databases: Databases
) -> None:
    """Nobody waits until it is on the disk that somebody has come: nothing is proved by that."""
    with unhurried(databases):
        alice = begun(house, shop)
        forgotten = alice.agent.page(alice.url)
        databases.cluster.restart(immediate=True)
        assert alice.look().status_code == 200, "what was on the disk is there"
        alice.page = forgotten
        answer = alice.password()
        assert (answer.status_code, alice.kept()["sessions"]) == (404, 0)
        assert "This sign-in is no longer here" in answer.text
        alice.page = alice.agent.page(alice.url)
        for step in ("password", "code", "allow"):
            response = getattr(alice, step)()
            if step != "allow":
                alice.page = alice.agent.page(response.headers["Location"])
        assert shop.finish(Departure(response.headers["Location"])).claims["sub"] == alice.person.id


def test_a_session_is_never_taken_for_ended(
    house: House, shop: RelyingParty, databases: Databases
) -> None:
    alice = begun(house, shop)
    alice.go_to("allow")
    alice.allow()
    url = shop.authorization_url(prompt="none")
    with away(databases):
        calm(alice.agent.client.get(url))
        calm(alice.agent.client.get("/me"))
    assert silently(alice.agent, shop) == "consent_required"


def test_what_is_asked_directly_is_answered_in_its_own_way(
    house: House, shop: RelyingParty, databases: Databases
) -> None:
    alice = begun(house, shop)
    alice.go_to("allow")
    code, pending = shop.authorization_code(Departure(alice.allow().headers["Location"]))
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": pending.redirect_uri,
        "code_verifier": pending.verifier or "",
    }
    with away(databases):
        refused = shop.token_request(**form)
        script = alice.agent.client.get(alice.page.url, headers={"Accept": "application/json"})
        ready = house.http().get("/readyz")
        alive = house.http().get("/healthz")
    assert (refused.status_code, script.status_code, ready.status_code) == (503, 503, 503)
    assert ready.json()["error"] == "temporarily_unavailable"
    assert refused.headers["Retry-After"]
    assert refused.json()["error"] == "temporarily_unavailable"
    assert {"error", "message"} <= set(script.json())
    assert alive.status_code == 200
    assert shop.exchange(code, pending).claims["sub"] == alice.person.id
    assert house.http().get("/readyz").status_code == 200


def test_what_is_logged_of_it_holds_no_secret(
    house: House, shop: RelyingParty, databases: Databases, caplog: pytest.LogCaptureFixture
) -> None:
    alice = begun(house, shop)
    with caplog.at_level(logging.DEBUG), away(databases):
        calm(alice.password())
    assert "storage failed" in caplog.text
    told = caplog.text + "".join(
        str(record.exc_info[1]) for record in caplog.records if record.exc_info
    )
    cookies = [value for value in alice.agent.cookies.values() if value]
    csrf = alice.page.form("/password").fields["csrf_token"]
    for secret in (alice.person.password, csrf, *cookies):
        assert secret not in told


def test_a_failing_statement_is_logged_without_what_it_was_to_store(
    house: House, shop: RelyingParty, caplog: pytest.LogCaptureFixture
) -> None:
    """The statement that keeps the answer, with its code, is the one that fails."""
    alice = begun(house, shop)
    alice.go_to("allow")
    with house.app.app_context():
        engine = db.engine

    def cut(_connection: object, cursor: Any, statement: str, *_: object) -> None:
        if "UPDATE transactions" in statement and "finished_at" in statement:
            cursor.connection.close()

    event.listen(engine, "before_cursor_execute", cut)
    try:
        with caplog.at_level(logging.DEBUG):
            calm(alice.allow())
    finally:
        event.remove(engine, "before_cursor_execute", cut)
    assert "storage failed" in caplog.text
    assert not re.search(r"\[parameters: [^\]]*[A-Za-z0-9_-]{20}", caplog.text)
    assert alice.kept()["grants"] == 0
    assert alice.allow().status_code == 303
    assert alice.kept()["grants"] == 1


# SQLite


_DENIED = dict.fromkeys((sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE), sqlite3.SQLITE_DENY)


def test_a_database_that_takes_no_more(sqlite_url: str) -> None:
    house = House(sqlite_url, FakeClock())
    alice, shop = newcomer(house), house.client(consent="never")
    agent = house.browser()
    page = agent.page(shop.authorization_url())
    with house.app.app_context():
        engine = db.engine
    engine.dispose()

    def full(connection: sqlite3.Connection, _record: object) -> None:
        connection.set_authorizer(lambda action, *_: _DENIED.get(action, sqlite3.SQLITE_OK))

    event.listen(engine, "connect", full)
    form = page.form("/password")
    values = {**form.fields, "username": alice.email, "password": alice.password}
    calm(agent.client.post(form.action, data=values))
    calm(agent.client.get(shop.authorization_url()))
    assert house.http().get("/oauth/jwks").status_code == 200
    assert house.http().get("/.well-known/openid-configuration").status_code == 200
    event.remove(engine, "connect", full)
    engine.dispose()
    place = enter(agent, page, alice)
    assert isinstance(place, Departure)
    assert shop.finish(place).claims["sub"] == alice.id


def test_the_pages_are_what_they_are(house: House, shop: RelyingParty) -> None:
    """A control: the walk that the tests above interrupt is a real one."""
    alice = begun(house, shop)
    alice.go_to("allow")
    page: Page = alice.page
    assert page.form("/consent")
    person: Person = alice.person
    assert shown(enter(house.browser(), house.browser().page(alice.url), person))
