"""Setting up what is missing in the middle of a step-up, and who may not."""

import pytest

from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.relying_party import Tokens
from tests.helpers.user_agent import Page, Place
from tests.step_up.conftest import Welcome
from tests.step_up.issuer import Issuer
from tests.step_up.ours import Ours
from tests.step_up.visit import Visit, page_of


@pytest.fixture(autouse=True)
def _makes_people(issuer: Issuer) -> None:
    """These cases leave a passkey behind, so each wants somebody new."""
    if not isinstance(issuer, Ours):
        pytest.skip("people of a file are the same in every case")


def can_set_up(visit: Visit, place: Place) -> bool:
    return any(label == visit.issuer.drive.set_up for label, _ in page_of(place).document.links)


def set_up(visit: Visit, place: Place) -> Tokens:
    """Make a passkey, and go on to the application."""
    visit.person.passkeys = visit.person.passkeys or SoftAuthenticator(visit.issuer.url)
    page = visit.agent.page(page_of(place).link(visit.issuer.drive.set_up))
    return visit.tokens(visit.answer(page, "passkey"))


def asked_for(visit: Visit) -> dict[str, object]:
    return {"acr_values": visit.issuer.names.phishing_resistant}


def test_whoever_has_a_password_only_sets_up_what_is_asked_for(welcome: Welcome) -> None:
    visit = welcome()
    visit.sign_in("password")
    visit.wait(1)
    place = visit.ask(**asked_for(visit))
    assert not can_set_up(visit, place)
    assert visit.asks(place) == (
        "password",
    )  # in this very sign-in: a session left open is no proof
    tokens = set_up(visit, visit.answer(place, "password"))
    assert tokens.claims["acr"] == visit.issuer.names.phishing_resistant
    assert {"pwd", "pop", "mfa"} <= set(tokens.claims["amr"])
    visit.wait(2)
    again = visit.ask(**asked_for(visit), max_age=visit.issuer.pace)
    assert visit.asks(again) == ("passkey",)


def test_a_stolen_password_sets_nothing_up_beside_a_second_factor(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp")
    visit.sign_in("password")
    visit.wait(1)
    place = visit.ask(**asked_for(visit))
    for method in ("password", "totp"):
        assert not can_set_up(visit, place)
        place = visit.answer(place, method)
    assert set_up(visit, place).claims["acr"] == visit.issuer.names.phishing_resistant


def test_what_was_proved_in_another_sign_in_sets_nothing_up(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp")
    visit.sign_in("password", "totp", acr_values=visit.issuer.names.two_factors)
    place = visit.ask(**asked_for(visit))
    assert isinstance(place, Page)
    assert not can_set_up(visit, place)


def test_what_somebody_has_comes_before_setting_anything_up(welcome: Welcome) -> None:
    visit = welcome("totp")
    place = visit.answer(visit.ask(acr_values=visit.issuer.names.two_factors), "password")
    assert visit.offers(place) == ("totp",)
    assert not can_set_up(visit, place)


def test_where_the_application_wants_nothing_set_up_it_is_told_so(welcome: Welcome) -> None:
    visit = welcome(role="no_setting_up")
    visit.sign_in("password")
    assert visit.error(**asked_for(visit)) == "unmet_authentication_requirements"
    assert visit.silently(**asked_for(visit)) == "unmet_authentication_requirements"


def test_without_a_page_setting_up_is_what_is_still_to_do(welcome: Welcome) -> None:
    visit = welcome()
    visit.sign_in("password")
    assert visit.silently(**asked_for(visit)) == "interaction_required"


def test_nobody_sets_anything_up_for_a_wish(welcome: Welcome) -> None:
    visit = welcome(role="voluntary")
    claims = visit.sign_in("password", **asked_for(visit)).claims
    assert claims["acr"] == visit.issuer.names.one_factor
