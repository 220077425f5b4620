"""Nobody overwrites what they have not seen: ETag, If-Match, and one conditional statement."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from idp.web.api.registry import OPERATIONS
from tests.helpers.house import House
from tests.web.api.calling import Tool
from tests.web.walking import newcomer

WIKI = {"client_name": "Wiki", "redirect_uris": ["https://wiki.example/callback"]}


def a_client(_house: House, admin: Tool) -> str:
    made = admin.ok("POST", "/clients", WIKI)
    return f"/clients/{made['client']['client_id']}"


def a_person(house: House, _admin: Tool) -> str:
    return f"/people/{newcomer(house).id}"


def a_group(_house: House, admin: Tool) -> str:
    count = len(admin.ok("GET", "/groups?limit=100")["items"])
    return f"/groups/{admin.ok('POST', '/groups', {'name': f'group {count}'})['id']}"


def the_settings(_house: House, _admin: Tool) -> str:
    return "/settings"


CHANGES: Mapping[str, tuple[Callable[[House, Tool], str], Any, Any]] = {
    "an application": (a_client, {"client_name": "One"}, {"client_name": "Two"}),
    "a person": (a_person, {"name": "One"}, {"name": "Two"}),
    "a group": (a_group, {"name": "One"}, {"name": "Two"}),
    "the settings": (the_settings, {"site_name": "One"}, {"site_name": "Two"}),
}


@pytest.mark.parametrize(("make", "one", "two"), CHANGES.values(), ids=CHANGES)
def test_of_two_changes_of_one_version_the_second_is_refused(
    town: House, admin: Tool, make: Callable[[House, Tool], str], one: Any, two: Any
) -> None:
    path = make(town, admin)
    read = admin("GET", path)
    tag = read.headers["ETag"]
    assert admin("PATCH", path, one).status_code == 428
    assert admin("PATCH", path, one, match='"other"').status_code == 412
    assert admin("PATCH", path, one, match=f"W/{tag}").status_code == 412
    first = admin("PATCH", path, one, match=tag)
    assert first.status_code == 200
    assert first.headers["ETag"] != tag
    second = admin("PATCH", path, two, match=tag)
    assert second.status_code == 412
    assert second.headers["Content-Type"] == "application/problem+json"
    assert "One" in admin("GET", path).text
    assert admin("PATCH", path, two, match=f'"other", {first.headers["ETag"]}').status_code == 200


@pytest.mark.parametrize(("make", "_one", "two"), CHANGES.values(), ids=CHANGES)
def test_who_says_any_version_means_any_that_there_is(
    town: House, admin: Tool, make: Callable[[House, Tool], str], _one: Any, two: Any
) -> None:
    """RFC 9110 section 13.1.1: ``*`` is a condition, and true of whatever there is."""
    path = make(town, admin)
    for number in ("1", "2"):
        change = {name: f"{value} of {number}" for name, value in two.items()}
        assert admin("PATCH", path, change, match="*").status_code == 200
    assert "Two of 2" in admin("GET", path).text


NOBODY = "/nothing-is-called-this"


@pytest.mark.parametrize("path", [f"/clients{NOBODY}", f"/people{NOBODY}", f"/groups{NOBODY}"])
def test_where_there_is_nothing_no_condition_is_looked_at(admin: Tool, path: str) -> None:
    """RFC 9110 section 13.2.1: what would be a 404 without it stays one."""
    for match in ("*", '"other"'):
        assert admin("PATCH", path, {"name": "x"}, match=match).status_code in (404, 422)
        assert admin("DELETE", path, match=match).status_code == 404


@pytest.mark.parametrize(("make", "one", "_two"), CHANGES.values(), ids=CHANGES)
def test_what_has_not_changed_is_not_sent_again(
    town: House, admin: Tool, make: Callable[[House, Tool], str], one: Any, _two: Any
) -> None:
    path = make(town, admin)
    tag = admin.tag(path)
    known = {"If-None-Match": tag}
    assert admin("GET", path, headers=known).status_code == 304
    admin.ok("PATCH", path, {name: f"{value} more" for name, value in one.items()}, match=tag)
    assert admin("GET", path, headers=known).status_code == 200


WRONG = {
    "clients": {"logo_uri": "x"},
    "people": {"username": "a@b"},
    "groups": {"name": "\u202e"},
    "settings": {"accent": "red"},
}


@pytest.mark.parametrize(("make", "one", "_two"), CHANGES.values(), ids=CHANGES)
def test_a_refused_change_leaves_the_version_as_it_was(
    town: House, admin: Tool, make: Callable[[House, Tool], str], one: Any, _two: Any
) -> None:
    path = make(town, admin)
    tag = admin.tag(path)
    assert admin("PATCH", path, WRONG[path.split("/")[1]], match=tag).status_code == 422
    assert admin.tag(path) == tag
    assert admin("PATCH", path, one, match=tag).status_code == 200


def test_whatever_replaces_or_removes_is_conditional() -> None:
    by_itself = {
        *("remove_client_secret", "revoke_registration_token", "undo_deletion"),
        *("reset_second_step", "end_person_sessions", "end_person_session", "disconnect_app"),
    }
    changing = {n for n, one in OPERATIONS.items() if one.method in ("PUT", "PATCH", "DELETE")}
    assert {name for name in changing if not OPERATIONS[name].conditional} == by_itself


def test_an_account_is_changed_by_whoever_signs_in_too(town: House, admin: Tool) -> None:
    """The version counts every change of the row, not only those of this API."""
    person = newcomer(town)
    path = f"/people/{person.id}"
    tag = admin.tag(path)

    def disable(services: Any) -> None:
        services.accounts.disable(services.accounts.find(person.id), town.context)
        services.accounts.enable(services.accounts.find(person.id), town.context)

    town.do(disable)
    assert admin.ok("GET", path)["state"] == "active"
    assert admin("DELETE", path, match=tag).status_code == 412
