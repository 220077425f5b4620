"""What every call has in common: strict reading, problem details, a pace, and no leak."""

from collections.abc import Iterator

import httpx
import pytest

from idp.models import db
from idp.services import pace
from idp.web.sizes import MAX_BODY
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.dpop import Prover
from tests.helpers.house import House
from tests.helpers.sign_in import passkey
from tests.web.api.calling import Tool, app_of, as_machine, as_role, problems
from tests.web.walking import housed, newcomer, tokens_of

JSON = {"Content-Type": "application/json"}


def is_problem(response: httpx.Response) -> bool:
    told = response.json()
    return (
        response.headers["Content-Type"] == "application/problem+json"
        and told.keys() >= {"type", "title", "status", "detail"}
        and told["status"] == response.status_code
    )


BODIES = {
    "no JSON": (b"{", JSON, 400),
    "not UTF-8": (b'{"name": "\xff"}', JSON, 400),
    "a member named twice": (b'{"name": "a", "name": "b"}', JSON, 400),
    "a control character": (b'{"name": "\\u0000"}', JSON, 400),
    "half a surrogate": (b'{"name": "\\ud800"}', JSON, 400),
    "nested without end": (b"[" * 100_000, JSON, 400),
    "no number": (b'{"name": NaN}', JSON, 400),
    "a list": (b"[]", JSON, 422),
    "nothing": (b"", JSON, 400),
    "a form": (b"name=x", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    "too much": (b'{"name": "' + b"x" * MAX_BODY + b'"}', JSON, 413),
}


@pytest.mark.parametrize(("body", "headers", "status"), BODIES.values(), ids=BODIES)
def test_a_body_that_cannot_be_read_is_refused(
    admin: Tool, body: bytes, headers: dict[str, str], status: int
) -> None:
    refused = admin("POST", "/groups", content=body, headers=headers)
    assert refused.status_code == status
    assert is_problem(refused)


def test_a_patch_may_be_called_one(admin: Tool) -> None:
    path = f"/people/{newcomer(admin.house).id}"
    headers = {"Content-Type": "application/merge-patch+json"}
    body = b'{"name": "Ann"}'
    changed = admin("PATCH", path, content=body, headers=headers, match=admin.tag(path))
    assert changed.status_code == 200


def test_what_takes_no_body_is_sent_none(admin: Tool) -> None:
    path = f"/people/{newcomer(admin.house).id}/disable"
    assert admin("POST", path, {"why": "because"}).status_code == 400
    assert admin("POST", path, {}).status_code == 200


def test_everything_that_is_wrong_is_told_at_once(admin: Tool) -> None:
    refused = admin("POST", "/people", {"email": 1, "name": [], "nothing": None})
    assert is_problem(refused)
    assert problems(refused).keys() == {"email", "name", "nothing"}


ELSEWHERE = {
    "an address that there is not": ("GET", "/nothing", 404),
    "a method that there is not": ("PUT", "/people", 405),
    "somebody that there is not": ("GET", "/people/nobody", 404),
    "an odd id": ("GET", "/people/%01", 404),
    "no id": ("GET", "/people/", 404),
}


@pytest.mark.parametrize(("method", "path", "status"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_all_refusals_are_problem_details(admin: Tool, method: str, path: str, status: int) -> None:
    refused = admin(method, path)
    assert refused.status_code == status
    assert is_problem(refused)


def test_whoever_calls_too_often_waits(town: House) -> None:
    tool, other = as_machine(town, ["admin:groups:read"]), as_machine(town, ["admin:groups:read"])
    for _ in range(3):
        assert tool("GET", "/groups").status_code == 200

    def use_up(_services: object) -> None:
        assert tool.app is not None
        caller = f"client:{tool.app.client_id} {tool.app.client_id}"
        while pace.called(caller, town.clock()) is None:
            pass

    town.do(use_up)
    refused = tool("GET", "/groups")
    assert refused.status_code == 429
    assert is_problem(refused)
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert other("GET", "/groups").status_code == 200
    town.clock.advance(seconds=61)
    assert tool("GET", "/groups").status_code == 200


def test_a_token_that_is_bound_needs_its_proof(town: House) -> None:
    prover = Prover(town.settings.issuer, town.clock)
    app = app_of(town, "admin:groups:read", dpop_bound_access_tokens=True)
    app.prover = prover
    person = newcomer(town, role="auditor")
    answers = {"passkey": passkey(town.passkey(person))}
    token = tokens_of(town.browser(), app, answers=answers).access_token
    bare = Tool(town, token)("GET", "/groups")
    assert bare.status_code == 401
    headers = prover.headers(token, "GET", "/api/v1/groups")
    assert town.http().get("/api/v1/groups", headers=headers).status_code == 200
    assert town.http().get("/api/v1/groups", headers=headers).status_code == 401  # a replay


def test_a_token_that_was_revoked_is_of_no_use(town: House) -> None:
    tool = as_role(town, "auditor")
    assert tool("GET", "/groups").status_code == 200
    assert tool.app is not None
    tool.app.post("/oauth/revoke", {"token": tool.token})
    refused = tool("GET", "/groups")
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


@pytest.fixture
def bare(databases: Databases) -> Iterator[House]:
    with databases.fresh("sqlite") as url, housed(url, FakeClock()) as made:
        yield made


def test_when_storage_fails_nothing_of_it_is_told(bare: House) -> None:
    tool = as_role(bare, "administrator")
    with bare.app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE memberships")
    refused = tool("GET", "/groups")
    assert refused.status_code == 503
    assert is_problem(refused)
    assert "memberships" not in refused.text
    assert refused.headers["Retry-After"]


def test_a_mistake_of_ours_is_told_without_a_word_of_it(bare: House) -> None:
    tool = as_role(bare, "administrator")
    with bare.app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE audit_events SET data = '{'")
    refused = tool("GET", "/audit")
    assert refused.status_code == 500
    assert is_problem(refused)
    assert "JSON" not in refused.text
