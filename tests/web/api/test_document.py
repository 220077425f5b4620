"""The OpenAPI document: it is of the registry, and whatever is answered fits it."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.web.api.checking import check
from idp.web.api.components import COMPONENTS
from idp.web.api.registry import OPERATIONS, OWN
from tests.helpers.house import House

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"


@pytest.fixture(scope="module")
def document(town: House) -> dict[str, Any]:
    answer = town.http().get("/api/v1/openapi.json")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    found: dict[str, Any] = answer.json()
    return found


def test_it_is_for_anybody_and_revalidated(town: House) -> None:
    first = town.http().get("/api/v1/openapi.json")
    known = {"If-None-Match": first.headers["ETag"]}
    assert town.http().get("/api/v1/openapi.json", headers=known).status_code == 304


def test_it_has_every_operation_with_its_scope(document: dict[str, Any]) -> None:
    told = {
        one["operationId"]: (path, method.upper(), *one["security"][0]["oauth2"])
        for path, methods in document["paths"].items()
        for method, one in methods.items()
    }
    assert told == {
        name: (one.path, one.method, one.scope) for name, one in (OPERATIONS | OWN).items()
    }
    flows = document["components"]["securitySchemes"]["oauth2"]["flows"]
    assert {one[2] for one in told.values()} == set(flows["authorizationCode"]["scopes"])
    machines = {one.scope for one in OPERATIONS.values()}
    assert machines == set(flows["clientCredentials"]["scopes"])
    assert document["servers"] == [{"url": "http://localhost:8000/api/v1"}]


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    for methods in document["paths"].values():
        for one in methods.values():
            assert one["summary"], one


def test_its_schemas_are_json_schemas(document: dict[str, Any]) -> None:
    jsonschema_rs.meta.validate(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **document["components"]}
    )
    for name, schema in document["components"]["schemas"].items():
        assert jsonschema_rs.meta.is_valid(schema), name


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    for kind, name in re.findall(r'"#/components/(\w+)/(\w+)"', text):
        assert name in document["components"][kind]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 5000) | st.text(max_size=5) | st.just("active"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["email", "name", "role", "items", "field", "message", "client_name#de"]
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
SCHEMAS = [
    *COMPONENTS.values(),
    *(one.body for one in OPERATIONS.values() if one.body is not None),
    *(one.answer for one in OPERATIONS.values() if one.answer is not None),
]


@settings(max_examples=150, derandomize=True, suppress_health_check=list(HealthCheck))
@given(schema=st.sampled_from(SCHEMAS), value=VALUES)
def test_our_checker_agrees_with_one_that_is_not_ours(schema: Any, value: Any) -> None:
    told = list(check(schema, value, "", COMPONENTS))
    whole = {"components": {"schemas": COMPONENTS}, **schema}
    assert (told == []) == jsonschema_rs.is_valid(whole, value)


CALL = re.compile(r"admin\.parity\((?P<arguments>.*?)\) }}")
FILLED = re.compile(r"'\s*~\s*[\w.|]+\s*(?:~\s*'|(?=[,)]|$))")
LINE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/api/v1/[^\s'?\\]*)")


def forms() -> dict[str, list[tuple[str, str]]]:
    """What each call of ``parity`` says of the API; what is filled in stands as ``{}``."""
    found = {}
    for template in sorted((TEMPLATES / "admin").rglob("*.html")):
        name = str(template.relative_to(TEMPLATES))
        for number, call in enumerate(CALL.finditer(template.read_text(encoding="utf-8"))):
            told = FILLED.sub("{}", call["arguments"]).replace("\\n", "\n")
            found[f"{name} {number}"] = LINE.findall(told)
    return found


def test_every_form_of_the_console_names_operations_that_there_are() -> None:
    known = {
        (one.method, re.sub(r"\{\w+\}", "{}", f"/api/v1{one.path}")) for one in OPERATIONS.values()
    }
    told = forms()
    assert len(told) > 25
    assert {name: one for name, one in told.items() if not set(one) <= known} == {}
    assert [name for name, one in told.items() if not one] == []
