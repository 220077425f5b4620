"""A page that asks for a passkey, in a browser without JavaScript: it leads on by another way."""

import re

from tests.helpers.house import House
from tests.helpers.sign_in import passkey, sign_in
from tests.helpers.user_agent import Page, UserAgent
from tests.web.walking import newcomer, shown

CODE = "Use a code from your authenticator app"


def asked(house: House, *, app: bool) -> tuple[UserAgent, Page]:
    """The second step of somebody with a passkey, used last, and perhaps an app."""
    ann, shop = newcomer(house), house.client(consent="never")
    if app:
        house.totp(ann)
    house.clock.advance(minutes=1)
    soft = house.passkey(ann)
    sign_in(house.browser(), shop.authorization_url(), answers={"passkey": passkey(soft)})
    agent = house.browser()
    page = agent.page(shop.authorization_url(acr_values="urn:idp:acr:mfa"))
    fields = {"username": ann.email, "password": ann.password}
    return agent, shown(agent.submit(page, page.form("/password"), fields))


def unscripted(page: Page) -> str:
    """What such a browser shows and any other does not."""
    (found,) = re.findall(r"<noscript>(.*?)</noscript>", page.response.text, re.DOTALL)
    return str(found)


def test_another_way_stands_first_where_there_is_one(town: House) -> None:
    agent, page = asked(town, app=True)
    assert page.document.headings[0] == "Use your passkey"
    said = unscripted(page)
    assert CODE in said
    assert "JavaScript" not in page.document.text
    before = page.response.text.partition("<noscript>")[0].partition('<form id="answer"')[2]
    assert "<p" not in before
    (link,) = re.findall(r'<a class="way" href="([^"]+)"', said)
    assert agent.page(link).document.headings[0] == "Enter your code"


def test_nothing_stands_twice_on_a_first_page_for_passkeys(databases_url: str, town: House) -> None:
    house = House(databases_url, town.clock, login_style="passkey_only")
    page = house.browser().page(house.client().authorization_url())
    assert "Passkeys need JavaScript." in unscripted(page)
    assert page.response.text.count("Email me a sign-in link") == 1


def test_what_is_wanting_is_said_where_there_is_none(town: House) -> None:
    _agent, page = asked(town, app=False)
    assert "Passkeys need JavaScript. Turn it on for this page." in unscripted(page)
