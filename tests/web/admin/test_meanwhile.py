"""Forms that somebody else overtook: nothing is lost, neither theirs nor what was typed here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

import pytest

from tests.helpers.house import House
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as

_NUMBERS = count(1)


@dataclass(frozen=True)
class Form:
    """A form, what the first and the second who save it type, and what the second is told."""

    path: str
    action: str
    first: Mapping[str, str]
    second: Mapping[str, str]
    told: str


FORMS = {
    "an application's details": Form(
        "/admin/clients/{client}/details",
        "/details",
        {"client_uri": "https://first.example/"},
        {"client_uri": "https://second.example/", "client_name": "Second"},
        "It is “https://first.example/” now.",
    ),
    "who may use it": Form(
        "/admin/clients/{client}/access",
        "/access",
        {"minimum_acr": "phr"},
        {"max_auth_age": "600"},
        "It is “phr” now.",
    ),
    "what it is told": Form(
        "/admin/clients/{client}/claims",
        "/claims",
        {"map-name": "nickname"},
        {"map-name": "email"},
        "It is “name: nickname” now.",
    ),
    "somebody's profile": Form(
        "/admin/people/{person}/profile",
        "/profile",
        {"nickname": "First"},
        {"nickname": "Second", "address-locality": "Oslo"},
        "It is “First” now.",
    ),
    "somebody's name": Form(
        "/admin/people/{person}", "{person}", {"name": "First"}, {"name": "Second"}, "“First” now."
    ),
    "somebody's role": Form(
        "/admin/people/{person}", "/role", {"role": "auditor"}, {"role": "client_manager"}, "now."
    ),
    "a setting": Form(
        "/admin/settings",
        "/settings",
        {"help_url": "https://first.example/"},
        {"help_url": "", "site_name": "Second"},
        "It is “https://first.example/” now.",
    ),
}


@pytest.fixture(scope="module")
def admin(town: House) -> UserAgent:
    return signed_in_as(town, "administrator")


@pytest.fixture
def ids(town: House) -> Mapping[str, str]:
    person = town.person(f"overtaken{next(_NUMBERS)}@example.com", name="Nobody yet")
    return {"client": town.client(client_name="Overtaken").client_id, "person": person.id}


def send(agent: UserAgent, page: Page, action: str, values: Mapping[str, str]) -> Page:
    place = agent.submit(page, page.form(action), values)
    assert isinstance(place, Page)
    return place


@pytest.mark.parametrize("one", FORMS.values(), ids=FORMS)
def test_who_saves_second_is_told_and_saves_again(
    admin: UserAgent, ids: Mapping[str, str], one: Form
) -> None:
    path, action = one.path.format(**ids), one.action.format(**ids)
    seen = admin.page(path)
    assert send(admin, admin.page(path), action, one.first).status == 200
    refused = send(admin, seen, action, one.second)
    assert refused.status == 422
    assert "Somebody changed this meanwhile" in refused.document.text
    assert one.told in refused.document.text
    typed = refused.form(action)
    assert {name: dict(typed.fields).get(name) for name in one.second} == one.second
    still = dict(admin.page(path).form(action).fields)
    assert {name: still[name] for name in one.first} == one.first
    assert send(admin, refused, action, {}).status == 200
    saved = dict(admin.page(path).form(action).fields)
    assert {name: saved[name] for name in one.second} == one.second


def test_a_registration_as_json_names_the_members_that_are_otherwise(
    admin: UserAgent, ids: Mapping[str, str]
) -> None:
    path = f"/admin/clients/{ids['client']}/registration"
    seen = admin.page(path)
    text = json.loads(dict(seen.form("/registration").fields)["registration"])
    first = {"registration": json.dumps({**text, "access_token_format": "opaque"})}
    assert send(admin, admin.page(path), "/registration", first).status == 200
    refused = send(admin, seen, "/registration", {"registration": json.dumps(text)})
    assert refused.status == 422
    assert "access_token_format: It is “opaque” now." in refused.document.text
    assert "consent:" not in refused.document.text


def test_a_group_that_was_renamed_meanwhile_says_what_it_is_called(admin: UserAgent) -> None:
    page = send(admin, admin.page("/admin/groups"), "/groups", {"name": "Cooks of old"})
    seen = admin.page(page.link("Cooks of old"))
    action = seen.path
    assert send(admin, admin.page(seen.path), action, {"name": "Chefs"}).status == 200
    refused = send(admin, seen, action, {"name": "Waiters"})
    assert refused.status == 422
    assert "it is called Chefs now" in refused.document.text
    assert send(admin, refused, action, {}).status == 200


def test_a_form_that_does_not_say_what_it_was_made_from_is_refused(
    admin: UserAgent, ids: Mapping[str, str]
) -> None:
    page = admin.page(f"/admin/clients/{ids['client']}/details")
    refused = send(admin, page, "/details", {"version": "not a number"})
    assert refused.status == 422
    assert "Somebody changed this meanwhile" in refused.document.text
