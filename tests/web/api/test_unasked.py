"""Who keeps applications lets none of them act on people who are not asked, through no door."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.helpers.house import CALLBACK, House
from tests.helpers.user_agent import Page
from tests.web.admin.people import signed_in_as
from tests.web.api.calling import Tool, as_machine, as_role, problems
from tests.web.walking import events

CLIENTS = ("admin:clients:read", "admin:clients:write")
BASE = {"client_name": "Wiki", "redirect_uris": [CALLBACK]}
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "asks nobody": ({}, {"consent": "never"}, "consent"),
    "asks nobody, and ends sessions": (
        {"scope": "openid account"},
        {"consent": "never"},
        "consent",
    ),
    "takes more of whom it does not ask": (
        {"consent": "never", "scope": "openid"},
        {"scope": "openid email"},
        "scope",
    ),
    "takes all that is usual of whom it does not ask": (
        {"consent": "never", "scope": "openid"},
        {"scope": None},
        "scope",
    ),
    "acts elsewhere in people’s names": (
        {"grant_types": ["authorization_code", EXCHANGE]},
        {"token_exchange_audiences": ["https://ledger.example"]},
        "token_exchange_audiences",
    ),
}
FINE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "asks at every sign-in": ({}, {"consent": "always"}),
    "asks again": ({"consent": "never"}, {"consent": "remember"}),
    "another address of one that asks nobody": (
        {"consent": "never"},
        {"redirect_uris": [CALLBACK, "https://wiki.example/cb"]},
    ),
    "less of whom it does not ask": (
        {"consent": "never", "scope": "openid email"},
        {"scope": "openid"},
    ),
    "whom it asks about sessions": ({}, {"scope": "openid account"}),
}


@pytest.fixture(scope="module")
def tools(town: House, admin: Tool) -> Mapping[str, Tool]:
    """Who may change applications: alone, or beside people's accounts."""
    return {
        "a client manager": as_role(town, "client_manager"),
        "a machine for applications": as_machine(town, CLIENTS),
        "an administrator": admin,
        "a machine for people, too": as_machine(town, [*CLIENTS, "admin:people:write"]),
    }


LIMITED = ("a client manager", "a machine for applications")


def change(tool: Tool, admin: Tool, before: dict[str, Any], members: dict[str, Any]) -> Any:
    """Of an application that is as it was before; and the same, registered at once."""
    made = admin.ok("POST", "/clients", {**BASE, **before})["client"]["client_id"]
    path = f"/clients/{made}"
    return made, tool("PATCH", path, members, match=admin.tag(path))


@pytest.mark.parametrize(("before", "members", "field"), CHANGES.values(), ids=CHANGES)
def test_what_acts_on_people_unasked_is_not_for_who_keeps_applications(
    town: House,
    admin: Tool,
    tools: Mapping[str, Tool],
    before: dict[str, Any],
    members: dict[str, Any],
    field: str,
) -> None:
    for name, tool in tools.items():
        made, answer = change(tool, admin, before, members)
        if name not in LIMITED:
            assert answer.status_code == 200, answer.text
            continue
        assert "administrator" in problems(answer)[field]
        path = f"/clients/{made}"
        assert {**BASE, **before}.items() <= admin.ok("GET", path)["registration"].items()
        (refused,) = events(town, event="client.change.refused", client_id=made)
        assert refused.data["members"] == [field]
        whole = {**BASE, **before, **members}
        if "scope" not in members:
            assert field in problems(tool("POST", "/clients", whole))
            assert field in problems(tool("PUT", path, whole, match=admin.tag(path)))


@pytest.mark.parametrize(("before", "members"), FINE.values(), ids=FINE)
def test_what_asks_people_is(
    admin: Tool, tools: Mapping[str, Tool], before: dict[str, Any], members: dict[str, Any]
) -> None:
    for name in LIMITED:
        _made, answer = change(tools[name], admin, before, members)
        assert answer.status_code == 200, answer.text


def test_what_acts_on_accounts_unasked_is_out_of_their_hands(
    admin: Tool, tools: Mapping[str, Tool]
) -> None:
    """Else they would add an address, or a secret, of their own to it."""
    scope = {"consent": "never", "scope": "openid account"}
    made = admin.ok("POST", "/clients", {**BASE, **scope})["client"]["client_id"]
    manager, machine = (tools[name] for name in LIMITED)
    path = f"/clients/{made}"
    assert manager("GET", path).status_code == 404
    assert machine("POST", f"{path}/secrets").status_code == 403
    assert made not in [one["client_id"] for one in manager.ok("GET", "/clients")["items"]]
    assert tools["a machine for people, too"]("POST", f"{path}/disable").status_code == 200


def test_the_console_offers_it_to_whom_it_is_for(town: House, admin: Tool) -> None:
    made = admin.ok("POST", "/clients", {**BASE})["client"]["client_id"]
    for role, offered in (("client_manager", False), ("administrator", True)):
        agent = signed_in_as(town, role)
        wizard = agent.page("/admin/clients/new/web")
        assert ("ours" in wizard.form("/new/web").inputs) is offered
        page = agent.page(f"/admin/clients/{made}/access")
        assert ('value="never"' in page.response.text) is offered
        sent = agent.submit(page, page.form("/access"), {"consent": "never"})
        assert isinstance(sent, Page)
        assert sent.status == (200 if offered else 422)
        assert ("for an administrator" in sent.document.text) is not offered
