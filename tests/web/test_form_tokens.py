"""A form counts when its token and the browser's cookie fit, and not otherwise."""

from collections.abc import Callable

import pytest

from tests.helpers.house import House
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Page, UserAgent
from tests.web.walking import gone, newcomer

FORM = "idp_form"
Spoil = Callable[[House, RelyingParty, UserAgent, str], str | None]


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client(consent="never")


def token_of(page: Page) -> str:
    return page.form("/password").fields["csrf_token"]


def anothers(town: House, shop: RelyingParty, _agent: UserAgent, _token: str) -> str:
    return token_of(town.browser().page(shop.authorization_url()))


def without_cookie(_town: House, _shop: RelyingParty, agent: UserAgent, token: str) -> str:
    del agent.cookies[FORM]
    return token


def another_cookie(town: House, shop: RelyingParty, agent: UserAgent, token: str) -> str:
    other = town.browser()
    other.page(shop.authorization_url())
    held = other.cookies[FORM]
    del agent.cookies[FORM]
    agent.cookies.set(FORM, held, domain="localhost.local")
    return token


SPOILT: dict[str, Spoil] = {
    "none": lambda *_: None,
    "an empty one": lambda *_: "",
    "another browser's": anothers,
    "a cookie that is gone": without_cookie,
    "another browser's cookie": another_cookie,
    "another beginning": lambda *given: f"0{given[-1]}",
    "cut short": lambda *given: given[-1][:-1],
    "no ASCII": lambda *_: "ü",
    "nothing that was signed": lambda *given: f".{given[-1].partition('.')[2]}",
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_form_that_does_not_fit_does_nothing(
    town: House, shop: RelyingParty, spoil: Spoil
) -> None:
    agent, alice = town.browser(), newcomer(town)
    page = agent.page(shop.authorization_url())
    form = page.form("/password")
    sent = {"form_token": form.fields["form_token"], "csrf_token": token_of(page)}
    typed = {"username": alice.email, "password": alice.password}
    spoilt = spoil(town, shop, agent, sent["csrf_token"])
    refused = {**sent, **typed, "csrf_token": spoilt}
    body = {name: value for name, value in refused.items() if value is not None}
    answer = agent.client.post(f"{page.path}/password", data=body)
    assert answer.status_code == 400
    assert "Nothing was done" in answer.text
    assert "idp_session" not in agent.cookies


def test_one_that_fits_is_taken_also_from_an_older_page_of_this_browser(
    town: House, shop: RelyingParty
) -> None:
    agent, alice = town.browser(), newcomer(town)
    older = agent.page(shop.authorization_url())
    newer = agent.page(shop.authorization_url())
    typed = {"username": alice.email, "password": alice.password}
    assert gone(
        agent.submit(newer, newer.form("/password"), {**typed, "csrf_token": token_of(older)})
    )
