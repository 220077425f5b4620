"""Calls made from the OpenAPI document, right and wrong ones: every answer is one that it names."""

import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi import checks

from idp.web.api.registry import OPERATIONS
from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.helpers.house import House
from tests.web.api.calling import Tool, as_machine
from tests.web.walking import housed, newcomer, signed_in

load_all_checks()
NUMBERS = count(1)
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
SLOW = {"rotate_keys"}
"""It makes RSA keys, one after another: ``test_upkeep.py`` calls it."""


@dataclass
class Desk:
    house: House
    schema: BaseSchema
    tool: Tool

    @cached_property
    def lasting(self) -> dict[str, str]:
        """Things that nobody deletes."""
        return things(self)


@pytest.fixture(scope="module")
def desk(databases: Databases) -> Iterator[Desk]:
    """The clock moves on between operations, so that nobody calls too often."""
    lasting = {"access_token_lifetime": 86400}
    with databases.fresh("sqlite") as url, housed(url, FakeClock(), **lasting) as house:
        document = house.http().get("/api/v1/openapi.json").json()
        document["servers"] = [{"url": "/api/v1"}]
        schema = schemathesis.openapi.from_dict(document)
        schema.app = house.app
        yield Desk(house, schema, as_machine(house))


def things(desk: Desk) -> dict[str, str]:
    """One of each, by the names in paths."""
    house, number = desk.house, next(NUMBERS)
    person, shop = newcomer(house, groups=[f"group {number}"]), house.client(consent="never")
    signed_in(house, shop, person)
    ok = desk.tool.ok
    return {
        "person_id": person.id,
        "client_id": shop.client_id,
        "group_id": ok("POST", "/groups", {"name": f"of calls {number}"})["id"],
        "kid": ok("GET", "/keys")["items"][0]["kid"],
        "secret_id": ok("GET", f"/clients/{shop.client_id}/secrets")["items"][0]["id"],
        "session_id": ok("GET", f"/people/{person.id}/sessions")["items"][0]["id"],
        "token_id": ok("POST", "/registration-tokens", {})["id"],
    }


RIGHT, WRONG = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
CASES = [
    *((name, RIGHT) for name in sorted(set(OPERATIONS) - SLOW)),
    *((name, WRONG) for name, one in sorted(OPERATIONS.items()) if one.body or one.query),
]
"""There is no wrong call of what takes nothing."""


@pytest.mark.parametrize(("name", "mode"), CASES, ids=[f"{n} {m.value}" for n, m in CASES])
def test_every_answer_is_one_that_the_document_names(
    desk: Desk, name: str, mode: GenerationMode
) -> None:
    operation = OPERATIONS[name]
    described = desk.schema[operation.path][operation.method]
    known = things(desk) if operation.method == "DELETE" else desk.lasting
    desk.house.clock.advance(minutes=2)
    keys = st.text(string.ascii_letters, min_size=1, max_size=20)

    @settings(
        max_examples=3,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described.as_strategy(generation_mode=mode), at_home=st.booleans(), key=keys)
    def call(case: Any, at_home: bool, key: str) -> None:
        headers = {"Authorization": f"Bearer {desk.tool.token}", "Idempotency-Key": key}
        if at_home:
            case.path_parameters = {one: known[one] for one in operation.arguments}
            headers |= {"If-Match": "*"} if operation.conditional else {}
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS)

    call()
