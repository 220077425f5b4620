"""What is asked for, what is told: ``acr``, ``amr`` and ``auth_time`` as the ledger has them."""

import json
from datetime import UTC, datetime
from typing import Any

import pyotp
import pytest

from tests.helpers.clock import FakeClock
from tests.helpers.house import House, Person
from tests.helpers.relying_party import RelyingParty, Tokens
from tests.helpers.sign_in import Answer, passkey, totp, typed
from tests.web.walking import gone, newcomer, shown, signed_in, silently, tokens_of, told

FA, MFA = "urn:idp:acr:1fa", "urn:idp:acr:mfa"
REFEDS = "https://refeds.org/profile/mfa"
UNMET = "unmet_authentication_requirements"


@pytest.fixture(scope="module")
def town(databases_url: str) -> House:
    """With names of its own for rungs."""
    return House(databases_url, FakeClock(), acr_aliases={REFEDS: MFA, "2": MFA, "gold": "phrh"})


@pytest.fixture
def alice(town: House) -> Person:
    return newcomer(town)


@pytest.fixture(scope="module")
def shop(town: House) -> RelyingParty:
    return town.client(consent="never")


def at(house: House, hour: int, minute: int = 0) -> int:
    """Move the clock to the next time it is that o'clock; returns the instant."""
    now = house.clock()
    if now.hour >= hour:
        house.clock.advance(days=1)
    day = house.clock()
    moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
    return int(house.clock.set(moment).timestamp())


def summary(tokens: Tokens) -> tuple[str, str, int]:
    claims = tokens.claims
    return claims["acr"], " ".join(claims["amr"]), claims["auth_time"]


def essential(*values: str, must: bool = True) -> str:
    return json.dumps({"id_token": {"acr": {"essential": must, "values": values}}})


# What is told


