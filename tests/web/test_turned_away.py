"""The page for whoever is turned away by an application that admits nobody, and the way back."""

from collections.abc import Callable
from functools import partial

import httpx
import pytest
from sqlalchemy import event

from idp.models import db
from idp.services import turned_away
from idp.services.client_listing import shown as registered
from idp.services.turned_away import NOBODY_ADMITTED
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Departure
from tests.web.test_admits_nobody import NOBODY, admit
from tests.web.test_jarm import opened
from tests.web.test_pushed_requests import pushed
from tests.web.walking import events, gone, newcomer, signed_in


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


@pytest.fixture
def diary(town: House) -> RelyingParty:
    return town.client(client_name="Diary", consent="never")


@pytest.mark.parametrize("mode", ["query", "query.jwt", "form_post.jwt"])
def test_a_pushed_request_of_whoever_is_signed_in_ends_on_a_page_that_stays(
    town: House, alice: Person, mode: str
) -> None:
    diary = town.client(
        client_name="Diary", consent="never", require_pushed_authorization_requests=True
    )
    agent = signed_in(town, town.client(), alice)
    admit(town, diary, "nobody")
    page = agent.page(pushed(diary, response_mode=mode))
    assert (page.status, NOBODY in page.document.text) == (403, True)
    town.clock.advance(minutes=9)
    once_more = agent.page(page.url)
    assert (once_more.status, NOBODY in once_more.document.text) == (403, True)
    assert once_more.link("Return to Diary") == page.link("Return to Diary")


def test_the_page_that_is_looked_at_twice_at_once_is_shown_twice(
    town: House, diary: RelyingParty, alice: Person
) -> None:
    """The second comes, and is answered, when the first has just read the sign-in."""
    admit(town, diary, "nobody")
    agent, shown_beside = signed_in(town, town.client(), alice), list[int]()
    page = agent.client.get(diary.authorization_url()).headers["Location"]
    second: Callable[[], httpx.Response] | None = partial(agent.client.get, page)

    def meanwhile(_on: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal second
        if statement.startswith("SELECT transactions.id"):
            come, second = second, None
            if come is not None:
                shown_beside.append(come().status_code)

    with town.app.app_context():
        engine = db.engine
    event.listen(engine, "after_cursor_execute", meanwhile)
    try:
        overtaken = agent.page(page)
    finally:
        event.remove(engine, "after_cursor_execute", meanwhile)
    assert shown_beside == [overtaken.status] == [403]
    assert NOBODY in overtaken.document.text


@pytest.mark.parametrize("mode", ["query.jwt", "fragment.jwt", "form_post.jwt"])
def test_whoever_goes_back_late_takes_an_answer_along_that_still_counts(
    town: House, diary: RelyingParty, alice: Person, mode: str
) -> None:
    admit(town, diary, "nobody")
    agent = signed_in(town, town.client(), alice)
    page = agent.page(diary.authorization_url(response_mode=mode))
    town.clock.advance(minutes=9)
    for _time in range(2):  # the button once more, after "back"
        sent = gone(agent.get(page.link("Return to Diary"))).parameters
        assert opened(town, diary, sent["response"], "RS256")["error"] == "access_denied"


def test_the_way_back_leads_nowhere_else(town: House, diary: RelyingParty, alice: Person) -> None:
    admit(town, diary, "nobody")
    agent = signed_in(town, town.client(), alice)
    page = agent.page(diary.authorization_url(response_mode="query.jwt"))
    back = page.link("Return to Diary")
    assert town.browser().page(back).form("/password"), "another browser's begins anew"
    move(town, diary, "https://elsewhere.example/callback")
    refused = agent.page(back)
    assert (refused.status, "elsewhere.example" in refused.response.text) == (400, False)
    admit(town, diary, None)
    assert agent.page(back).document.headings == ["This sign-in is over"]


def move(town: House, party: RelyingParty, address: str) -> None:
    """To this redirect address, and none besides."""
    with town.app.app_context():
        members = registered(party.client_id).metadata.to_json() | {"redirect_uris": [address]}
        town.services.client_registry.update(party.client_id, members, town.context)


def test_other_words_for_it_change_nothing_else(
    town: House, diary: RelyingParty, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit(town, diary, "nobody")
    monkeypatch.setitem(turned_away._WORDS, NOBODY_ADMITTED, "Come back tomorrow.")
    agent = signed_in(town, town.client(), alice)
    page = agent.page(diary.authorization_url())
    sent = Departure(page.link("Return to Diary")).parameters
    assert (sent["error"], sent["error_description"]) == ("access_denied", "Come back tomorrow.")
    assert NOBODY in agent.page(page.url).document.text
    recorded = events(town, client_id=diary.client_id, event="authorization.refused")[0]
    assert recorded.data["reason"] == "nobody is admitted"
