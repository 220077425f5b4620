"""Lists and searches of the console find their rows by an index, however many there are."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event

from idp.models import db
from idp.services.audit_log import Search, names_in_use, search
from idp.services.client_pages import Manager, page_of
from idp.services.group_list import groups_of
from idp.services.people import State, Wanted, people_of
from idp.services.people_search import Spot
from idp.services.roles import ADMINISTRATOR
from tests.bench.statements import counting
from tests.bench.test_plans import plan
from tests.helpers.clock import NOON, FakeClock
from tests.helpers.house import House

BY_INDEX = ("USING INDEX", "USING COVERING INDEX", "INTEGER PRIMARY KEY")

SMALL = ("SCAN found", "SCAN (subquery", "MATERIALIZE", "SCAN CONSTANT", "SCAN ids", "SCAN anon_1")
"""What was found already, a page of it."""

ALL = Manager(ADMINISTRATOR, frozenset())
OF_A_PAGE = "memberships.user_id IN"
"""The groups of those who are on the page, by name."""
OF_A_GROUP = "AND users.id IN"
"""Of a few people, who were looked up before: their words are put in order."""
OF_A_STRETCH = 'ORDER BY found."key"'
"""Of the next in an index, who are put in the order again that they were read in."""

LISTS: Mapping[str, Callable[[], object]] = {
    "everybody": lambda: people_of(Wanted(after="m")),
    "how a name begins": lambda: people_of(Wanted(beginning="ann")),
    "a later word": lambda: people_of(Wanted(beginning="bell", spot=Spot(4, "bell", "a"))),
    "words": lambda: people_of(Wanted(beginning="bell ann")),
    "words of the disabled": lambda: people_of(Wanted(beginning="bell", state=State.DISABLED)),
    "the disabled": lambda: people_of(Wanted(state=State.DISABLED, after="m")),
    "the leaving": lambda: people_of(Wanted(state=State.LEAVING)),
    "the invited": lambda: people_of(Wanted(state=State.INVITED)),
    "who has a role": lambda: people_of(Wanted(with_role=True)),
    "of a group": lambda: people_of(Wanted(group="staff", after="a")),
    "of a group by how a name begins": lambda: people_of(Wanted(group="staff", beginning="ann")),
    "applications": lambda: page_of(ALL, after=("m", "m")),
    "applications by a word": lambda: page_of(ALL, wanted="shop", after=("m", "m")),
    "applications by words that they do not have": lambda: page_of(ALL, wanted="shop nowhere"),
    "groups": lambda: groups_of(after="m"),
    "the log": lambda: search(Search(before=1000)),
    "the log of a person": lambda: search(Search(user_id="x", outcome="refused")),
    "the log by event": lambda: search(Search(event="login.password")),
    "the log by reference": lambda: search(Search(reference="7KQ2M0XN")),
    "the log of a time": lambda: search(
        Search(since=NOON - timedelta(days=9), until=NOON - timedelta(days=8))
    ),
    "names in the log": names_in_use,
}


@pytest.fixture
def house(sqlite_url: str, clock: FakeClock) -> House:
    return House(sqlite_url, clock)


@pytest.mark.parametrize("listed", LISTS.values(), ids=LISTS)
def test_no_list_reads_a_table(house: House, listed: Callable[[], object]) -> None:
    house.person(groups=["staff"])
    with house.app.app_context():
        with counting(db.engine) as counted:
            listed()
        db.session.rollback()
        with db.engine.connect() as connection:
            steps = [(text, step) for text in counted.texts for step in plan(connection, text)]
    assert steps
    slow = [
        (text, step)
        for text, step in steps
        if step.startswith(("SCAN", "USE TEMP B-TREE FOR ORDER BY"))
        and not any(word in step for word in BY_INDEX)
        and not step.startswith(SMALL)
        and not any(few in text for few in (OF_A_PAGE, OF_A_GROUP, OF_A_STRETCH))
    ]
    assert slow == []


OF_FEW: Mapping[str, tuple[Wanted, str]] = {
    "the disabled": (Wanted(state=State.DISABLED), "ix_users_disabled"),
    "the leaving": (Wanted(state=State.LEAVING), "ix_users_leaving"),
    "the invited": (Wanted(state=State.INVITED), "ix_users_unverified"),
    "who has a role": (Wanted(with_role=True), "ix_users_role"),
}


@pytest.mark.parametrize(("wanted", "index"), OF_FEW.values(), ids=OF_FEW)
def test_few_are_found_without_reading_past_the_many(
    house: House, wanted: Wanted, index: str
) -> None:
    with house.app.app_context():
        with counting(db.engine) as counted:
            people_of(wanted)
        db.session.rollback()
        with db.engine.connect() as connection:
            steps = [step for text in counted.texts for step in plan(connection, text)]
    assert any(index in step for step in steps), steps


MEMBERS = """
    SET session_replication_role = replica;
    INSERT INTO groups (id, name) SELECT i, 'team ' || i FROM generate_series(0, 59) AS n(i);
    INSERT INTO memberships (user_id, group_id)
        SELECT substr(md5(i::text), 1, 22), CASE WHEN i %% 2 = 0 THEN 0 ELSE i %% 60 END
        FROM generate_series(0, 60000) AS n(i);
    ANALYZE;
