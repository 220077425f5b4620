"""Keys, the audit log, health and settings over HTTP."""

from typing import Any

import pytest

from tests.helpers.house import House
from tests.web.api.calling import Tool, as_machine, problems
from tests.web.walking import newcomer, signed_in


def test_keys_are_listed_without_what_is_secret(admin: Tool) -> None:
    response = admin("GET", "/keys")
    assert {one["state"] for one in response.json()["items"]} == {"signing"}
    assert "private" not in response.text


def test_a_key_is_rotated_and_the_old_one_retired(town: House, admin: Tool) -> None:
    (made,) = admin.ok("POST", "/keys/rotate", {"algorithm": "ES256"})["items"]
    assert made["state"] == "waiting"
    old = next(
        one
        for one in admin.ok("GET", "/keys")["items"]
        if one["algorithm"] == "ES256" and one["state"] == "signing"
    )
    listed = admin.ok("POST", f"/keys/{old['kid']}/retire", {})["items"]
    states = {one["kid"]: one["state"] for one in listed}
    assert (states[old["kid"]], states[made["kid"]]) == ("published", "signing")


def test_the_last_key_of_its_kind_is_not_retired(admin: Tool) -> None:
    last = next(one for one in admin.ok("GET", "/keys")["items"] if one["algorithm"] == "RS256")
    refused = admin("POST", f"/keys/{last['kid']}/retire", {})
    assert refused.status_code == 409
    assert "rotate first" in refused.json()["detail"]
    assert admin("POST", "/keys/nothing/retire", {}).status_code == 404


def test_an_algorithm_that_there_is_not_is_named(admin: Tool) -> None:
    refused = admin("POST", "/keys/rotate", {"algorithm": "HS256"})
    assert problems(refused).keys() == {"algorithm"}


def test_what_happened_is_found_and_told_in_sentences(town: House, admin: Tool) -> None:
    bob = newcomer(town)
    signed_in(town, town.client(consent="never"), bob)
    for query in ({"person": bob.email}, {"person": bob.id, "event": "login.password"}):
        found = admin("GET", "/audit", params=query).json()["items"]
        assert found
        assert {one["user_id"] for one in found} == {bob.id}
    one = admin("GET", "/audit", params={"person": bob.id, "outcome": "ok", "limit": 1})
    assert bob.email in one.json()["items"][0]["sentence"]


def test_an_application_that_acted_is_called_by_its_name(town: House, admin: Tool) -> None:
    robot = as_machine(town, ["admin:groups:write"])
    robot.ok("POST", "/groups", {"name": "of the robot"})
    newest = admin.ok("GET", "/audit?event=group.created&limit=1")["items"][0]
    assert robot.app is not None
    assert newest["actor_id"] == f"client:{robot.app.client_id}"
    assert newest["sentence"] == "Shop made the group of the robot."


def test_the_log_is_read_page_by_page_to_its_end(town: House, admin: Tool) -> None:
    bob = newcomer(town)
    signed_in(town, town.client(consent="never"), bob)
    whole = admin("GET", "/audit", params={"person": bob.id, "limit": 100}).json()["items"]
    ids: list[int] = []
    response = admin("GET", "/audit", params={"person": bob.id, "limit": 1})
    while True:
        ids += [one["id"] for one in response.json()["items"]]
        if "next" not in response.links:
            break
        response = admin("GET", response.links["next"]["url"])
    assert ids == [one["id"] for one in whole]
    assert ids == sorted(ids, reverse=True)


@pytest.mark.parametrize("moment", ["yesterday", "2026-13-01", "0001-01-01T00:00:00+23:59"])
def test_a_time_that_is_none_is_named(admin: Tool, moment: str) -> None:
    refused = admin("GET", "/audit", params={"since": moment})
    assert problems(refused).keys() == {"since"}


def test_a_time_narrows_the_log(town: House, admin: Tool) -> None:
    newcomer(town)
    soon = admin("GET", "/audit", params={"since": "2099-01-01T00:00:00Z"}).json()["items"]
    past = admin("GET", "/audit", params={"until": "2099-01-01"}).json()["items"]
    assert soon == []
    assert past


def test_health_says_what_the_doctor_says(town: House, admin: Tool) -> None:
    found = admin.ok("GET", "/health")
    told = town.do(lambda services: list(services.health.examine(town.clock())))
    assert found["findings"] == [
        {"check": one.check, "state": one.state, "text": one.text} for one in told
    ]
    assert found["outbox"]["waiting"] >= 0


def test_a_mail_is_tried_by_a_person_for_herself(town: House, admin: Tool) -> None:
    assert admin.ok("POST", "/health/mail") == {"sent": True, "problem": None}
    assert as_machine(town)("POST", "/health/mail").status_code == 401


def test_settings_are_changed_all_of_them_or_none(town: House, admin: Tool) -> None:
    before = admin.ok("GET", "/settings")
    assert before["site_name"]["source"] == "default"
    sent: dict[str, Any] = {"site_name": "Elm Street", "accent": "nothing"}
    refused = admin("PATCH", "/settings", sent, match=admin.tag("/settings"))
    assert problems(refused).keys() == {"accent"}
    assert admin.ok("GET", "/settings") == before
    sent = {"site_name": "Elm Street", "account_second_step": False}
    after = admin.ok("PATCH", "/settings", sent, match=admin.tag("/settings"))
    assert after["site_name"] == {
        "value": "Elm Street",
        "source": "changed here",
        "started_with": before["site_name"]["value"],
    }
    assert after["account_second_step"]["value"] is False
    back = {"site_name": None, "account_second_step": True}
    assert admin.ok("PATCH", "/settings", back, match=admin.tag("/settings")) == before


def test_nothing_else_is_a_setting(admin: Tool) -> None:
    sent = {"issuer": "https://evil.example", ".revision": "x"}
    refused = admin("PATCH", "/settings", sent, match=admin.tag("/settings"))
    assert problems(refused).keys() == {"issuer", ".revision"}
