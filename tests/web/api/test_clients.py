"""Applications over HTTP: registered, changed and deleted, by whom it may be."""

from typing import Any

import pytest

from idp.models import Client, db
from tests.helpers.house import House
from tests.web.api.calling import Tool, app_of, as_machine, as_role, problems
from tests.web.walking import events

WIKI = {"client_name": "Wiki", "redirect_uris": ["https://wiki.example/callback"]}


@pytest.fixture(scope="module")
def manager(town: House) -> Tool:
    return as_role(town, "client_manager", groups=["web team"])


def registered(tool: Tool, **members: Any) -> str:
    made = tool.ok("POST", "/clients", {**WIKI, **members})
    return str(made["client"]["client_id"])


def test_one_is_registered_and_its_secret_told_once(town: House, admin: Tool) -> None:
    response = admin("POST", "/clients", WIKI)
    assert response.status_code == 201
    made, secret = response.json()["client"], response.json()["client_secret"]
    assert made["registration"]["redirect_uris"] == WIKI["redirect_uris"]
    assert (made["kind"], made["managed_by"], made["disabled"]) == ("web", "api", False)
    shown = admin("GET", response.headers["Location"])
    assert shown.json() == made
    assert shown.headers["ETag"] == response.headers["ETag"]
    assert secret
    assert secret not in shown.text
    event = events(town, client_id=made["client_id"])[0]
    assert (event.name, event.actor_id) == ("client.registered", admin.person and admin.person.id)
    assert event.data["via"]


def test_what_is_wrong_is_named_and_nothing_is_registered(admin: Tool) -> None:
    sent = {
        "client_name": "Bad",
        "redirect_uris": ["http://wiki.example/#x"],
        "allowed_groups": ["x"],
    }
    refused = admin("POST", "/clients", sent)
    assert refused.status_code == 422
    assert problems(refused).keys() == {"redirect_uris", "allowed_groups"}
    assert admin.ok("GET", "/clients?q=Bad")["items"] == []


@pytest.mark.parametrize(
    ("member", "value"),
    [
        *(("managed_by", "file"), ("client_id", "mine"), ("client_secret", "mine")),
        *(("revision", 1), ("grant_type", "x"), ("require_pkce", "no"), ("jwks", [])),
    ],
)
def test_nothing_else_can_be_set(admin: Tool, member: str, value: object) -> None:
    refused = admin("POST", "/clients", {**WIKI, member: value})
    assert refused.status_code == 422
    assert problems(refused).keys() == {member}


def test_a_patch_sets_what_it_names_and_takes_away_what_is_null(admin: Tool) -> None:
    path = f"/clients/{registered(admin, client_uri='https://wiki.example')}"
    sent = {"client_name": "Our wiki", "client_uri": None}
    response = admin("PATCH", path, sent, match=admin.tag(path))
    assert response.status_code == 200, response.text
    now = response.json()["client"]["registration"]
    assert (now["client_name"], "client_uri" in now) == ("Our wiki", False)
    assert now["redirect_uris"] == WIKI["redirect_uris"]
    assert response.headers["ETag"] == admin.tag(path)


def test_a_put_leaves_nothing_of_what_was(admin: Tool) -> None:
    path = f"/clients/{registered(admin, client_uri='https://wiki.example')}"
    replaced = admin.ok("PUT", path, WIKI, match=admin.tag(path))
    assert "client_uri" not in replaced["client"]["registration"]


def test_a_public_one_has_no_secret_and_gets_one_when_it_needs_it(admin: Tool) -> None:
    made = admin.ok("POST", "/clients", {**WIKI, "token_endpoint_auth_method": "none"})
    assert made["client_secret"] is None
    path = f"/clients/{made['client']['client_id']}"
    sent = {"token_endpoint_auth_method": "client_secret_basic"}
    assert admin.ok("PATCH", path, sent, match=admin.tag(path))["client_secret"]


def test_deleting_takes_the_latest_version_as_well(admin: Tool) -> None:
    path = f"/clients/{registered(admin)}"
    old = admin.tag(path)
    admin.ok("PATCH", path, {"client_name": "Other"}, match=old)
    assert admin("DELETE", path, match=old).status_code == 412
    assert admin("DELETE", path, match=admin.tag(path)).status_code == 204
    assert admin("GET", path).status_code == 404


