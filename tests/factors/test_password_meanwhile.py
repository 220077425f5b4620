"""What is committed while the use of a password waits to be written counts."""

from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import psycopg
import pytest

from idp.factors.base import Proof, Refused
from idp.factors.password import REFUSED, Password
from idp.models import User, release
from tests.factors.storage import add_person, make_tools, storage
from tests.factors.test_password import RIGHT, give_password, judge
from tests.models.test_transactions import address
from tests.passwords.counting import CHEAP

Connection = psycopg.Connection[Any]
WAITS = "SELECT FROM pg_locks WHERE NOT granted"


@pytest.fixture
def alice(postgresql_url: str) -> Iterator[User]:
    with storage(postgresql_url):
        found = add_person("alice@example.com")
        give_password(found)
        release()
        yield found


def set_up(other: Connection, user_id: str) -> None:
    other.execute(
        "INSERT INTO credentials (id, user_id, kind, label, counter, data, created_at)"
        " VALUES ('step', %s, 'totp', '', 0, '{}', now())",
        [user_id],
    )


def shut_out(other: Connection, user_id: str) -> None:
    other.execute("UPDATE users SET disabled_at = now() WHERE id = %s", [user_id])


def verdict_with(alice: User, act: Callable[[Connection, str], None] | None) -> Proof | Refused:
    """``act`` is committed once the sign-in waits, and only then what it waits for."""
    server, user_id = address(), alice.id
    with psycopg.connect(server) as first:
        first.execute("UPDATE credentials SET last_used_at = now() WHERE user_id = %s", [user_id])

        def meanwhile() -> None:
            with psycopg.connect(server, autocommit=True) as other, first:
                while other.execute(WAITS).fetchone() is None:
                    pass
                if act is not None:
                    act(other, user_id)

        going_on = Thread(target=meanwhile)
        going_on.start()
        found = judge(Password(make_tools(**CHEAP)), alice, RIGHT)
        going_on.join()
    return found


def test_with_nothing_changed_it_goes_through(alice: User) -> None:
    found = verdict_with(alice, None)
    assert isinstance(found, Proof)
    assert found.held is not None
    assert [one.kind for one in found.held] == ["password"]


def test_a_second_step_that_was_set_up_is_asked_for(alice: User) -> None:
    found = verdict_with(alice, set_up)
    assert isinstance(found, Proof)
    assert found.held is not None
    assert sorted(one.kind for one in found.held) == ["password", "totp"]


def test_whoever_was_shut_out_is_not_let_in(alice: User) -> None:
    assert verdict_with(alice, shut_out) is REFUSED
