"""``prompt=none`` never shows a page, and says exactly why not (OIDC Core 3.1.2.1 and 3.1.2.6)."""

from dataclasses import replace

from tests.step_up.conftest import Welcome
from tests.step_up.issuer import Issuer


def test_nobody_is_there(welcome: Welcome) -> None:
    visit = welcome()
    assert visit.silently() == "login_required"
    visit.sign_in("password")
    assert visit.silently() == "ok"  # the control


def test_a_silent_answer_moves_nothing(welcome: Welcome) -> None:
    visit = welcome()
    first = visit.sign_in("password")
    visit.wait(2)
    silent = visit.tokens(visit.agent.get(visit.url(prompt="none")))
    for name in ("sub", "acr", "amr", "auth_time"):
        assert silent.claims[name] == first.claims[name]


def test_too_long_ago(welcome: Welcome) -> None:
    visit = welcome()
    visit.sign_in("password")
    visit.wait(2)
    assert visit.silently(max_age=visit.issuer.pace) == "login_required"
    assert visit.silently(max_age=0) == "login_required"
    assert visit.silently(max_age=100 * visit.issuer.pace) == "ok"


def test_more_is_needed(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp")
    mfa = visit.issuer.names.two_factors
    visit.sign_in("password")
    assert visit.silently(acr_values=mfa) == "interaction_required"
    visit.sign_in("totp", acr_values=mfa)
    assert visit.silently(acr_values=mfa) == "ok"


def test_it_cannot_be_reached(welcome: Welcome) -> None:
    visit = welcome()
    names = visit.issuer.names
    visit.sign_in("password")
    for out_of_reach in (names.beyond, names.unknown):
        assert visit.silently(acr_values=out_of_reach) == "unmet_authentication_requirements"
    assert visit.silently(acr_values=names.one_factor) == "ok"


def test_a_wish_is_no_reason_to_fail(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp")
    mfa = visit.issuer.names.two_factors
    first = visit.sign_in("password")
    wished = {"id_token": {"acr": {"essential": False, "value": mfa}}}
    silent = visit.tokens(visit.agent.get(visit.url(prompt="none", claims=wished)))
    assert silent.claims["acr"] == first.claims["acr"]
    assert visit.at("voluntary").silently(acr_values=mfa) in ("ok", "consent_required")


def test_nothing_was_allowed(welcome: Welcome) -> None:
    visit = welcome()
    visit.sign_in("password")
    assert visit.at("not_allowed").silently() == "consent_required"


def test_somebody_else_is_wanted(welcome: Welcome, issuer: Issuer) -> None:
    visit = welcome()
    visit.sign_in("password")
    other = replace(visit.elsewhere(), person=issuer.person(besides=visit.person))
    theirs = other.sign_in("password")
    assert visit.silently(id_token_hint=theirs.id_token) == "login_required"
    error = visit.silently(login_hint=other.person.username)
    assert error in ("account_selection_required", "login_required")
    assert visit.silently(login_hint=visit.person.username) == "ok"
