"""Whoever has a part of the administration gets at that part, by whichever way round."""

from typing import Any

import pytest

from tests.helpers.house import House
from tests.web.admin.people import signed_in_as
from tests.web.api.calling import Tool, as_machine, as_role, problems
from tests.web.walking import newcomer, tokens_of


@pytest.fixture(scope="module")
def keeper(town: House) -> Tool:
    return as_role(town, "client_manager")


def test_how_somebody_signs_in_is_not_for_who_keeps_applications(
    town: House, admin: Tool, keeper: Tool
) -> None:
    shop, bob = town.client(), newcomer(town)
    town.totp(bob)
    url = shop.authorization_url()
    assert keeper("GET", "/explain", params={"url": url}).json()["outcome"] == "asks"
    for who in (bob.email, "nobody@example.com"):
        refused = keeper("GET", "/explain", params={"url": url, "person": who})
        assert refused.status_code == 403
    robot = as_machine(town, ["admin:clients:read"])
    assert robot("GET", "/explain", params={"url": url, "person": bob.email}).status_code == 403
    assert admin.ok("GET", "/explain", params={"url": url, "person": bob.email})["lines"]


def test_the_console_does_not_explain_people_to_who_keeps_applications(town: House) -> None:
    shop, bob = town.client(), newcomer(town)
    town.totp(bob)
    asked = {"url": shop.authorization_url(), "person": bob.email, "evidence": "pwd"}
    told = {
        role: signed_in_as(town, role).client.get("/admin/explain", params=asked).text
        for role in ("client_manager", "auditor")
    }
    assert "totp" in told["auditor"].lower()
    assert bob.email in told["auditor"]
    assert bob.email not in told["client_manager"]
    assert "totp: enough by itself" not in told["client_manager"]


def test_an_application_of_others_is_not_explained(town: House, admin: Tool, keeper: Tool) -> None:
    admin.ok("POST", "/groups", {"name": "owners"})
    hidden, shown = town.client(owner_groups=["owners"], minimum_acr="phr"), town.client()
    agent = signed_in_as(town, "client_manager")
    for shop, status in ((hidden, 422), (shown, 200)):
        asked = {"url": shop.authorization_url()}
        assert keeper("GET", "/explain", params=asked).status_code == status
        assert agent.client.get("/admin/explain", params=asked).status_code == status


def test_a_link_to_an_account_is_none_to_the_administrator_that_it_becomes(
    town: House, admin: Tool
) -> None:
    """Who may make one for anybody may not make one for an administrator, nor keep one in hand."""
    robot, bob = as_machine(town, ["admin:people:read", "admin:people:write"]), newcomer(town)
    path, browser = f"/people/{bob.id}", town.browser()
    link = robot.ok("POST", f"{path}/link")["url"]
    admin.ok("PATCH", path, {"name": "Bob"}, match=admin.tag(path))
    assert browser.page(link).status == 200
    admin.ok("PUT", f"{path}/role", {"role": "administrator"}, match=admin.tag(path))
    assert browser.page(link).status == 410
    assert robot("POST", f"{path}/link").status_code == 403


def test_a_link_to_an_account_that_was_shut_is_over(town: House, admin: Tool) -> None:
    bob = newcomer(town)
    path = f"/people/{bob.id}"
    link = admin.ok("POST", f"{path}/link")["url"]
    for then in ("disable", "enable"):
        admin.ok("POST", f"{path}/{then}")
        assert town.browser().page(link).status == 410


def test_nobody_else_comes_by_the_name_of_a_group_that_keeps_applications(
    town: House, admin: Tool, keeper: Tool
) -> None:
    assert keeper.person is not None
    made = {name: admin.ok("POST", "/groups", {"name": name})["id"] for name in ("gold", "lead")}
    hers, robot = f"/people/{keeper.person.id}", as_machine(town, GROUPS)
    admin.ok("PATCH", hers, {"groups": ["lead"]}, match=admin.tag(hers))
    kept = town.client(owner_groups=["gold"])
    gold, lead = (f"/groups/{made[name]}" for name in ("gold", "lead"))
    refused = robot("DELETE", gold, match=robot.tag(gold))
    assert "Shop" in problems(refused)["name"]
    taken = robot("PATCH", lead, {"name": "gold"}, match=robot.tag(lead))
    assert taken.status_code == 422
    robot.ok("PATCH", gold, {"name": "old"}, match=robot.tag(gold))
    robot.ok("PATCH", lead, {"name": "gold"}, match=robot.tag(lead))
    assert keeper("GET", f"/clients/{kept.client_id}").status_code == 404
    kept_by = admin.ok("GET", f"/clients/{kept.client_id}")["registration"]["owner_groups"]
    assert kept_by == ["old"], "it follows the group and not the name"


GROUPS = ["admin:groups:read", "admin:groups:write"]
LOCKED = {
    "passkeys alone, and none": {"refused_methods": "passkey", "login_style": "passkey_only"},
    "a password and nothing beside it": {"refused_methods": "passkey totp"},
    "only what is set up, which is a passkey": {
        "refused_methods": "passkey",
        "enrol_in_step_up": False,
    },
}


@pytest.mark.parametrize("settings", LOCKED.values(), ids=LOCKED)
def test_no_setting_shuts_out_all_who_administer(
    town: House, admin: Tool, settings: dict[str, Any]
) -> None:
    for tool in (admin, as_machine(town, ["admin:settings:read", "admin:settings:write"])):
        refused = tool("PATCH", "/settings", settings, match=tool.tag("/settings"))
        assert "must leave" in problems(refused)["refused_methods"]
    fine = {"refused_methods": "totp", "login_style": "passkey_only"}
    admin.ok("PATCH", "/settings", fine, match=admin.tag("/settings"))
    back = {"refused_methods": None, "login_style": None}
    admin.ok("PATCH", "/settings", back, match=admin.tag("/settings"))


PERSONAL = ("user_id", "session_id", "transaction_id", "address")


def test_who_uses_an_application_is_for_who_reads_the_audit_log(
    town: House, admin: Tool, keeper: Tool
) -> None:
    shop, bob = town.client(consent="never"), newcomer(town)
    tokens_of(town.browser(), shop, bob)
    path = f"/clients/{shop.client_id}/activity"
    for tool, is_told in ((keeper, False), (as_machine(town, ["admin:clients:read"]), False)):
        answer = tool("GET", path)
        assert answer.json()["items"], "something happened"
        assert (bob.id in answer.text, bob.email in answer.text) == (is_told, is_told)
        assert all(one[name] is None for one in answer.json()["items"] for name in PERSONAL)
    for tool in (admin, as_role(town, "auditor")):
        answer = tool("GET", path)
        assert bob.id in answer.text
        assert any(one["address"] for one in answer.json()["items"])
