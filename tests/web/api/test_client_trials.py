"""An application tried without a browser: by the API, the command and the console alike."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from idp.models import AccessToken, ClientSecret, Grant, db
from tests.helpers.house import House
from tests.helpers.relying_party import RelyingParty
from tests.helpers.user_agent import Page, UserAgent
from tests.web.admin.people import signed_in_as
from tests.web.api.calling import Tool, as_role
from tests.web.walking import events

MACHINE: Mapping[str, Any] = {"grant_types": ["client_credentials"], "scope": "openid reports"}
DEVICE: Mapping[str, Any] = {
    "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"],
    "response_types": [],
    "token_endpoint_auth_method": "none",
}
ROBOT: Mapping[str, Any] = {**MACHINE, "response_types": []}
HEALTH = ["registration", "credentials", "addresses"]


def tried(tool: Tool, client: RelyingParty, **asked: str) -> Any:
    return tool.ok("POST", f"/clients/{client.client_id}/test", asked)


def names(found: Any) -> list[str]:
    return [one["name"] for one in found["steps"]]


def test_what_acts_for_itself_gets_a_token_that_is_worth_nothing_afterwards(
    town: House, admin: Tool
) -> None:
    robot = town.client(**MACHINE, access_token_format="opaque")
    found = tried(admin, robot)
    assert (found["passed"], found["error"], found["fix"]) == (True, None, None)
    assert names(found) == [*HEALTH, "token"]
    assert found["steps"][-1]["answer"]["scope"] == "reports"
    with town.app.app_context():
        grant = db.session.scalars(select(Grant).where(Grant.client_id == robot.client_id)).one()
        token = db.session.scalars(
            select(AccessToken).where(AccessToken.grant_id == grant.id)
        ).one()
    assert grant.ended_at is not None
    assert token.token_hash not in str(found)
    (tested,) = events(town, event="client.tested", client_id=robot.client_id)
    assert tested.data["outcome"] == "passed"
    assert tested.actor_id == (admin.person.id if admin.person else None)


def test_the_last_time_is_told(town: House, admin: Tool) -> None:
    robot = town.client(**MACHINE)
    assert tried(admin, robot)["last"] is None
    failed = tried(admin, robot, scope="reports secrets")
    assert (failed["error"], failed["last"]["outcome"]) == ("invalid_scope", "passed")
    assert "A scope is asked for" in failed["fix"]
    assert tried(admin, robot)["last"]["outcome"] == "invalid_scope"


def test_whom_people_sign_in_to_is_tried_in_a_browser_and_that_is_told(
    town: House, admin: Tool
) -> None:
    shop = town.client()
    found = tried(admin, shop)
    assert (names(found), found["passed"], found["last"]) == (HEALTH, True, None)
    assert events(town, event="client.tested", client_id=shop.client_id) == []
    agent = signed_in_as(town, "administrator")
    by_hand(agent, agent.page(found["address"]))
    assert tried(admin, shop)["last"]["outcome"] == "passed"


def by_hand(agent: UserAgent, page: Page) -> Page:
    place = agent.submit(page, page.form("/test"))
    assert isinstance(place, Page)
    return place


def end_secrets(house: House, client: RelyingParty) -> None:
    def end(_services: object) -> None:
        past = house.clock() - timedelta(seconds=1)
        mine = update(ClientSecret).where(ClientSecret.client_id == client.client_id)
        db.session.execute(mine.values(expires_at=past))
        db.session.commit()

    house.do(end)


def disable(house: House, client: RelyingParty) -> None:
    house.do(lambda idp: idp.client_registry.disable(client.client_id, house.context))


BROKEN: Mapping[str, tuple[Mapping[str, Any], Any, str, str, str]] = {
    "disabled": ({}, disable, "registration", "unauthorized_client", "Enable it under Danger"),
    "a machine whose secrets have ended": (
        MACHINE,
        end_secrets,
        "credentials",
        "invalid_client",
        "Add a secret",
    ),
    "keys that nobody publishes": (
        {
            "jwks_uri": "http://127.0.0.1:9/keys",
            "token_endpoint_auth_method": "private_key_jwt",
        },
        None,
        "credentials",
        "invalid_client",
        "look at where its keys",
    ),
}


@pytest.mark.parametrize(("members", "breaks", "step", "error", "fix"), BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_is_named_alike_in_the_console(
    town: House,
    admin: Tool,
    members: Mapping[str, Any],
    breaks: Any,
    step: str,
    error: str,
    fix: str,
) -> None:
    client = town.client(**members)
    if breaks is not None:
        breaks(town, client)
    found = tried(admin, client)
    assert (found["passed"], found["error"], names(found)[-1]) == (False, error, step)
    assert fix in found["fix"]
    agent = signed_in_as(town, "administrator")
    text = by_hand(agent, agent.page(f"/admin/clients/{client.client_id}/test")).document.text
    assert found["fix"] in text
    assert f"Failed: {error}" in text


@pytest.mark.parametrize("members", [ROBOT, DEVICE], ids=["machine", "device"])
def test_the_console_tries_what_nobody_signs_in_to_as_well(
    town: House, members: Mapping[str, Any]
) -> None:
    client, agent = town.client(**members), signed_in_as(town, "client_manager")
    page = by_hand(agent, agent.page(f"/admin/clients/{client.client_id}/test"))
    assert "Everything that can be tried here is in order." in page.document.text
    assert ("What was issued" in page.document.text) is (members is not DEVICE)


def test_an_auditor_tries_nothing_and_nobody_anothers(town: House, admin: Tool) -> None:
    admin.ok("POST", "/groups", {"name": "others"})
    path = f"/clients/{town.client(owner_groups=['others']).client_id}/test"
    assert as_role(town, "auditor")("POST", path).status_code == 403
    assert as_role(town, "client_manager")("POST", path).status_code == 404
    assert admin("POST", path).status_code == 200
