"""Signing out: who may end a session, what the pages say, and what the browser keeps."""

from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty, TokenRefused, Tokens
from tests.helpers.user_agent import Page, Place, UserAgent
from tests.web.walking import (
    enter,
    event_names,
    events,
    gone,
    newcomer,
    press,
    sessions_of,
    shown,
    signed_in,
    silently,
    tokens_of,
)

BACK = "https://shop.example/signed-out"
OFFLINE = {"grant_types": ["authorization_code", "refresh_token"]}


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client(consent="never", post_logout_redirect_uris=[BACK])


def end_session(**parameters: str) -> str:
    return f"/oauth/logout?{urlencode(parameters)}"


def by(tokens: Tokens, **parameters: str) -> str:
    hint = {"id_token_hint": tokens.id_token, "post_logout_redirect_uri": BACK}
    return end_session(**hint, **parameters)


def sign_out(agent: UserAgent) -> Page:
    """By the menu of one's own page."""
    return shown(press(agent, agent.page("/me"), "/sign-out", "Sign out"))


def is_asked(place: Place) -> bool:
    return shown(place).document.headings == ["Sign out?"]


def cookie(response: httpx.Response, name: str) -> str | None:
    for header in response.headers.get_list("Set-Cookie"):
        if name in (found := SimpleCookie(header)):
            return found[name].value
    return None


# Who may end a session


Forge = Callable[[House, RelyingParty, UserAgent, Person], str]


def another_persons(town: House, shop: RelyingParty, _agent: UserAgent, _alice: Person) -> str:
    return by(tokens_of(town.browser(), shop, newcomer(town)))


def of_another_browser(town: House, shop: RelyingParty, _agent: UserAgent, alice: Person) -> str:
    return by(tokens_of(town.browser(), shop, alice))


def of_a_session_before(town: House, shop: RelyingParty, agent: UserAgent, alice: Person) -> str:
    before = tokens_of(agent, shop)
    sign_out(agent)
    tokens_of(agent, shop, alice)
    return by(before)


def for_another_person(_t: House, shop: RelyingParty, agent: UserAgent, _alice: Person) -> str:
    return by(tokens_of(agent, shop), logout_hint="somebody.else@example.com")


def of_a_disabled_client(town: House, _s: RelyingParty, agent: UserAgent, _alice: Person) -> str:
    client = town.client(consent="never", post_logout_redirect_uris=[BACK])
    tokens = tokens_of(agent, client)
    town.do(lambda idp: idp.client_registry.disable(client.client_id, town.context))
    return by(tokens)


def signed_userinfo(town: House, _s: RelyingParty, agent: UserAgent, _alice: Person) -> str:
    """Ours, for this client and about her: and yet no ID token."""
    client = town.client(consent="never", userinfo_signed_response_alg="RS256")
    token = tokens_of(agent, client).access_token
    told = town.http().get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert told.headers["Content-Type"] == "application/jwt"
    return end_session(id_token_hint=told.text)


