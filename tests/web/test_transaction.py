"""One sign-in: it only goes forward, whatever is done with tabs, buttons and time."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pyotp
import pytest

from tests.helpers.house import CALLBACK, House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.sign_in import totp
from tests.helpers.user_agent import Departure, Page, UserAgent
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
    told,
    user_of,
)

JSON = {"Accept": "application/json"}


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


@pytest.fixture
def bob(town: House) -> Person:
    return newcomer(town)


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client(consent="never")


@pytest.fixture(scope="module")
def asking(town: House) -> RelyingParty:
    """A client that asks for consent each time."""
    return town.client(consent="always")


def post(agent: UserAgent, page: Page, path: str, **values: str) -> httpx.Response:
    """Send the form to ``path`` and follow nothing."""
    form = page.form(path)
    return agent.client.post(form.action, data={**form.fields, **values})


def code_of(response: httpx.Response) -> str:
    assert response.status_code == 303, response.text
    return told(Departure(response.headers["Location"]))["code"]


# Back, reload, twice


def test_sending_the_last_step_twice_gives_both_the_same_answer(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    values = {"username": alice.email, "password": alice.password}
    first, second = (post(agent, page, "/password", **values) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    assert shop.finish(Departure(second.headers["Location"])).claims["sub"] == alice.id
    assert event_names(town, user_id=alice.id, event="login.password") == [
        "login.password.accepted"
    ]


def test_what_is_sent_long_after_the_end_gets_no_spent_code(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    values = {"username": alice.email, "password": alice.password}
    first = post(agent, page, "/password", **values)
    town.clock.advance(seconds=10)
    assert post(agent, page, "/password", **values).headers["Location"] == first.headers["Location"]
    town.clock.advance(seconds=1)
    for path in ("/password", "/cancel"):
        late = post(agent, page, path, **values)
        assert late.status_code == 200
        assert "You’re already signed in" in late.text
        assert "Continue to Shop" in late.text
        assert code_of(first) not in late.text
    told = agent.client.get(page.path, headers=JSON).json()
    assert set(told) == {"redirect"}
    assert code_of(first) not in told["redirect"]


def test_another_tab_is_told_that_somebody_signed_in_beside_it(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page, other = (agent.page(shop.authorization_url()) for _ in range(2))
    asks = f'data-elsewhere="{page.path}/state"'
    assert asks in page.response.text

    def told(browser: UserAgent = agent) -> bool:
        answer = browser.client.get(f"{page.path}/state", headers=JSON)
        return bool(answer.json()["signed_in"])

    assert not told()
    enter(agent, other, alice)
    assert told()
    assert not told(town.browser())
    assert shop.finish(gone(agent.get(page.path))).claims["sub"] == alice.id
    assert told()


def test_another_tab_is_told_nothing_once_the_application_is_gone(town: House) -> None:
    shop = town.client(consent="never")
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    town.do(lambda idp: idp.client_registry.disable(shop.client_id, town.context))
    answer = agent.client.get(f"{page.path}/state", headers=JSON)
    assert (answer.status_code, answer.json()) == (200, {"signed_in": False})


def test_another_tab_is_told_nothing_of_what_was_cancelled(town: House, shop: RelyingParty) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    post(agent, page, "/cancel")
    assert agent.client.get(f"{page.path}/state", headers=JSON).json() == {"signed_in": False}


def test_sending_a_middle_step_twice_leads_on_from_there(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    values = {"username": alice.email, "password": alice.password}
    first, second = (post(agent, page, "/password", **values) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    for response in (first, second):
        again = agent.page(response.headers["Location"])
        assert again.document.headings == ["Enter your code"]
    place = agent.submit(again, again.form("/totp"), {"otp": code(seed, town)})
    assert shop.finish(gone(place)).claims["amr"] == ["pwd", "otp", "mfa"]


def code(seed: str, house: House) -> str:
    return pyotp.TOTP(seed).at(house.clock())


def test_allowing_twice_gives_both_the_same_answer(
    town: House, asking: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = shown(enter(agent, agent.page(asking.authorization_url()), alice))
    first, second = (post(agent, page, "/consent", decision="allow") for _ in range(2))
    assert code_of(first) == code_of(second)
    other = post(agent, page, "/consent", decision="cancel")
    assert code_of(first) == code_of(other)


def test_a_page_is_never_the_answer_to_what_was_accepted(
    town: House, asking: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(asking.authorization_url())
    response = post(agent, page, "/password", username=alice.email, password=alice.password)
    assert response.status_code == 303
    consent = agent.page(response.headers["Location"])
    assert post(agent, consent, "/consent", decision="allow").status_code == 303


def test_going_back_when_it_is_done_leads_on_to_the_application(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    gone(enter(agent, page, alice))
    done = agent.page(page.url)
    assert done.document.headings == ["You’re already signed in"]
    on = gone(agent.get(done.link("Continue to Shop")))
    assert on.url.startswith(CALLBACK)
    assert "code" in on.parameters


def test_the_way_on_is_the_applications_home_where_it_has_one(town: House, alice: Person) -> None:
    shop = town.client(consent="never", client_uri="https://shop.example/")
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    gone(enter(agent, page, alice))
    assert agent.page(page.url).link("Continue to Shop") == "https://shop.example/"


def test_going_back_after_cancelling_does_not_claim_a_sign_in(
    town: House, shop: RelyingParty
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    assert told(press(agent, page, "/cancel", "Cancel and return to Shop"))
    done = agent.page(page.url)
    assert done.document.headings == ["This sign-in is over"]
    assert done.link("Continue to Shop")


def test_reloading_a_step_does_not_move_it(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    for _ in range(3):
        agent.page(page.url)
    assert gone(enter(agent, page, alice)).parameters["code"]


def test_back_at_the_password_after_it_was_accepted(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    town.totp(alice)
    agent = town.browser()
    first = agent.page(shop.authorization_url())
    shown(enter(agent, first, alice))
    again = shown(enter(agent, first, alice))
    assert again.document.headings == ["Enter your code"]
    page = agent.page(f"{first.path}/password")
    assert page.document.headings == ["Enter your code"]


# Tabs


def test_two_tabs_of_one_sign_in(town: House, shop: RelyingParty, alice: Person) -> None:
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    agent = town.browser()
    first = agent.page(shop.authorization_url())
    second = agent.page(first.url)
    first = shown(enter(agent, first, alice))
    second = shown(enter(agent, second, alice))
    assert [first.document.headings, second.document.headings] == [["Enter your code"]] * 2
    done = gone(agent.submit(first, first.form("/totp"), {"otp": code(seed, town)}))
    same = gone(agent.submit(second, second.form("/totp"), {"otp": "000000"}))
    assert done.url == same.url


def test_a_wrong_password_in_one_tab_leaves_the_other_as_it_was(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    first = agent.page(shop.authorization_url())
    second = agent.page(first.url)
    assert shown(enter(agent, first, alice, password="wrong")).status == 422
    assert gone(enter(agent, second, alice)).parameters["code"]


def test_a_mail_asked_for_in_one_tab_leaves_the_other_as_it_was(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    first = agent.page(shop.authorization_url())
    second = agent.page(first.url)
    form = first.form("/password")
    mail = form.button("Email me a sign-in link")
    page = shown(agent.submit(first, form, {"username": alice.email}, button=mail))
    assert page.document.headings[0] == "Check your email"
    assert gone(enter(agent, second, alice)).parameters["code"]


def test_two_sign_ins_in_two_tabs_both_come_to_their_end(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    other = town.client(consent="never", redirect_uris=["https://other.example/cb"])
    agent = town.browser()
    first = agent.page(shop.authorization_url())
    second = agent.page(other.authorization_url())
    assert first.url != second.url
    tokens = other.finish(gone(enter(agent, second, alice)))
    again = shop.finish(gone(enter(agent, first, alice)))
    assert tokens.claims["sid"] == again.claims["sid"]


def test_the_first_tab_goes_on_by_itself_once_the_second_is_signed_in(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    first = agent.page(shop.authorization_url())
    second = agent.page(shop.authorization_url())
    gone(enter(agent, second, alice))
    assert "code" in gone(agent.get(first.link("Continue"))).parameters


def test_two_tabs_that_both_wait_for_a_code_need_only_one(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    agent = town.browser()
    tabs = [agent.page(shop.authorization_url()) for _ in range(2)]
    first, second = (shown(enter(agent, tab, alice)) for tab in tabs)
    one = shop.finish(gone(agent.submit(first, first.form("/totp"), {"otp": code(seed, town)})))
    two = shop.finish(gone(agent.get(second.url)))
    assert one.claims["sid"] == two.claims["sid"]
    assert [session.ended_at for session in sessions_of(town, alice)] == [None, None]


def test_what_one_tab_proved_another_persons_tab_cannot_use(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    agent = town.browser()
    hers = shown(enter(agent, agent.page(shop.authorization_url()), alice))
    his = agent.page(shop.authorization_url())
    assert shop.finish(gone(enter(agent, his, bob))).claims["sub"] == bob.id
    place = agent.submit(hers, hers.form("/totp"), {"otp": code(seed, town)})
    assert shop.finish(gone(place)).claims["sub"] == alice.id
    (session,) = sessions_of(town, bob)
    assert session.ended_at is not None


def test_a_step_up_whose_session_was_replaced_begins_with_the_first_proof(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    agent = signed_in(town, shop, alice)
    town.passkey(alice)
    page = agent.page(shop.authorization_url(acr_values="phr"))
    assert "Confirm" in page.document.headings[0]
    fresh = agent.page(shop.authorization_url(prompt="select_account"))
    fresh = shown(press(agent, fresh, "/account", "Use another account"))
    gone(enter(agent, fresh, bob))
    page = agent.page(page.url)
    assert alice.email in page.document.text
    page = agent.page(page.link("Use your password"))
    assert page.document.headings[0] == "Enter your password"
    page = shown(agent.submit(page, page.form("/password"), {"password": alice.password}))
    assert page.document.headings[0] == "Use your passkey"


def test_a_session_that_ended_brings_nothing_into_what_was_under_way(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    agent = signed_in(town, shop, alice, answers={"totp": totp(seed, town.clock)})
    town.clock.advance(minutes=5)
    page = agent.page(shop.authorization_url(prompt="login"))
    home = agent.page("/me")
    signed_out = press(agent, home, "/sign-out", "Sign out")
    assert isinstance(signed_out, Page)
    late = shown(agent.submit(page, page.form("/password"), {"password": alice.password}))
    assert late.document.headings == ["This site’s cookies are missing"]
    page = agent.page(late.link("Try again"))
    place = shown(agent.submit(page, page.form("/password"), {"password": alice.password}))
    assert place.document.headings == ["Enter your code"]


def test_a_sign_in_under_way_is_no_substitute_for_the_sessions_cookie(
    town: House, asking: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, asking, alice)
    page = agent.page(asking.authorization_url())
    assert page.form("/consent")
    del agent.cookies["idp_session"]
    place = shown(press(agent, page, "/consent", "Allow"))
    assert "password" in place.form("/password").inputs
    assert place.document.headings[0] == "Enter your password"


def test_a_password_changed_while_the_code_was_asked_for_ends_the_sign_in(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    agent = town.browser()
    page = shown(enter(agent, agent.page(shop.authorization_url()), alice))
    new = "other lanterns drift at midnight"
    town.do(lambda idp: idp.accounts.set_password(user_of(idp, alice), new, town.context))
    page = shown(agent.submit(page, page.form("/totp"), {"otp": code(seed, town)}))
    assert "password" in page.form("/password").inputs


# Other browsers, other people


def test_another_browser_begins_where_the_request_began(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    first = town.browser()
    page = first.page(shop.authorization_url(login_hint=alice.email))
    other = town.browser()
    elsewhere = other.page(page.url)
    assert elsewhere.path != page.path
    assert elsewhere.document.headings == ["Sign in to Shop"]
    assert gone(enter(first, page, alice)).parameters["code"]


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": 0}])
def test_another_browser_is_asked_as_much_as_the_first(
    town: House, shop: RelyingParty, alice: Person, changes: dict[str, str]
) -> None:
    page = town.browser().page(shop.authorization_url(**changes))
    agent = signed_in(town, shop, alice)
    town.clock.advance(minutes=1)
    elsewhere = agent.page(page.url)
    assert "Confirm" in elsewhere.document.headings[0]


def test_another_browser_gets_nowhere_by_posting(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    page = town.browser().page(shop.authorization_url())
    agent = town.browser()
    token = agent.page(shop.authorization_url()).form("/password").fields["csrf_token"]
    values = {"csrf_token": token, "username": alice.email, "password": alice.password}
    response = agent.client.post(page.form("/password").action, data=values)
    assert (response.status_code, "code=" in response.headers["Location"]) == (303, False)
    assert event_names(town, user_id=alice.id, event="login") == []


def test_a_half_finished_sign_in_is_nobody_elses(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    town.totp(alice)
    agent = town.browser()
    page = shown(enter(agent, agent.page(shop.authorization_url()), alice))
    thief = town.browser()
    elsewhere = thief.page(page.url)
    assert alice.email not in elsewhere.response.text
    assert elsewhere.document.headings == ["Sign in to Shop"]


def test_not_you_begins_again_for_anybody_else(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    agent = signed_in(town, shop, alice)
    town.clock.advance(minutes=5)
    page = agent.page(shop.authorization_url(prompt="login"))
    assert alice.email in page.document.text
    page = shown(press(agent, page, "/leave", "Not you?"))
    assert alice.email not in page.response.text
    assert shop.finish(gone(enter(agent, page, bob))).claims["sub"] == bob.id
    (session,) = sessions_of(town, alice)
    assert session.ended_at is not None


def test_leaving_alone_ends_no_session(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    town.clock.advance(minutes=5)
    page = agent.page(shop.authorization_url(prompt="login"))
    shown(press(agent, page, "/leave", "Not you?"))
    assert silently(agent, shop) == ""


def test_another_person_cannot_finish_a_step_up(
    town: House, shop: RelyingParty, alice: Person, bob: Person
) -> None:
    agent = signed_in(town, shop, alice)
    town.passkey(alice)
    his = town.passkey(bob)
    page = agent.page(shop.authorization_url(acr_values="phr"))
    options = json.loads(agent.client.get(page.path, headers=JSON).text)["options"]["passkey"][
        "options"
    ]
    credential = next(iter(his.credentials.values()))
    answer = json.dumps(his.get_assertion(options, credential=credential))
    refused = post(agent, page, "/passkey", passkey_response=answer)
    assert refused.status_code == 422
    assert "another account" in refused.text
    (event, *_) = events(town, event="login.passkey.refused")
    assert event.data["reason"] in ("not_allowed", "wrong_owner")


# Cancelling


def test_cancelling_tells_the_application(town: House, shop: RelyingParty, alice: Person) -> None:
    for agent in (town.browser(), signed_in(town, shop, alice)):
        town.clock.advance(minutes=5)
        page = agent.page(shop.authorization_url(prompt="login"))
        parameters = told(press(agent, page, "/cancel", "Cancel and return to Shop"))
        assert parameters["error"] == "access_denied"
        assert parameters["iss"] == shop.issuer
        assert parameters["state"] in shop.pending
        assert "code" not in parameters


def test_cancelling_keeps_the_session(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    town.clock.advance(minutes=5)
    page = agent.page(shop.authorization_url(prompt="login"))
    press(agent, page, "/cancel", "Cancel and return to Shop")
    assert silently(agent, shop) == ""


def test_cancelling_between_two_steps(town: House, shop: RelyingParty, alice: Person) -> None:
    town.totp(alice)
    agent = town.browser()
    page = shown(enter(agent, agent.page(shop.authorization_url()), alice))
    parameters = told(press(agent, page, "/cancel", "Cancel and return to Shop"))
    assert parameters["error"] == "access_denied"
    assert silently(agent, shop) == "login_required"


def test_cancelling_twice_and_answering_after_it(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    first, second = (post(agent, page, "/cancel") for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    late = post(agent, page, "/password", username=alice.email, password=alice.password)
    assert late.headers["Location"] == first.headers["Location"]
    assert event_names(town, user_id=alice.id, event="login") == []


def test_a_refusal_is_audited(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    press(agent, page, "/cancel", "Cancel and return to Shop")
    transaction = urlsplit(page.url).path.rpartition("/")[2]
    (event,) = events(town, transaction_id=transaction)
    assert (event.name, event.data["error"]) == ("authorization.refused", "access_denied")


# Time


def test_an_expired_sign_in_begins_again_and_says_so(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url(login_hint=alice.email))
    town.clock.advance(minutes=29, seconds=59)
    assert agent.page(page.url).path == page.path
    town.clock.advance(seconds=1)
    again = agent.page(page.url)
    assert again.path != page.path
    assert "You were away, so we started again." in again.document.text
    assert again.form("/password").fields["username"] == alice.email
    assert shop.finish(gone(enter(agent, again, alice))).claims["sub"] == alice.id


def test_an_answer_that_comes_too_late_begins_again(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    town.clock.advance(minutes=31)
    again = shown(enter(agent, page, alice))
    assert "You were away" in again.document.text
    assert again.form("/password").fields["username"] == alice.email
    assert alice.password not in again.response.text
    assert event_names(town, user_id=alice.id, event="login") == []


def test_a_half_finished_sign_in_that_expires_begins_with_the_first_proof(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    town.totp(alice)
    agent = town.browser()
    page = shown(enter(agent, agent.page(shop.authorization_url()), alice))
    town.clock.advance(minutes=31)
    again = agent.page(page.url)
    assert again.document.headings == ["Sign in to Shop"]
    assert alice.email not in again.response.text


def test_what_began_again_is_finished_at_once_if_somebody_signed_in_meanwhile(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    signed_in(town, shop, alice, agent=agent)
    town.clock.advance(minutes=31)
    assert "code" in gone(agent.get(page.url)).parameters


@pytest.mark.parametrize("how", ["id_token_hint", "claims"])
def test_what_began_again_is_still_about_one_person(
    town: House, shop: RelyingParty, alice: Person, bob: Person, how: str
) -> None:
    agent = town.browser()
    hint = tokens_of(agent, shop, alice).id_token
    sub = json.dumps({"id_token": {"sub": {"value": alice.id}}})
    about = {"id_token_hint": hint} if how == "id_token_hint" else {"claims": sub}
    town.clock.advance(minutes=1)
    page = agent.page(shop.authorization_url(**about, prompt="login"))
    town.clock.advance(hours=13)
    again = agent.page(page.url)
    assert "another account" in shown(enter(agent, again, bob)).document.text


def test_what_began_again_asks_for_freshness_again(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    town.clock.advance(minutes=1)
    page = agent.page(shop.authorization_url(prompt="login"))
    town.clock.advance(minutes=31)
    again = agent.page(page.url)
    assert "Confirm" in again.document.headings[0]
    now = int(town.clock.advance(minutes=1).timestamp())
    place = agent.submit(again, again.form("/password"), {"password": alice.password})
    assert shop.finish(gone(place)).claims["auth_time"] == now


def test_a_sign_in_nobody_knows_leads_on(town: House) -> None:
    agent = town.browser()
    page = agent.page("/login/AAAAAAAAAAAAAAAAAAAAAA")
    assert (page.status, page.document.headings) == (404, ["This sign-in is no longer here"])
    assert agent.page(page.link("Start again")).document.headings == ["Sign in"]


@pytest.mark.parametrize("path", ["%00", "x" * 5000, "..%2f..", "a/b/c", "-", "password"])
def test_addresses_that_nobody_made(town: House, path: str) -> None:
    response = town.browser().client.get(f"/login/{path}")
    assert response.status_code == 404
    assert "text/html" in response.headers["Content-Type"]


# What changes meanwhile


def test_a_client_disabled_meanwhile_gets_no_answer(town: House, alice: Person) -> None:
    shop = town.client(consent="never")
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    town.do(lambda idp: idp.client_registry.disable(shop.client_id, town.context))
    for response in (
        post(agent, page, "/password", username=alice.email, password=alice.password),
        agent.client.get(page.url),
        post(agent, page, "/cancel"),
    ):
        assert (response.status_code, "Location" in response.headers) == (400, False)
        assert "give this reference" in response.text


def test_an_address_withdrawn_meanwhile_gets_no_answer(town: House, alice: Person) -> None:
    shop = town.client(consent="never", redirect_uris=[CALLBACK, "https://shop.example/two"])
    agent = town.browser()
    page = agent.page(shop.authorization_url())
    town.do(
        lambda idp: idp.client_registry.update(
            shop.client_id,
            {"redirect_uris": ["https://shop.example/two"], "consent": "never"},
            town.context,
        )
    )
    response = post(agent, page, "/password", username=alice.email, password=alice.password)
    assert (response.status_code, "Location" in response.headers) == (400, False)


def test_a_rule_changed_meanwhile_is_told(town: House, alice: Person) -> None:
    shop = town.client(consent="never", require_pkce=False)
    bare = {"code_challenge": None, "code_challenge_method": None}
    agent = town.browser()
    page = agent.page(shop.authorization_url(**bare))
    town.do(
        lambda idp: idp.client_registry.update(
            shop.client_id, {"redirect_uris": [CALLBACK], "consent": "never"}, town.context
        )
    )
    response = post(agent, page, "/password", username=alice.email, password=alice.password)
    assert told(Departure(response.headers["Location"]))["error"] == "invalid_request"


def test_a_person_disabled_between_two_steps(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    agent = town.browser()
    page = shown(enter(agent, agent.page(shop.authorization_url()), alice))
    town.do(lambda idp: idp.accounts.disable(user_of(idp, alice), town.context))
    page = shown(agent.submit(page, page.form("/totp"), {"otp": code(seed, town)}))
    page = shown(agent.submit(page, page.form("/password"), {"password": alice.password}))
    assert page.status == 422
    assert told(press(agent, page, "/cancel", "Cancel and return to Shop"))["error"]


def test_a_person_disabled_before_she_allows(
    town: House, asking: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = shown(enter(agent, agent.page(asking.authorization_url()), alice))
    town.do(lambda idp: idp.accounts.disable(user_of(idp, alice), town.context))
    place = shown(press(agent, page, "/consent", "Allow"))
    assert "password" in place.form("/password").inputs


def test_a_person_deleted_between_two_steps(town: House, shop: RelyingParty, alice: Person) -> None:
    seed = town.totp(alice)
    agent = town.browser()
    page = shown(enter(agent, agent.page(shop.authorization_url()), alice))
    town.do(lambda idp: idp.accounts.delete(user_of(idp, alice), town.context))
    place = agent.submit(page, page.form("/totp"), {"otp": code(seed, town)})
    assert shown(place).document.headings == ["This sign-in is no longer here"]


def test_the_code_waits_in_the_database_in_no_readable_form(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    departure = gone(enter(agent, agent.page(shop.authorization_url()), alice))
    code = departure.parameters["code"]
    file = Path(town.settings.database_url.removeprefix("sqlite:///"))
    stored = b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*"))
    assert shop.client_id.encode() in stored
    assert code.encode() not in stored


def test_a_sign_in_by_form_post_may_be_sent_twice(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url(response_mode="form_post"))
    first, second = (gone(enter(agent, page, alice)) for _ in range(2))
    assert first.url == CALLBACK
    assert first.parameters == second.parameters
    assert shop.finish(first).claims["sub"] == alice.id
