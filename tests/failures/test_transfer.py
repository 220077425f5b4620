"""From SQLite to PostgreSQL: what is worth something goes on, what was used stays used.

Mutation: a table that is left out, or one that is copied as it was a while ago.
"""

from idp.clock import system_clock
from idp.transfer import transfer
from tests.failures.artefacts import LASTING, ONCE, at
from tests.failures.test_migration import killed
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.sign_in import totp
from tests.test_transfer import fill, rows
from tests.web.walking import event_names, housed, newcomer, tokens_of

SETTINGS = {"refresh_grace": 0, "code_lifetime": 300}


def test_everybody_goes_on_where_she_was_and_nothing_comes_back(databases: Databases) -> None:
    clock = FakeClock(system_clock())
    with databases.fresh("sqlite") as old, databases.fresh("postgresql", migrated=False) as new:
        with housed(old, clock, **SETTINGS) as house:
            unused, used = ([make(house) for make in ONCE] for _ in range(2))
            lasting = [make(house) for make in LASTING]
            assert [thing.name for thing in used if not thing.use(house)] == []
        transfer(old, new)
        with housed(new, clock, **SETTINGS) as house:
            assert [thing.name for thing in used if thing.use(house)] == []
            assert [thing.name for thing in (*unused, *lasting) if not thing.use(house)] == []
            assert [thing.name for thing in unused if thing.use(house)] == []


def test_killed_after_every_table_it_is_run_again(databases: Databases) -> None:
    """Mutation: a commit after each table."""
    with databases.fresh("sqlite") as old, databases.fresh("postgresql") as new:
        fill(old)
        before = rows(old)
        assert killed(old, new) == len(before)
        assert rows(new) == before == rows(old)


def test_what_is_written_afterwards_is_numbered_on(databases: Databases) -> None:
    clock = FakeClock(system_clock())
    with databases.fresh("sqlite") as old, databases.fresh("postgresql") as new:
        with housed(old, clock) as house:
            alice, shop = newcomer(house), house.client(consent="never")
            seed = house.totp(alice)
            before = event_names(house, at_most=500)
        transfer(old, new)
        with housed(new, clock) as house:
            clock.advance(minutes=2)
            answers = {"totp": totp(seed, clock)}
            told = tokens_of(house.browser(), at(shop, house), alice, answers=answers)
            assert told.claims["sub"] == alice.id
            after = event_names(house, at_most=500)
    assert after[: len(before)] == before
    assert len(after) > len(before)
