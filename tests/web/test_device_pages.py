"""The pages for a device: the code is typed, the person signs in, and says so in as many words."""

from typing import Any

import httpx
import pyotp
import pytest
from sqlalchemy import select

from idp.models import Client, DeviceRequest, db
from tests.helpers.authenticator import SoftAuthenticator
from tests.helpers.clock import FakeClock
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.sign_in import Stuck, passkey, walk
from tests.helpers.user_agent import Page, Place, UserAgent
from tests.web.walking import (
    enter,
    event_names,
    events,
    housed,
    newcomer,
    press,
    shown,
    signed_in,
    tokens_of,
)

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
ASK = "Connect Telly to your account?"


def telly(house: House, **members: Any) -> RelyingParty:
    """A television that people know as Telly."""
    usual = {
        "client_name": "Telly",
        "grant_types": ["authorization_code", DEVICE],
        "token_endpoint_auth_method": "none",
    }
    return house.client(**{**usual, **members})


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


@pytest.fixture(scope="module")
def tv(town: House) -> RelyingParty:
    return telly(town)


def asked(tv: RelyingParty, **form: str) -> dict[str, str]:
    agent = {"User-Agent": "TellyOS/4.2 (living room)"}
    wanted = {"scope": "openid email", "client_id": tv.client_id, **form}
    response = tv.http.post("/oauth/device", data=wanted, headers=agent)
    assert response.status_code == 200, response.text
    told: dict[str, str] = response.json()
    return told


def polled(tv: RelyingParty, told: dict[str, str]) -> httpx.Response:
    form = {"grant_type": DEVICE, "device_code": told["device_code"]}
    return tv.post("/oauth/token", form)


def claims_of(tv: RelyingParty, told: dict[str, str]) -> dict[str, Any]:
    """What the device is told of the person who let it in."""
    response = polled(tv, told)
    assert response.status_code == 200, response.text
    return tv.verify(response.json()["id_token"], response.json(), nonce=None)


def typed(agent: UserAgent, code: str) -> Page:
    page = agent.page("/device")
    return shown(agent.submit(page, page.form("/device"), {"user_code": code}))


def answered(agent: UserAgent, page: Page, label: str) -> Page:
    """Press "Allow" or "Cancel" on the page that asks."""
    assert page.document.headings[0] == ASK, page.document.text
    return shown(press(agent, page, page.path, label))


def heading(place: Place) -> str:
    return shown(place).document.headings[0]


# --- the way through --------------------------------------------------------------------------


def test_from_the_code_to_the_device(town: House, tv: RelyingParty, alice: Person) -> None:
    agent, told = town.browser(), asked(tv)
    page = typed(agent, told["user_code"])
    assert page.path.startswith("/login/")
    ask = shown(enter(agent, page, alice))
    assert ask.path.startswith("/device/")
    assert told["user_code"] not in ask.url
    text = ask.document.text
    for word in (told["user_code"], alice.email, "TellyOS/4.2", "127.0.0.1", "just now"):
        assert word in text, word
    assert "Sign you in, and recognise you the next time" in text
    assert "See your email address" in text
    assert "Only continue if you started this yourself." in text
    assert polled(tv, told).json()["error"] == "authorization_pending"
    done = answered(agent, ask, "Allow")
    assert done.document.headings == ["You can go back to your device"]
    claims = claims_of(tv, told)
    assert claims["sub"] == alice.id
    assert (claims["acr"], claims["amr"]) == ("urn:idp:acr:1fa", ["pwd"])
    assert claims["auth_time"] == int(town.clock().timestamp())


def test_cancel_is_told_to_the_device_and_nothing_is_shared(
    town: House, tv: RelyingParty, alice: Person
) -> None:
    agent, told = town.browser(), asked(tv)
    ask = shown(enter(agent, typed(agent, told["user_code"]), alice))
    done = answered(agent, ask, "Cancel")
    assert "Nothing was shared." in done.document.text
    assert polled(tv, told).json()["error"] == "access_denied"
    assert heading(agent.get(ask.url)) == "Telly was not connected"


