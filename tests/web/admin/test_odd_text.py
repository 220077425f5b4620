"""NUL, which no key makes and PostgreSQL refuses: the console goes on without it."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.helpers.clock import FakeClock
from tests.helpers.databases import KINDS, Databases
from tests.helpers.house import House
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.walking import housed, newcomer, shown


@pytest.fixture(scope="module", params=KINDS)
def house(databases: Databases, request: pytest.FixtureRequest) -> Iterator[House]:
    """On each database: SQLite takes what PostgreSQL does not."""
    with databases.fresh(request.param) as url, housed(url, FakeClock()) as made:
        yield made


@pytest.fixture(scope="module")
def admin(house: House) -> UserAgent:
    return signed_in_as(house, "administrator")


@pytest.fixture(scope="module")
def wiki(house: House) -> RelyingParty:
    return house.client(client_name="Wiki")


QUERIES = [
    "people?q=per\0son",
    "people?group=co\0oks",
    "people?state=\0invited",
    "people?after=\0a",
    "people?q=person&after=0:\0:a",
    "groups?after=\0a",
    "clients?q=Wi\0ki",
    "clients?after=\0a&name=\0",
    "clients/new?q=\0wi",
    "explain?person=\0a&url=\0b&evidence=\0c",
    "audit?person=a\0b",
    "audit?client=a\0b",
    "audit?event=a\0b",
    "audit?reference=a\0b",
    "audit?before=1\0",
    "audit.csv?person=a\0b&reference=a\0b",
    "refused?reference=\0a",
    "people?\0=\0",
]


@pytest.mark.parametrize("path", QUERIES)
def test_a_query_is_read_without_it(admin: UserAgent, wiki: RelyingParty, path: str) -> None:
    odd = admin.client.get(f"/admin/{quote(path, safe='?=&/:')}")
    plain = admin.client.get(f"/admin/{path}".replace("\0", ""))
    assert (odd.status_code, odd.text == "") == (plain.status_code, plain.text == "")
    assert odd.status_code < 500


def test_what_is_looked_for_is_found(house: House, admin: UserAgent, wiki: RelyingParty) -> None:
    ada = newcomer(house, name="Ada Lovelace")
    assert ada.email in admin.page("/admin/people?q=Love%00lace").document.text
    assert "Wiki" in admin.page("/admin/clients?q=Wi%00ki").document.text


def test_a_form_keeps_all_that_was_typed(house: House, admin: UserAgent) -> None:
    page = admin.page("/admin/settings")
    kept = shown(admin.submit(page, page.form("/settings"), {"site_name": "Red\0 House\0"}))
    assert (kept.status, "Saved." in kept.document.text) == (200, True)
    assert kept.form("/settings").fields["site_name"] == "Red House"


def test_a_version_that_is_none_is_told_as_one(admin: UserAgent) -> None:
    page = admin.page("/admin/settings")
    typed = {"site_name": "Blue House", "version": "a\0b"}
    told = shown(admin.submit(page, page.form("/settings"), typed))
    assert told.status in (409, 422)
    assert told.form("/settings").fields["site_name"] == "Blue House"


def test_lines_of_a_form_stay_lines(house: House, admin: UserAgent, wiki: RelyingParty) -> None:
    newcomer(house, groups=["cooks", "waiters"])
    path = f"/admin/clients/{wiki.client_id}/claims"
    page = admin.page(path)
    admin.submit(page, page.form("/claims"), {"told_groups": "co\0oks\nwai\0ters\0"})
    assert admin.page(path).form("/claims").fields["told_groups"].split() == ["cooks", "waiters"]


def test_a_script_is_heard_as_before(admin: UserAgent) -> None:
    made = admin.client.post("/admin/people/invite", json={"email": "script@example.com"})
    assert made.status_code == 303
    refused = admin.client.post("/admin/people/invite", json={"email": "a\0b@example.com"})
    assert refused.status_code == 422


# Longer than any address of ours


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/admin/people/" + "a" * 1990, id="somebody"),
        pytest.param("/me/security/" + "a" * 2500, id="a way to sign in"),
        pytest.param("/me/security/" + "é" * 2500 + "?a=b", id="with a query"),
    ],
)
def test_who_asks_for_an_address_without_end_comes_to_her_account(house: House, path: str) -> None:
    agent, alice = house.browser(), newcomer(house)
    page = agent.page(path)
    assert page.document.headings[0].startswith("Sign in")
    typed = {"username": alice.email, "password": alice.password}
    home = agent.submit(page, page.form("/password"), typed)
    assert isinstance(home, Page)
    assert (home.status, home.path) == (200, "/me")
