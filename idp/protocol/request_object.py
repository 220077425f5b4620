"""What a request object asks (RFC 9101, OIDC Core 6), once its signature is somebody's word."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from idp.protocol.errors import OAuthError
from idp.protocol.json_values import Json, thaw
from idp.protocol.parameters import REPEATABLE, Parameters

OF_THE_JWT: Final = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
"""Claims about the object itself (RFC 7519 section 4.1): no parameters of a request."""

REFERENCES: Final = ("request", "request_uri")

_CREDENTIALS: Final = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


def check_object(claims: Mapping[str, Json], *, client_id: str, issuer: str) -> None:
    """Raise ``OAuthError`` ``invalid_request_object`` unless it is this client's, and for us.

    ``iss`` and ``aud`` may be missing: RFC 9101 section 4 recommends them.
    """
    if any(name in claims for name in REFERENCES):
        raise invalid("holds another: request and request_uri must not be in it")  # section 4
    if claims.get("iss", client_id) != client_id:
        raise invalid("has another iss than the client")
    if claims.get("client_id", client_id) != client_id:
        raise invalid("names another client_id")  # section 5
    # Section 10.8: a client's assertion has itself as its subject, and must not pass for one.
    if claims.get("sub") == client_id:
        raise invalid("must not have the client as its sub")
    if issuer not in _audience(claims.get("aud", issuer)):
        raise invalid("is for another aud than this issuer")


def _audience(aud: Json) -> tuple[Json, ...]:
    """RFC 7519 section 4.1.3: one, or many."""
    return aud if isinstance(aud, tuple) else (aud,)


def settled(
    sent: Parameters, claims: Mapping[str, Json], *, client_id: str, alone: bool
) -> Parameters:
    """The parameters that count: those of the object, which win over what stands beside it.

    With ``alone``, nothing that stands beside it counts (RFC 9101 section 6.3); else it completes
    the object (OIDC Core 6.1). Raises ``OAuthError`` ``invalid_request_object``.
    """
    within = Parameters.of(_pairs(claims))
    beside = sent.without(*REFERENCES, *within.values)
    response_type = sent.clean("response_type")
    if not alone and response_type and within.values.get("response_type"):
        _check_agreement(response_type, within)
    kept = within.values if alone else {**beside.values, **within.values}
    return Parameters(kept).having("client_id", client_id)


def _check_agreement(response_type: str, within: Parameters) -> None:
    # OIDC Core 6.1: response_type stands in both, and says the same in both.
    if set(response_type.split()) != set((within.clean("response_type") or "").split()):
        raise invalid("has another response_type than what stands beside it")


def _pairs(claims: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for name, value in claims.items():
        if name in OF_THE_JWT or name in _CREDENTIALS or value is None:
            continue
        if name in REPEATABLE and isinstance(value, tuple):
            yield from ((name, _text(one)) for one in value)
        else:
            yield name, _text(value)


def _text(value: Json) -> str:
    # OIDC Core 6.1: objects such as claims stand there as JSON and not as text of it.
    return value if isinstance(value, str) else json.dumps(thaw(value), ensure_ascii=False)


def invalid(problem: str) -> OAuthError:
    """RFC 9101 section 7: one code for whatever is wrong with it."""
    return OAuthError("invalid_request_object", f"The request object {problem}.")
