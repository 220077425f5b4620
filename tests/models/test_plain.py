"""Plain statements say the same as SQLAlchemy's, in the same transaction, on both databases."""

from datetime import timedelta
from typing import Any, cast

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Table, bindparam, event, make_url, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from idp.audit import Context, record
from idp.models import AuditEvent, Entry, Grant, db
from idp.models.base import sessions
from idp.models.plain import Plain
from idp.models.values import nothing
from idp.state import store
from tests.helpers.clock import NOON
from tests.services.bare import bare_app

DAY = timedelta(days=1)
_entries = cast("Table", Entry.__table__)
PUT = Plain(_entries.insert())
GET = Plain(select(_entries).where(_entries.c.handle_hash == bindparam("key")))
LOCK = Plain(
    select(_entries.c.purpose).where(_entries.c.handle_hash == bindparam("key")).with_for_update()
)


def entry(key: str, **changes: Any) -> dict[str, Any]:
    return {
        "handle_hash": key,
        "purpose": "test",
        "owner": None,
        "data": {"name": "Zoë", "list": [1, None, True], "text": 'quo"te\\'},
        "created_at": NOON,
        "expires_at": NOON + DAY,
        **changes,
    }


def by_orm(key: str) -> Entry | None:
    db.session.expire_all()
    return db.session.get(Entry, key)


VALUES: dict[str, dict[str, Any]] = {
    "text beyond ASCII": {"owner": "Ünïcode ☃ 𐍈"},
    "nothing": {"owner": None},
    "an empty text": {"owner": ""},
    "microseconds": {"created_at": NOON.replace(microsecond=123456)},
    "milliseconds": {"created_at": NOON.replace(microsecond=120000)},
    "an empty object": {"data": {}},
}


@pytest.mark.parametrize("changes", VALUES.values(), ids=VALUES)
def test_what_is_written_is_what_the_orm_reads_and_what_is_read(
    app: Flask, changes: dict[str, Any]
) -> None:
    PUT.run(entry("k", **changes))
    db.session.commit()
    stored, found = by_orm("k"), GET.one({"key": "k"})
    assert stored is not None
    assert found is not None
    for name, value in entry("k", **changes).items():
        assert getattr(stored, name) == value
        assert getattr(found, name) == value
    assert found.used_at is None


def test_a_zero_in_a_text_is_not_where_it_ends(app: Flask) -> None:
    """libpq takes what stands before it for the whole text."""
    try:
        PUT.run(entry("k", owner="admin\0istrator"))
    except DBAPIError:
        db.session.rollback()
        assert GET.one({"key": "k"}) is None
    else:
        (found,) = GET.all({"key": "k"})
        assert found.owner == "admin\0istrator"


def test_what_writes_joins_the_transaction_and_ends_with_it(app: Flask) -> None:
    PUT.run(entry("k"))
    assert by_orm("k") is not None
    db.session.rollback()
    assert GET.one({"key": "k"}) is None
    PUT.run(entry("k"))
    db.session.commit()
    db.session.remove()
    assert GET.one({"key": "k"}) is not None


def test_what_the_orm_has_pending_is_seen(app: Flask) -> None:
    db.session.add(Entry(**entry("k")))
    assert GET.one({"key": "k"}) is not None
    db.session.rollback()
    assert GET.one({"key": "k"}) is None


def test_reading_alone_leaves_no_transaction_open(app: Flask) -> None:
    GET.one({"key": "k"})
    assert not db.session.registry.has()
    LOCK.one({"key": "k"})
    assert db.session().in_transaction()


def test_a_second_of_what_must_be_one_is_refused_as_sqlalchemy_does(app: Flask) -> None:
    PUT.run(entry("k"))
    db.session.commit()
    with pytest.raises(IntegrityError) as refused:
        PUT.run(entry("k", owner="alice@example.com"))
    assert "alice@example.com" not in str(refused.value)
    db.session.rollback()
    PUT.run(entry("another"))
    db.session.commit()
    assert GET.one({"key": "another"}) is not None


