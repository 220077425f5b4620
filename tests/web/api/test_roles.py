"""Every operation against every role and every scope, taken from the registry itself."""

from collections.abc import Mapping

import httpx
import pytest

from idp.oidc.capabilities import ENDPOINTS
from idp.protocol.scopes import ACCOUNT, ADMIN_SCOPES
from idp.services.roles import ROLES, Area, Permission, permits
from idp.web.api.operation import Operation
from idp.web.api.registry import OPERATIONS, OWN
from tests.helpers.house import House
from tests.helpers.relying_party import AuthorizationFailed
from tests.helpers.sign_in import passkey
from tests.web.api.calling import Tool, app_of, as_machine, as_role, path_of
from tests.web.walking import newcomer, tokens_of

EXPENSIVE = {"rotate_keys", "import_people", "get_health"}
"""What takes its time when it is let in: asked with something that is refused behind the guard."""


@pytest.fixture(scope="module")
def tools(town: House) -> Mapping[str | None, Tool]:
    return {role: as_role(town, role) for role in (None, *ROLES)}


def call(tool: Tool, operation: Operation) -> httpx.Response:
    """Let in, it is answered by 404 or 422, or at most reads something."""
    query = {"nothing": "known"} if operation.method == "GET" or operation.name in EXPENSIVE else {}
    json = {"nothing": "known"} if operation.body is not None else None
    match = '"nothing"' if operation.conditional else None
    return tool(operation.method, path_of(operation.name), json, match=match, params=query)


def let_in(tool: Tool) -> set[str]:
    """The operations that do not refuse the token."""
    found = set()
    for operation in OPERATIONS.values():
        response = call(tool, operation)
        assert response.status_code < 500, response.text
        if response.status_code not in (401, 403):
            found.add(operation.name)
    return found


def test_every_route_is_an_operation_or_a_persons_own(town: House) -> None:
    own = {*OWN, "openapi"}
    rules = [one for one in town.app.url_map.iter_rules() if one.rule.startswith("/api/")]
    assert {one.endpoint.removeprefix("api.") for one in rules} == own | set(OPERATIONS)
    routed = {(one.endpoint, method) for one in rules for method in one.methods or ()}
    every = (*OPERATIONS.values(), *OWN.values())
    assert all((f"api.{one.name}", one.method) in routed for one in every)


def test_the_scopes_are_those_of_the_operations() -> None:
    known = {Permission(area, writes=writes).scope for area in Area for writes in (False, True)}
    assert known - ADMIN_SCOPES == {"admin:audit:write"}  # nobody changes what has happened
    assert {one.permission.scope for one in OPERATIONS.values()} == ADMIN_SCOPES


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reaches_what_it_permits_and_nothing_else(
    tools: Mapping[str | None, Tool], role: str
) -> None:
    permitted = {name for name, one in OPERATIONS.items() if permits(role, one.permission)}
    assert let_in(tools[role]) == permitted


def test_nothing_is_done_for_a_token_that_another_api_gets_to_see(town: House) -> None:
    person = newcomer(town, role="administrator")
    answers = {"passkey": passkey(town.passkey(person))}
    agent, app = town.browser(), app_of(town)
    seen = tokens_of(agent, app, answers=answers, resource="https://api.example.com")
    assert let_in(Tool(town, seen.access_token)) == set()
    ours = tokens_of(agent, app, resource=town.settings.issuer)
    assert let_in(Tool(town, ours.access_token)) == set(OPERATIONS)


def test_without_a_role_no_scope_is_of_use(tools: Mapping[str | None, Tool]) -> None:
    assert let_in(tools[None]) == set()


def test_an_application_for_itself_reaches_all_but_what_is_a_persons(town: House) -> None:
    personal = {name for name, one in OPERATIONS.items() if one.personal}
    assert let_in(as_machine(town)) == set(OPERATIONS) - personal


