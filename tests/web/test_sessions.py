"""The browser session: when it opens, how it is carried, and when it is over."""

from http.cookies import Morsel, SimpleCookie

import httpx
import pyotp
import pytest

from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.sign_in import passkey, totp
from tests.helpers.user_agent import Page, UserAgent
from tests.web.walking import (
    enter,
    event_names,
    gone,
    newcomer,
    press,
    sessions_of,
    shown,
    signed_in,
    silently,
    tokens_of,
    user_of,
)

SESSION = "idp_session"


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client(consent="never")


def morsels(response: httpx.Response) -> dict[str, Morsel[str]]:
    """The cookies that a response sets, by name."""
    found: dict[str, Morsel[str]] = {}
    for header in response.headers.get_list("Set-Cookie"):
        found.update(SimpleCookie(header))
    return found


def post_password(agent: UserAgent, page: Page, person: Person, **more: str) -> httpx.Response:
    form = page.form("/password")
    values = {**form.fields, "username": person.email, "password": person.password, **more}
    return agent.client.post(form.action, data={k: v for k, v in values.items() if v})


def thief(house: House, token: str) -> UserAgent:
    """A browser that has nothing but this session cookie."""
    agent = house.browser()
    agent.cookies.set(SESSION, token, domain="localhost.local")
    return agent


# What the cookies look like