def test_a_value_is_seen_once_by_one_statement(app: Flask) -> None:
    statements: list[str] = []
    event.listen(
        db.engine, "before_cursor_execute", lambda _c, _k, sent, *_: statements.append(sent)
    )
    assert store.mark("jti", "once", now=NOON, lifetime=DAY)
    assert not store.mark("jti", "once", now=NOON, lifetime=DAY)
    db.session.commit()
    assert not store.mark("jti", "once", now=NOON, lifetime=DAY)
    assert [sent for sent in statements if "SAVEPOINT" in sent or "SELECT" in sent] == []


def test_an_event_is_kept_or_forgotten_with_what_it_tells_of(app: Flask) -> None:
    record("test.happened", Context(at=NOON), what="nothing")
    db.session.rollback()
    record("test.happened", Context(at=NOON), what="something")
    db.session.commit()
    kept = db.session.scalars(select(AuditEvent)).all()
    assert [one.data for one in kept] == [{"what": "something"}]


def test_a_null_and_a_json_null_are_told_apart() -> None:
    """``cnf`` of a grant is NULL where nothing is bound."""
    grants = cast("Table", Grant.__table__)
    assert (nothing(grants.c.cnf.type), nothing(_entries.c.data.type)) == (None, b"null")


def test_what_is_prepared_outlives_a_savepoint_that_is_rolled_back(postgresql_url: str) -> None:
    """psycopg deallocates all there is when it sees a ROLLBACK, once it has prepared something."""
    app = bare_app(postgresql_url)
    with app.app_context():
        PUT.run(entry("k"))
        db.session.commit()
        for _ in range(10):
            db.session.execute(select(Entry.purpose)).all()
        with pytest.raises(IntegrityError), db.session.begin_nested():
            db.session.execute(_entries.insert(), entry("k"))
        for _ in range(10):
            db.session.execute(select(Entry.purpose)).all()
        assert GET.one({"key": "k"}) is not None
        PUT.run(entry("another"))
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


def test_what_the_server_forgot_is_prepared_again(postgresql_url: str) -> None:
    app = bare_app(postgresql_url)
    with app.app_context():
        assert GET.one({"key": "k"}) is None
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("DISCARD ALL"))
        with pytest.raises(DBAPIError):
            GET.one({"key": "k"})
        assert GET.one({"key": "k"}) is None
        db.engine.dispose()


def test_a_connection_that_the_server_left_is_not_handed_out(postgresql_url: str) -> None:
    app = bare_app(postgresql_url)
    plain = make_url(postgresql_url).set(drivername="postgresql").render_as_string()
    with app.app_context(), psycopg.connect(plain, autocommit=True) as other:
        PUT.run(entry("k"))
        db.session.commit()
        left = other.execute(
            # Until it has gone: what it says in going is what there is to notice.
            "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
        assert left == [(True,)]
        assert GET.one({"key": "k"}) is not None
        db.session.remove()
        db.engine.dispose()


def test_what_may_be_lost_is_seen_by_all_and_waited_for_by_nobody(app: Flask) -> None:
    told = _listening()
    PUT.end_unwaited(entry("k"))
    assert not sessions.in_transaction()
    assert [one.data for one in GET.all({"key": "k"})] == [entry("k")["data"]]
    assert ("synchronous_commit" in told[0]) is (db.engine.dialect.name == "postgresql")
    with pytest.raises(IntegrityError):
        PUT.end_unwaited(entry("k"))


def test_it_is_waited_for_with_what_is_committed_together_with_it(app: Flask) -> None:
    told = _listening()
    PUT.run(entry("one"))
    PUT.end_unwaited(entry("another"))
    assert not sessions.in_transaction()
    assert [len(GET.all({"key": key})) for key in ("one", "another")] == [1, 1]
    assert not any("synchronous_commit" in text for text in told)


def test_whatever_comes_after_it_is_waited_for(over_postgresql: Flask) -> None:
    """It holds for one transaction, and not for the connection."""
    PUT.end_unwaited(entry("k"))
    assert db.session.scalar(text("SHOW synchronous_commit")) == "on"


def _listening() -> list[str]:
    """What is sent from here on."""
    told: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *heard: told.append(heard[2]))
    return told
