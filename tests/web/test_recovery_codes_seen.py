"""Recovery codes as they are seen: a slip is mended, and the console says how many are left."""

import pytest

from tests.helpers.house import House, Person
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.walking import enter, newcomer, shown, told

FIELD = "recovery_code"


@pytest.fixture
def ann(house: House) -> Person:
    person = newcomer(house)
    house.totp(person)
    house.clock.advance(minutes=1)
    return person


def at_code(house: House, person: Person) -> tuple[UserAgent, Page]:
    """A browser that is asked for a code, after her password."""
    agent, shop = house.browser(), house.client(consent="never")
    step = shown(enter(agent, agent.page(shop.authorization_url()), person))
    return agent, agent.page(f"{step.path.removesuffix('/totp')}/{FIELD}")


def field(page: Page) -> str:
    return page.form(f"/{FIELD}").inputs[FIELD].get("value", "")


@pytest.mark.parametrize("slip", ["ABCD-1234", 'X">'], ids=["too short", "with a quotation mark"])
def test_what_was_mistyped_stays(house: House, ann: Person, slip: str) -> None:
    house.recovery_codes(ann)
    agent, page = at_code(house, ann)
    refused = shown(agent.submit(page, page.form(f"/{FIELD}"), {FIELD: slip}))
    assert refused.status == 422
    assert field(refused) == slip
    assert field(agent.page(refused.path)) == ""


def test_so_does_a_wrong_one_and_no_password_or_app_code_ever_does(
    house: House, ann: Person
) -> None:
    right, *_rest = house.recovery_codes(ann)
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    agent, page = at_code(house, ann)
    refused = shown(agent.submit(page, page.form(f"/{FIELD}"), {FIELD: wrong}))
    assert field(refused) == wrong
    assert "code" in told(agent.submit(refused, refused.form(f"/{FIELD}"), {FIELD: right}))
    other = house.browser()
    page = other.page("/me")
    refused = shown(enter(other, page, ann, password="271828"))
    assert refused.status == 422
    assert "271828" not in refused.response.text
    step = shown(enter(other, refused, ann))
    refused = shown(other.submit(step, step.form("/totp"), {"otp": "271828"}))
    assert refused.status == 422
    assert "271828" not in refused.response.text


def test_one_that_came_too_often_is_not_shown_again(house: House, ann: Person) -> None:
    right, *_rest = house.recovery_codes(ann)
    agent, page = at_code(house, ann)
    for _ in range(30):
        page = shown(agent.submit(page, page.form(f"/{FIELD}"), {FIELD: "0" * 24}))
        if page.status == 429:
            break
    page = shown(agent.submit(page, page.form(f"/{FIELD}"), {FIELD: right}))
    assert page.status == 429
    assert right not in page.response.text


def test_the_console_says_how_many_are_left(house: House, ann: Person) -> None:
    codes = house.recovery_codes(ann)
    admin = signed_in_as(house, "administrator")
    before = admin.page(f"/admin/people/{ann.id}").document.text
    assert "A recovery code 10 Set up on" in before
    for number, code in enumerate(codes, start=1):
        agent, page = at_code(house, ann)
        assert "code" in told(agent.submit(page, page.form(f"/{FIELD}"), {FIELD: code}))
        house.clock.advance(minutes=1)
        if number in (1, 10):
            admin = signed_in_as(house, "administrator")
            text = admin.page(f"/admin/people/{ann.id}").document.text
            assert f"{10 - number} of 10 left, last used 1 Jun 2030" in text
            assert "not used yet" not in text[text.index("A recovery code") :]