def test_disabled_it_is_refused_and_enabled_it_goes_on(admin: Tool) -> None:
    path = f"/clients/{registered(admin)}"
    assert admin.ok("POST", f"{path}/disable")["disabled"] is True
    assert admin.ok("POST", f"{path}/enable")["disabled"] is False


def test_secrets_are_added_rotated_and_removed(town: House, admin: Tool) -> None:
    path = f"/clients/{registered(admin)}/secrets"
    first = admin.ok("GET", path)["items"][0]
    added = admin("POST", path, {"lifetime": 60}).json()["client_secret"]
    one, two = admin.ok("GET", path)["items"]
    assert two["prefix"] == added[:6]
    assert two["expires_at"] is not None
    assert admin("DELETE", f"{path}/{one['id']}").status_code == 204
    assert admin("DELETE", f"{path}/{one['id']}").status_code == 404
    rotated = admin.ok("POST", path, {"end_others_in": 0})["client_secret"]
    listed = admin.ok("GET", path)["items"]
    assert {one["prefix"] for one in listed if one["expires_at"] is None} == {rotated[:6]}
    assert first["id"] not in {one["id"] for one in listed}
    both = admin("POST", path, {"lifetime": 60, "end_others_in": 0})
    assert problems(both).keys() == {"lifetime"}


def test_a_public_one_has_no_secret_to_rotate(admin: Tool) -> None:
    path = f"/clients/{registered(admin, token_endpoint_auth_method='none')}/secrets"
    assert admin("POST", path, {}).status_code == 409


def test_what_a_file_keeps_is_changed_there(town: House, admin: Tool) -> None:
    client_id = registered(admin)

    def by_file(_services: object) -> None:
        row = db.session.get_one(Client, client_id)
        row.managed_by = "file"
        db.session.commit()

    town.do(by_file)
    path = f"/clients/{client_id}"
    refused = admin("PATCH", path, {"client_name": "X"}, match=admin.tag(path))
    assert refused.status_code == 409
    assert "file" in refused.json()["detail"]


def test_pages_follow_one_another_and_miss_nobody(admin: Tool) -> None:
    mine = {registered(admin, client_name=f"Paged {number:02}") for number in range(5)}
    seen: list[str] = []
    response = admin("GET", "/clients", params={"q": "Paged", "limit": 2})
    while True:
        seen += [one["client_id"] for one in response.json()["items"]]
        if "next" not in response.links:
            break
        assert len(response.json()["items"]) == 2
        response = admin("GET", response.links["next"]["url"])
    assert response.json()["next"] is None
    assert len(seen) == 5
    assert set(seen) == mine


@pytest.mark.parametrize("cursor", ["x", "bnVsbA", "WyJ4Il0", "WzEsMl0", "WyJcdTAwMDAiLCJ4Il0"])
def test_a_cursor_that_is_not_ours_is_named(admin: Tool, cursor: str) -> None:
    refused = admin("GET", "/clients", params={"cursor": cursor})
    assert refused.status_code == 422
    assert problems(refused).keys() == {"cursor"}
    assert "changed" not in refused.json()["detail"]


def test_an_id_may_be_an_address(town: House, admin: Tool) -> None:
    client_id = "https://wiki.example//a?b=c/secrets%2F"

    def add(services: Any) -> None:
        services.client_registry.register(WIKI, town.context, client_id=client_id)

    town.do(add)
    made = admin.ok("GET", "/clients?q=https://wiki.example//a?b=c/secrets%252F")["items"]
    assert client_id in {one["client_id"] for one in made}
    url = "/clients/https:%2F%2Fwiki.example%2F%2Fa%3Fb=c%2Fsecrets%252F"
    assert admin.ok("GET", url)["client_id"] == client_id
    assert len(admin.ok("GET", f"{url}/secrets")["items"]) == 1


