"""Whoever goes takes along what is theirs; and what was written meanwhile is nobody's."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Column, Connection, create_engine, func, select, text

from idp.assurance import PASSWORD, Evidence
from idp.audit import Context
from idp.config import Settings
from idp.models import Credential, Grant, Transaction, User, db
from idp.models.base import dialect
from idp.protocol.errors import OAuthError
from idp.secrecy import new_secret_at
from idp.services.access import JwtClaims, live_jwt, live_opaque, live_refresh
from idp.services.accounts import Accounts
from idp.services.cleanup import clean_up
from idp.services.clients import RegisteredClient
from idp.services.grants import Grants, Redeemed
from idp.services.refresh import Refreshing
from idp.services.sessions import Sessions
from tests.helpers.clock import NOON
from tests.helpers.ports import wait_until
from tests.helpers.references import references
from tests.services.people import (
    CALLBACK,
    VERIFIER,
    add_client,
    add_person,
    agree,
    as_registered,
    granted_to,
    registry_of,
    request_of,
)

SCOPE = ("openid", "offline_access")
LIVES = {"created_at": NOON, "last_seen_at": NOON, "expires_at": NOON + timedelta(days=1)}
OPAQUE = as_registered("shop", access_token_format="opaque")
KEPT = as_registered("shop", refresh_token_rotation=False)
SHOP = as_registered("shop")


@dataclass
class Village:
    """Two people, each signed in to two applications."""

    settings: Settings
    context: Context

    def __post_init__(self) -> None:
        self.grants = Grants(self.settings)
        self.refreshing = Refreshing(self.settings)
        self.sessions = Sessions(self.settings, second_steps=())
        self.tokens = {name: self._moves_in(name) for name in ("ann", "bob")}

    def _moves_in(self, name: str) -> str:
        add_person(NOON, name)
        token = new_secret_at(NOON)
        first = Evidence("password", name, PASSWORD.proves, PASSWORD.amr, NOON, name)
        session = self.sessions.start(
            name, persistent=False, context=self.context, token=token, first=first
        )
        db.session.add_all(
            [
                Credential(id=name, user_id=name, kind="password", created_at=NOON),
                Transaction(
                    browser_hash="x",
                    user_id=name,
                    session_id=session,
                    started_at=NOON,
                    expires_at=NOON,
                ),
            ]
        )
        db.session.commit()
        return token

    def code(self, name: str = "ann", client: str = "shop") -> str:
        granted = granted_to(client, NOON, user_id=name, scope=SCOPE)
        asked = request_of(client)
        agree(client, NOON, user_id=name)
        return self.grants.issue_code(granted, asked, now=NOON)

    def redeem(self, code: str, client: RegisteredClient = SHOP) -> Redeemed:
        return self.grants.redeem_code(
            code,
            client=client,
            redirect_uri=CALLBACK,
            code_verifier=VERIFIER,
            context=self.context,
        )

    def bought(self, client: RegisteredClient = SHOP) -> Redeemed:
        return self.redeem(self.code(), client)

    def refresh(self, token: str | None, client: RegisteredClient = SHOP) -> Redeemed:
        return self.refreshing.redeem(str(token), client=client, scope=None, context=self.context)


@pytest.fixture
def village(app: Flask, settings: Settings, context: Context) -> Village:
    for client in ("shop", "bank"):
        add_client(settings, context, client)
    return Village(settings, context)


# --- nothing is left ---------------------------------------------------------------------------


def everything(village: Village) -> None:
    for name in ("ann", "bob"):
        for client in ("shop", "bank"):
            for format_ in ("jwt", "opaque"):
                registered = as_registered(client, access_token_format=format_)
                village.redeem(village.code(name, client), registered)
            village.code(name, client)
    db.session.commit()


def rows() -> dict[str, int]:
    return {
        name: db.session.scalar(select(func.count()).select_from(table)) or 0
        for name, table in db.metadata.tables.items()
    }


def lost() -> dict[str, int]:
    """How many rows refer to what there is not, by column."""
    found = {str(one): _lost(one, other) for one, other in references().items()}
    return {name: count for name, count in found.items() if count}


def _lost(one: Column[str], other: Column[str]) -> int:
    there = select(other).where(other == one).correlate(one.table)
    lost = select(func.count()).select_from(one.table).where(one.is_not(None), ~there.exists())
    return db.session.scalar(lost) or 0


def remove_ann(village: Village) -> None:
    Accounts(village.settings).delete(db.session.get_one(User, "ann"), village.context)


def remove_shop(village: Village) -> None:
    registry_of(village.settings).delete("shop", village.context)


HALF = ("sessions", "session_clients", "grants", "access_tokens", "refresh_tokens")
REMOVED: Mapping[str, tuple[Callable[[Village], None], Sequence[str]]] = {
    "a person": (remove_ann, [*HALF, "evidence", "credentials", "transactions", "users"]),
    "an application": (remove_shop, [*HALF[1:], "clients"]),
}


@pytest.mark.parametrize("who", REMOVED)
def test_what_is_theirs_goes_and_nothing_else(village: Village, who: str) -> None:
    remove, tables = REMOVED[who]
    everything(village)
    before = rows()
    assert all(before[name] for name in tables)
    remove(village)
    after = rows()
    assert lost() == {}
    assert {name: after[name] for name in tables} == {name: before[name] // 2 for name in tables}


def test_an_expired_grant_takes_its_tokens_along(village: Village) -> None:
    everything(village)
    now = NOON + timedelta(days=4)
    db.session.execute(db.update(Grant).where(Grant.user_id == "ann").values(expires_at=NOON))
    db.session.commit()
    tokens = rows()["refresh_tokens"]
    assert clean_up(now)["grants"] == 6
    assert rows()["refresh_tokens"] == tokens // 2
    assert set(lost()) <= {"grants.session_id"}


# --- what was being written meanwhile ----------------------------------------------------------


WRITTEN = ("sessions", "evidence", "grants", "session_clients", "access_tokens", "refresh_tokens")


@contextmanager
def written_meanwhile(url: str) -> Iterator[None]:
    """What happens in the block is over before a transaction ends that had begun to write all this.

    SQLite lets nobody write beside it: there it writes just after.
    """
    found = {name: _take(name) for name in reversed(WRITTEN)}
    db.session.commit()
    engine = create_engine(url)
    with engine.connect() as other:
        if dialect() == "postgresql":
            _write(other, found)
        yield
        if dialect() == "sqlite":
            _write(other, found)
        other.commit()
    engine.dispose()


def _take(name: str) -> list[dict[str, Any]]:
    table = db.metadata.tables[name]
    found = [dict(row) for row in db.session.execute(select(table)).mappings()]
    db.session.execute(table.delete())
    return found


def _write(other: Connection, found: Mapping[str, list[dict[str, Any]]]) -> None:
    for name in WRITTEN:
        other.execute(db.metadata.tables[name].insert(), found[name])


Try = Callable[[], object]


def ways(village: Village) -> dict[str, Try]:
    """All that Ann and her application hold, and how it is used."""
    jwt, opaque, used = village.bought(), village.bought(OPAQUE), village.bought()
    renewed = [village.bought(client).tokens.refresh for client in (SHOP, OPAQUE, KEPT)]
    codes = [village.code(), village.code()]
    village.refresh(used.tokens.refresh)
    db.session.commit()
    claims = JwtClaims(
        jti=f"{jwt.grant_id}.x", scope=SCOPE, audience=(), issued_at=NOON, expires_at=NOON
    )
    return {
        "a code": lambda: village.redeem(codes[0]),
        "a code, in steps": lambda: village.redeem(codes[1], OPAQUE),
        "a refresh token": lambda: village.refresh(renewed[0]),
        "a refresh token, in steps": lambda: village.refresh(renewed[1], OPAQUE),
        "a refresh token that stays": lambda: village.refresh(renewed[2], KEPT),
        "a refresh token, repeated": lambda: village.refresh(used.tokens.refresh),
        "a refresh token, looked at": lambda: live_refresh(str(jwt.tokens.refresh), NOON),
        "an access token": lambda: live_jwt(claims),
        "an opaque access token": lambda: live_opaque(str(opaque.tokens.opaque), NOON),
    }


def works(use: Try) -> bool:
    try:
        return use() is not None
    except OAuthError:
        return False


def make_shop(village: Village) -> None:
    add_client(village.settings, village.context, "shop")


def nothing(_village: Village) -> None:
    pass


MEANWHILE: Mapping[str, tuple[Callable[[Village], None], Callable[[Village], None], bool]] = {
    "nothing": (nothing, nothing, True),
    "the person went": (remove_ann, nothing, False),
    "the application went": (remove_shop, nothing, False),
    "another application got its id": (remove_shop, make_shop, False),
}


@pytest.mark.parametrize("case", MEANWHILE)
def test_what_was_being_written_is_nobodys(village: Village, case: str) -> None:
    meanwhile, then, good = MEANWHILE[case]
    held = ways(village)
    with written_meanwhile(village.settings.database_url):
        meanwhile(village)
    then(village)
    assert rows()["sessions"] == 4
    assert {name: works(use) for name, use in held.items()} == dict.fromkeys(held, good)
    session = village.sessions.present(village.tokens["ann"], NOON)
    assert (session is not None) == (meanwhile is not remove_ann)
    assert village.sessions.present(village.tokens["bob"], NOON) is not None


@pytest.mark.parametrize("who", REMOVED)
def test_it_goes_when_it_has_expired(village: Village, who: str) -> None:
    ways(village)
    with written_meanwhile(village.settings.database_url):
        REMOVED[who][0](village)
    assert lost()
    clean_up(NOON + timedelta(days=1000))
    assert lost() == {}


# --- on PostgreSQL, where others write at the same time ----------------------------------------


SIGN_IN = (
    "UPDATE credentials SET last_used_at = now() WHERE id = 'ann'",
    "INSERT INTO sessions (id, user_id, persistent, user_agent, address, created_at, last_seen_at,"
    " expires_at) VALUES ('late', 'ann', false, '', '', now(), now(), now())",
)
AS_BEFORE = (
    "DELETE FROM clients WHERE id = 'shop'",
    "INSERT INTO clients (id, name, registration, managed_by, revision, created_at, updated_at)"
    " VALUES ('shop', '', '{}', 'command', 1, now(), now())",
)
"""What the version before this one does when a client is deleted and made anew."""


on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@on_postgresql
def test_who_is_just_signing_in_is_waited_for(app: Flask, village: Village) -> None:
    """So that nothing is left of somebody who was at the door while she was removed."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")

    def remove() -> None:
        with app.app_context():
            remove_ann(village)

    with ThreadPoolExecutor() as threads, db.engine.connect() as signing_in:
        for statement in SIGN_IN:
            signing_in.execute(text(statement))
        removed = threads.submit(remove)
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as looking:
            wait_until(lambda: bool(looking.scalar(waiting)), seconds=20, what="the lock")
        signing_in.commit()
        removed.result(timeout=30)
    assert lost() == {}
    assert rows()["sessions"] == 2


@on_postgresql
def test_a_node_of_the_version_before_leaves_nothing_to_the_next_of_that_id(
    village: Village,
) -> None:
    held = ways(village)
    everything(village)
    with db.engine.begin() as node:
        for statement in AS_BEFORE:
            node.execute(text(statement))
    assert {name: works(use) for name, use in held.items()} == dict.fromkeys(held, False)
    assert lost() == {}
