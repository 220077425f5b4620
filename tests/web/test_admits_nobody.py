"""An application that was closed to everybody lets nobody in by anything from before."""

from typing import Any

import pytest
from sqlalchemy import select

from idp.models import Client, Group, User, db
from idp.services.client_listing import shown as registered
from tests.helpers.clock import FakeClock
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Departure
from tests.web.test_device_pages import answered, asked, polled, telly, typed
from tests.web.walking import (
    enter,
    events,
    gone,
    housed,
    newcomer,
    press,
    shown,
    signed_in,
    silently,
    tokens_of,
    told,
)

NOBODY = "Nobody may sign in to"


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


@pytest.fixture
def diary(town: House) -> RelyingParty:
    return refreshing(town)


def refreshing(house: House) -> RelyingParty:
    """An application that asks nobody and gets refresh tokens."""
    grants = {"grant_types": ["authorization_code", "refresh_token"], "consent": "never"}
    made = house.client(client_name="Diary", scope="openid offline_access", **grants)
    made.scope = "openid offline_access"
    return made


def admit(town: House, party: RelyingParty, whom: str | None) -> None:
    """``nobody``, or None for everyone."""
    with town.app.app_context():
        members = registered(party.client_id).metadata.to_json()
        members["admits"] = whom
        town.services.client_registry.update(party.client_id, members, town.context)