def test_a_limited_manager_finds_her_own_and_no_other(admin: Tool, manager: Tool) -> None:
    admin("POST", "/groups", {"name": "other team"})
    hers = registered(admin, client_name="Owned one", owner_groups=["web team"])
    others = registered(admin, client_name="Owned two", owner_groups=["other team"])
    listed = manager.ok("GET", "/clients?q=Owned")["items"]
    assert [one["client_id"] for one in listed] == [hers]
    assert manager.ok("GET", f"/clients/{hers}")["client_id"] == hers
    tag = admin.tag(f"/clients/{others}")
    for method, path in (
        ("GET", ""),
        ("GET", "/secrets"),
        ("GET", "/health"),
        ("GET", "/activity"),
    ):
        assert manager(method, f"/clients/{others}{path}").status_code == 404
    assert manager("DELETE", f"/clients/{others}", match=tag).status_code == 404
    assert manager("POST", f"/clients/{others}/disable").status_code == 404
    path = f"/clients/{hers}"
    refused = manager("PATCH", path, {"owner_groups": []}, match=manager.tag(path))
    assert problems(refused).keys() == {"owner_groups"}


def test_a_manager_makes_no_application_that_administers(admin: Tool, manager: Tool) -> None:
    robot = {
        "client_name": "Robot",
        "scope": "openid admin:people:write",
        "grant_types": ["client_credentials"],
        "response_types": [],
    }
    refused = manager("POST", "/clients", robot)
    assert problems(refused).keys() == {"scope"}
    made = admin.ok("POST", "/clients", robot)["client"]["client_id"]
    for path in (f"/clients/{made}", f"/clients/{made}/secrets"):
        assert manager("GET", path).status_code == 404
    assert manager("POST", f"/clients/{made}/secrets", {}).status_code == 404
    ordinary = f"/clients/{registered(manager)}"
    sent = {"scope": "openid admin:clients:read"}
    refused = manager("PATCH", ordinary, sent, match=manager.tag(ordinary))
    assert problems(refused).keys() == {"scope"}


def test_a_token_hands_on_no_more_than_it_holds(town: House, admin: Tool) -> None:
    """Not an administrator's with fewer scopes, nor an application's own."""
    few = "admin:clients:read admin:clients:write"
    mighty = registered(admin, scope="openid admin:people:write", consent="never")
    mild = registered(admin, scope=f"openid {few}", consent="never")
    tools = (as_role(town, "administrator", app=app_of(town, few)), as_machine(town, few.split()))
    for tool in tools:
        refused = tool("POST", "/clients", {**WIKI, "scope": "openid admin:people:write"})
        assert problems(refused).keys() == {"scope"}
        assert tool("POST", f"/clients/{mighty}/secrets", {}).status_code == 403
        assert tool("POST", f"/clients/{mild}/secrets", {}).status_code == 201
        tag = tool.tag(f"/clients/{mighty}")
        sent = {"redirect_uris": ["https://evil.example/"]}
        assert tool("PATCH", f"/clients/{mighty}", sent, match=tag).status_code == 403
        assert tool("POST", "/clients", {**WIKI, "scope": f"openid {few}"}).status_code == 201


def test_its_file_is_one_that_apply_takes(admin: Tool) -> None:
    client_id = registered(admin)
    told = admin.ok("GET", f"/clients/{client_id}/file")
    assert told["client_id"] == client_id
    assert told["client_secret"] == {"generate": True}


def test_tokens_for_registering_are_made_listed_and_revoked(admin: Tool) -> None:
    made = admin("POST", "/registration-tokens", {"uses": 2, "lifetime": 600}).json()
    assert made["token"].startswith(made["prefix"])
    listed = admin("GET", "/registration-tokens")
    assert made["token"] not in listed.text
    assert made["id"] in {one["id"] for one in listed.json()["items"]}
    assert admin("DELETE", f"/registration-tokens/{made['id']}").status_code == 204
    assert admin("DELETE", f"/registration-tokens/{made['id']}").status_code == 404


def test_why_a_sign_in_asks_what_it_asks_is_told(town: House, admin: Tool) -> None:
    shop = town.client(consent="never")
    url = shop.authorization_url(acr_values="phr")
    assert admin.person is not None
    hers = {"url": url, "person": admin.person.email}
    assert admin("GET", "/explain", params=hers).json()["outcome"] == "asks"
    proved = {**hers, "evidence": "passkey"}
    assert admin("GET", "/explain", params=proved).json()["outcome"] == "tokens"
    assert admin("GET", "/explain", params={"url": "client_id=x"}).json()["outcome"] == "error"
    for wrong in ({}, {"url": url, "person": "nobody"}, {"url": url, "evidence": "luck"}):
        assert admin("GET", "/explain", params=wrong).status_code == 422