"""


def test_postgresql_counts_members_by_an_index_before_it_has_vacuumed(postgresql_url: str) -> None:
    """It would else look for the first hundred of a small group among the members of all."""
    house = House(postgresql_url, FakeClock())
    with house.app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql(MEMBERS)
    with house.app.app_context():
        with counting(db.engine) as counted:
            groups_of(after="m")
        db.session.rollback()
        (listing,) = counted.texts
        ordered = listing.replace("%(name_1)s::VARCHAR", "'m'")
        found = [explained(ordered), explained(ordered.replace("ORDER BY memberships.user_id", ""))]
        db.engine.dispose()
    assert ["Seq Scan on memberships" in plan for plan in found] == [False, True]


def explained(listing: str) -> str:
    text = re.sub(r"%\(param_\d\)s::INTEGER", "101", listing)
    with db.engine.connect() as connection:
        return "\n".join(connection.exec_driver_sql(f"EXPLAIN {text}").scalars())


MANY_PEOPLE = """
    SET session_replication_role = replica;
    INSERT INTO groups (id, name) VALUES ('few', 'few'), ('many', 'many');
    INSERT INTO users (id, email, email_verified, name, profile, webauthn_handle, created_at,
                       updated_at)
        SELECT md5(i::text)::varchar(22), 'p' || i || '@example.org', true, 'Bo Ek', '{}', i, now(),
               now() FROM generate_series(1, 20000) AS n(i);
    INSERT INTO person_words (user_id, word)
        SELECT md5(i::text)::varchar(22), word FROM generate_series(1, 20000) AS n(i),
               LATERAL (VALUES ('bo' || i %% 100), ('ek'), ('p' || i)) AS w(word);
    INSERT INTO memberships (user_id, group_id)
        SELECT md5(i::text)::varchar(22), CASE WHEN i < 100 THEN 'few' ELSE 'many' END
        FROM generate_series(1, 20000) AS n(i);
    ANALYZE;
"""
OF_MANY: Mapping[str, Wanted] = {
    "words": Wanted(beginning="bo1 ek"),
    "words that nobody has together": Wanted(beginning="p1 bo2 ek"),
    "words of the disabled": Wanted(beginning="bo1 ek", state=State.DISABLED),
    "a group of few": Wanted(group="few"),
    "a group of many": Wanted(group="many"),
    "words of a group of few": Wanted(group="few", beginning="bo1 ek"),
}


def test_postgresql_reads_no_table_of_many_people(postgresql_url: str) -> None:
    house = House(postgresql_url, FakeClock())
    with house.app.app_context():
        with db.engine.begin() as connection:
            connection.exec_driver_sql(MANY_PEOPLE)
        slow = {
            (name, text)
            for name, wanted in OF_MANY.items()
            for text, plan in plans(partial(people_of, wanted))
            if any(word in plan for word in ("Seq Scan on users", "Seq Scan on person_words"))
        }
        db.engine.dispose()
    assert slow == set()


def plans(listed: Callable[[], object]) -> list[tuple[str, str]]:
    """What PostgreSQL does about each statement."""
    said: list[tuple[str, Any]] = []

    def hear(_connection: object, _cursor: object, text: str, values: Any, *_: object) -> None:
        said.append((text, values))

    event.listen(db.engine, "before_cursor_execute", hear)
    listed()
    event.remove(db.engine, "before_cursor_execute", hear)
    db.session.rollback()
    with db.engine.connect() as connection:
        return [
            (text, "\n".join(connection.exec_driver_sql(f"EXPLAIN {text}", values).scalars()))
            for text, values in said
        ]
