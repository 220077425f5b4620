"""What a step-up does to the session, and what it does not."""

from tests.step_up.conftest import Welcome


def test_the_session_is_another_one_after_each_proof(welcome_simply: Welcome) -> None:
    """Whoever took its cookie before the step-up has not stepped up."""
    visit = welcome_simply("totp")
    visit.sign_in("password")
    thief = visit.copy_of_browser()
    assert thief.silently() == "ok"  # the control
    visit.sign_in("totp", acr_values=visit.issuer.names.two_factors)
    assert thief.silently() == "login_required"
    assert visit.silently() == "ok"


def test_a_step_up_erases_nothing(welcome: Welcome) -> None:
    visit = welcome("totp", "passkey")
    names = visit.issuer.names
    first = visit.sign_in("password", "totp", acr_values=names.two_factors)
    visit.wait(1)
    visit.sign_in("passkey", acr_values=names.phishing_resistant)
    strict = visit.at("no_passkeys")
    claims = strict.again(acr_values=names.two_factors).claims
    assert set(claims["amr"]) == {"pwd", "otp", "mfa"}
    assert claims["auth_time"] == first.claims["auth_time"]


def test_whoever_cancels_is_refused_and_stays_signed_in(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp")
    first = visit.sign_in("password")
    visit.wait(1)
    place = visit.ask(acr_values=visit.issuer.names.two_factors)
    refusal = visit.refusal(visit.press(place, visit.issuer.drive.cancel))
    assert refusal["error"] == "access_denied"
    again = visit.again()
    assert again.claims["auth_time"] == first.claims["auth_time"]
    assert again.claims["acr"] == visit.issuer.names.one_factor


def test_whoever_cancels_a_first_sign_in_is_refused(welcome: Welcome) -> None:
    visit = welcome()
    refusal = visit.refusal(visit.press(visit.ask(), visit.issuer.drive.cancel))
    assert refusal["error"] == "access_denied"
    assert visit.silently() == "login_required"


def test_a_step_up_for_one_application_serves_the_next(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp")
    mfa = visit.issuer.names.two_factors
    visit.sign_in("password")
    stepped_up = visit.sign_in("totp", acr_values=mfa)
    other = visit.at("other").again(acr_values=mfa)
    for name in ("acr", "amr", "auth_time", "sub"):
        assert other.claims[name] == stepped_up.claims[name]
