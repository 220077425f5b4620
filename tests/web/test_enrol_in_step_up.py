"""A first second step, set up in the middle of a step-up: allowed, told, and on the ledger."""

import json

import pytest

from idp.models import EvidenceRow, db
from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.house import House, Person
from tests.helpers.html import find_object
from tests.helpers.relying_party import RelyingParty
from tests.helpers.sign_in import passkey, sign_in, totp
from tests.helpers.user_agent import Departure, Page, UserAgent
from tests.web.account.visits import kinds


@pytest.fixture
def alice(house: House) -> Person:
    return house.person()


def signed_in(house: House, shop: RelyingParty, alice: Person) -> UserAgent:
    agent = house.browser()
    sign_in(agent, shop.authorization_url(), username=alice.email, password=alice.password)
    return agent


def walk(agent: UserAgent, url: str, alice: Person, soft: SoftAuthenticator) -> Departure:
    """Make the passkey, for the password was just given; save the codes, go on."""
    page = agent.page(url)
    assert page.document.headings == ["One thing to set up first"]
    assert "Setting one up takes about a minute." in page.document.text
    page = agent.page(page.link("Set up a passkey"))
    options = find_object(page.document.data, "challenge")
    assert options is not None
    # Beside the password, possession is enough for phr; verification costs nothing and may help.
    assert options["authenticatorSelection"]["userVerification"] == "preferred"
    answer = {"passkey_response": json.dumps(soft.make_credential(options))}
    place = agent.submit(page, page.form("/passkey"), answer)
    assert isinstance(place, Page)
    assert place.document.headings == ["Save your recovery codes"]
    unticked = agent.submit(place, place.form("/saved"))
    assert isinstance(unticked, Page)
    assert unticked.status == 422
    box = unticked.form("/saved").inputs["saved"]
    assert (box["aria-invalid"], box["aria-describedby"]) == ("true", "saved-error")
    assert unticked.document.text.count("Save the codes first, then tick the box.") == 2
    assert "aria-invalid" not in place.form("/saved").inputs["saved"]
    place = agent.submit(unticked, unticked.form("/saved"), {"saved": "yes"})
    assert isinstance(place, Departure)
    return place


def test_a_password_alone_reaches_phr_by_setting_a_passkey_up(house: House, alice: Person) -> None:
    shop = house.client()
    agent = signed_in(house, shop, alice)
    soft = SoftAuthenticator(house.settings.issuer)
    tokens = shop.finish(walk(agent, shop.authorization_url(acr_values="phr"), alice, soft))
    assert tokens.claims["acr"] == "phr"
    assert "mfa" in tokens.claims["amr"]
    with house.app.app_context():
        rows = db.session.query(EvidenceRow).order_by(EvidenceRow.id).all()
        assert [(row.method, row.enrolled) for row in rows][-1] == ("passkey", True)


def test_a_stolen_password_cannot_set_one_up_beside_a_second_factor(
    house: House, alice: Person
) -> None:
    """She has an app: to set a passkey up takes the app as well, in this very sign-in."""
    house.totp(alice)
    house.clock.advance(minutes=1)
    shop = house.client()
    agent = house.browser()
    page = agent.page(shop.authorization_url(acr_values="phr"))
    place = agent.submit(
        page, page.form("/password"), {"username": alice.email, "password": alice.password}
    )
    assert isinstance(place, Page)
    assert "Set up a passkey" not in place.document.text
    assert place.form("/totp")


@pytest.mark.parametrize("who", ["the deployment", "the registration"])
def test_where_policy_says_no_it_is_an_error(sqlite_url: str, clock: object, who: str) -> None:
    forbidden = who == "the deployment"
    house = House(sqlite_url, clock, enrol_in_step_up=not forbidden)  # type: ignore[arg-type]
    alice = house.person()
    shop = house.client(enrol_in_step_up=forbidden)
    agent = signed_in(house, shop, alice)
    callback = agent.get(shop.authorization_url(acr_values="phr"))
    assert isinstance(callback, Departure)
    assert callback.parameters["error"] == "unmet_authentication_requirements"
    assert callback.parameters["iss"] == house.settings.issuer


def test_what_was_set_up_is_asked_for_next_time(house: House, alice: Person) -> None:
    shop = house.client()
    agent = signed_in(house, shop, alice)
    soft = SoftAuthenticator(house.settings.issuer)
    walk(agent, shop.authorization_url(acr_values="phr"), alice, soft)
    house.clock.advance(minutes=5)
    url = shop.authorization_url(acr_values="phr", max_age=60)
    again = shop.finish(sign_in(agent, url, answers={"passkey": passkey(soft)}))
    assert again.claims["amr"] == ["pop", "user", "swk", "mfa"]


