"""From the reference on an error page to the repair: sent against registered, and added."""

import re

import pytest

from tests.helpers.house import House
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.admin.test_clients import members, send
from tests.web.walking import events

SENT = "https://shop.example/callback/"


@pytest.fixture(scope="module")
def admin(town: House) -> UserAgent:
    return signed_in_as(town, "administrator")


@pytest.fixture
def shop(town: House) -> RelyingParty:
    return town.client(consent="never")


def error_page(agent: UserAgent, shop: RelyingParty, sent: str = SENT) -> Page:
    page = agent.page(shop.authorization_url(redirect_uri=sent))
    assert page.status == 400
    return page


def reference_on(page: Page) -> str:
    found = re.search(r"reference: ([0-9A-Z]{8})", page.document.text)
    assert found
    return found[1]


def test_three_clicks_from_the_error_to_the_repair(
    town: House, admin: UserAgent, shop: RelyingParty
) -> None:
    page = error_page(admin, shop)
    page = admin.page(page.link("See what was sent and repair it"))
    assert "<mark>/</mark>" in page.response.text
    page = send(admin, page, "/add")
    assert "The address was added" in page.document.text
    assert SENT in members(town, shop.client_id)["redirect_uris"]
    changed = events(town, event="client.changed", client_id=shop.client_id)[0]
    assert changed.data["after"]["redirect_uris"][-1] == SENT


def test_the_way_there_is_shown_to_nobody_else(town: House, shop: RelyingParty) -> None:
    for agent in (town.browser(), signed_in_as(town, None)):
        assert "administer" not in error_page(agent, shop).document.text


def test_it_is_found_by_the_reference_that_somebody_reads_out(
    town: House, admin: UserAgent, shop: RelyingParty
) -> None:
    reference = reference_on(error_page(town.browser(), shop))
    page = admin.page(f"/admin/refused?reference=%20{reference.lower()}%20")
    assert page.path == f"/admin/refused/{reference}"
    assert SENT in page.document.text
    none = admin.page("/admin/refused?reference=00000000")
    assert none.status == 422
    assert "under this reference" in none.document.text


def test_a_host_never_seen_takes_a_word(town: House, admin: UserAgent, shop: RelyingParty) -> None:
    evil = "https://shop.example.evil.test/callback"
    reference = reference_on(error_page(town.browser(), shop, evil))
    page = admin.page(f"/admin/refused/{reference}")
    assert "was never at this host" in page.document.text
    page = send(admin, page, "/add")
    assert page.status == 422
    assert evil not in members(town, shop.client_id)["redirect_uris"]
    send(admin, page, "/add", mine="yes")
    assert evil in members(town, shop.client_id)["redirect_uris"]


def test_what_cannot_be_registered_is_not_offered(
    town: House, admin: UserAgent, shop: RelyingParty
) -> None:
    reference = reference_on(error_page(town.browser(), shop, "http://shop.example/callback"))
    page = admin.page(f"/admin/refused/{reference}")
    assert "cannot be registered" in page.document.text
    assert "Add this address" not in page.document.text


def test_an_auditor_looks_and_adds_nothing(town: House, shop: RelyingParty) -> None:
    agent = signed_in_as(town, "auditor")
    page = error_page(agent, shop)
    page = agent.page(page.link("See what was sent and repair it"))
    assert SENT in page.document.text
    assert "Add this address" not in page.document.text


def test_another_groups_application_stays_untold(town: House) -> None:
    theirs = town.client(owner_groups=["Keepers"])
    agent = signed_in_as(town, "client_manager")
    reference = reference_on(error_page(agent, theirs))
    assert agent.page(f"/admin/refused/{reference}").status == 404


def test_a_request_that_names_nobody_is_told_as_it_is(admin: UserAgent) -> None:
    page = admin.page("/oauth/authorize?client_id=nobody&redirect_uri=https://x.example/cb")
    page = admin.page(page.link("See what was sent and repair it"))
    assert page.status == 200
    assert "(not registered)" in page.document.text