def test_the_whole_address_only_fills_the_code_in(
    town: House, tv: RelyingParty, alice: Person
) -> None:
    """RFC 8628 sections 3.3.1 and 5.4: a link that somebody sent decides nothing."""
    agent, told = signed_in(town, town.client(), alice), asked(tv)
    page = agent.page(told["verification_uri_complete"])
    form = page.form("/device")
    assert form.fields["user_code"] == told["user_code"]
    assert polled(tv, told).json()["error"] == "authorization_pending"
    ask = shown(agent.submit(page, form))
    assert ask.document.headings[0] == ASK
    answered(agent, ask, "Allow")
    assert claims_of(tv, told)["sub"] == alice.id


@pytest.mark.parametrize("consent", ["remember", "never"])
def test_it_is_asked_each_time_whatever_was_allowed_before(
    town: House, alice: Person, consent: str
) -> None:
    tv, agent = telly(town, consent=consent), town.browser()
    tokens_of(agent, tv, alice, scope="openid email")
    for _ in range(2):
        told = asked(tv)
        answered(agent, typed(agent, told["user_code"]), "Allow")
        assert polled(tv, told).status_code == 200


def test_what_was_allowed_is_among_the_connected_apps(
    town: House, tv: RelyingParty, alice: Person
) -> None:
    agent, told = town.browser(), asked(tv)
    answered(agent, shown(enter(agent, typed(agent, told["user_code"]), alice)), "Allow")
    apps = agent.page("/me/apps")
    assert "Telly" in apps.document.text
    activity = agent.page("/me/activity?show=apps")
    assert "You connected Telly on a device." in activity.document.text


def test_a_second_answer_changes_nothing(town: House, tv: RelyingParty, alice: Person) -> None:
    agent, told = town.browser(), asked(tv)
    ask = shown(enter(agent, typed(agent, told["user_code"]), alice))
    answered(agent, ask, "Allow")
    assert heading(press(agent, ask, ask.path, "Cancel")) == "You can go back to your device"
    assert polled(tv, told).status_code == 200


def test_another_person_sees_nothing_of_what_was_decided(
    town: House, tv: RelyingParty, alice: Person
) -> None:
    agent, told = town.browser(), asked(tv)
    ask = shown(enter(agent, typed(agent, told["user_code"]), alice))
    answered(agent, ask, "Allow")
    for other in (town.browser(), signed_in(town, town.client(), newcomer(town))):
        gone = other.page(ask.url)
        assert (gone.status, gone.document.headings) == (410, ["This code no longer works"])


def test_somebody_else_may_sign_in_for_it(town: House, tv: RelyingParty, alice: Person) -> None:
    agent, told = signed_in(town, town.client(), alice), asked(tv)
    ask = typed(agent, told["user_code"])
    bob = newcomer(town)
    page = shown(press(agent, ask, "/leave", "Switch"))
    ask = shown(enter(agent, page, bob))
    assert bob.email in ask.document.text
    answered(agent, ask, "Allow")
    assert claims_of(tv, told)["sub"] == bob.id


@pytest.mark.parametrize("label", ["Allow", "Cancel"])
def test_an_answer_is_hers_who_was_asked(
    town: House, tv: RelyingParty, alice: Person, label: str
) -> None:
    agent, told = signed_in(town, town.client(), alice), asked(tv)
    hers = typed(agent, told["user_code"])
    bob = newcomer(town)
    shown(enter(agent, shown(press(agent, hers, "/leave", "Switch")), bob))
    again = shown(press(agent, hers, hers.path, label))
    assert again.document.headings[0] == ASK
    assert bob.email in again.document.text
    assert polled(tv, told).json()["error"] == "authorization_pending"
    answered(agent, again, "Allow")
    assert claims_of(tv, told)["sub"] == bob.id


# --- what the sign-in has to come to ----------------------------------------------------------


def with_totp(town: House) -> tuple[Person, str]:
    person = newcomer(town)
    seed = town.totp(person)
    town.clock.advance(minutes=1)
    return person, seed


def proved(town: House, agent: UserAgent, page: Page, seed: str) -> Page:
    code = pyotp.TOTP(seed).at(town.clock())
    return shown(agent.submit(page, page.form("/totp"), {"otp": code}))


