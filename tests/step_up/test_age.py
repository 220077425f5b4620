"""How old may a proof be: ``max_age``, ``prompt=login``, ``auth_time`` (OpenID Connect Core)."""

import pytest

from tests.step_up.conftest import Welcome
from tests.step_up.visit import page_of


def test_absent_max_age_is_not_zero(welcome: Welcome) -> None:
    """OIDC Core 3.1.2.1."""
    visit = welcome()
    first = visit.sign_in("password")
    visit.wait(2)
    assert visit.again().claims["auth_time"] == first.claims["auth_time"]
    assert visit.asks(visit.ask(max_age=0))  # the control


def test_max_age_zero_asks_whoever_is_there(welcome: Welcome) -> None:
    visit = welcome()
    visit.sign_in("password")
    visit.wait(1)
    before = visit.issuer.now()
    again = visit.sign_in("password", max_age=0)
    assert again.claims["auth_time"] >= before


@pytest.mark.parametrize(
    ("max_age", "asked"), [(1, True), (100, False)], ids=["smaller than", "larger than"]
)
def test_max_age_is_measured_against_how_old_the_sign_in_is(
    welcome: Welcome, max_age: int, asked: bool
) -> None:
    visit = welcome()
    first = visit.sign_in("password")
    visit.wait(2)
    before = visit.issuer.now()
    methods = ("password",) if asked else ()
    again = visit.sign_in(*methods, max_age=max_age * visit.issuer.pace)
    auth_time = again.claims["auth_time"]
    assert auth_time >= before if asked else auth_time == first.claims["auth_time"]


@pytest.mark.parametrize("parameters", [{"max_age": 0}, {"prompt": "login"}], ids=str)
def test_whoever_takes_long_is_not_asked_twice(
    welcome: Welcome, parameters: dict[str, object]
) -> None:
    """The age counts from when the request came, or a slow person would go round in circles."""
    visit = welcome()
    visit.sign_in("password")
    visit.wait(1)
    place = visit.ask(**parameters)
    visit.wait(2)
    visit.tokens(visit.answer(place, "password"))


def test_prompt_login_asks_and_moves_auth_time(welcome: Welcome) -> None:
    visit = welcome()
    visit.sign_in("password")
    visit.wait(1)
    before = visit.issuer.now()
    again = visit.sign_in("password", prompt="login")
    assert again.claims["auth_time"] >= before
    assert visit.again().claims["auth_time"] == again.claims["auth_time"]


def test_auth_time_is_there_without_being_asked_for(welcome: Welcome) -> None:
    visit = welcome()
    before = visit.issuer.now()
    claims = visit.sign_in("password").claims
    assert before <= claims["auth_time"] <= visit.issuer.now()
    asked = visit.again(claims={"id_token": {"auth_time": {"essential": True}}})
    assert asked.claims["auth_time"] == claims["auth_time"]


def test_auth_time_is_that_of_the_oldest_proof_relied_upon(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp")
    mfa = visit.issuer.names.two_factors
    first = visit.sign_in("password")
    visit.wait(2)
    both = visit.sign_in("totp", acr_values=mfa)
    assert both.claims["acr"] == mfa
    assert set(both.claims["amr"]) == {"pwd", "otp", "mfa"}
    assert both.claims["auth_time"] == first.claims["auth_time"]


def test_a_proof_that_stands_alone_brings_its_own_time(welcome_simply: Welcome) -> None:
    visit = welcome_simply("passkey")
    visit.sign_in("password")
    visit.wait(2)
    before = visit.issuer.now()
    claims = visit.sign_in("passkey", acr_values=visit.issuer.names.phishing_resistant).claims
    assert claims["auth_time"] >= before
    assert "pwd" not in claims["amr"]


def test_max_age_binds_every_proof_behind_the_acr(welcome_simply: Welcome) -> None:
    """A fresh code does not freshen the password beside it: that, and that alone, is asked for."""
    visit = welcome_simply("totp")
    asked = {"acr_values": visit.issuer.names.two_factors, "max_age": visit.issuer.pace}
    visit.sign_in("password")
    visit.wait(2)
    place = visit.ask(acr_values=asked["acr_values"])
    visit.tokens(visit.answer(place, "totp"))
    again = visit.ask(**asked)
    assert visit.asks(again) == ("password",)
    before = visit.issuer.now() - visit.issuer.pace
    assert visit.tokens(visit.answer(again, "password")).claims["auth_time"] >= before


def test_a_stale_code_beside_a_fresh_password_is_all_that_is_asked_for(welcome: Welcome) -> None:
    visit = welcome("totp")
    mfa = visit.issuer.names.two_factors
    visit.sign_in("password", "totp", acr_values=mfa)
    visit.wait(2)
    place = visit.answer(visit.ask(prompt="login", acr_values=mfa), "password")
    visit.press(page_of(place), visit.issuer.drive.cancel)
    again = visit.ask(acr_values=mfa, max_age=visit.issuer.pace)
    assert visit.asks(again) == ("totp",)
    assert set(visit.tokens(visit.answer(again, "totp")).claims["amr"]) == {"pwd", "otp", "mfa"}


def test_no_parameter_outlasts_the_clients_own_limit(welcome: Welcome) -> None:
    visit = welcome(role="recent")
    first = visit.sign_in("password")
    assert visit.again().claims["auth_time"] == first.claims["auth_time"]  # the control
    visit.wait(2)
    for loose in ({}, {"max_age": 100 * visit.issuer.pace}):
        assert visit.asks(visit.ask(**loose))
    assert visit.silently(max_age=100 * visit.issuer.pace) == "login_required"
