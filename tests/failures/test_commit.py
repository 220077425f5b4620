"""A COMMIT fails: never a success that did not last, and a second try ends well.

On PostgreSQL the line is cut there, and SQLite refuses it.

Mutation: answer first and commit after (``Response`` built, then ``services().commit()`` in a
``try: … except SQLAlchemyError: pass``), and the revocation that was told of is none.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import DBAPIError

from idp.models import Grant, RefreshToken, User, db
from idp.secrecy import filed
from idp.services.refresh_line import CLAIM_AT_ONCE
from tests.failures.wire import Cut, Wire, wired
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty, Tokens
from tests.helpers.user_agent import UserAgent
from tests.web.walking import housed, newcomer, silently, tokens_of, user_of

COMMIT = b"COMMIT\0"
"""The statement, and not the isolation level of one that begins."""
AT_ONCE = CLAIM_AT_ONCE.prepared_as("postgresql")
"""What a refresh is called by that is one statement, and commits by itself."""
OFFLINE = {"grant_types": ["authorization_code", "refresh_token"], "consent": "never"}


@dataclass(frozen=True)
class Case:
    """A person who is signed in to a client, at a node whose line to the database may be cut."""

    house: House
    wire: Wire
    person: Person
    agent: UserAgent
    shop: RelyingParty
    tokens: Tokens

    def revoke(self) -> httpx.Response:
        form = {"token": self.tokens.refresh_token}
        return self.shop.post(self.shop.metadata["revocation_endpoint"], form)

    def refresh(self, token: str | None = None) -> httpx.Response:
        token = token or self.tokens.refresh_token or ""
        return self.shop.token_request(grant_type="refresh_token", refresh_token=token)

    def is_used(self, token: str) -> bool:
        """In truth."""
        with self.house.app.app_context():
            used = select(RefreshToken.used_at).where(RefreshToken.token_hash == filed(token))
            return db.session.scalar(used) is not None

    def leave(self) -> httpx.Response:
        form = self.agent.page("/me").form("/sign-out")
        return self.agent.client.post(form.action, data=form.fields)

    def disable(self) -> httpx.Response:
        """As the console and the command do; a storage error is for them to tell."""
        try:
            self.house.do(
                lambda services: services.accounts.disable(
                    user_of(services, self.person), self.house.context
                )
            )
        except DBAPIError:
            return httpx.Response(503)
        return httpx.Response(200)

    def is_over(self, what: str) -> bool:
        """In truth."""
        with self.house.app.app_context():
            grant = select(Grant.ended_at).where(Grant.user_id == self.person.id)
            user = select(User.disabled_at).where(User.id == self.person.id)
            asked = user if what == "disable" else grant
            found = db.session.scalars(asked).all()
        if what == "leave":
            return silently(self.agent, self.shop) == "login_required"
        return bool(found) and all(found)


@pytest.fixture(scope="module")
def line(databases: Databases) -> Iterator[tuple[House, Wire]]:
    with (
        databases.fresh("postgresql") as url,
        wired(url) as (through, wire),
        housed(through, FakeClock()) as house,
    ):
        yield house, wire


@pytest.fixture
def case(line: tuple[House, Wire]) -> Case:
    return case_of(line)


def case_of(line: tuple[House, Wire], **members: Any) -> Case:
    """``members`` are of the client's registration."""
    house, wire = line
    person, agent, shop = newcomer(house), house.browser(), house.client(**OFFLINE, **members)
    tokens = tokens_of(agent, shop, person, scope="openid offline_access")
    return Case(house, wire, person, agent, shop, tokens)


ENDINGS: dict[str, Callable[[Case], httpx.Response]] = {
    "revoke": Case.revoke,
    "leave": Case.leave,
    "disable": Case.disable,
}


@pytest.mark.parametrize("cut", Cut)
@pytest.mark.parametrize("what", ENDINGS)
def test_it_is_no_success_and_a_second_try_is(case: Case, what: str, cut: Cut) -> None:
    assert not case.is_over(what)
    before = case.wire.cuts
    case.wire.arm(COMMIT, cut)
    answer = ENDINGS[what](case)
    assert (answer.status_code, case.wire.cuts) == (503, before + 1)
    assert case.is_over(what) == (cut is Cut.AFTER), "not told of either way, so ask again"
    if what != "leave" or cut is Cut.BEFORE:
        assert ENDINGS[what](case).status_code in (200, 303)
    assert case.is_over(what)


@pytest.mark.parametrize("cut", Cut)
@pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])
def test_a_refresh_is_not_lost_with_its_answer(
    line: tuple[House, Wire], access_token_format: str, cut: Cut
) -> None:
    """A transaction of several statements, or of one that writes everything."""
    case = case_of(line, access_token_format=access_token_format)
    token = case.refresh().json()["refresh_token"]  # from here on the statement is prepared
    case.wire.arm({"jwt": AT_ONCE, "opaque": COMMIT}[access_token_format], cut)
    before = case.wire.cuts
    assert (case.refresh(token).status_code, case.wire.cuts) == (503, before + 1)
    assert case.is_used(token) == (cut is Cut.AFTER)
    again = case.refresh(token)
    assert again.status_code == 200
    assert again.json()["refresh_token"] != token
    assert not case.is_over("refresh")


def test_a_line_that_holds_is_a_success_at_once(case: Case) -> None:
    for what, end in ENDINGS.items():
        assert end(case).status_code in (200, 303), what
        assert case.is_over(what), what


@contextmanager
def refusing(house: House) -> Iterator[None]:
    """SQLite takes whatever is written, and no COMMIT of it."""
    with house.app.app_context():
        engine = db.engine
    wrote: list[str] = []

    def watch(connection: sqlite3.Connection, _record: object) -> None:
        def judge(action: int, what: str | None, *_: object) -> int:
            if action in (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE):
                wrote.append(str(what))
            refused = action == sqlite3.SQLITE_TRANSACTION and what == "COMMIT"
            return sqlite3.SQLITE_DENY if refused and wrote else sqlite3.SQLITE_OK

        connection.set_authorizer(judge)

    engine.dispose()
    event.listen(engine, "connect", watch)
    try:
        yield
    finally:
        event.remove(engine, "connect", watch)
        engine.dispose()
    assert wrote, "it got as far as that"


@pytest.mark.parametrize("what", ENDINGS)
def test_what_sqlite_does_not_commit_is_no_success(sqlite_url: str, what: str) -> None:
    with housed(sqlite_url, FakeClock()) as house:
        case = case_of((house, Wire(0, ("", 0))))
        with refusing(house):
            assert ENDINGS[what](case).status_code == 503
        assert not case.is_over(what)
        assert ENDINGS[what](case).status_code in (200, 303)
        assert case.is_over(what)