@pytest.mark.parametrize("scope", sorted(ADMIN_SCOPES))
def test_a_scope_opens_its_own_operations_and_no_other(town: House, scope: str) -> None:
    opened = {n for n, one in OPERATIONS.items() if one.permission.scope == scope}
    personal = {name for name in opened if OPERATIONS[name].personal}
    assert let_in(as_machine(town, [scope])) == opened - personal


def test_an_administrator_with_one_scope_reaches_no_further(town: House) -> None:
    tool = as_role(town, "administrator", app=app_of(town, "admin:groups:read"))
    assert let_in(tool) == {"list_groups", "get_group"}


def test_without_a_token_nothing_is_told(town: House) -> None:
    for operation in OPERATIONS.values():
        answer = town.http().request(operation.method, f"/api/v1{path_of(operation.name)}")
        assert answer.status_code == 401
        assert "error=" not in answer.headers["WWW-Authenticate"]


def test_the_role_is_read_at_the_call(town: House, admin: Tool) -> None:
    auditor = as_role(town, "auditor")
    assert auditor("GET", "/audit").status_code == 200
    assert auditor.person is not None
    path = f"/people/{auditor.person.id}"
    admin.ok("PUT", f"{path}/role", {"role": None}, match=admin.tag(path))
    assert auditor("GET", "/audit").status_code == 403


def test_a_password_alone_reads_nothing(town: House) -> None:
    tokens = tokens_of(town.browser(), app_of(town), newcomer(town, role="administrator"))
    weak = Tool(town, tokens.access_token)("GET", "/people")
    assert weak.status_code == 401
    assert weak.json()["acr_values"] == "urn:idp:acr:mfa"


def test_a_sign_in_of_long_ago_reads_and_changes_nothing(town: House) -> None:
    app, person, agent = app_of(town), newcomer(town, role="administrator"), town.browser()
    answers = {"passkey": passkey(town.passkey(person))}
    tokens_of(agent, app, answers=answers)
    town.clock.advance(minutes=10)
    soon = Tool(town, tokens_of(agent, app).access_token)  # of the session: as old as that is
    assert soon("POST", "/groups", {"name": "soon"}).status_code == 201
    town.clock.advance(seconds=1)
    assert soon("GET", "/groups").status_code == 200
    late = soon("POST", "/groups", {"name": "late"})
    assert late.status_code == 401
    assert (late.json()["acr_values"], late.json()["max_age"]) == ("phr", "600")
    assert 'error="insufficient_user_authentication"' in late.headers["WWW-Authenticate"]
    fresh = Tool(town, tokens_of(agent, app, answers=answers, max_age=600).access_token)
    assert fresh("POST", "/groups", {"name": "late"}).status_code == 201


def test_no_registration_has_a_scope_without_naming_it(town: House) -> None:
    shop, person = town.client(consent="never"), newcomer(town, role="administrator")
    answers = {"passkey": passkey(town.passkey(person))}
    with pytest.raises(AuthorizationFailed, match="invalid_scope"):
        tokens_of(town.browser(), shop, scope="openid admin:people:read", answers=answers)
    tokens = tokens_of(town.browser(), shop, scope="openid", answers=answers)
    assert Tool(town, tokens.access_token)("GET", "/people").status_code == 403
    robot = town.client(grant_types=["client_credentials"])
    form = {"grant_type": "client_credentials", "scope": "admin:people:read"}
    assert robot.token_request(**form).json()["error"] == "invalid_scope"


def test_a_token_for_the_account_does_not_administer(town: House) -> None:
    tool = as_role(town, "administrator", app=app_of(town, ACCOUNT.name))
    refused = tool("GET", "/people")
    assert refused.status_code == 403
    assert refused.json()["error"] == "insufficient_scope"


def test_a_token_in_the_address_is_refused(town: House, admin: Tool) -> None:
    answer = town.http().get(f"/api/v1/people?access_token={admin.token}")
    assert answer.status_code == 400
    assert ENDPOINTS.token not in answer.text
