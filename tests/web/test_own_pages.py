"""Our own pages: they ask for a sign-in and come back, and lead nowhere else."""

import re
from urllib.parse import quote, urlsplit

import pytest

from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Page
from tests.web.account.visits import link_in, mails
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
)


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client(consent="never")


PATHS = ["/me", "/me/sessions", "/me/security", "/me/activity", "/me/apps", "/me?ui_locales=en"]


@pytest.mark.parametrize("path", PATHS)
def test_a_page_asks_for_a_sign_in_and_comes_back(town: House, alice: Person, path: str) -> None:
    agent = town.browser()
    page = agent.page(path)
    assert page.path.startswith("/login/")
    assert page.document.headings == ["Sign in"]
    home = shown(enter(agent, page, alice))
    assert home.response.request.url.raw_path.decode() == path
    assert home.status == 200


def test_signed_in_already_it_is_just_there(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    assert agent.page("/me").path == "/me"
    assert agent.page("/login/").path == "/me"


def test_our_own_sign_in_serves_applications_as_well(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    shown(enter(agent, agent.page("/login/"), alice))
    assert tokens_of(agent, shop).claims["sub"] == alice.id


def test_an_expired_sign_in_to_a_page_still_leads_there(town: House, alice: Person) -> None:
    agent = town.browser()
    page = agent.page("/me/sessions")
    town.clock.advance(minutes=31)
    again = shown(enter(agent, page, alice))
    assert "You were away" in again.document.text
    assert shown(enter(agent, again, alice)).path == "/me/sessions"


def test_a_page_that_wants_a_fresh_proof_says_who_is_meant(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    assert agent.page("/me/security").path == "/me/security"
    town.clock.advance(minutes=11)
    page = agent.page("/me/security")
    assert "Confirm" in page.document.headings[0]
    assert alice.email in page.document.text
    bob = newcomer(town)
    form = page.form("/password")
    assert shown(agent.submit(page, form, {"password": "wrong"})).status == 422
    assert shown(agent.submit(page, form, {"password": alice.password})).path == "/me/security"
    assert bob.id not in page.response.text


def test_cancelling_a_page_of_our_own_goes_home(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    town.clock.advance(minutes=11)
    page = agent.page("/me/security")
    assert shown(press(agent, page, "/cancel", "Cancel")).path == "/me"


def test_what_was_posted_with_too_little_proof_is_not_done_unseen(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    signed_in(town, shop, alice)
    page = agent.page("/me/sessions")
    form = page.form("/end-others")
    town.clock.advance(hours=9)
    first, second = sessions_of(town, alice)
    place = shown(agent.submit(page, form))
    assert place.path.startswith("/login/")
    back = shown(enter(agent, place, alice))
    assert (back.path, back.status) == ("/me/sessions", 200)
    assert [one.ended_at for one in sessions_of(town, alice)[:2]] == [None, None]
    assert (first.ended_at, second.ended_at) == (None, None)


# Signing out


def test_signing_out_ends_the_session_and_says_so(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    there = signed_in(town, shop, alice)
    page = shown(press(agent, agent.page("/me"), "/sign-out", "Sign out"))
    assert page.path.startswith("/me/signed-out")
    assert "idp_session" not in agent.cookies
    assert silently(agent, shop) == "login_required"
    assert silently(there, shop) == ""
    assert event_names(town, user_id=alice.id, event="session.ended") == ["session.ended"]
    assert agent.page(page.link("Sign in again")).path.startswith("/login/")


def test_signing_out_twice(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    page = agent.page("/me")
    press(agent, page, "/sign-out", "Sign out")
    place = shown(press(agent, page, "/sign-out", "Sign out"))
    assert place.status in (200, 400)


def test_nobody_is_signed_out_by_a_link_or_another_site(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    assert agent.client.get("/me/sign-out").status_code == 405
    assert agent.client.post("/me/sign-out").status_code == 400
    assert silently(agent, shop) == ""


# Forged forms


def test_no_form_is_taken_without_its_token(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    form = page.form("/password")
    values = {"username": alice.email, "password": alice.password}
    foreign = town.browser().page(shop.authorization_url()).form("/password")
    for token in ({}, {"csrf_token": ""}, {"csrf_token": "x"}, _token(foreign.fields)):
        response = agent.client.post(form.action, data={**values, **token})
        assert response.status_code == 400, token
        assert "Nothing was done" in response.text
    assert event_names(town, user_id=alice.id, event="login") == []
    assert gone(enter(agent, page, alice)).parameters["code"]


def _token(fields: dict[str, str]) -> dict[str, str]:
    return {"csrf_token": fields["csrf_token"]}


def test_every_form_is_guarded(town: House) -> None:
    """By asking each route that takes forms, so that none is forgotten."""
    unguarded = {"/oauth/", "/api/", "/static/", "/.well-known/", "/metrics"}
    client = town.browser().client
    found = 0
    for rule in town.app.url_map.iter_rules():
        if "POST" not in (rule.methods or ()) or any(map(rule.rule.startswith, unguarded)):
            continue
        path = re.sub(r"<[^>]+>", "AAAAAAAAAAAAAAAAAAAAAA", rule.rule)
        response = client.post(path, data={"username": "a"})
        assert response.status_code in (400, 404), path
        assert "Nothing was done" in response.text or response.status_code == 404, path
        found += 1
    assert found > 10


def test_a_lost_token_leads_back_to_the_sign_in(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    del agent.cookies["idp_form"]
    lost = shown(enter(agent, page, alice))
    assert lost.status == 400
    again = agent.page(lost.link("Try again"))
    assert again.path == page.path
    assert gone(enter(agent, again, alice)).parameters["code"]


# Nowhere else


EVIL = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "/%5cevil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "%0d%0aLocation: https://evil.example",
]
NAMES = ["next", "return_to", "continue", "redirect", "url", "sign_in", "back"]


@pytest.mark.parametrize("evil", EVIL)
def test_no_parameter_leads_anywhere_else(town: House, alice: Person, evil: str) -> None:
    query = "&".join(f"{name}={quote(evil, safe='%')}" for name in NAMES)
    for path in ("/login/", "/me", "/login/forgotten"):
        agent = town.browser()
        page = agent.page(f"{path}?{query}")
        for _label, address in page.document.links:
            assert urlsplit(address).netloc == urlsplit(town.settings.issuer).netloc
        for form in page.document.forms:
            assert urlsplit(form.action).netloc == urlsplit(town.settings.issuer).netloc
        if path != "/login/forgotten":
            home = enter(agent, page, alice)
            assert isinstance(home, Page)
            assert home.path == "/me"


@pytest.mark.parametrize("path", ["//evil.example/me", "/me//evil.example", "/%2f%2fevil.example"])
def test_no_path_leads_anywhere_else(town: House, path: str) -> None:
    response = town.browser().client.get(f"{town.settings.issuer}{path}")
    location = response.headers.get("Location", "/")
    assert urlsplit(location).netloc in ("", urlsplit(town.settings.issuer).netloc)
    assert not location.startswith(("//", "/\\"))


# Errors


def test_what_is_not_there(town: House) -> None:
    page = town.browser().page("/nowhere")
    assert (page.status, page.document.headings) == (404, ["There is nothing at this address"])
    assert page.link("Go to your account").endswith("/me")
    page = town.browser().page("/admin/nowhere")
    assert page.link("Back to the administration").endswith("/admin")
    response = town.browser().client.get("/nowhere", headers={"Accept": "application/json"})
    assert (response.status_code, response.json()["error"]) == (404, "invalid_request")


@pytest.mark.parametrize("path", ["/admin/clients", "/me/security", "/device"])
def test_a_slash_too_many_leads_to_the_page_that_was_meant(town: House, path: str) -> None:
    client = town.browser().client
    response = client.get(f"{path}/")
    assert (response.status_code, response.headers["Location"]) == (303, path)
    assert client.post(f"{path}/").status_code in (400, 404)
    assert client.get("/me/no/such/page/").status_code == 404
    odd = client.get("/device/a%0d%0aSet-Cookie:%20b=c/")
    assert odd.headers["Location"] == "/device/a%0D%0ASet-Cookie%3A%20b%3Dc"


def test_what_does_not_work_that_way(town: House) -> None:
    response = town.browser().client.get("/me/sign-out")
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}
    assert "This address does not work that way" in response.text


def test_a_mistake_of_ours_is_told_without_a_word_of_it(
    town: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the seed is hunter2")

    with monkeypatch.context() as patched:
        patched.setattr(town.services.clients, "get", broken)
        response = town.browser().client.get("/oauth/authorize?client_id=a")
    assert response.status_code == 500
    assert "hunter2" not in response.text
    assert response.headers["X-Request-ID"]


# A forgotten password


def test_a_reset_signs_nobody_in_and_skips_no_second_step(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    town.totp(alice)
    elsewhere = town.browser()
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    form = page.form("/password")
    lost = form.button("I’ve forgotten my password")
    page = shown(agent.submit(page, form, {"username": alice.email}, button=lost))
    assert page.path == "/login/forgotten"
    assert page.form("/forgotten").fields["username"] == alice.email  # typed once is enough
    page = shown(agent.submit(page, page.form("/forgotten")))
    back = agent.page(page.link("Back to sign-in"))
    assert back.document.headings == ["Sign in to Shop"]
    assert back.form("/password").fields["username"] == alice.email
    link = link_in(mails(town, alice.email)[-1])
    for _ in range(3):
        opened = elsewhere.page(link)
        assert opened.status == 200
    new = "other lanterns drift at midnight"
    done = shown(elsewhere.submit(opened, opened.form(urlsplit(link).path), {"new_password": new}))
    assert done.status == 200
    assert silently(elsewhere, shop) == "login_required"
    gone_by = elsewhere.page(link)
    assert gone_by.status == 410
    assert gone_by.document.text.count("his link no longer works") == 1
    assert shown(enter(agent, agent.page(shop.authorization_url()), alice)).status == 422
    fresh = town.browser()
    step = shown(enter(fresh, fresh.page(shop.authorization_url()), alice, password=new))
    assert step.document.headings == ["Enter your code"]


def test_a_password_that_was_typed_before_it_was_forgotten_counts_for_nothing(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    form = page.form("/password")
    lost = form.button("I’ve forgotten my password")
    typed = {"username": alice.email, "password": alice.password}
    assert shown(agent.submit(page, form, typed, button=lost)).path == "/login/forgotten"
    assert silently(agent, shop) == "login_required"
    assert mails(town, alice.email) == []
    stranger = town.browser().page(f"/login/forgotten?sign_in={page.path.rpartition('/')[2]}")
    assert stranger.form("/forgotten").fields["username"] == ""


def test_a_reset_ends_other_sessions(town: House, shop: RelyingParty, alice: Person) -> None:
    there = signed_in(town, shop, alice)
    agent = town.browser()
    page = agent.page("/login/forgotten")
    agent.submit(page, page.form("/forgotten"), {"username": alice.email})
    link = link_in(mails(town, alice.email)[-1])
    opened = agent.page(link)
    assert silently(there, shop) == ""
    new = "other lanterns drift at midnight"
    agent.submit(opened, opened.form(urlsplit(link).path), {"new_password": new})
    assert silently(there, shop) == "login_required"
    assert len(mails(town, alice.email)) == 2


def test_a_password_that_will_not_do_leaves_the_link_as_it_was(town: House, alice: Person) -> None:
    agent = town.browser()
    page = agent.page("/login/forgotten")
    agent.submit(page, page.form("/forgotten"), {"username": alice.email})
    link = link_in(mails(town, alice.email)[-1])
    opened = agent.page(link)
    form = opened.form(urlsplit(link).path)
    refused = shown(agent.submit(opened, form, {"new_password": "short"}))
    assert (refused.status, "15" in refused.document.text) == (422, True)
    good = {"new_password": "other lanterns drift at midnight"}
    assert shown(agent.submit(refused, refused.form(urlsplit(link).path), good)).status == 200


def test_making_an_account_leads_back_to_the_application(databases_url: str, town: House) -> None:
    house = House(databases_url, town.clock, registration=True)
    shop = house.client(consent="never")
    agent = house.browser()
    page = agent.page(shop.authorization_url())
    page = agent.page(page.link("Create an account"))
    page = shown(agent.submit(page, page.form("/register"), {"username": "new@example.com"}))
    assert page.document.headings == ["Check your email"]
    link = link_in(mails(house, "new@example.com")[-1])
    opened = agent.page(link)
    password = "other lanterns drift at midnight"
    values = {"name": "New", "new_password": password}
    page = shown(agent.submit(opened, opened.form(urlsplit(link).path), values))
    assert page.document.headings == ["Sign in to Shop"]
    made = Person("", "new@example.com", password)
    assert shop.finish(gone(enter(agent, page, made))).claims["amr"] == ["pwd"]
    assert agent.page(link).status == 410


def test_nobody_registers_where_that_is_closed(town: House) -> None:
    client = town.browser().client
    assert client.get("/login/register").status_code == 404
    assert client.get("/login/verify/x").status_code == 404
    page = town.browser().page("/login/")
    assert "Create an account" not in [label for label, _ in page.document.links]