@pytest.mark.parametrize(
    ("members", "form"),
    [
        pytest.param({"minimum_acr": "urn:idp:acr:mfa"}, {}, id="the registration says so"),
        pytest.param({}, {"acr_values": "urn:idp:acr:mfa"}, id="the device says so"),
        pytest.param(
            {"minimum_acr": "urn:idp:acr:mfa"}, {"acr_values": "urn:idp:acr:1fa"}, id="both do"
        ),
    ],
)
def test_a_second_factor_is_asked_for_on_the_way(
    town: House, members: dict[str, Any], form: dict[str, str]
) -> None:
    tv, agent = telly(town, **members), town.browser()
    person, seed = with_totp(town)
    told = asked(tv, **form)
    second = shown(enter(agent, typed(agent, told["user_code"]), person))
    assert second.path.startswith("/login/")
    answered(agent, proved(town, agent, second, seed), "Allow")
    assert claims_of(tv, told)["amr"] == ["pwd", "otp", "mfa"]


def test_only_what_is_missing_is_asked_for(town: House, alice: Person) -> None:
    """Signed in by password, she adds the code; both are in the token, and the older one's time."""
    agent = signed_in(town, town.client(), alice)
    began = int(town.clock().timestamp())
    seed = town.totp(alice)
    town.clock.advance(minutes=5)
    tv = telly(town, minimum_acr="urn:idp:acr:mfa")
    told = asked(tv)
    step = typed(agent, told["user_code"])
    assert step.document.headings == ["Confirm it’s you"]
    answered(agent, proved(town, agent, step, seed), "Allow")
    claims = claims_of(tv, told)
    assert (claims["acr"], claims["auth_time"]) == ("urn:idp:acr:mfa", began)


def test_a_floor_that_she_cannot_reach_lets_nobody_in(town: House, alice: Person) -> None:
    tv = telly(town, minimum_acr="phrh", enrol_in_step_up=False)
    agent, told = town.browser(), asked(tv)
    page = shown(enter(agent, typed(agent, told["user_code"]), alice))
    assert page.document.headings == ["You need a stronger way to sign in for this"]
    assert polled(tv, told).json()["error"] == "authorization_pending"


def test_whoever_is_signed_in_is_not_therefore_signed_in_well_enough(
    town: House, tv: RelyingParty, alice: Person
) -> None:
    """Neither does the page show itself, nor is an answer taken that was given beside it."""
    strict = telly(town, minimum_acr="urn:idp:acr:mfa", enrol_in_step_up=False)
    agent, told = signed_in(town, town.client(), alice), asked(strict)
    page = typed(agent, told["user_code"])
    assert page.document.headings == ["You need a stronger way to sign in for this"]
    form = typed(agent, asked(tv)["user_code"]).form("")
    with town.app.app_context():
        wanted = select(DeviceRequest.id).where(DeviceRequest.client_id == strict.client_id)
        request_id = db.session.scalars(wanted).one()
    answer = {"csrf_token": form.fields["csrf_token"], "decision": "allow"}
    sent = agent.client.post(f"/device/{request_id}", data=answer)
    assert "/login/" in sent.headers["Location"]
    assert polled(strict, told).json()["error"] == "authorization_pending"


def test_a_passkey_is_what_the_token_says(town: House) -> None:
    person = newcomer(town)
    soft: SoftAuthenticator = town.passkey(person)
    tv, agent = telly(town, minimum_acr="phr"), town.browser()
    told = asked(tv)
    page = typed(agent, told["user_code"])
    with pytest.raises(Stuck) as arrived:
        walk(agent, page, {"passkey": passkey(soft)})
    answered(agent, arrived.value.page, "Allow")
    assert claims_of(tv, told)["acr"] == "phr"


def test_a_recent_sign_in_is_recent_when_the_device_asked(
    town: House, tv: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, town.client(), alice)
    town.clock.advance(minutes=1)
    told = asked(tv, max_age="30")
    town.clock.advance(minutes=1)
    page = typed(agent, told["user_code"])
    assert heading(page) == "Confirm it’s you"
    answered(agent, shown(enter(agent, page, alice)), "Allow")
    assert claims_of(tv, told)["auth_time"] == int(town.clock().timestamp())


def test_a_session_that_ended_allows_nothing(town: House, tv: RelyingParty, alice: Person) -> None:
    agent, told = town.browser(), asked(tv)
    ask = shown(enter(agent, typed(agent, told["user_code"]), alice))
    agent.cookies.delete("idp_session")
    page = shown(press(agent, ask, ask.path, "Allow"))
    assert page.path.startswith("/login/")
    assert polled(tv, told).json()["error"] == "authorization_pending"


