"""Clients are found by how words begin, whatever happens to their registrations."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete, insert, select, text

from idp.audit import Context
from idp.factors import FACTORS
from idp.migrate import downgrade, upgrade
from idp.models import Client, ClientWord, db
from idp.protocol.client_metadata import ClientMetadata
from idp.services import client_words
from idp.services.client_pages import Manager, found_by, page_of
from idp.services.client_registry import change
from idp.web.services import Services
from tests.factors.storage import KEY, make_tools, storage
from tests.helpers.clock import NOON, FakeClock
from tests.helpers.databases import KINDS, Databases, Kind
from tests.helpers.engines import engine_beside

CONTEXT = Context(at=NOON, actor_id="command:test")
NAME = "Café Ödipus, the GitLab_2 of ☕"
ANYBODY = Manager(None, frozenset())
ADDRESS = "https://needle.Example.org:8443/sign-in/callback"


@pytest.fixture
def idp(database_url: str) -> Iterator[Services]:
    with storage(database_url):
        yield Services(make_tools(KEY).settings, clock=FakeClock(), kinds=FACTORS)


def client(idp: Services, name: str = NAME, client_id: str = "kx-7Qw_z", **members: object) -> str:
    wanted = {"redirect_uris": [ADDRESS], "client_name": name, **members}
    return idp.client_registry.register(wanted, CONTEXT, client_id=client_id).client_id


def found(wanted: str) -> list[str]:
    return list(page_of(ANYBODY, wanted=wanted).ids)


TYPED = {
    "the first word of the name": ("caf", True),
    "accents as they are written": ("ÖDI", True),
    "accents left out": ("odipus", True),
    "a later word": ("gitlab", True),
    "what follows an underscore": ("2", True),
    "the id": ("kx-7Qw_z", True),
    "how the id begins, in another case": ("KX-7q", True),
    "the host": ("needle.example", True),
    "a later part of the host": ("example.org", True),
    "the path": ("callb", True),
    "the whole address": (ADDRESS, True),
    "words of several of them, in any order": ("org café kx", True),
    "nothing but a sign": ("☕", False),
    "the middle of a word": ("lab", False),
    "the shorter word of two": ("café nowhere", False),
    "the longer word of two": ("odipus not", False),
    "how nearly all addresses begin": ("https", False),
    "what a pattern would be made of": ("%", False),
}


def test_it_is_found_by_how_any_of_its_words_begin(idp: Services) -> None:
    client(idp)
    client(idp, "Other", "other", redirect_uris=["https://other.test/"])
    answers = {named: found(typed) == ["kx-7Qw_z"] for named, (typed, _) in TYPED.items()}
    assert answers == {named: wanted for named, (_, wanted) in TYPED.items()}


def test_where_there_are_no_words_there_is_something_to_find_it_by(idp: Services) -> None:
    client(idp, "☕☕", "---")
    client(idp, "社内ポータル", "tokyo")
    assert [found(typed) for typed in ("☕", "---", "ポータル", "内")] == [
        ["---"],
        ["---"],
        ["tokyo"],
        ["tokyo"],
    ]


def test_it_is_found_by_what_it_says_now(idp: Services) -> None:
    one = client(idp)
    members = {"client_name": "Second", "redirect_uris": ["https://elsewhere.test/"]}
    idp.client_registry.update(one, members, CONTEXT)
    assert [found(typed) for typed in ("café", "needle", "second", "elsewh", "kx")] == [
        [],
        [],
        [one],
        [one],
        [one],
    ]
    change(one, CONTEXT, disabled_at=NOON)
    assert found("second") == [one]
    idp.client_registry.delete(one, CONTEXT)
    assert db.session.query(ClientWord).count() == 0


def test_a_refused_change_leaves_it_found_as_it_was(idp: Services) -> None:
    one = client(idp)
    change(one, CONTEXT, name="Second", registration=ClientMetadata().to_json())
    assert found("second") == [one]
    db.session.rollback()
    assert (found("second"), found("café")) == ([], [one])


MANY = {"few have the word": 0, "many have it": client_words.FEW}


@pytest.mark.parametrize("others", MANY.values(), ids=MANY)
def test_pages_go_on_where_the_last_one_ended(idp: Services, others: int) -> None:
    made = [(f"Portal {number % 3}", f"portal{number}") for number in range(7)]
    for name, client_id in made:
        client(idp, name, client_id)
    client(idp, "Shop", "shop")
    made += many("Zebra", others)
    pages: list[str] = []
    after = None
    for _ in range(3):
        page = page_of(ANYBODY, wanted="port need", after=after, at_most=3)
        pages += page.ids
        after = page.after
    assert pages == [client_id for _name, client_id in sorted(made)][:9]
    assert (after is None) == (others == 0)
    assert [info.id for info in found_by("port")] == [one for _name, one in sorted(made)]


def many(name: str, count: int) -> list[tuple[str, str]]:
    """So many clients that have the words, and are otherwise nothing to speak of."""
    ids = [f"many{number:04}" for number in range(count)]
    if ids:
        bare = {"name": name, "registration": {"grant_types": ["client_credentials"]}}
        since = {"created_at": NOON, "updated_at": NOON}
        db.session.execute(insert(Client), [{"id": one, **bare, **since} for one in ids])
        words = [{"client_id": one, "word": word} for one in ids for word in ("portal", "needle")]
        db.session.execute(insert(ClientWord), words)
    return [(name, one) for one in ids]


def test_whoever_registers_by_himself_brings_no_end_of_words(idp: Services) -> None:
    one = client(idp)
    client_words.keep(one, "Name", [f"https://{number}.test/" for number in range(1000)])
    assert db.session.query(ClientWord).count() == client_words.MOST
    assert found("name") == [one]


def test_one_that_an_older_version_registers_is_found_before_long(idp: Services) -> None:
    one = client(idp)
    before = words_of(one)
    db.session.execute(delete(ClientWord))
    db.session.commit()
    assert found("café") == []
    assert (client_words.complete(), client_words.complete()) == (1, 0)
    assert (found("café"), words_of(one)) == ([one], before)


def words_of(client_id: str) -> set[str]:
    return set(db.session.scalars(select(ClientWord.word).where(ClientWord.client_id == client_id)))


@pytest.mark.parametrize("kind", KINDS)
def test_those_that_were_there_before_are_found_alike(databases: Databases, kind: Kind) -> None:
    with databases.fresh(kind) as url:
        with storage(url):
            idp = Services(make_tools(KEY).settings, clock=FakeClock(), kinds=FACTORS)
            client(idp)
            client(
                idp,
                "社内ポータル",
                "---",
                redirect_uris=["com.example.app:/cb"],
                application_type="native",
            )
        before = words(url)
        downgrade(url, "0013")
        upgrade(url)
        assert words(url) == before
        assert len(before) > 15


def words(url: str) -> list[tuple[str, str]]:
    with engine_beside(url) as engine, engine.connect() as connection:
        rows = connection.execute(text("SELECT client_id, word FROM client_words")).all()
    return sorted((row[0], row[1]) for row in rows)