def to_set_up(agent: UserAgent, shop: RelyingParty) -> Page:
    """The page that makes a passkey, reached without being asked for anything."""
    page = agent.page(shop.authorization_url(acr_values="phr"))
    return agent.page(page.link("Set up a passkey"))


def made(agent: UserAgent, page: Page, soft: SoftAuthenticator) -> Page:
    options = find_object(page.document.data, "challenge")
    assert options is not None
    answer = {"passkey_response": json.dumps(soft.make_credential(options))}
    place = agent.submit(page, page.form("/passkey"), answer)
    assert isinstance(place, Page)
    return place


def asks_first(agent: UserAgent, shop: RelyingParty, method: str) -> Page:
    """The same request, where something is to be proved before anything is set up."""
    page = agent.page(shop.authorization_url(acr_values="phr"))
    assert page.form(f"/{method}")
    assert "Set up a passkey" not in page.document.text
    return page


def test_a_proof_of_more_than_ten_minutes_ago_is_none_to_set_up_on(
    house: House, alice: Person
) -> None:
    """Nor where it was younger when the page was opened: as the account's own pages have it."""
    shop, soft = house.client(), SoftAuthenticator(house.settings.issuer)
    agent = signed_in(house, shop, alice)
    house.clock.advance(minutes=9)
    page = to_set_up(agent, shop)
    house.clock.advance(minutes=2)
    late = made(agent, page, soft)
    assert "Confirm that it’s you; then you can set one up" in late.document.text
    assert "There is a problem" not in late.document.text
    assert kinds(house, alice) == ["password"]
    again = agent.submit(late, late.form("/password"), {"password": alice.password})
    assert isinstance(again, Page)
    done = made(agent, agent.page(again.link("Set up a passkey")), soft)
    assert done.document.headings == ["Save your recovery codes"]
    house.clock.advance(minutes=11)
    bob = house.person("bob@example.com")
    asks_first(signed_in_long_ago(house, shop, bob), shop, "password")


def signed_in_long_ago(house: House, shop: RelyingParty, person: Person) -> UserAgent:
    agent = signed_in(house, shop, person)
    house.clock.advance(minutes=11)
    return agent


def test_half_of_what_she_has_is_not_enough_to_set_up_on(house: House, alice: Person) -> None:
    """The app was asked for long ago, and the password just now: the app once more."""
    seed, shop = house.totp(alice), house.client()
    house.clock.advance(minutes=1)
    agent = house.browser()
    known = {"username": alice.email, "password": alice.password}
    sign_in(agent, shop.authorization_url(), **known, answers={"totp": totp(seed, house.clock)})
    to_set_up(agent, shop)  # the control: both were just given
    house.clock.advance(minutes=11)
    page = agent.page("/me/security")
    place = agent.submit(page, page.form("/password"), {"password": alice.password})
    assert isinstance(place, Page)
    asks_first(agent, shop, "totp")


def test_a_clock_set_back_makes_no_proof_young(house: House, alice: Person) -> None:
    shop, soft = house.client(), SoftAuthenticator(house.settings.issuer)
    agent = signed_in(house, shop, alice)
    house.clock.advance(minutes=-30)
    page = asks_first(agent, shop, "password")
    again = agent.submit(page, page.form("/password"), {"password": alice.password})
    assert isinstance(again, Page)
    done = made(agent, agent.page(again.link("Set up a passkey")), soft)
    assert done.document.headings == ["Save your recovery codes"]


def test_who_is_to_sign_in_anew_does_before_she_sets_anything_up(
    house: House, alice: Person
) -> None:
    """A passkey made on an open session is no answer to who wants her to prove it now."""
    shop = house.client()
    agent = signed_in(house, shop, alice)
    for wish in ({"prompt": "login"}, {"max_age": 0}):
        page = agent.page(shop.authorization_url(acr_values="phr", **wish))
        assert page.form("/password")
        assert "Set up a passkey" not in page.document.text


def test_another_persons_proof_is_nothing_to_set_up_on(house: House, alice: Person) -> None:
    """Neither for whom the request names, nor in the sign-in of who was here before."""
    shop, soft = house.client(), SoftAuthenticator(house.settings.issuer)
    bob = house.person("bob@example.com")
    agent = signed_in(house, shop, alice)
    page = to_set_up(agent, shop)
    hers = shop.finish(sign_in(agent, shop.authorization_url())).id_token
    as_bob = shop.authorization_url(prompt="login", login_hint=bob.email)
    sign_in(agent, as_bob, username=bob.email, password=bob.password)
    named = agent.page(shop.authorization_url(acr_values="phr", id_token_hint=hers))
    assert "Set up a passkey" not in named.document.text
    made(agent, page, soft)
    assert kinds(house, alice) == kinds(house, bob) == ["password"]
