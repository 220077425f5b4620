"""The deployment's keys lost, wrong, or replaced: nothing starts, and nothing is made up.

Mutation: ``SigningKeys._parse`` that skips what it cannot open, and a server with the wrong keys
starts by making new ones. ``KeyRotation.rotate`` that leaves the stored secrets as they are.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator

import pyotp
import pytest
from sqlalchemy import func, select, update

from idp.clock import system_clock
from idp.models import SigningKey, StoredSecret, db
from idp.secrecy import Box
from tests.cli.command import Command
from tests.helpers.clock import FakeClock
from tests.helpers.house import ISSUER, House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.servers import TEST_KEY
from tests.helpers.sign_in import totp, typed
from tests.web.account.test_authenticator_app import seed_of
from tests.web.account.visits import entered, press
from tests.web.walking import enter, event_names, events, housed, newcomer, shown, tokens_of

OTHER = urlsafe_b64encode(bytes([1]) * 32).decode()


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    """As it was before anything happened to the keys."""
    with housed(database_url, FakeClock(system_clock())) as made:
        yield made


def kept(house: House) -> tuple[int, ...]:
    """How many keys and secrets there are in the database."""
    with house.app.app_context():
        counted = [select(func.count()).select_from(one) for one in (SigningKey, StoredSecret)]
        return tuple(db.session.scalar(one) or 0 for one in counted)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        pytest.param("", "keys: must be", id="lost"),
        pytest.param(OTHER, "Put the key that sealed them back", id="wrong"),
    ],
)
def test_it_does_not_start_and_makes_nothing(
    house: House, database_url: str, keys: str, told: str
) -> None:
    before = kept(house)
    idp = Command.over(database_url, IDP_ISSUER=ISSUER, IDP_KEYS=keys)
    assert told in idp.refused("serve")
    assert kept(house) == before
    found = idp("doctor").output
    assert "PROBLEM" in found or told in found


def test_a_new_key_before_the_old_one_loses_nothing(house: House, database_url: str) -> None:
    alice, shop = newcomer(house), house.client(subject_type="pairwise", consent="never")
    house.clock.advance(minutes=-1)
    answers = {"totp": totp(house.totp(alice), house.clock)}
    house.clock.advance(minutes=1)
    told = tokens_of(house.browser(), shop, alice, answers=answers)
    with housed(database_url, house.clock, keys=[OTHER, TEST_KEY]) as both:
        shop.http = both.http()
        both.clock.advance(minutes=1)
        again = tokens_of(both.browser(), shop, alice, answers=answers)
        assert again.claims["sub"] == told.claims["sub"]


def without_the_old_key(house: House, url: str) -> House:
    """As after a leak: the signing keys are replaced, and the key that sealed the rest is gone."""
    with housed(url, house.clock, keys=[OTHER, TEST_KEY]) as both:
        rotation = both.services.key_rotation
        with both.app.app_context():
            old = [key.kid for key in rotation.listed(both.clock())]
            rotation.rotate(both.context, at_once=True)
            for kid in old:
                rotation.retire(kid, both.context, at_once=True)
    return House(url, house.clock, keys=[OTHER])


def test_an_app_whose_seed_is_unreadable_is_set_up_again_on_record(
    house: House, database_url: str
) -> None:
    alice, _ = newcomer(house), house.client()
    seed, codes = house.totp(alice), house.recovery_codes(alice)
    house.clock.advance(minutes=1)
    left = without_the_old_key(house, database_url)
    shop = left.client(consent="never")
    assert refused_app(left, shop, alice, seed) == "unreadable_seed"

    answers = {"recovery_code": typed(recovery_code=codes[0])}
    agent, page = entered(left, alice, "/me/security/totp/new", answers)
    new = seed_of(page)
    press(agent, page, "/totp", otp=pyotp.TOTP(new).at(left.clock()))
    named = event_names(left, user_id=alice.id, event="totp")
    assert named[-1] in ("totp.added", "totp.replaced"), named
    left.clock.advance(minutes=1)
    again = tokens_of(left.browser(), shop, alice, answers={"totp": totp(new, left.clock)})
    assert again.claims["amr"] == ["pwd", "otp", "mfa"]
    with left.app.app_context():
        db.engine.dispose()


def test_by_commands_alone_an_old_key_can_be_taken_away(house: House, database_url: str) -> None:
    """As docs/security.md has it for a key that leaked; what a pairwise client is told stays."""
    alice, shop = newcomer(house), house.client(subject_type="pairwise", consent="never")
    told = tokens_of(house.browser(), shop, alice)
    both = Command.over(database_url, IDP_ISSUER=ISSUER, IDP_KEYS=f"{OTHER} {TEST_KEY}")
    old = [key["kid"] for key in both.json("keys", "list")]
    both.done("keys", "rotate", "--at-once")
    for kid in old:
        both.done("keys", "retire", kid, "--at-once")
    new = Command.over(database_url, IDP_ISSUER=ISSUER, IDP_KEYS=OTHER)
    assert keys_of(new)[0] == "ok"
    with new.services() as services:
        services.key_rotation.prepare(house.context)
    with housed(database_url, house.clock, keys=[OTHER]) as left:
        shop.http = left.http()
        assert tokens_of(left.browser(), shop, alice).claims["sub"] == told.claims["sub"]


def keys_of(idp: Command) -> tuple[str, str]:
    """What the doctor says of the keys."""
    found = {one["check"]: one for one in json.loads(idp("doctor", "--json").stdout)}
    return found["keys"]["state"], found["keys"]["text"]


def test_the_doctor_tells_of_what_stops_a_start(house: House, database_url: str) -> None:
    """The signing keys can be read, and what pairwise subjects are made with cannot."""
    idp = Command.over(database_url, IDP_ISSUER=ISSUER, IDP_KEYS=TEST_KEY)
    assert keys_of(idp)[0] == "ok"
    with house.app.app_context():
        db.session.execute(update(StoredSecret).values(sealed=Box([OTHER]).seal("x")))
        db.session.commit()
    state, text = keys_of(idp)
    assert state == "problem"
    assert text in idp.refused("serve")


def refused_app(house: House, shop: RelyingParty, person: Person, seed: str) -> str:
    """Why a right code is refused; the second step stays one."""
    agent = house.browser()
    page = shown(enter(agent, agent.page(shop.authorization_url()), person))
    code = pyotp.TOTP(seed).at(house.clock())
    assert shown(agent.submit(page, page.form("/totp"), {"otp": code})).status == 422
    (found,) = events(house, user_id=person.id, event="login.totp.refused")
    return str(found.data["reason"])
