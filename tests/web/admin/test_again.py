"""A change that came with too old a proof: its own page asks for it again, and no other does."""

import pytest

from tests.helpers.house import House
from tests.helpers.sign_in import Answer, Stuck, passkey, sign_in, walk
from tests.helpers.user_agent import Page, UserAgent
from tests.web.walking import newcomer

SENTENCE = "please do it again"


def late_for_a_change(town: House) -> tuple[UserAgent, Answer, Page]:
    """An administrator who changes settings a while after she signed in; where that leads her."""
    person = newcomer(town, role="administrator")
    answer = passkey(town.passkey(person))
    agent, shop = town.browser(), town.client(consent="never")
    sign_in(agent, shop.authorization_url(), answers={"passkey": answer})
    page = agent.page("/admin/settings")
    town.clock.advance(minutes=11)
    asked = agent.submit(page, page.form("/settings"), {"site_name": "Elsewhere"})
    assert isinstance(asked, Page)
    assert asked.path.startswith("/login/")
    return agent, answer, asked


def test_the_form_is_asked_for_again_where_it_is(town: House) -> None:
    agent, answer, asked = late_for_a_change(town)
    with pytest.raises(Stuck) as ended:
        walk(agent, asked, {"passkey": answer})
    assert ended.value.page.path == "/admin/settings"
    assert SENTENCE in ended.value.page.document.text
    assert SENTENCE not in agent.page("/admin/settings").document.text
    assert "Elsewhere" not in agent.page("/admin/settings").response.text


def test_who_gives_up_on_the_way_is_told_nothing_elsewhere(town: House) -> None:
    agent, _answer, _asked = late_for_a_change(town)
    for path in ("/admin/people", "/me", "/admin/settings"):
        page = agent.page(path)
        assert page.status == 200
        assert SENTENCE not in page.document.text


def test_who_only_looks_is_not_asked_for_anything_again(town: House) -> None:
    """The way is the same; nothing was to be changed."""
    agent, answer, _asked = late_for_a_change(town)
    with pytest.raises(Stuck) as ended:
        walk(agent, agent.page("/me/security"), {"passkey": answer})
    assert ended.value.page.path == "/me/security"
    assert SENTENCE not in ended.value.page.document.text
