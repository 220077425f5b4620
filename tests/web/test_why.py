"""Why somebody is asked again: what was proved, when, and what is wanting, in a sentence or two."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.helpers.house import House, Person
from tests.helpers.sign_in import Answer, passkey, sign_in, totp
from tests.helpers.user_agent import UserAgent

PHR = {"acr_values": "phr"}
MFA = {"acr_values": "urn:idp:acr:mfa"}


def signed_in(
    house: House, person: Person, answers: Mapping[str, Answer] | None = None
) -> UserAgent:
    agent = house.browser()
    sign_in(
        agent,
        house.client(consent="never").authorization_url(),
        username=person.email,
        password=person.password,
        answers=answers,
    )
    return agent


def told(house: House, agent: UserAgent, **asked: Any) -> str:
    """What the page says when an application called Lampwright asks for more."""
    shop = house.client(client_name="Lampwright", consent="never")
    return agent.page(shop.authorization_url(**asked)).document.text


def test_both_steps_are_too_long_ago(house: House) -> None:
    alice = house.person()
    seed = house.totp(alice)
    house.clock.advance(minutes=1)
    agent = signed_in(house, alice, {"totp": totp(seed, house.clock)})
    house.clock.advance(minutes=22)
    text = told(house, agent, **MFA, max_age=300)
    assert "Lampwright wants to be sure that it’s you." in text
    assert "22 minutes ago with your password and a code from your authenticator app." in text
    assert "That is too long ago for this." in text


@pytest.mark.parametrize(
    ("asked", "need"),
    [
        (MFA, "This needs a code from your authenticator app as well."),
        ({"max_age": 300}, "That is too long ago for this."),
    ],
    ids=["another kind", "the same anew"],
)
def test_a_password_three_hours_ago(house: House, asked: Mapping[str, Any], need: str) -> None:
    alice = house.person()
    agent = signed_in(house, alice)
    if asked == MFA:
        house.totp(alice)
    house.clock.advance(hours=3)
    text = told(house, agent, **asked)
    assert "You signed in 3 hours ago with your password." in text
    assert need in text


def test_a_password_just_now_is_not_called_long_ago(house: House) -> None:
    agent = signed_in(house, house.person())
    house.clock.advance(seconds=5)
    text = told(house, agent, max_age=0)
    assert "You signed in just now with your password. This needs it once more." in text


def test_why_what_was_just_given_is_asked_for_before_setting_up(house: House) -> None:
    text = told(house, signed_in(house, house.person()), **PHR)
    assert "You need a passkey for this, and have none yet." in text
    assert "Before you set something new up, confirm that it’s you" in text
    assert "even if you have just signed in: a browser left open must not be enough." in text


def test_only_a_passkey_will_do(house: House) -> None:
    alice = house.person()
    agent = signed_in(house, alice)
    house.passkey(alice)
    assert "This needs a passkey." in told(house, agent, **PHR)


def test_a_passkey_by_itself_is_the_way_of_who_has_one(house: House) -> None:
    alice, shop = house.person(), house.client(consent="never")
    soft = house.passkey(alice)
    where = sign_in(
        house.browser(), shop.authorization_url(**PHR), answers={"passkey": passkey(soft)}
    )
    assert shop.finish(where).claims["acr"] == "phr"
