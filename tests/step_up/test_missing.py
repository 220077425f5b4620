"""Only what is missing is asked for, and every way to it is open."""

import pytest

from tests.step_up.conftest import Welcome


def test_beside_a_password_only_the_second_step_is_asked_for(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp")
    visit.sign_in("password")
    place = visit.ask(acr_values=visit.issuer.names.two_factors)
    assert visit.asks(place) == ("totp",)
    visit.tokens(visit.answer(place, "totp"))


@pytest.mark.parametrize("rung", ["two_factors", "phishing_resistant"])
def test_one_passkey_that_verifies_its_user_replaces_two_steps(welcome: Welcome, rung: str) -> None:
    """The ladder is tested and not walked: from nothing, in one step."""
    visit = welcome("totp", "passkey")
    acr = getattr(visit.issuer.names, rung)
    claims = visit.sign_in("passkey", acr_values=acr).claims
    assert claims["acr"] == acr
    assert {"pop", "user", "mfa"} <= set(claims["amr"])
    assert not {"pwd", "otp"} & set(claims["amr"])


def test_no_pointless_code_after_a_passkey(welcome_carefully: Welcome) -> None:
    """Having an app as well is no reason to be asked for it."""
    visit = welcome_carefully("totp", "passkey")
    assert "mfa" in visit.sign_in("passkey").claims["amr"]
    control = visit.elsewhere()
    place = control.answer(control.ask(), "passkey", uv=False)
    assert "passkey" not in control.asks(place)[:1] or "password" in control.offers(place)


def test_a_passkey_that_only_was_touched_is_one_factor(welcome_simply: Welcome) -> None:
    visit = welcome_simply("passkey")
    claims = visit.tokens(visit.answer(visit.ask(), "passkey", uv=False)).claims
    assert claims["acr"] == visit.issuer.names.one_factor
    assert "mfa" not in claims["amr"]


def test_a_touch_beside_a_password_is_two_factors_and_resists_phishing(
    welcome_simply: Welcome,
) -> None:
    visit = welcome_simply("passkey")
    phr = visit.issuer.names.phishing_resistant
    visit.sign_in("password")
    claims = visit.tokens(visit.answer(visit.ask(acr_values=phr), "passkey", uv=False)).claims
    assert claims["acr"] == phr
    assert {"pwd", "pop", "mfa"} <= set(claims["amr"])


@pytest.mark.parametrize("way", ["totp", "passkey"])
def test_any_way_that_reaches_it_may_be_chosen(welcome_simply: Welcome, way: str) -> None:
    visit = welcome_simply("totp", "passkey")
    mfa = visit.issuer.names.two_factors
    visit.sign_in("password")
    place = visit.ask(acr_values=mfa)
    assert {"totp", "passkey"} <= set(visit.offers(place))
    assert visit.tokens(visit.answer(place, way)).claims["acr"] == mfa


def test_a_way_that_does_not_reach_it_is_not_offered(welcome: Welcome) -> None:
    visit = welcome("totp", "passkey")
    names = visit.issuer.names
    visit.sign_in("password", "totp", acr_values=names.two_factors)
    place = visit.ask(acr_values=names.phishing_resistant)
    assert visit.offers(place) == ("passkey",)


def test_the_fewest_steps_come_first(welcome: Welcome) -> None:
    visit = welcome("totp", "passkey")
    mfa = visit.issuer.names.two_factors
    visit.sign_in("password", "totp", acr_values=mfa)
    place = visit.ask(acr_values=mfa, max_age=0)
    assert visit.asks(place) == ("passkey",)
    assert "password" in visit.offers(place)
    visit.tokens(visit.answer(place, "passkey"))


def test_a_recovery_code_is_never_offered_first(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp", "recovery_code")
    visit.sign_in("password")
    place = visit.ask(acr_values=visit.issuer.names.two_factors)
    assert visit.asks(place) == ("totp",)
    assert "recovery_code" in visit.offers(place)
    claims = visit.tokens(visit.answer(place, "recovery_code")).claims
    assert "mfa" in claims["amr"]
    assert "otp" not in claims["amr"]


def test_a_mailed_link_is_one_factor(welcome: Welcome) -> None:
    visit = welcome("magic_link")
    claims = visit.sign_in("magic_link").claims
    assert claims["acr"] == visit.issuer.names.one_factor
    assert "mfa" not in claims["amr"]


def test_a_mailed_link_asks_for_the_app_that_is_set_up_and_stays_one_factor(
    welcome_carefully: Welcome,
) -> None:
    """The mailbox can reset the password, so it is none of the kinds of which two are needed."""
    visit = welcome_carefully("totp", "magic_link")
    place = visit.answer(visit.ask(), "magic_link")
    assert visit.asks(place) == ("totp",)
    claims = visit.tokens(visit.answer(place, "totp")).claims
    assert claims["acr"] == visit.issuer.names.one_factor
    assert "mfa" not in claims["amr"]


def test_owning_a_credential_proves_nothing(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp", "passkey")
    claims = visit.sign_in("password").claims
    assert claims["acr"] == visit.issuer.names.one_factor
    assert claims["amr"] == ["pwd"]


def test_a_method_that_the_client_refuses_neither_counts_nor_is_offered(welcome: Welcome) -> None:
    visit = welcome("totp", "passkey")
    visit.sign_in("passkey", acr_values=visit.issuer.names.two_factors)
    strict = visit.at("no_passkeys")
    place = strict.ask(acr_values=visit.issuer.names.two_factors)
    assert "passkey" not in strict.offers(place)
    place = strict.answer(strict.answer(place, "password"), "totp")
    assert set(strict.tokens(place).claims["amr"]) == {"pwd", "otp", "mfa"}
