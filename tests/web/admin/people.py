"""Browsers of people who administer."""

from typing import Any

from tests.helpers.house import House
from tests.helpers.sign_in import passkey, sign_in
from tests.helpers.user_agent import UserAgent
from tests.web.walking import newcomer


def signed_in_as(house: House, role: str | None, **fields: Any) -> UserAgent:
    """A browser in which somebody of this role has just used a passkey."""
    person = newcomer(house, role=role, **fields)
    answers = {"passkey": passkey(house.passkey(person))}
    agent, shop = house.browser(), house.client(consent="never")
    sign_in(agent, shop.authorization_url(), answers=answers)
    return agent
