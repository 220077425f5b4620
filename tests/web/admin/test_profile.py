"""The standard claims of somebody, as an administrator keeps them."""

import pytest

from idp.models import User, db
from tests.helpers.house import House, Person
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.walking import events, newcomer


@pytest.fixture(scope="module")
def admin(town: House) -> UserAgent:
    return signed_in_as(town, "administrator")


@pytest.fixture
def person(town: House) -> Person:
    profile = {"nickname": "Annie", "nickname#ja": "アニー", "phone_number": "+1 425 555 1212"}
    return newcomer(town, profile=profile)


def profile_of(house: House, person: Person) -> dict[str, object]:
    def read(_services: object) -> dict[str, object]:
        return dict(db.session.get_one(User, person.id, populate_existing=True).profile)

    found: dict[str, object] = house.do(read)
    return found


def save(admin: UserAgent, person: Person, **values: str) -> Page:
    page = admin.page(f"/admin/people/{person.id}/profile")
    place = admin.submit(page, page.form("/profile"), values)
    assert isinstance(place, Page)
    return place


def test_claims_are_set_taken_away_and_left_alone(
    town: House, admin: UserAgent, person: Person
) -> None:
    page = save(
        admin,
        person,
        given_name="Ann",
        nickname="",
        birthdate="1990-02-03",
        phone_number_verified="yes",
        **{"address-locality": "Oslo", "address-formatted": "Street 1\r\nOslo"},
    )
    assert "Saved." in page.document.text
    assert profile_of(town, person) == {
        "given_name": "Ann",
        "nickname#ja": "アニー",
        "birthdate": "1990-02-03",
        "phone_number": "+1 425 555 1212",
        "phone_number_verified": True,
        "address": {"locality": "Oslo", "formatted": "Street 1\nOslo"},
    }
    (changed,) = events(town, event="user.updated", user_id=person.id)
    assert changed.data["fields"] == ["profile"]
    assert changed.actor_id
    assert "Oslo" not in str(changed.data)


WRONG = {
    "a date": ({"birthdate": "3 February"}, "Date of birth: must be written YYYY-MM-DD"),
    "an address": ({"picture": "javascript:alert(1)"}, "Picture: must be a complete URL"),
}


@pytest.mark.parametrize(("values", "told"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_and_nothing_is_saved(
    town: House, admin: UserAgent, person: Person, values: dict[str, str], told: str
) -> None:
    before = profile_of(town, person)
    page = save(admin, person, given_name="Kept", **values)
    assert page.status == 422
    assert told in page.document.text
    assert dict(page.form("/profile").fields)["given_name"] == "Kept"
    assert profile_of(town, person) == before


def test_an_auditor_reads_and_does_not_save(town: House, person: Person) -> None:
    page = signed_in_as(town, "auditor").page(f"/admin/people/{person.id}/profile")
    assert page.status == 200
    assert "Save" not in [button.label for form in page.document.forms for button in form.buttons]
