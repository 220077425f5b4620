"""The one form of a sign-in, sent with something left out: all of it is named, in its order."""

import re

import pytest

from tests.helpers.house import House
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Page, UserAgent
from tests.web.account.visits import events
from tests.web.walking import newcomer, shown

ADDRESS = ("username", "Enter your email address.")
PASSWORD = ("password", "Enter your password.")
LEFT_OUT = {
    "both": ({}, [ADDRESS, PASSWORD]),
    "both, but for a blank": ({"username": " "}, [ADDRESS, PASSWORD]),
    "the password": ({"username": "ann@example.com"}, [PASSWORD]),
    "the address": ({"password": "a guess"}, [ADDRESS]),
}


def summary(page: Page) -> list[tuple[str, str]]:
    """What the box at the top links to, and says."""
    box = page.response.text.partition("data-summary")[2].partition("</div>")[0]
    return re.findall(r'<a href="#([a-z_]+)">([^<]+)</a>', box)


def sent(house: House, shop: RelyingParty, fields: dict[str, str]) -> tuple[UserAgent, Page]:
    agent = house.browser()
    page = agent.page(shop.authorization_url())
    return agent, shown(agent.submit(page, page.form("/password"), fields))


@pytest.mark.parametrize(("fields", "named"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_everything_left_out_is_named(
    town: House, fields: dict[str, str], named: list[tuple[str, str]]
) -> None:
    _agent, page = sent(town, town.client(), fields)
    assert page.status == 422
    assert page.document.title.startswith("Error: ")
    assert summary(page) == named
    inputs = page.form("/password").inputs
    assert {name for name in ("username", "password") if "aria-invalid" in inputs[name]} == {
        field for field, _message in named
    }
    assert inputs["username"].get("value", "").strip() == fields.get("username", "").strip()


def test_a_wrong_one_is_answered_as_ever(town: House) -> None:
    wrong = {"username": newcomer(town).email, "password": "a guess"}
    _agent, page = sent(town, town.client(), wrong)
    assert summary(page) == [("password", "Email or password is not correct.")]


@pytest.mark.parametrize(
    ("method", "field"),
    [("password", "password"), ("totp", "otp"), ("recovery_code", "recovery_code")],
)
def test_what_was_left_empty_was_not_tried(town: House, method: str, field: str) -> None:
    ann = newcomer(town)
    town.totp(ann)
    town.recovery_codes(ann)
    agent = town.browser()
    page = agent.page(town.client().authorization_url())
    known = {"username": ann.email}
    if method != "password":
        step = agent.submit(page, page.form("/password"), known | {"password": ann.password})
        page, known = agent.page(f"{shown(step).path}/{method}"), {}
    refused = shown(agent.submit(page, page.form(f"/{method}"), known))
    assert (refused.status, summary(refused)[0][0]) == (422, field)
    assert f"login.{method}.refused" not in events(town, ann)
    agent.submit(refused, refused.form(f"/{method}"), known | {field: "wrong"})
    assert f"login.{method}.refused" in events(town, ann)