def test_a_refresh_token_rests_until_somebody_is_let_in_again(
    town: House, diary: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    tokens = tokens_of(agent, diary, alice)
    admit(town, diary, "nobody")
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    assert diary.token_request(**form).json()["error"] == "invalid_grant"
    (event, *_rest) = events(town, client_id=diary.client_id)
    assert (event.name, event.data["reason"]) == ("token.refused", "nobody is admitted")
    assert silently(agent, diary) == "access_denied"
    admit(town, diary, None)
    assert diary.refresh(tokens).claims["sub"] == alice.id


def test_a_refresh_token_rests_while_its_person_is_in_none_of_the_groups(
    database_url: str, clock: FakeClock
) -> None:
    """Also on PostgreSQL, where a token is renewed by a statement that commits by itself."""
    with housed(database_url, clock) as house:
        carol, diary = newcomer(house, groups=("Diarists", "Choir")), refreshing(house)
        tokens = tokens_of(house.browser(), diary, carol)
        keep(house, diary, ["Diarists"])
        tokens = diary.refresh(tokens)
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
        put_in(house, carol, "Choir")
        for narrowed in ({}, {"scope": "openid"}):
            refused = diary.token_request(**form, **narrowed)
            assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
            (event, *_rest) = events(house, client_id=diary.client_id)
            assert (event.name, event.data["reason"]) == ("token.refused", "in no allowed group")
        put_in(house, carol, "Diarists")
        clock.advance(minutes=5)  # longer than an answer that was lost would be repeated
        assert "access_token" in diary.token_request(**form).json(), "nothing was used up"


def keep(town: House, party: RelyingParty, groups: list[str]) -> None:
    """For these groups from now on."""
    with town.app.app_context():
        members = registered(party.client_id).metadata.to_json() | {"allowed_groups": groups}
        town.services.client_registry.update(party.client_id, members, town.context)


def put_in(town: House, person: Person, *groups: str) -> None:
    """Into these groups, and out of all others."""
    with town.app.app_context():
        user = db.session.get_one(User, person.id)
        user.groups = list(db.session.scalars(select(Group).where(Group.name.in_(groups))))
        db.session.commit()


def test_a_code_under_way_buys_nothing(town: House, diary: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, diary, alice)
    code, pending = diary.authorization_code(gone(agent.get(diary.authorization_url())))
    admit(town, diary, "nobody")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": pending.redirect_uri}
    refused = diary.token_request(**form, code_verifier=str(pending.verifier))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    admit(town, diary, None)
    assert diary.exchange(code, pending).claims["sub"] == alice.id


def test_a_device_that_was_allowed_is_given_nothing(town: House, alice: Person) -> None:
    tv, agent = telly(town), town.browser()
    told_to = asked(tv)
    answered(agent, shown(enter(agent, typed(agent, told_to["user_code"]), alice)), "Allow")
    admit(town, tv, "nobody")
    assert polled(tv, told_to).json()["error"] == "access_denied"
    admit(town, tv, None)
    assert "access_token" in polled(tv, told_to).json()


def test_nobody_allows_a_device_that_was_asked_about_before(town: House, alice: Person) -> None:
    tv, agent = telly(town), town.browser()
    told_to = asked(tv)
    ask = shown(enter(agent, typed(agent, told_to["user_code"]), alice))
    admit(town, tv, "nobody")
    assert NOBODY in shown(press(agent, ask, ask.path, "Allow")).document.text
    assert polled(tv, told_to).json()["error"] == "authorization_pending"


def test_closed_while_she_signs_in_or_is_asked_what_it_may_see(
    town: House, diary: RelyingParty, alice: Person
) -> None:
    shop, agent = town.client(client_name="Shop"), town.browser()
    begun = agent.page(diary.authorization_url())
    admit(town, diary, "nobody")
    assert NOBODY in shown(enter(agent, begun, alice)).document.text
    consent = agent.page(shop.authorization_url())
    admit(town, shop, "nobody")
    assert NOBODY in shown(press(agent, consent, "/consent", "Allow")).document.text
    admit(town, shop, None)
    assert agent.page(shop.authorization_url()).form("/consent"), "nothing was allowed meanwhile"


MODES = ["query", "fragment", "form_post", "query.jwt", "fragment.jwt", "form_post.jwt"]


@pytest.mark.parametrize("mode", MODES)
def test_the_way_back_is_in_the_mode_that_was_asked_for(
    town: House, diary: RelyingParty, alice: Person, mode: str
) -> None:
    admit(town, diary, "nobody")
    agent = town.browser()
    page = agent.page(diary.authorization_url(response_mode=mode))
    place = enter(agent, page, alice)
    if mode == "form_post":
        assert told(place)["iss"] == diary.issuer
        return
    assert shown(place).status == 403
    back = shown(place).link("Return to Diary")
    left = gone(agent.get(back)) if mode.endswith("jwt") else Departure(back)
    assert ("#" in left.url) == mode.startswith("fragment")
    sent: dict[str, Any] = left.parameters
    assert sent.keys() == {"response"} if mode.endswith("jwt") else sent["iss"] == diary.issuer


def test_another_browser_learns_nothing_of_the_answer(
    town: House, diary: RelyingParty, alice: Person
) -> None:
    admit(town, diary, "nobody")
    agent = town.browser()
    page = shown(enter(agent, agent.page(diary.authorization_url()), alice))
    state = Departure(page.link("Return to Diary")).parameters["state"]
    other = town.browser().page(page.url)
    assert other.form("/password"), "it begins anew, as for anybody"
    assert state not in other.response.text
    assert NOBODY not in other.document.text
    once_more = agent.page(page.url)
    assert once_more.link("Return to Diary") == page.link("Return to Diary")


def test_what_an_application_says_of_itself_is_not_handed_on(town: House, alice: Person) -> None:
    words = {"client_name": "Diary", "contacts": ["help@diary.example"], "consent": "never"}
    ours, theirs = (town.client(admits="nobody", **words) for _ in range(2))
    with town.app.app_context():
        row = db.session.get_one(Client, theirs.client_id)
        row.managed_by, row.revision = "registration", row.revision + 1
        db.session.commit()
    agent = signed_in(town, town.client(), alice)
    assert "help@diary.example" in agent.page(ours.authorization_url()).document.text
    page = agent.page(theirs.authorization_url())
    assert NOBODY in page.document.text
    assert "help@diary.example" not in page.document.text


def test_who_may_change_it_is_led_there(town: House, diary: RelyingParty) -> None:
    admit(town, diary, "nobody")
    agent = signed_in(town, town.client(), newcomer(town, role="administrator"))
    page = agent.page(diary.authorization_url())
    assert page.link("Choose who may sign in").endswith(f"/admin/clients/{diary.client_id}/access")


def test_once_it_is_opened_the_page_leads_on(
    town: House, diary: RelyingParty, alice: Person
) -> None:
    admit(town, diary, "nobody")
    agent = town.browser()
    page = shown(enter(agent, agent.page(diary.authorization_url()), alice))
    admit(town, diary, None)
    over = agent.page(page.url)
    assert NOBODY not in over.document.text
    assert over.document.headings == ["This sign-in is over"]
