"""Whose sign-in it is: pinned, in every tab, and never by choosing from a list."""

from dataclasses import replace

import pytest

from tests.helpers.relying_party import TokenRefused
from tests.helpers.user_agent import Departure, Page, Place
from tests.step_up.conftest import Welcome
from tests.step_up.people import Person
from tests.step_up.visit import Visit, page_of


def gets_nowhere(place: Place) -> bool:
    """Did the browser not leave with a code?"""
    return isinstance(place, Page) or "code" not in place.parameters


def stepping_up(visit: Visit) -> Page:
    """Signed in with a password, she is asked for a second factor."""
    visit.sign_in("password")
    return page_of(visit.ask(acr_values=visit.issuer.names.two_factors))


def somebody_else(visit: Visit, *has: str) -> Person:
    return visit.issuer.person(*has, besides=visit.person)


def submit_as(visit: Visit, page: Page, other: Person) -> Place:
    """Fill the page in with another name, whether or not the name may be changed there."""
    drive = visit.issuer.drive
    page = drive.reach(visit.agent, page, "password", other)
    form = next(one for one in page.document.forms if drive.fields["password"] in one.inputs)
    typed = {drive.username: other.username, drive.fields["password"]: other.password or ""}
    return visit.agent.submit(page, form, {k: v for k, v in typed.items() if k in form.inputs})


def test_another_persons_password_does_not_finish_a_step_up(welcome: Welcome) -> None:
    visit = welcome()
    first = visit.sign_in("password")
    visit.wait(1)
    page = page_of(visit.ask(max_age=0))
    refused = submit_as(visit, page, somebody_else(visit))
    assert gets_nowhere(refused)
    tokens = visit.tokens(visit.answer(refused, "password"))  # the control
    assert tokens.claims["sub"] == first.claims["sub"]