def test_on_a_loopback_issuer_the_names_are_plain(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    cookies = morsels(post_password(agent, page, alice))
    session = cookies[SESSION]
    assert session["httponly"]
    assert (session["samesite"], session["path"], session["domain"]) == ("Lax", "/", "")
    assert not session["secure"]


def test_over_tls_every_cookie_is_tied_to_the_host(sqlite_url: str, town: House) -> None:
    house = House(sqlite_url, town.clock, issuer="https://id.example.com")
    alice, shop = newcomer(house), house.client(consent="never")
    agent = house.browser()
    first = agent.client.get(shop.authorization_url())
    page = agent.page(first.headers["Location"])
    cookies = {
        **morsels(first),
        **morsels(page.response),
        **morsels(post_password(agent, page, alice)),
    }
    names = {"__Host-idp_session", "__Host-idp_browser", "__Host-idp_device", "__Host-idp_form"}
    assert set(cookies) == {*names, "__Host-idp_state"}
    for name, cookie in cookies.items():
        # One is there for a script in a frame on another site, and opens nothing.
        is_state = name == "__Host-idp_state"
        assert cookie["secure"]
        assert bool(cookie["httponly"]) is not is_state
        assert cookie["samesite"] == ("None" if is_state else "Lax")
        assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert silently(agent, shop) == ""


def test_the_cookie_is_no_key_to_the_table(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    (session,) = sessions_of(town, alice)
    token = agent.cookies[SESSION]
    assert token not in (session.id, session.token_hash)
    for guess in (session.id, session.token_hash or "", f"{token}.", token[:-1]):
        assert silently(thief(town, guess), shop) == "login_required"
    assert silently(thief(town, token), shop) == ""


# Not before it is earned


def test_there_is_no_cookie_before_the_accounts_second_step(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    agent = town.browser()
    response = post_password(agent, agent.page(shop.authorization_url()), alice)
    assert response.status_code == 303
    assert not {SESSION, "idp_device"} & set(morsels(response))
    assert silently(agent, shop) == "login_required"
    (session,) = sessions_of(town, alice)
    assert session.token_hash is None
    page = agent.page(response.headers["Location"])
    place = agent.submit(page, page.form("/totp"), {"otp": pyotp.TOTP(seed).at(town.clock())})
    assert shop.finish(gone(place)).claims["sid"] == session.id
    assert silently(agent, shop) == ""


def test_a_session_that_is_not_open_is_listed_nowhere(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    town.totp(alice)
    shown(enter(town.browser(), town.browser().page("/login/"), alice))
    half = town.browser()
    shown(enter(half, half.page(shop.authorization_url()), alice))
    assert len(sessions_of(town, alice)) == 2
    assert silently(agent, shop) in ("", "interaction_required")


def test_a_refused_password_sets_no_session(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    response = post_password(agent, page, alice, password="wrong wrong wrong")
    assert response.status_code == 422
    assert not {SESSION, "idp_device"} & set(morsels(response))


# Rotation


def test_every_added_proof_makes_the_old_cookie_worthless(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    tokens = [agent.cookies[SESSION]]
    town.clock.advance(minutes=5)
    tokens_of(agent, shop, alice, prompt="login")
    tokens.append(agent.cookies[SESSION])
    soft = town.passkey(alice)
    tokens_of(agent, shop, answers={"passkey": passkey(soft)}, acr_values="phr")
    tokens.append(agent.cookies[SESSION])
    assert len(set(tokens)) == 3
    for old in tokens[:-1]:
        assert silently(thief(town, old), shop) == "login_required"
    assert silently(thief(town, tokens[-1]), shop) == ""
    (session,) = sessions_of(town, alice)
    assert session.ended_at is None


def test_a_planted_session_is_not_taken_over(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    """Fixation: what an attacker planted is worth nothing once the victim has signed in."""
    mallory = newcomer(town)
    planted = signed_in(town, shop, mallory).cookies[SESSION]
    victim = thief(town, planted)
    page = victim.page(shop.authorization_url(prompt="select_account"))
    page = shown(press(victim, page, "/account", "Use another account"))
    assert shop.finish(gone(enter(victim, page, alice))).claims["sub"] == alice.id
    assert victim.cookies[SESSION] != planted
    assert silently(thief(town, planted), shop) == "login_required"
    (hers,) = sessions_of(town, alice)
    (mallorys,) = sessions_of(town, mallory)
    assert hers.id != mallorys.id


def test_a_planted_sign_in_is_not_taken_over(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    attacker = town.browser()
    page = attacker.page(shop.authorization_url())
    victim = town.browser()
    elsewhere = victim.page(page.url)
    assert elsewhere.path != page.path
    gone(enter(victim, elsewhere, alice))
    assert attacker.page(page.url).document.headings == ["Sign in to Shop"]
    assert silently(attacker, shop) == "login_required"


# Limits


LIMITS = [
    ("idle", False, {"hours": 8}),
    ("idle, kept", True, {"days": 14}),
]


@pytest.mark.parametrize(
    ("kept", "limit"), [pytest.param(kept, limit, id=name) for name, kept, limit in LIMITS]
)
def test_an_unused_session_is_over_at_its_idle_limit(
    town: House, shop: RelyingParty, alice: Person, kept: bool, limit: dict[str, float]
) -> None:
    for early in (True, False):
        agent = town.browser()
        page = agent.page(shop.authorization_url())
        post_password(agent, page, alice, remember="yes" if kept else "")
        town.clock.advance(**limit)
        town.clock.advance(seconds=-1 if early else 0)
        assert silently(agent, shop) == ("" if early else "login_required")


def test_using_a_session_moves_its_idle_limit_and_not_its_last(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    for _ in range(3):
        town.clock.advance(hours=7, minutes=59)
        assert silently(agent, shop) == ""
    town.clock.advance(minutes=3)
    assert silently(agent, shop) == "login_required"


def test_a_kept_session_ends_after_thirty_days_however_it_is_used(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    post_password(agent, agent.page(shop.authorization_url()), alice, remember="yes")
    for _ in range(3):
        town.clock.advance(days=9, hours=23)
        assert silently(agent, shop) == ""
    town.clock.advance(hours=4)
    assert silently(agent, shop) == "login_required"


def test_stepping_up_does_not_lengthen_a_session(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    town.clock.advance(hours=7)
    tokens_of(agent, shop, alice, prompt="login")
    town.clock.advance(hours=7)
    tokens_of(agent, shop, alice, prompt="login")
    town.clock.advance(hours=7)
    assert silently(agent, shop) == ""
    town.clock.advance(hours=3)
    assert silently(agent, shop) == "login_required"


def test_a_clock_set_back_revives_nothing(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    home = agent.page("/me")
    press(agent, home, "/sign-out", "Sign out")
    town.clock.advance(hours=-1)
    try:
        assert silently(agent, shop) == "login_required"
    finally:
        town.clock.advance(hours=1)


# Keep me signed in


def test_without_the_tick_the_cookie_ends_with_the_browser(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    assert "checked" not in page.form("/password").inputs["remember"]
    cookie = morsels(post_password(agent, page, alice))[SESSION]
    assert (cookie["max-age"], cookie["expires"]) == ("", "")


def test_with_the_tick_it_stays_thirty_days(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    cookie = morsels(post_password(agent, page, alice, remember="yes"))[SESSION]
    assert cookie["max-age"] == str(30 * 86400)
    (session,) = sessions_of(town, alice)
    assert session.persistent


def test_the_tick_survives_a_wrong_password(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    page = shown(enter(agent, page, alice, password="wrong", remember="yes"))
    assert "checked" in page.form("/password").inputs["remember"]
    assert page.form("/password").fields["username"] == alice.email
    assert page.form("/password").fields["password"] == ""
    post_password(agent, page, alice)
    (session,) = sessions_of(town, alice)
    assert session.persistent


def test_the_tick_on_the_first_page_counts_at_the_second_step(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    page = agent.page(post_password(agent, page, alice, remember="yes").headers["Location"])
    assert "remember" not in page.form("/totp").inputs
    form = page.form("/totp")
    code = pyotp.TOTP(seed).at(town.clock())
    response = agent.client.post(form.action, data={**form.fields, "otp": code})
    assert morsels(response)[SESSION]["max-age"] == str(30 * 86400)


def test_a_session_keeps_what_was_chosen_when_it_began(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    post_password(agent, agent.page(shop.authorization_url()), alice, remember="yes")
    town.clock.advance(hours=1)
    page = agent.page(shop.authorization_url(prompt="login"))
    form = page.form("/password")
    assert "remember" not in form.inputs
    values = {**form.fields, "password": alice.password}
    cookie = morsels(agent.client.post(form.action, data=values))[SESSION]
    assert cookie["max-age"] == str(30 * 86400)


# Ended from elsewhere


def test_a_disabled_person_is_out_at_once(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    town.do(lambda idp: idp.accounts.disable(user_of(idp, alice), town.context))
    assert silently(agent, shop) == "login_required"
    town.do(lambda idp: idp.accounts.enable(user_of(idp, alice), town.context))
    assert silently(agent, shop) == "login_required"
    assert silently(signed_in(town, shop, alice), shop) == ""


def test_a_session_ended_elsewhere_is_over_here(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    here, there = (signed_in(town, shop, alice) for _ in range(2))
    page = here.page("/me/sessions")
    (form,) = [one for one in page.document.forms if one.action.endswith("/end")]
    here.submit(page, form)
    assert silently(there, shop) == "login_required"
    assert silently(here, shop) == ""
    assert "session.ended" in event_names(town, user_id=alice.id)


def test_two_cookies_of_one_name_help_nobody(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    token = signed_in(town, shop, alice).cookies[SESSION]
    url = shop.authorization_url(prompt="none")
    client = town.http()
    for value in (f"{SESSION}=", f"{SESSION}={'x' * 5000}", f"{SESSION}=%00"):
        response = client.get(url, headers={"Cookie": value})
        assert "login_required" in response.headers["Location"]
    response = client.get(url, headers={"Cookie": f"{SESSION}={token}"})
    assert "code=" in response.headers["Location"]


def test_a_browser_that_comes_back_every_day_stays_the_same_browser(
    town: House, shop: RelyingParty
) -> None:
    agent = town.browser()
    agent.page(shop.authorization_url())
    known = agent.cookies["idp_browser"]
    response = agent.client.get(shop.authorization_url())
    assert morsels(response)["idp_browser"].value == known
    assert int(morsels(response)["idp_browser"]["max-age"]) >= 86400


def test_two_step_ups_at_once_keep_one_session(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    seed = town.totp(alice)
    town.clock.advance(minutes=5)
    tokens_of(agent, shop, alice, answers={"totp": totp(seed, town.clock)}, prompt="login")
    assert len(sessions_of(town, alice)) == 1
