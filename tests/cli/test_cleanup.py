"""What has expired goes, and nothing else does."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import Connection, NullPool, Table, create_engine, delete, event, func, select

from idp.clock import system_clock
from idp.models import (
    AccessToken,
    BrowserSession,
    Client,
    ClientSecret,
    Counter,
    Entry,
    Grant,
    OutboxMessage,
    RefreshToken,
    Transaction,
    User,
    db,
)
from idp.services.cleanup import BATCH, Places, clean_up
from tests.cli.command import Command

NOW = system_clock()
LONG_AGO = NOW - timedelta(days=40)
"""Past every grace."""
A_MOMENT_AGO = NOW - timedelta(minutes=1)
LATER = NOW + timedelta(days=1)

Rows = Callable[[datetime], list[Any]]


def _table(model: Any) -> Table:
    return cast("Table", model.__table__)


def _elsewhere() -> Connection:
    return create_engine(db.engine.url, poolclass=NullPool).connect()


def session(name: str, ends: datetime, **columns: Any) -> BrowserSession:
    return BrowserSession(
        id=name,
        user_id="ann",
        created_at=LONG_AGO,
        last_seen_at=LONG_AGO,
        expires_at=ends,
        **columns,
    )


def grant(name: str, ends: datetime, **columns: Any) -> Grant:
    return Grant(
        id=name,
        client_id="shop",
        user_id="ann",
        scope="openid",
        acr="phr",
        amr="pop",
        auth_time=LONG_AGO,
        created_at=LONG_AGO,
        expires_at=ends,
        **columns,
    )


def mail(kind: str, **columns: Any) -> OutboxMessage:
    return OutboxMessage(
        kind=kind, recipient="x", payload="", created_at=LONG_AGO, next_attempt_at=LATER, **columns
    )


EXPIRING: dict[str, Rows] = {
    "transactions": lambda ends: [
        Transaction(browser_hash="x", state={}, started_at=LONG_AGO, expires_at=ends)
    ],
    "entries": lambda ends: [
        Entry(handle_hash="x", purpose="x", created_at=LONG_AGO, expires_at=ends)
    ],
    "counters": lambda ends: [Counter(key="x", count=1, window_start=LONG_AGO, expires_at=ends)],
    "sessions": lambda ends: [session("s", ends)],
    "grants": lambda ends: [grant("g", ends)],
    "access_tokens": lambda ends: [
        grant("g", LATER),
        AccessToken(token_hash="x", grant_id="g", scope="", issued_at=LONG_AGO, expires_at=ends),
    ],
    "refresh_tokens": lambda ends: [
        grant("g", LATER),
        RefreshToken(token_hash="x", grant_id="g", scope="", created_at=LONG_AGO, expires_at=ends),
    ],
    "client_secrets": lambda ends: [
        ClientSecret(
            client_id="shop", secret_hash="x", prefix="x", created_at=LONG_AGO, expires_at=ends
        )
    ],
}


@pytest.fixture
def ann_and_shop(idp: Command) -> Command:
    """Whom and what the rows hang on."""
    with idp.services() as services:
        db.session.add(
            User(id="ann", email="a@b.cd", webauthn_handle="x", created_at=NOW, updated_at=NOW)
        )
        db.session.add(
            Client(id="shop", name="Shop", registration={}, created_at=NOW, updated_at=NOW)
        )
        services.commit()
    return idp


def left(idp: Command, rows: list[Any]) -> dict[str, int]:
    """How many of each table were removed, of these rows."""
    with idp.services() as services:
        for row in rows:
            db.session.add(row)
            db.session.flush()
        services.commit()
    removed: dict[str, int] = idp.json("cleanup")["removed"]
    return {name: number for name, number in removed.items() if number}


@pytest.mark.parametrize("table", EXPIRING)
def test_what_expired_long_ago_goes(ann_and_shop: Command, table: str) -> None:
    assert left(ann_and_shop, EXPIRING[table](LONG_AGO)) == {table: 1}


@pytest.mark.parametrize("ends", [A_MOMENT_AGO, LATER], ids=["a moment ago", "not yet"])
@pytest.mark.parametrize("table", EXPIRING)
def test_what_may_still_be_asked_about_stays(
    ann_and_shop: Command, table: str, ends: datetime
) -> None:
    assert left(ann_and_shop, EXPIRING[table](ends)) == {}


def test_a_secret_without_an_end_stays(ann_and_shop: Command) -> None:
    secret = ClientSecret(client_id="shop", secret_hash="x", prefix="x", created_at=LONG_AGO)
    assert left(ann_and_shop, [secret]) == {}


def test_a_session_that_was_ended_goes(ann_and_shop: Command) -> None:
    ended = session("s", LATER, ended_at=LONG_AGO)
    assert left(ann_and_shop, [ended]) == {"sessions": 1}


def test_a_session_stays_as_long_as_a_grant_names_it(ann_and_shop: Command) -> None:
    rows = [session("s", LONG_AGO), grant("g", LATER, session_id="s")]
    assert left(ann_and_shop, rows) == {}


def test_a_session_goes_with_the_last_of_its_grants(ann_and_shop: Command) -> None:
    rows = [session("s", LONG_AGO), grant("g", LONG_AGO, session_id="s")]
    assert left(ann_and_shop, rows) == {"grants": 1, "sessions": 1}


@pytest.mark.parametrize("way", ["expires_at", "ended_at"])
def test_sessions_that_grants_name_are_passed_over(ann_and_shop: Command, way: str) -> None:
    """Each round looks at the next few, so that no round looks at all of those that stay."""
    names = [f"{number:05}" for number in range(3 * BATCH)]
    over = {"expires_at": (LONG_AGO, {}), "ended_at": (LATER, {"ended_at": LONG_AGO})}
    ends, columns = over[way]
    with ann_and_shop.services() as services:
        # Which is not the order that they are looked at in.
        db.session.add_all(session(name, ends, **columns) for name in reversed(names))
        db.session.add_all(grant(name, LATER, session_id=name) for name in names[:-1])
        services.commit()
        places: Places = {}
        rounds = [clean_up(NOW, at_most=1, places=places)["sessions"] for _ in range(4)]
        assert rounds == [0, 0, 1, 0]
        assert places == {}
        db.session.execute(delete(Grant))
        services.commit()
        rounds = [clean_up(NOW, at_most=1, places=places)["sessions"] for _ in range(3)]
        assert rounds == [BATCH, BATCH, BATCH - 1]


def test_a_session_stays_that_a_grant_names_by_the_time_it_would_go(ann_and_shop: Command) -> None:
    with ann_and_shop.services() as services, _elsewhere() as other:
        db.session.add_all([session("s", LONG_AGO), session("t", LONG_AGO)])
        services.commit()
        new = {"client_id": "shop", "user_id": "ann", "scope": "", "request": {}}
        times = {"created_at": LONG_AGO, "expires_at": LATER}

        named: list[str] = []

        def name(*told: Any) -> None:
            """Between the look and the removal."""
            if "is_named" in told[2] and not named:
                named.append("s")
                other.execute(_table(Grant).insert().values(id="g", session_id="s", **new, **times))
                other.commit()

        event.listen(db.engine, "after_cursor_execute", name)
        assert clean_up(NOW)["sessions"] == 1
        assert db.session.scalars(select(BrowserSession.id)).all() == ["s"]


MAILS = {
    "sent long ago": (mail("mail", sent_at=LONG_AGO), {"outbox": 1}),
    "sent a moment ago": (mail("mail", sent_at=A_MOMENT_AGO), {}),
    "given up long ago": (mail("mail", failed_at=LONG_AGO), {"outbox": 1}),
    "given up a moment ago": (mail("mail", failed_at=A_MOMENT_AGO), {}),
    "a mail that waits": (mail("mail"), {}),
    "a mail to nobody": (mail("decoy"), {"outbox": 1}),
}


@pytest.mark.parametrize("name", MAILS)
def test_mails(idp: Command, name: str) -> None:
    row, removed = MAILS[name]
    copy = mail(row.kind, sent_at=row.sent_at, failed_at=row.failed_at)
    assert left(idp, [copy]) == removed


def put_entries(many: int) -> None:
    over = {"purpose": "x", "created_at": LONG_AGO, "expires_at": LONG_AGO}
    db.session.add_all(Entry(handle_hash=str(number), **over) for number in range(many))


def test_it_goes_in_small_batches_and_may_be_bounded(idp: Command) -> None:
    with idp.services() as services:
        put_entries(3 * BATCH + 1)
        services.commit()
        assert clean_up(NOW, at_most=2)["entries"] == 2 * BATCH
        assert clean_up(NOW)["entries"] == BATCH + 1
        assert db.session.scalar(select(func.count()).select_from(Entry)) == 0


def test_who_finds_somebody_else_at_it_goes_on_with_the_next(idp: Command) -> None:
    with idp.services() as services, _elsewhere() as other:
        put_entries(4 * BATCH + 1)
        services.commit()
        taken: list[str] = []
        entries = _table(Entry)

        def take(*told: Any) -> None:
            """What was looked up first, before it is removed."""
            if "entries" in told[2] and not taken:
                taken.extend(other.scalars(entries.select().limit(BATCH)))
                other.execute(entries.delete().where(entries.c.handle_hash.in_(taken)))
                if other.dialect.name == "sqlite":
                    other.commit()  # nobody can be at it at the same time

        event.listen(db.engine, "after_cursor_execute", take)
        assert clean_up(NOW)["entries"] == 3 * BATCH + 1
        other.commit()
        assert len(taken) == BATCH
        assert db.session.scalar(select(func.count()).select_from(Entry)) == 0


def test_nothing_to_do_is_said(sqlite_idp: Command) -> None:
    assert sqlite_idp.done("cleanup") == "Removed: nothing.\n"