def test_another_persons_code_does_not_finish_a_step_up(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp")
    page = stepping_up(visit)
    refused = visit.answer(page, "totp", by=somebody_else(visit, "totp"))
    assert gets_nowhere(refused)
    visit.tokens(visit.answer(refused, "totp"))  # the control


def test_another_persons_passkey_does_not_finish_a_step_up(welcome_simply: Welcome) -> None:
    """Not even one that signs the very challenge, whatever the options allow."""
    visit = welcome_simply("passkey")
    page = stepping_up(visit)
    thief = somebody_else(visit, "passkey")
    (credential,) = thief.authenticator().credentials.values()
    refused = visit.answer(page, "passkey", by=thief, credential=credential)
    assert gets_nowhere(refused)
    again = visit.ask(acr_values=visit.issuer.names.two_factors)
    visit.tokens(visit.answer(again, "passkey"))  # the control


def test_a_step_up_left_open_is_not_finished_by_who_signs_in_meanwhile(
    welcome_simply: Welcome,
) -> None:
    visit = welcome_simply("totp")
    left_open = stepping_up(visit)
    other = replace(visit, person=somebody_else(visit))
    chooser = page_of(other.ask(prompt="select_account"))
    place = visit.issuer.drive.press(other.agent, chooser, visit.issuer.drive.another)
    theirs = other.tokens(other.answer(place, "password"))
    resumed = visit.agent.get(left_open.url)
    assert gets_nowhere(resumed)
    assert gets_nowhere(visit.answer(resumed, visit.asks(resumed)[0], by=other.person))
    assert other.silently() == "ok"
    assert theirs.claims["amr"] == ["pwd"]


def test_a_session_that_ended_meanwhile_brings_nothing_into_a_step_up(
    welcome_simply: Welcome,
) -> None:
    """Her password was proved in a session that another person's has replaced: it is asked anew."""
    visit = welcome_simply("totp")
    left_open = stepping_up(visit)
    other = replace(visit, person=somebody_else(visit))
    chooser = page_of(other.ask(prompt="select_account"))
    place = visit.issuer.drive.press(other.agent, chooser, visit.issuer.drive.another)
    other.tokens(other.answer(place, "password"))
    visit.wait(2)
    before = visit.issuer.now()
    place = visit.agent.get(left_open.url)
    assert "password" in visit.offers(place)
    for _ in range(2):
        if isinstance(place, Page):
            place = visit.answer(place, visit.asks(place)[0])
    claims = visit.tokens(place).claims
    assert claims["auth_time"] >= before
    assert set(claims["amr"]) == {"pwd", "otp", "mfa"}


def test_a_plain_sign_in_in_another_tab_does_not_finish_a_step_up(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp")
    left_open = stepping_up(visit)
    visit.again()
    resumed = visit.agent.get(left_open.url)
    assert visit.asks(resumed) == ("totp",)
    claims = visit.tokens(visit.answer(resumed, "totp")).claims
    assert claims["acr"] == visit.issuer.names.two_factors


def test_back_leads_on_and_never_to_a_second_code(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp")
    page = stepping_up(visit)
    visit.tokens(visit.answer(page, "totp"))
    back = page_of(visit.agent.get(page.url))
    assert back.status < 500
    assert back.document.forms or back.document.links


def test_sent_twice_is_one_code_that_is_good_once(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp")
    page = stepping_up(visit)
    drive = visit.issuer.drive
    form = next(one for one in page.document.forms if drive.fields["totp"] in one.inputs)
    typed = {drive.fields["totp"]: visit.person.secret("totp")}
    places = [visit.agent.submit(page, form, typed) for _ in range(2)]
    assert isinstance(places[0], Departure)
    again = places[1]
    code, pending = visit.client.authorization_code(places[0])
    assert gets_nowhere(again) or isinstance(again, Departure)
    if isinstance(again, Departure):
        assert again.parameters.get("code", code) == code
    visit.client.exchange(code, pending)
    with pytest.raises(TokenRefused) as refused:
        visit.client.exchange(code, pending)
    assert refused.value.error == "invalid_grant"


def test_a_page_is_worth_nothing_in_another_browser(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp")
    page = stepping_up(visit)
    thief = visit.elsewhere()
    assert gets_nowhere(thief.agent.get(page.url))
    assert gets_nowhere(thief.answer(page, "totp"))
    visit.tokens(visit.answer(visit.agent.get(page.url), "totp"))  # the control


def test_choosing_an_account_is_no_evidence(welcome: Welcome) -> None:
    visit = welcome()
    first = visit.sign_in("password")
    visit.wait(2)
    for age, asked in (({}, False), ({"max_age": 0}, True)):
        chooser = page_of(visit.ask(prompt="select_account", **age))
        place = visit.issuer.drive.choose(visit.agent, chooser, visit.person)
        if asked:
            assert visit.asks(place)
        else:
            assert visit.tokens(place).claims["auth_time"] == first.claims["auth_time"]


def test_another_account_stands_on_its_own_proofs(welcome_simply: Welcome) -> None:
    visit = welcome_simply("totp")
    first = visit.sign_in("password", acr_values=visit.issuer.names.one_factor)
    visit.sign_in("totp", acr_values=visit.issuer.names.two_factors)
    visit.wait(1)
    before = visit.issuer.now()
    other = replace(visit, person=somebody_else(visit))
    chooser = page_of(other.ask(prompt="select_account"))
    place = visit.issuer.drive.press(other.agent, chooser, visit.issuer.drive.another)
    claims = other.tokens(other.answer(place, "password")).claims
    assert claims["sub"] != first.claims["sub"]
    assert claims["amr"] == ["pwd"]
    assert claims["auth_time"] >= before


def test_whoever_the_hint_names_is_who_it_must_be(welcome: Welcome) -> None:
    """OIDC Core 3.1.2.2: no answer is sent that is about anybody else."""
    visit = welcome()
    wanted = visit.sign_in("password")
    other = replace(visit.elsewhere(), person=somebody_else(visit))
    other.sign_in("password")
    hint = {"id_token_hint": wanted.id_token}
    assert other.silently(**hint) == "login_required"
    place = other.ask(**hint)
    refused = submit_as(other, page_of(place), other.person)
    assert gets_nowhere(refused)
    hers = other.tokens(other.answer(refused, "password", by=visit.person))
    assert hers.claims["sub"] == wanted.claims["sub"]


def test_leaving_a_sign_in_for_another_person_does_not_leave_the_hint(welcome: Welcome) -> None:
    visit = welcome()
    wanted = visit.sign_in("password")
    visit.wait(1)
    place = page_of(visit.ask(id_token_hint=wanted.id_token, max_age=0))
    other = replace(visit, person=somebody_else(visit))
    left = other.press(place, visit.issuer.drive.leave)
    assert gets_nowhere(left)
    if isinstance(left, Page):
        assert gets_nowhere(submit_as(other, left, other.person))
