"""A browser that has lost its cookies in the middle of a sign-in is told so, and nothing else."""

import re

from tests.helpers.house import House
from tests.helpers.user_agent import Page, UserAgent
from tests.web.walking import enter, gone, newcomer, shown, signed_in

MISSING = "This site’s cookies are missing"
CHANGED = "This page is out of date"


def posted(agent: UserAgent, page: Page, path: str) -> str:
    """What is answered to the form when it is sent to ``path``, without the sign-in's own id."""
    fields = dict(page.form("/password").fields)
    answered = agent.client.post(f"/login/{path}/password", data=fields)
    assert answered.status_code == 400
    return re.sub('nonce="[^"]+"', "", answered.text.replace(path, ""))


def test_without_its_cookies_it_is_told_so_and_can_begin_again(town: House) -> None:
    alice, shop = newcomer(town), town.client(consent="never")
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    agent.cookies.clear()
    lost = shown(enter(agent, page, alice))
    assert (lost.status, lost.document.headings) == (400, [MISSING])
    assert "Nothing was done." in lost.document.text
    again = agent.page(lost.link("Try again"))
    assert again.document.headings == ["Sign in to Shop"]
    assert shop.finish(gone(enter(agent, again, alice))).claims["sub"] == alice.id


def test_with_others_in_their_place_it_is_told_that_they_changed(town: House) -> None:
    agent = town.browser()
    page = agent.page(town.client().authorization_url())
    agent.cookies.clear()
    agent.page("/login/")
    late = shown(enter(agent, page, newcomer(town)))
    assert late.document.headings == [CHANGED]


def test_who_holds_no_more_than_the_address_learns_nothing_of_the_sign_in(town: House) -> None:
    """One that is alive, one that is over, one that never was: said alike, word by word."""
    agent = town.browser()
    alive = agent.page(town.client().authorization_url())
    stranger = town.browser()
    of_alive = posted(stranger, alive, alive.path.split("/")[2])
    assert MISSING in of_alive
    assert posted(stranger, alive, "A" * 22) == of_alive
    town.clock.advance(minutes=31)
    assert posted(stranger, alive, alive.path.split("/")[2]) == of_alive


def test_on_a_page_of_the_account_it_is_led_back_to_the_account(town: House) -> None:
    agent = signed_in(town, town.client(consent="never"), newcomer(town))
    page = agent.page("/me/security/email")
    agent.cookies.clear()
    lost = shown(agent.submit(page, page.form("/security/email")))
    assert (lost.status, lost.document.headings) == (400, [MISSING])
    assert lost.link("Try again").endswith("/me")


def test_a_script_is_told_so_in_json(town: House) -> None:
    agent = town.browser()
    page = agent.page("/login/")
    agent.cookies.clear()
    accept = {"Accept": "application/json"}
    told = agent.client.post(f"{page.path}/password", data={"username": "a"}, headers=accept)
    assert (told.status_code, told.json()["error"]) == (400, "invalid_request")
    assert told.json()["message"].startswith("The form's token is missing")


def test_a_page_of_our_own_that_is_not_found_without_them(town: House) -> None:
    agent = town.browser()
    page = agent.page("/login/")
    agent.cookies.clear()
    told = agent.client.get(page.path)
    assert (told.status_code, "lost its cookies" in told.text) == (404, True)
