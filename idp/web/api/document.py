"""/api/v1/openapi.json: the API as it is, from the registry that its routes are made of."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from idp.oidc.capabilities import ENDPOINTS
from idp.oidc.documents import Document
from idp.protocol.scopes import ACCOUNT, ADMIN, sentence
from idp.web.api.components import COMPONENTS
from idp.web.api.operation import Described
from idp.web.api.schema import REFERENCE, Schema, named

PROBLEM: Final = "application/problem+json"
REFUSALS: Final = {
    400: "Not a call that can be read",
    401: "No token that will do; the challenge says what would (RFC 6750, RFC 9470)",
    403: "The token's scope, or the person's role, does not include this",
    404: "There is none such, or it is not for your eyes",
    409: "As things are, this cannot be done",
    412: "It was changed since it was read",
    413: "The body is too large",
    415: "The body is not application/json",
    422: "See what is wrong with which field",
    428: "If-Match is missing",
    429: "Too many calls",
    500: "Something went wrong on our side",
    503: "The database does not answer: nothing was done",
}

MATCHES: Final = (
    "The ETag of what you have read: what others changed since is not overwritten. `*` says that"
    " you mean whatever is there by now."
)
DONE_ONCE: Final = "A name for this call: sent again under it, it is not done again."


def document_of(operations: Iterable[Described], issuer: str) -> Document:
    """OpenAPI 3.1.0. The same operations make the same document, on every node."""
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return Document.of(
        {
            "openapi": "3.1.0",
            "info": {"title": "This identity provider’s own API", "version": "1"},
            "servers": [{"url": f"{issuer}/api/v1"}],
            "paths": paths,
            "components": {
                "schemas": COMPONENTS,
                "responses": {str(code): _refusal(told) for code, told in REFUSALS.items()},
                "securitySchemes": {"oauth2": _security(issuer)},
            },
        }
    )


def _security(issuer: str) -> dict[str, Any]:
    told = {one.name: sentence(one.name) for one in ADMIN}
    token = f"{issuer}{ENDPOINTS.token}"
    return {
        "type": "oauth2",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": f"{issuer}{ENDPOINTS.authorization}",
                "tokenUrl": token,
                "scopes": {**told, ACCOUNT.name: ACCOUNT.sentence},
            },
            "clientCredentials": {"tokenUrl": token, "scopes": told},
        },
    }


def _operation(one: Described) -> dict[str, Any]:
    body = {} if one.body is None else {"requestBody": _body(one.body)}
    return {
        "operationId": one.name,
        "summary": re.sub("``", "`", one.summary),
        "tags": [one.about],
        "security": [{"oauth2": [one.scope]}],
        "parameters": [*_parameters(one)],
        **body,
        "responses": {**_success(one), **_refusals(one)},
    }


def _body(schema: Schema) -> dict[str, Any]:
    named = COMPONENTS[schema["$ref"].removeprefix(REFERENCE)] if "$ref" in schema else schema
    return {"required": "required" in named, "content": {"application/json": {"schema": schema}}}


def _parameters(one: Described) -> Iterator[dict[str, Any]]:
    for name in one.arguments:
        pattern = {} if name == "client_id" else {"pattern": "^[^/]+$"}
        schema: dict[str, Any] = {"type": "string", "minLength": 1, **pattern}
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    for name, taken in one.query.items():
        yield {"name": name, "in": "query", "required": False, "schema": taken}
    if one.conditional:
        yield _header("If-Match", MATCHES, required=True)
    if one.takes_key:
        yield _header("Idempotency-Key", DONE_ONCE, required=False)


def _header(name: str, told: str, *, required: bool) -> dict[str, Any]:
    schema = {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"}
    about = {"description": told, "required": required, "schema": schema}
    return {"name": name, "in": "header", **about}


def _success(one: Described) -> dict[str, Any]:
    told: dict[str, Any] = {"description": one.summary or "Done"}
    if one.answer is not None:
        told["content"] = {"application/json": {"schema": one.answer}}
    if one.tagged:
        told["headers"] = {"ETag": {"schema": {"type": "string"}}}
    unchanged = {"304": {"description": "As If-None-Match says"}}
    is_cached = one.tagged and one.method == "GET"
    return {str(one.status): told, **(unchanged if is_cached else {})}


def _refusal(told: str) -> dict[str, Any]:
    return {"description": told, "content": {PROBLEM: {"schema": named("Problem")}}}


def _refusals(one: Described) -> dict[str, Any]:
    codes = {400, 401, 403, 429, 500, 503}
    codes |= {404} if one.arguments else set()
    codes |= {412, 428} if one.conditional else set()
    codes |= {409, 422} if one.writes else set()
    codes |= {413, 415} if one.body is not None else set()
    codes |= {422} if one.query else set()
    return {str(code): {"$ref": f"#/components/responses/{code}"} for code in sorted(codes)}
