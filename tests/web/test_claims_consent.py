"""Whatever door a claim is asked for by, the person has allowed it, and proved enough for it."""

import json

import pytest

from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.web.walking import enter, gone, housed, newcomer, press, shown, silently, tokens_of

SCOPES = "openid profile email phone"
PLACES = ("userinfo", "id_token")


def asking(place: str, *names: str) -> str:
    return json.dumps({place: dict.fromkeys(names)})


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


@pytest.fixture
def shop(town: House) -> RelyingParty:
    return town.client(scope=SCOPES)


@pytest.mark.parametrize("place", PLACES)
def test_the_page_lists_what_is_asked_for_by_name(
    town: House, shop: RelyingParty, alice: Person, place: str
) -> None:
    agent = town.browser()
    url = shop.authorization_url(scope="openid", claims=asking(place, "email", "auth_time"))
    page = shown(enter(agent, agent.page(url), alice))
    assert page.document.headings[0] == "Share your details with Shop?"
    assert "See your email address" in page.document.text
    told = shop.finish(gone(press(agent, page, "/consent", "Allow")))
    given = told.claims if place == "id_token" else shop.userinfo(told.access_token)
    assert given["email"] == alice.email


@pytest.mark.parametrize("place", PLACES)
def test_having_allowed_less_is_not_enough(
    town: House, shop: RelyingParty, alice: Person, place: str
) -> None:
    agent = town.browser()
    tokens_of(agent, shop, alice, scope="openid")
    assert silently(agent, shop, scope="openid") == ""
    claims = asking(place, "email")
    assert silently(agent, shop, scope="openid", claims=claims) == "consent_required"
    tokens_of(agent, shop, scope="openid email")
    assert silently(agent, shop, scope="openid", claims=claims) == ""


def test_what_takes_more_as_a_scope_takes_more_by_name(databases: Databases) -> None:
    floor = {"scope_acr": {"email": "phr"}, "enrol_in_step_up": False}
    with databases.fresh("sqlite") as url, housed(url, FakeClock(), **floor) as strict:
        shop, alice = strict.client(scope=SCOPES), newcomer(strict)
        agent = strict.browser()
        tokens_of(agent, shop, alice, scope="openid")
        assert silently(agent, shop, scope="openid") == ""
        for asked in ({"scope": "openid email"}, {"claims": asking("userinfo", "email")}):
            refused = silently(agent, shop, **{"scope": "openid", **asked})
            assert refused == "unmet_authentication_requirements"
