"""Each scope has its own transaction, and no other scope's statements are part of it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from idp.models import Entry, db
from idp.models.base import sessions
from idp.models.pool import give_back, handing_over
from tests.bench.statements import counting
from tests.models.test_plain import GET, PUT, entry
from tests.models.test_pool import counts, pool
from tests.models.test_transactions import kept
from tests.services.bare import bare_app


def begin_plainly() -> None:
    PUT.run(entry("a"))


def begin_by_session() -> None:
    db.session.add(Entry(**entry("a")))
    db.session.flush()


def begin_plainly_and_take_over() -> None:
    begin_plainly()
    db.session()


BEGINNINGS = {
    "a plain one": begin_plainly,
    "a session's": begin_by_session,
    "one that was taken over": begin_plainly_and_take_over,
}
each_kind = pytest.mark.parametrize("begin", BEGINNINGS.values(), ids=BEGINNINGS)


def see_nothing_of_it() -> None:
    """Nor end it."""
    assert not sessions.in_transaction()
    assert GET.one({"key": "a"}) is None
    db.session.commit()
    db.session.rollback()
    db.session.remove()
    assert not sessions.in_transaction()


@each_kind
def test_a_scope_within_another_is_not_part_of_it(app: Flask, begin) -> None:
    begin()
    with app.app_context():
        see_nothing_of_it()
    assert sessions.in_transaction()
    assert kept("a") == [False]
    db.session.commit()
    assert kept("a") == [True]


@each_kind
def test_what_a_scope_within_leaves_open_is_rolled_back_with_it_alone(app: Flask, begin) -> None:
    with app.app_context():
        begin()
    PUT.run(entry("b"))
    db.session.commit()
    assert (kept("a", "b"), counts()[0]) == ([False, True], 0)


@each_kind
def test_another_thread_is_not_part_of_it(app: Flask, begin) -> None:
    begin()

    def elsewhere() -> None:
        with app.app_context():
            see_nothing_of_it()

    with ThreadPoolExecutor(1) as other:
        other.submit(elsewhere).result(timeout=30)
    assert sessions.in_transaction()
    db.session.commit()
    assert kept("a") == [True]


def test_a_connection_is_handed_over_to_nobody_else(over_postgresql: Flask) -> None:
    """A session that another thread makes in that instant, or this one makes later, has its own."""

    def elsewhere() -> object:
        with over_postgresql.app_context():
            return db.session.connection().connection.dbapi_connection

    handed, within_reach = db.engine.raw_connection(), db.engine.raw_connection()
    give_back(db.engine, within_reach)
    below = handed.dbapi_connection
    with ThreadPoolExecutor(1) as other, handing_over(handed):
        assert db.engine.raw_connection() is handed
        assert other.submit(elsewhere).result(timeout=30) is not below
    later = db.engine.raw_connection()
    assert later is not handed
    with pytest.raises(ZeroDivisionError), handing_over(handed):
        raise ZeroDivisionError
    last = db.engine.raw_connection()
    assert last is not handed
    for one in (handed, later, last):
        one.close()


@pytest.mark.parametrize("ending", ["commit", "rollback"])
@each_kind
def test_it_is_over_when_it_is_ended(app: Flask, begin, ending: str) -> None:
    assert not sessions.in_transaction()
    begin()
    assert sessions.in_transaction()
    getattr(db.session, ending)()
    assert not sessions.in_transaction()
    assert counts()[0] == 0


def test_a_session_at_rest_is_no_transaction_and_what_reads_begins_none(app: Flask) -> None:
    db.session.add(Entry(**entry("a")))
    db.session.commit()
    assert db.session.registry.has()
    with counting(db.engine) as counted:
        assert GET.one({"key": "a"}) is not None
    assert not sessions.in_transaction()
    assert (counted.begins, counts()[0]) == (0, 0)


def test_what_writes_is_part_of_a_session_at_rest(app: Flask) -> None:
    db.session()
    PUT.run(entry("a"))
    assert db.session().in_transaction()
    db.session.rollback()
    assert kept("a") == [False]


@pytest.mark.parametrize("begin", [*BEGINNINGS.values(), db.session])
def test_the_end_of_a_scope_forgets_all_of_it(app: Flask, begin) -> None:
    begin()
    db.session.remove()
    assert not db.session.registry.has()
    assert (sessions._open, sessions._engines, counts()[0]) == ({}, {}, 0)


def test_where_nothing_was_made_its_end_makes_nothing(app: Flask) -> None:
    for end in (db.session.commit, db.session.rollback, db.session.remove):
        end()
        assert not db.session.registry.has()


def test_two_applications_have_each_their_own_database(
    sqlite_url: str, postgresql_url: str
) -> None:
    """Scopes are known by a number that the next one may have as well."""
    engines = set()
    for url in (sqlite_url, postgresql_url) * 2:
        app = bare_app(url)
        with app.app_context():
            assert GET.one({"key": "a"}) is None
            assert sessions.here()[1] is db.engine
            engines.add(pool())
            db.session.remove()
            assert sessions._engines == {}
            db.engine.dispose()
    assert len(engines) == 4