FORGED: dict[str, Forge] = {
    "nothing": lambda *_: end_session(),
    "another person's token": another_persons,
    "a token of another browser": of_another_browser,
    "a token of a session before": of_a_session_before,
    "a token, and a hint at another person": for_another_person,
    "a token of a client that was disabled": of_a_disabled_client,
    "signed userinfo": signed_userinfo,
    "no token at all": lambda *_: end_session(id_token_hint="x"),
    "a client by its id alone": lambda _t, shop, *_: end_session(client_id=shop.client_id),
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_nobody_is_signed_out_unasked(
    town: House, shop: RelyingParty, alice: Person, forge: Forge, method: str
) -> None:
    agent = signed_in(town, shop, alice)
    url = forge(town, shop, agent, alice)
    if method == "GET":
        answer = agent.client.get(url)
    else:
        answer = agent.client.post("/oauth/logout", content=url.partition("?")[2], headers=FORM)
    assert answer.status_code == 200
    assert "Sign out?" in answer.text
    assert silently(agent, shop) == ""
    # Positive control: the token of this session needs no question.
    assert gone(agent.get(by(tokens_of(agent, shop)))).url == BACK
    assert silently(agent, shop) == "login_required"


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("twist", ["no form token", "another's form token"])
def test_a_forged_answer_is_no_answer(
    town: House, shop: RelyingParty, alice: Person, twist: str
) -> None:
    agent = signed_in(town, shop, alice)
    page = shown(agent.get("/oauth/logout"))
    form = page.form("/sign-out")
    other = shown(signed_in(town, shop, newcomer(town)).get("/oauth/logout"))
    stolen = other.form("/sign-out").fields["csrf_token"]
    sent = {**form.fields, "decision": "sign_out"}
    sent |= {"csrf_token": "" if twist == "no form token" else stolen}
    assert agent.client.post(form.action, data=sent).status_code == 400
    assert silently(agent, shop) == ""
    press(agent, page, "/sign-out", "Sign out")
    assert silently(agent, shop) == "login_required"


def test_staying_is_staying(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    page = shown(agent.get("/oauth/logout"))
    assert shown(press(agent, page, "/sign-out", "Stay")).path == "/me"
    assert silently(agent, shop) == ""


def test_the_answer_is_for_whom_was_asked(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    old = shown(agent.get("/oauth/logout"))
    bob = newcomer(town)
    page = shown(agent.get(shop.authorization_url(prompt="select_account")))
    page = shown(press(agent, page, "/account", "Use another account"))
    gone(enter(agent, page, bob))
    again = press(agent, old, "/sign-out", "Sign out")
    assert is_asked(again)
    assert bob.email in shown(again).document.text
    assert silently(agent, shop) == ""


def test_the_address_is_looked_at_again_with_the_answer(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    wanted = {"client_id": shop.client_id, "post_logout_redirect_uri": BACK}
    page = shown(agent.get(end_session(**wanted)))
    form = page.form("/sign-out")
    form.fields["post_logout_redirect_uri"] = "https://evil.example/"
    place = agent.submit(page, form, button="Sign out")
    assert shown(place).document.headings == ["You are signed out"]
    assert "evil" not in shown(place).response.text


@pytest.mark.parametrize(
    "query",
    ["state=a&state=b", "id_token_hint=" + "x" * 9000, "state=%00", "client_id=a&client_id=b"],
    ids=["twice", "too long", "control characters", "two clients"],
)
def test_what_is_no_request_is_told_and_does_nothing(
    town: House, shop: RelyingParty, alice: Person, query: str
) -> None:
    agent = signed_in(town, shop, alice)
    answer = agent.client.get(f"/oauth/logout?{query}")
    assert answer.status_code == 400
    assert "You are still signed in." in answer.text
    assert silently(agent, shop) == ""


def test_why_nobody_came_back_is_on_record(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    agent.get(end_session(client_id=shop.client_id, post_logout_redirect_uri="https://x.example/"))
    (event,) = events(town, user_id=alice.id, event="logout.flawed")
    assert event.client_id == shop.client_id
    assert event.data["reason"] == "post_logout_redirect_uri"
    assert event.data["redirect_uri"] == "https://x.example/"


def test_a_loopback_address_may_come_with_any_port(town: House, alice: Person) -> None:
    native = town.client(
        application_type="native",
        redirect_uris=["http://127.0.0.1/callback"],
        post_logout_redirect_uris=["http://127.0.0.1/out"],
        token_endpoint_auth_method="none",
        consent="never",
    )
    agent = town.browser()
    tokens = tokens_of(agent, native, alice)
    wanted = "http://127.0.0.1:4711/out"
    url = end_session(id_token_hint=tokens.id_token, post_logout_redirect_uri=wanted)
    assert gone(agent.get(url)).url == wanted


def test_a_script_is_told_where_to_go(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = town.browser()
    tokens = tokens_of(agent, shop, alice)
    answer = agent.client.get(by(tokens), headers={"Accept": "application/json"})
    assert answer.json() == {"redirect": BACK}
    assert silently(agent, shop) == "login_required"


# What ends with it


def test_an_apps_access_ends_unless_it_was_allowed_for_afar(town: House, alice: Person) -> None:
    shops = {
        "near": town.client(consent="never"),
        "afar": town.client(**OFFLINE),
        "bound": town.client(**OFFLINE, refresh_token_ends_with_session=True),
    }
    agent, tokens = town.browser(), {}
    for name, party in shops.items():
        scope = "openid" if name == "near" else "openid offline_access"
        prompt = None if name == "near" else "consent"
        tokens[name] = tokens_of(agent, party, alice, scope=scope, prompt=prompt)
        party.userinfo(tokens[name].access_token)
    sign_out(agent)
    assert shops["afar"].refresh(tokens["afar"]).claims["sub"] == alice.id
    for name in ("near", "bound"):
        with pytest.raises(TokenRefused):
            shops[name].userinfo(tokens[name].access_token)
    with pytest.raises(TokenRefused):
        shops["bound"].refresh(tokens["bound"])


def test_only_this_browser_is_signed_out(town: House, shop: RelyingParty, alice: Person) -> None:
    here, there = (signed_in(town, shop, alice) for _ in range(2))
    sign_out(here)
    assert [silently(one, shop) for one in (here, there)] == ["login_required", ""]
    names = event_names(town, user_id=alice.id, event="session.ended")
    assert names == ["session.ended"]


def test_who_asked_is_on_record(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = town.browser()
    agent.get(by(tokens_of(agent, shop, alice)))
    (event,) = events(town, user_id=alice.id, event="session.ended")
    assert event.data["reason"] == "signed_out_by_app"


def test_another_person_in_this_browser_ends_the_session_and_its_apps_hear_of_it(
    town: House, alice: Person
) -> None:
    told = town.client(consent="never", backchannel_logout_uri="http://localhost:9/x")
    agent = signed_in(town, told, alice)
    page = shown(agent.get(told.authorization_url(prompt="select_account")))
    page = shown(press(agent, page, "/account", "Use another account"))
    gone(enter(agent, page, newcomer(town)))
    (session,) = sessions_of(town, alice)
    assert session.ended_at is not None
    (event,) = events(town, user_id=alice.id, event="session.ended")
    assert event.data["reason"] == "replaced"


# What the page says


def test_the_page_says_who_was_told_and_who_may_stay(town: House, alice: Person) -> None:
    agent = town.browser()
    back = town.client(
        client_name="Backhand", consent="never", backchannel_logout_uri="http://localhost:9/x"
    )
    quiet = town.client(client_name="Quiet", consent="never")
    afar = town.client(client_name="Afar", **OFFLINE)
    for party in (back, quiet):
        tokens_of(agent, party, alice)
    tokens_of(agent, afar, alice, scope="openid offline_access", prompt="consent")
    page = sign_out(agent)
    text = page.document.text
    assert "These apps were told: Backhand" in text
    until = town.clock().replace(second=0)
    assert "Quiet until" in text
    assert "UTC at the latest" in text
    assert "These go on while you’re away, as you allowed: Afar" in text
    assert f"{until:%Y}" in text
    assert shown(agent.get(page.url)).document.text == text, "it may be looked at again"
    town.clock.advance(minutes=11)
    later = agent.page(page.url).document
    assert later.headings == ["You are signed out"]
    assert "Quiet" not in later.text


def test_an_app_that_was_not_here_is_not_named(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    agent.page("/me")
    enter(agent, agent.page("/me"), alice)
    page = sign_out(agent)
    assert page.path == "/me/signed-out"
    assert "These" not in page.document.text


def test_frames_carry_a_registered_query_and_are_shut_in(town: House, alice: Person) -> None:
    uri = "https://shop.example/front?app=1"
    client = town.client(consent="never", frontchannel_logout_uri=uri)
    agent = signed_in(town, client, alice)
    page = sign_out(agent)
    assert f'src="{uri}&amp;iss=http%3A%2F%2Flocalhost%3A8000&amp;sid=' in page.response.text
    assert 'sandbox="allow-scripts allow-same-origin"' in page.response.text
    assert "data-onward" not in page.response.text, "there is nowhere to go on to"
    policy = page.response.headers["Content-Security-Policy"]
    assert "frame-src https://shop.example;" in policy


# The browser's state


def test_the_state_changes_with_the_session_and_not_with_a_proof(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    agent.page("/login/")
    assert "idp_state" not in agent.cookies, "nobody is watched who never signed in"
    states = []
    for person in (alice, alice, newcomer(town)):
        tokens_of(agent, shop, person)
        states.append(agent.cookies["idp_state"])
        town.clock.advance(minutes=1)
        tokens_of(agent, shop, person, prompt="login")
        assert agent.cookies["idp_state"] == states[-1]
        sign_out(agent)
        assert agent.cookies["idp_state"] == "nobody"
    assert len(set(states)) == 3
    session_ids = {session.id for session in sessions_of(town, alice)}
    assert not session_ids & set(states)


def test_the_state_opens_nothing(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    thief = town.browser()
    for name in ("idp_session", "idp_state"):
        thief.cookies.set(name, agent.cookies["idp_state"], domain="localhost.local")
    assert silently(thief, shop) == "login_required"


def test_a_frame_on_another_site_changes_nothing(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    """It is never sent the session's cookie (SameSite=Lax), and that is no sign-out."""
    agent = signed_in(town, shop, alice)
    state = {"Cookie": f"idp_state={agent.cookies['idp_state']}"}
    for path in ("/oauth/check-session", shop.authorization_url(prompt="none"), "/oauth/logout"):
        answer = town.http().get(path, headers=state)
        assert cookie(answer, "idp_state") is None, path
        assert cookie(answer, "idp_session") is None, path


def test_a_session_that_was_ended_elsewhere_shows_when_the_frame_is_loaded(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    known = agent.cookies["idp_state"]
    agent.client.get("/oauth/check-session")
    assert agent.cookies["idp_state"] == known
    other = signed_in(town, shop, alice)
    press(other, other.page("/me/sessions"), "/end-others", "End all others")
    agent.client.get("/oauth/check-session")
    assert agent.cookies["idp_state"] == "nobody"


@pytest.mark.parametrize(
    ("redirect_uri", "has_one"),
    [("https://shop.example/callback", True), ("com.example.shop:/callback", False)],
)
def test_only_pages_are_told_the_state(
    town: House, alice: Person, redirect_uri: str, has_one: bool
) -> None:
    client = town.client(
        application_type="native", redirect_uris=[redirect_uri], consent="never", **PUBLIC
    )
    agent = town.browser()
    place = enter(agent, agent.page(client.authorization_url()), alice)
    assert ("session_state" in gone(place).parameters) is has_one
    plain = agent.client.get(client.authorization_url(scope="profile"))
    assert "code=" in plain.headers["Location"]
    assert "session_state" not in plain.headers["Location"]


PUBLIC: dict[str, Any] = {"token_endpoint_auth_method": "none"}


def test_turning_back_tells_the_state_too(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    town.clock.advance(minutes=1)
    page = agent.page(shop.authorization_url(prompt="login"))
    told = gone(press(agent, page, "/cancel", "Cancel and return to Shop")).parameters
    assert told["error"] == "access_denied"
    assert told["session_state"].count(".") == 1