def test_password_and_passkey_in_one_sign_in(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    soft = town.passkey(alice)
    ten = at(town, 10)
    agent = signed_in(town, shop, alice, answers={"passkey": passkey(soft)})
    assert summary(tokens_of(agent, shop)) == ("phr", "pwd pop user swk mfa", ten)


def test_a_passkey_two_hours_later_is_told_with_its_own_time(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    ten = at(town, 10)
    agent = signed_in(town, shop, alice)
    assert summary(tokens_of(agent, shop)) == (FA, "pwd", ten)
    soft = town.passkey(alice)
    twelve = at(town, 12)
    later = tokens_of(agent, shop, answers={"passkey": passkey(soft)}, acr_values="phr")
    assert summary(later) == ("phr", "pop user swk mfa", twelve)


def test_a_password_at_ten_and_a_code_at_eleven_are_of_ten(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    ten = at(town, 10)
    agent = signed_in(town, shop, alice)
    seed = town.totp(alice)
    at(town, 11)
    later = tokens_of(agent, shop, answers={"totp": totp(seed, town.clock)}, acr_values=MFA)
    assert summary(later) == (MFA, "pwd otp mfa", ten)
    at(town, 12)
    assert summary(tokens_of(agent, shop)) == (MFA, "pwd otp mfa", ten)


WAYS = [
    ("a password", ["password"], FA, "pwd"),
    ("a password and a code", ["password", "totp"], MFA, "pwd otp mfa"),
    ("a password and a recovery code", ["password", "recovery_code"], MFA, "pwd recovery mfa"),
    ("a password and a passkey", ["password", "passkey"], "phr", "pwd pop user swk mfa"),
    ("a passkey", ["passkey"], "phr", "pop user swk mfa"),
]


@pytest.mark.parametrize(
    ("ways", "acr", "amr"), [pytest.param(ways, acr, amr, id=name) for name, ways, acr, amr in WAYS]
)
def test_what_was_done_is_what_is_told(
    town: House, shop: RelyingParty, alice: Person, ways: list[str], acr: str, amr: str
) -> None:
    answers: dict[str, Answer] = {}
    if "password" in ways:
        answers["password"] = typed(username=alice.email, password=alice.password)
    if "passkey" in ways:
        answers["passkey"] = passkey(town.passkey(alice))
    if "totp" in ways:
        answers["totp"] = totp(town.totp(alice), town.clock)
    if "recovery_code" in ways:
        town.totp(alice)
        answers["recovery_code"] = typed(recovery_code=town.recovery_codes(alice)[0])
    now = int(town.clock.advance(minutes=5).timestamp())
    tokens = tokens_of(town.browser(), shop, answers=answers)
    assert summary(tokens) == (acr, amr, now)


def test_owning_a_passkey_proves_nothing(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    town.passkey(alice)
    town.totp(alice)
    assert silently(agent, shop) == "interaction_required"
    relaxed = House(str(town.settings.database_url), town.clock, account_second_step=False)
    response = relaxed.browser()
    response.cookies.update(agent.cookies)
    assert summary(tokens_of(response, relaxed_client(relaxed, shop)))[:2] == (FA, "pwd")


def relaxed_client(house: House, shop: RelyingParty) -> RelyingParty:
    """The same client at another node with other settings."""
    return RelyingParty(
        shop.issuer,
        shop.client_id,
        shop.redirect_uri,
        client_secret=shop.client_secret,
        http=house.http(),
        clock=house.clock,
    )


KEYS = [
    ("a synced passkey", {"be": True, "bs": True}, "pop user swk mfa"),
    ("one not backed up yet", {"be": True, "bs": False}, "pop user swk mfa"),
    ("one that stays on its device", {"be": False, "bs": False}, "pop user mfa"),
]


@pytest.mark.parametrize(
    ("knobs", "amr"), [pytest.param(knobs, amr, id=name) for name, knobs, amr in KEYS]
)
def test_what_kind_of_key_it_was_is_told(
    town: House, shop: RelyingParty, alice: Person, knobs: dict[str, bool], amr: str
) -> None:
    soft = town.passkey(alice, **knobs)
    tokens = tokens_of(town.browser(), shop, answers={"passkey": passkey(soft)})
    assert summary(tokens)[:2] == ("phr", amr)


def test_a_touch_without_verification_is_one_factor(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    soft = town.passkey(alice)
    relaxed = House(str(town.settings.database_url), town.clock, account_second_step=False)
    plain = tokens_of(
        relaxed.browser(),
        relaxed_client(relaxed, shop),
        answers={"passkey": passkey(soft, uv=False)},
    )
    assert summary(plain)[:2] == (FA, "pop user swk")
    agent = town.browser()
    answers = {
        "passkey": passkey(soft, uv=False),
        "password": typed(username=alice.email, password=alice.password),
    }
    both = tokens_of(agent, shop, answers=answers, acr_values="phr")
    assert summary(both)[:2] == ("phr", "pwd pop user swk mfa")


def test_stepping_up_adds_and_never_erases(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    before = tokens_of(agent, shop)
    soft = town.passkey(alice)
    town.clock.advance(hours=2)
    stepped = tokens_of(agent, shop, answers={"passkey": passkey(soft)}, acr_values="phr")
    town.clock.advance(minutes=1)
    assert stepped.claims["sid"] == before.claims["sid"]
    asked = tokens_of(agent, shop, acr_values=FA)
    assert asked.claims["acr"] == FA
    assert asked.claims["auth_time"] == stepped.claims["auth_time"]


def test_a_later_step_up_does_not_lift_an_old_grant(town: House, alice: Person) -> None:
    keeper = town.client(
        consent="never",
        grant_types=["authorization_code", "refresh_token"],
        scope="openid offline_access",
    )
    keeper.scope = "openid offline_access"
    agent = town.browser()
    old = tokens_of(agent, keeper, alice)
    soft = town.passkey(alice)
    town.clock.advance(minutes=5)
    new = tokens_of(agent, keeper, answers={"passkey": passkey(soft)}, acr_values="phr")
    assert new.claims["acr"] == "phr"
    assert keeper.refresh(old).claims["acr"] == FA
    assert keeper.refresh(new).claims["acr"] == "phr"


# What is asked for


@pytest.mark.parametrize("name", [MFA, REFEDS, "2"])
def test_the_answer_is_called_as_the_request_called_it(
    town: House, shop: RelyingParty, alice: Person, name: str
) -> None:
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    answers = {"totp": totp(seed, town.clock)}
    agent = town.browser()
    assert summary(tokens_of(agent, shop, alice, answers=answers, acr_values=name))[0] == name
    assert summary(tokens_of(agent, shop))[0] == MFA
    assert name in shop.metadata["acr_values_supported"]


ACR_VALUES = [
    ("one that holds", FA, FA),
    ("the first that can be reached", f"{FA} {MFA}", FA),
    ("an unknown one is passed over", f"urn:example:x {FA}", FA),
    ("in the client's order", f"{REFEDS} {FA}", FA),
]


@pytest.mark.parametrize(
    ("values", "expected"), [pytest.param(values, acr, id=name) for name, values, acr in ACR_VALUES]
)
def test_what_the_session_already_reaches_is_answered_at_once(
    town: House, shop: RelyingParty, alice: Person, values: str, expected: str
) -> None:
    agent = signed_in(town, shop, alice)
    assert summary(tokens_of(agent, shop, acr_values=values)) == (
        expected,
        "pwd",
        int(town.clock().timestamp()),
    )


def test_the_first_wanted_is_asked_for_when_none_holds(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    soft = town.passkey(alice)
    got = tokens_of(agent, shop, answers={"passkey": passkey(soft)}, acr_values=f"phr {MFA}")
    assert summary(got)[0] == "phr"


def test_a_stronger_proof_answers_a_weaker_wish_by_its_name(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    soft = town.passkey(alice)
    agent = town.browser()
    got = tokens_of(agent, shop, answers={"passkey": passkey(soft)}, acr_values=REFEDS)
    assert summary(got)[:2] == (REFEDS, "pop user swk mfa")


def test_what_cannot_be_reached_is_an_error_when_it_must_be(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    for changes in ({"acr_values": "phrh"}, {"claims": essential("gold")}):
        parameters = told(agent.get(shop.authorization_url(**changes)))
        assert (parameters["error"], parameters["iss"]) == (UNMET, shop.issuer)
        assert parameters["state"] in shop.pending
    assert summary(tokens_of(agent, shop, acr_values=f"phrh {FA}"))[0] == FA


def test_what_cannot_be_reached_is_told_once_the_person_is_known(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = town.browser()
    page = agent.page(shop.authorization_url(acr_values="phrh"))
    values = {"username": alice.email, "password": alice.password}
    assert told(agent.submit(page, page.form("/password"), values))["error"] == UNMET


def test_what_cannot_be_reached_is_passed_over_when_it_is_a_wish(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    easy = town.client(consent="never", acr_values_voluntary=True)
    assert summary(tokens_of(agent, easy, acr_values="phrh"))[0] == FA
    assert summary(tokens_of(agent, easy, acr_values="urn:example:x"))[0] == FA
    assert summary(tokens_of(agent, shop, claims=essential("phrh", must=False)))[0] == FA


def test_a_wish_that_can_be_had_is_asked_for(town: House, alice: Person) -> None:
    easy = town.client(consent="never", acr_values_voluntary=True)
    agent = signed_in(town, easy, alice)
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    answers = {"totp": totp(seed, town.clock)}
    assert summary(tokens_of(agent, easy, answers=answers, acr_values=MFA))[0] == MFA


def test_an_essential_claim_wins_over_acr_values(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    agent = signed_in(town, shop, alice)
    soft = town.passkey(alice)
    url: dict[str, Any] = {"acr_values": FA, "claims": essential("phr")}
    assert silently(agent, shop, **url) == "interaction_required"
    assert summary(tokens_of(agent, shop, answers={"passkey": passkey(soft)}, **url))[0] == "phr"


def test_an_essential_claim_is_not_made_voluntary_by_registration(
    town: House, alice: Person
) -> None:
    easy = town.client(consent="never", acr_values_voluntary=True)
    agent = signed_in(town, easy, alice)
    assert silently(agent, easy, claims=essential("phrh")) == UNMET
    assert silently(agent, easy, acr_values="phrh") == ""


# Floors


FLOOR_IGNORED = [
    ("nothing", {}),
    ("less by acr_values", {"acr_values": FA}),
    ("less by an essential claim", {"claims": essential(FA)}),
    ("less by a wish", {"claims": essential(FA, must=False)}),
]


@pytest.mark.parametrize(
    "changes", [pytest.param(changes, id=name) for name, changes in FLOOR_IGNORED]
)
def test_no_parameter_lowers_the_clients_floor(
    town: House, alice: Person, changes: dict[str, Any]
) -> None:
    bank = town.client(consent="never", minimum_acr=MFA)
    agent = signed_in(town, town.client(consent="never"), alice)
    assert silently(agent, bank, **changes) == "interaction_required"
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    answers = {"totp": totp(seed, town.clock)}
    got = tokens_of(agent, bank, answers=answers, **changes)
    assert "mfa" in got.claims["amr"]
    assert got.claims["acr"] == (MFA if not changes else FA)


def test_no_max_age_lowers_the_clients_own(town: House, alice: Person) -> None:
    bank = town.client(consent="never", max_auth_age=600)
    agent = signed_in(town, bank, alice)
    town.clock.advance(seconds=600)
    assert silently(agent, bank) == ""
    town.clock.advance(seconds=1)
    assert silently(agent, bank) == "login_required"
    assert silently(agent, bank, max_age=86400) == "login_required"


def test_registered_defaults_are_asked_for(town: House, alice: Person) -> None:
    cautious = town.client(consent="never", default_max_age=60, default_acr_values=[REFEDS])
    agent = signed_in(town, town.client(consent="never"), alice)
    assert silently(agent, cautious) == "interaction_required"
    seed = town.totp(alice)
    town.clock.advance(minutes=2)
    answers = {"totp": totp(seed, town.clock)}
    assert summary(tokens_of(agent, cautious, alice, answers=answers))[0] == REFEDS
    town.clock.advance(minutes=2)
    assert silently(agent, cautious) == "login_required"


def test_a_method_the_client_refuses_neither_counts_nor_is_offered(
    town: House, alice: Person
) -> None:
    strict = town.client(consent="never", refused_methods=["password"])
    soft = town.passkey(alice)
    agent = town.browser()
    page = agent.page(strict.authorization_url())
    assert "password" not in {name for form in page.document.forms for name in form.inputs}
    got = tokens_of(agent, strict, answers={"passkey": passkey(soft)})
    assert summary(got)[:2] == ("phr", "pop user swk mfa")


def test_who_has_a_second_step_is_asked_for_it_whatever_the_client_wants(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    agent = town.browser()
    page = agent.page(shop.authorization_url(acr_values=FA))
    values = {"username": alice.email, "password": alice.password}
    page = shown(agent.submit(page, page.form("/password"), values))
    assert page.document.headings == ["Enter your code"]
    place = agent.submit(page, page.form("/totp"), {"otp": code(seed, town)})
    assert summary(shop.finish(gone(place)))[:2] == (FA, "pwd otp mfa")


def code(seed: str, house: House) -> str:
    return pyotp.TOTP(seed).at(house.clock())


def test_a_passkey_that_verified_its_owner_needs_no_code(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    town.totp(alice)
    soft = town.passkey(alice)
    got = tokens_of(town.browser(), shop, answers={"passkey": passkey(soft)})
    assert summary(got)[:2] == ("phr", "pop user swk mfa")


# Ages


@pytest.mark.parametrize("changes", [{"max_age": 0}, {"prompt": "login"}])
def test_a_fresh_sign_in_is_asked_for_once(
    town: House, shop: RelyingParty, alice: Person, changes: dict[str, object]
) -> None:
    agent = signed_in(town, shop, alice)
    town.clock.advance(minutes=5)
    page = agent.page(shop.authorization_url(**changes))
    assert page.document.headings[0] == "Confirm it’s you"
    now = int(town.clock.advance(minutes=10).timestamp())
    place = agent.submit(page, page.form("/password"), {"password": alice.password})
    assert summary(shop.finish(gone(place))) == (FA, "pwd", now)


def test_a_slow_person_does_not_loop(town: House, shop: RelyingParty, alice: Person) -> None:
    seed = town.totp(alice)
    agent = town.browser()
    url = shop.authorization_url(max_age=1, acr_values=MFA)
    town.clock.advance(minutes=1)
    page = agent.page(url)
    began = int(town.clock.advance(minutes=10).timestamp())
    values = {"username": alice.email, "password": alice.password}
    page = shown(agent.submit(page, page.form("/password"), values))
    town.clock.advance(minutes=10)
    place = agent.submit(page, page.form("/totp"), {"otp": code(seed, town)})
    assert summary(shop.finish(gone(place))) == (MFA, "pwd otp mfa", began)


def test_only_what_is_stale_is_asked_for(town: House, shop: RelyingParty, alice: Person) -> None:
    agent = signed_in(town, shop, alice)
    town.passkey(alice)
    town.clock.advance(hours=1)
    page = agent.page(shop.authorization_url(prompt="login"))
    page = agent.page(page.link("Use your password"))
    shown(agent.submit(page, page.form("/password"), {"password": alice.password}))
    town.clock.advance(seconds=30)
    page = agent.page(shop.authorization_url(max_age=60, acr_values="phr"))
    fields = {name for form in page.document.forms for name in form.inputs}
    assert ("password" in fields, "passkey_response" in fields) == (False, True)


def test_max_age_binds_every_proof_behind_the_claim(
    town: House, shop: RelyingParty, alice: Person
) -> None:
    seed = town.totp(alice)
    town.clock.advance(minutes=1)
    agent = signed_in(town, shop, alice, answers={"totp": totp(seed, town.clock)})
    town.clock.advance(minutes=30)
    assert silently(agent, shop, acr_values=MFA, max_age=3600) == ""
    town.clock.advance(minutes=31)
    assert silently(agent, shop, acr_values=MFA, max_age=3600) == "login_required"


def test_policy_may_age_a_rung(sqlite_url: str, town: House) -> None:
    strict = House(sqlite_url, town.clock, mfa_max_age=3600)
    alice, shop = newcomer(strict), strict.client(consent="never")
    seed = strict.totp(alice)
    strict.clock.advance(minutes=1)
    agent = signed_in(strict, shop, alice, answers={"totp": totp(seed, strict.clock)})
    assert summary(tokens_of(agent, shop))[0] == MFA
    strict.clock.advance(hours=2)
    assert silently(agent, shop, acr_values=MFA) == "login_required"
