"""From a link in the server's log to an administrator with a passkey."""

import json

from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.house import PASSWORD, House
from tests.helpers.html import find_object
from tests.helpers.user_agent import Page, UserAgent
from tests.web.walking import event_names, shown


def link(house: House) -> str:
    made = house.do(lambda services: services.first_run.link(house.context))
    assert made is not None
    return str(made)


def fill_in(agent: UserAgent, url: str, **changes: str) -> Page:
    page = agent.page(url)
    values = {"email": "ann@example.com", "name": "Ann", "new_password": PASSWORD, **changes}
    return shown(agent.submit(page, page.document.forms[0], values))


def test_from_the_link_to_the_console_with_a_passkey(house: House) -> None:
    agent = house.browser()
    page = fill_in(agent, link(house))
    page = agent.page(page.link("Set up a passkey"))
    options = find_object(page.document.data, "challenge")
    assert options is not None
    made = SoftAuthenticator(house.settings.issuer).make_credential(options)
    answer = {"passkey_response": json.dumps(made)}
    codes = shown(agent.submit(page, page.form("/passkey"), answer))
    place = shown(agent.submit(codes, codes.form("/saved"), {"saved": "yes"}))
    assert place.path == "/admin"
    assert agent.page("/admin").document.headings[0] == "Administration"
    assert event_names(house, event="administrator") == [
        "administrator.link.made",
        "administrator.made",
    ]


def test_it_is_used_once_and_there_is_no_other(house: House) -> None:
    first, second = link(house), link(house)
    fill_in(house.browser(), first)
    for url in (first, second):
        page = house.browser().page(url)
        assert page.status == 410
        assert "idp users create EMAIL --admin" in page.document.text
    assert house.do(lambda services: services.first_run.link(house.context)) is None


def test_it_is_worthless_once_somebody_administers(house: House) -> None:
    url = link(house)
    page = house.browser().page(url)
    house.person(role="administrator")
    form = page.document.forms[0]
    values = {"email": "eve@example.com", "name": "Eve", "new_password": PASSWORD}
    agent = house.browser()
    opened = agent.page("/login/")
    token = dict(next(one for one in opened.document.forms if "csrf_token" in one.inputs).fields)
    sent = {**values, "csrf_token": token["csrf_token"]}
    response = agent.client.post(form.action, data=sent, headers={"Origin": agent.home})
    assert response.status_code == 410
    found = house.do(lambda services: services.accounts.find_by_login("eve@example.com"))
    assert found is None


def test_its_hour_is_over(house: House) -> None:
    url = link(house)
    house.clock.advance(minutes=59)
    assert house.browser().page(url).status == 200
    house.clock.advance(minutes=1)
    assert house.browser().page(url).status == 410


def test_what_will_not_do_is_named_and_what_was_typed_is_kept(house: House) -> None:
    url, agent = link(house), house.browser()
    page = fill_in(agent, url, new_password="short")
    assert page.status == 422
    assert page.document.forms[0].inputs["email"]["value"] == "ann@example.com"
    assert fill_in(agent, url, email="nobody").status == 422
    assert agent.page(url).status == 200
    page = fill_in(agent, url, email="", new_password="")
    for told in ("Enter an email address in the form", "Enter a new password."):
        assert told in page.document.text