def test_whom_the_application_is_not_for(town: House, alice: Person) -> None:
    tv, agent = telly(town, allowed_groups=["members"]), town.browser()
    told = asked(tv)
    page = shown(enter(agent, typed(agent, told["user_code"]), alice))
    assert page.status == 403
    assert polled(tv, told).json()["error"] == "authorization_pending"
    (kept,) = events(town, client_id=tv.client_id, event="authorization.refused")
    assert (kept.user_id, kept.data["reason"]) == (alice.id, "in no allowed group")


def test_an_application_that_is_for_nobody_yet(town: House, alice: Person) -> None:
    tv, agent = telly(town, admits="nobody", contacts=["ada@example.com"]), town.browser()
    page = shown(enter(agent, typed(agent, asked(tv)["user_code"]), alice))
    assert page.status == 403
    assert "Nobody may sign in to" in page.document.text
    assert "ada@example.com" in page.document.text


def test_an_application_that_was_disabled_meanwhile(town: House, alice: Person) -> None:
    tv = telly(town)
    agent, told = town.browser(), asked(tv)
    ask = shown(enter(agent, typed(agent, told["user_code"]), alice))
    with town.app.app_context():
        row = db.session.get_one(Client, tv.client_id)
        row.disabled_at, row.revision = town.clock(), row.revision + 1
        db.session.commit()
    refused = shown(press(agent, ask, ask.path, "Allow"))
    assert refused.status == 403
    assert "Nothing was shared." in refused.document.text


# --- the code, and guessing it ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "says"),
    [
        pytest.param("", "Enter the code that your device shows.", id="none"),
        pytest.param("BBBB-BBBB", "We don’t know this code.", id="one that is not there"),
        pytest.param("hello", "We don’t know this code.", id="no code"),
    ],
)
def test_a_wrong_code_is_said_to_be_one(town: House, code: str, says: str) -> None:
    page = typed(town.browser(), code)
    assert page.status == 422
    assert says in page.document.text


def test_a_code_whose_time_is_up(town: House, tv: RelyingParty, alice: Person) -> None:
    agent, told = town.browser(), asked(tv)
    ask = shown(enter(agent, typed(agent, told["user_code"]), alice))
    town.clock.advance(minutes=10)
    assert heading(press(agent, ask, ask.path, "Allow")) == "This code no longer works"
    assert typed(agent, told["user_code"]).status == 422
    assert polled(tv, told).json()["error"] == "expired_token"


def test_an_address_of_nothing_is_gone(town: House) -> None:
    assert town.browser().page("/device/nothing").status == 410


def test_a_form_of_elsewhere_decides_nothing(town: House, tv: RelyingParty, alice: Person) -> None:
    agent, told = town.browser(), asked(tv)
    ask = shown(enter(agent, typed(agent, told["user_code"]), alice))
    foreign = agent.client.post(ask.url, data={"decision": "allow"})
    assert foreign.status_code == 400
    assert polled(tv, told).json()["error"] == "authorization_pending"


def test_guesses_are_counted_by_browser(house: House) -> None:
    tv, agent = telly(house), house.browser()
    for _ in range(5):
        assert typed(agent, "BBBB-BBBB").status == 422
    told = asked(tv)
    slowed = typed(agent, told["user_code"])
    assert slowed.status == 429
    assert slowed.response.headers["Retry-After"] == "900"
    assert typed(house.browser(), told["user_code"]).status == 200
    assert "device.user_code.throttled" in event_names(house)
    house.clock.advance(minutes=16)
    assert typed(agent, asked(tv)["user_code"]).status == 200


def test_guesses_are_counted_by_network_and_right_codes_are_none(
    sqlite_url: str, clock: FakeClock
) -> None:
    with housed(sqlite_url, clock, network_attempts=6) as house:
        tv = telly(house)
        for _ in range(8):
            assert typed(house.browser(), asked(tv)["user_code"]).status == 200
        for number in range(6):
            assert typed(house.browser(), "BBBB-BBBB").status == 422, number
        assert typed(house.browser(), asked(tv)["user_code"]).status == 429


def test_a_person_keeps_her_count_in_any_browser(house: House) -> None:
    alice, shop = house.person(), house.client()
    first, second = (signed_in(house, shop, alice) for _ in range(2))
    for _ in range(5):
        assert typed(first, "BBBB-BBBB").status == 422
    assert typed(second, "BBBB-BBBB").status == 429
