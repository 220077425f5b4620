"""Lists of applications and their health cost the same however many there are."""

from collections.abc import Callable, Iterator

import pytest

from idp.models import db
from idp.services.client_health import health_of
from idp.services.client_pages import Manager, page_of
from idp.services.refused_requests import compared, find, is_new_host
from tests.bench.statements import counting
from tests.helpers.clock import FakeClock
from tests.helpers.house import House

ALL = Manager("administrator", frozenset())
AFTER = ("Shop", "nothing")


@pytest.fixture
def house(sqlite_url: str, clock: FakeClock) -> Iterator[House]:
    made = House(sqlite_url, clock)
    yield made
    with made.app.app_context():
        db.engine.dispose()


READS: dict[str, tuple[Callable[[House], object], str]] = {
    "the first page": (lambda _: page_of(ALL), "SCAN clients USING INDEX ix_clients_name"),
    "a later page": (
        lambda _: page_of(ALL, after=AFTER),
        "SEARCH clients USING INDEX ix_clients_name",
    ),
    "when somebody last signed in": (
        lambda house: health_of("shop", house.clock()),
        "USING COVERING INDEX ix_session_clients_client_id_since",
    ),
    "what failed": (
        lambda house: health_of("shop", house.clock()),
        "USING INDEX ix_audit_events_client_id_id",
    ),
    "by reference": (
        lambda _: find("ABCDEFGH"),
        "USING INDEX ix_audit_events_referred",
    ),
}


@pytest.mark.parametrize(("read", "wanted"), READS.values(), ids=READS)
def test_it_is_read_by_an_index(house: House, read: Callable[[House], object], wanted: str) -> None:
    with house.app.app_context():
        with counting(db.engine) as counted:
            read(house)
        db.session.rollback()
        with db.engine.connect() as connection:
            steps = [
                row.detail
                for text in counted.texts
                if text.startswith("SELECT")
                for row in connection.exec_driver_sql(
                    f"EXPLAIN QUERY PLAN {text}", ("",) * text.count("?")
                )
            ]
    assert any(wanted in step for step in steps), steps
    assert [step for step in steps if step == "USE TEMP B-TREE FOR ORDER BY"] == []


def test_pages_are_the_same_on_both_databases(database_url: str, clock: FakeClock) -> None:
    house = House(database_url, clock)
    made = {
        house.client(client_name=name).client_id
        for name in ("B", "a", "B", "Ü")
        for _ in "12345678"
    }
    house.client(client_name="C", redirect_uris=["https://needle.example/cb"])

    def walk() -> tuple[list[str], int]:
        first = page_of(ALL)
        second = page_of(ALL, after=first.after)
        found = page_of(ALL, wanted="NEEDLE.example")
        return [*first.ids, *second.ids], len(found.ids)

    ids, found = house.do(lambda _: walk())
    with house.app.app_context():
        db.engine.dispose()
    assert made < set(ids)
    assert len(ids) == len(set(ids)) == len(made) + 1
    assert found == 1


def test_the_likest_address_comes_first_with_what_differs() -> None:
    registered = ("https://other.example/x", "https://shop.example/callback")
    first = compared("https://shop.example/callback/", registered)[0]
    assert first.registered == "https://shop.example/callback"
    assert [piece.text for piece in first.sent if piece.differs] == ["/"]
    assert not any(piece.differs for piece in first.expected)


HOSTS = {
    "the same": ("https://shop.example/other", False),
    "another port": ("https://shop.example:8443/callback", True),
    "a look-alike": ("https://shop.example.evil.test/callback", True),
    "another scheme": ("http://shop.example/callback", True),
}


@pytest.mark.parametrize(("sent", "is_new"), HOSTS.values(), ids=HOSTS)
def test_a_host_is_known_only_to_the_letter(sent: str, *, is_new: bool) -> None:
    assert is_new_host(sent, ("https://shop.example/callback",)) is is_new
