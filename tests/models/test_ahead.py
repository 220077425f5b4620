"""What is going to be asked for goes with another statement, and is no older than that allows."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import bindparam

from idp.models import Entry, db
from idp.models.base import sessions
from idp.models.plain import Plain
from tests.bench.statements import counting
from tests.models.test_plain import GET, PUT, _entries, by_orm, entry

A, B = {"key": "a"}, {"key": "b"}


@pytest.fixture
def stored(app: Flask) -> Flask:
    PUT.end_with(entry("a", owner="one"))
    return app


def change(owner: str) -> None:
    """By somebody else."""
    with db.engine.begin() as other:
        other.execute(Entry.__table__.update().values(owner=owner))  # type: ignore[attr-defined]


def owner() -> str | None:
    found = GET.one(A)
    assert found is not None
    owner: str | None = found.owner
    return owner


def test_it_is_what_would_be_found(stored: Flask) -> None:
    GET.soon(A)
    GET.soon(B)
    assert GET.one({"key": "c"}) is None
    assert owner() == "one"
    assert GET.one(B) is None


def test_it_shares_a_wait(over_postgresql: Flask) -> None:
    PUT.end_with(entry("a", owner="one"))
    owner()  # and is prepared
    with counting(db.engine) as counted:
        GET.soon(A)
        assert GET.one(B) is None
        assert owner() == "one"
    assert (counted.trips, len(counted.texts)) == (1, 2)


def test_asked_at_once_it_is_asked_once(over_postgresql: Flask) -> None:
    PUT.end_with(entry("a", owner="one"))
    with counting(db.engine) as counted:
        GET.soon(A)
        assert owner() == "one"
        assert GET.one(B) is None
    assert len(counted.texts) == 2


def test_it_is_found_once(stored: Flask) -> None:
    GET.soon(A)
    GET.one(B)
    assert owner() == "one"
    change("two")
    assert owner() == "two"


def test_it_goes_with_what_waits_and_sees_it(stored: Flask) -> None:
    GET.soon(B)
    PUT.later(entry("b"))
    assert owner() == "one"
    assert GET.one(B) is not None
    db.session.rollback()
    assert GET.one(B) is None


CHANGE = Plain(
    _entries.update().where(_entries.c.handle_hash == "a").values(owner=bindparam("new"))
)

CHANGED: dict[str, Callable[[], object]] = {
    "by a statement": lambda: CHANGE.run({"new": "two"}),
    "by one that waits": lambda: CHANGE.later({"new": "two"}),
    "by itself": lambda: CHANGE.end_with({"new": "two"}),
    "by a session": lambda: db.session.execute(_entries.update().values(owner="two")),
    "by a session that has yet to say so": lambda: setattr(by_orm("a"), "owner", "two"),
}


@pytest.mark.parametrize("written", CHANGED.values(), ids=CHANGED)
def test_whoever_writes_reads_what_was_written(
    stored: Flask, written: Callable[[], object]
) -> None:
    GET.soon(A)
    GET.one(B)
    written()
    assert owner() == "two"


@pytest.mark.parametrize("written", CHANGED.values(), ids=CHANGED)
def test_what_goes_with_a_write_sees_it(stored: Flask, written: Callable[[], object]) -> None:
    GET.soon(A)
    written()
    GET.one(B)
    assert owner() == "two"


def test_beside_a_session_nothing_is_asked_ahead(stored: Flask) -> None:
    """It may write without a word to anybody."""
    one = by_orm("a")
    assert one is not None
    GET.soon(A)
    GET.one(B)
    one.owner = "two"
    assert owner() == "two"


AFTER: dict[str, Callable[[], object]] = {
    "a commit": db.session.commit,
    "a rollback": db.session.rollback,
    "something written": lambda: PUT.run(entry("d")),
    "something written by itself": lambda: PUT.end_with(entry("d")),
    "the end of the scope": db.session.remove,
}


@pytest.mark.parametrize("after", AFTER.values(), ids=AFTER)
def test_after_that_it_is_looked_up_anew(stored: Flask, after: Callable[[], object]) -> None:
    GET.soon(A)
    GET.one(B)
    change("two")
    after()
    assert owner() == "two"


def test_what_was_not_sent_yet_is_still_to_come_after_a_commit(over_postgresql: Flask) -> None:
    PUT.end_with(entry("a", owner="one"))
    GET.soon(A)
    db.session.commit()
    with counting(db.engine) as counted:
        GET.one(B)
        owner()
    assert counted.trips == 1


def test_another_scope_has_no_part_in_it(stored: Flask) -> None:
    GET.soon(A)
    with stored.app_context():
        change("two")
        assert owner() == "two"
        db.session.remove()
    GET.one(B)
    assert owner() == "two"


def test_one_that_fails_is_asked_anew(over_postgresql: Flask) -> None:
    PUT.end_with(entry("a", owner="one"))
    GET.soon(A)
    with pytest.raises(KeyError):
        GET.one({})
    assert owner() == "one"


def test_nothing_is_left_of_a_scope_that_is_over(over_postgresql: Flask) -> None:
    GET.soon(A)
    GET.one(B)
    GET.soon(B)
    db.session.remove()
    assert sessions.ahead == {}
