"""Ways to bend one thing that an authenticator says: knobs for ``SoftAuthenticator``."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fido2 import cbor

from tests.helpers import base64url
from tests.helpers.authenticator import Tampering

_ID_AT = 55
"""Where a credential id begins: after rpIdHash, flags, counter, AAGUID and its own length."""


def data(**changes: Any) -> dict[str, Any]:
    """Client data in which some members are others; None takes one away."""

    def change(value: dict[str, Any]) -> dict[str, Any]:
        merged = value | changes
        return {name: member for name, member in merged.items() if member is not None}

    return {"tampering": Tampering(client_data=change)}


def authenticator_data(change: Callable[[bytes], bytes]) -> dict[str, Any]:
    return {"tampering": Tampering(authenticator_data=change)}


def inner(**changes: Any) -> dict[str, Any]:
    """``response`` in which some members are others, after signing."""

    def change(value: dict[str, Any]) -> dict[str, Any]:
        return value | {"response": value["response"] | changes}

    return {"tampering": Tampering(response=change)}


def outer(**changes: Any) -> dict[str, Any]:
    return {"tampering": Tampering(response=lambda value: value | changes)}


def recoded(member: str, change: Callable[[bytes], bytes]) -> dict[str, Any]:
    """``response`` in which one member holds other bytes, after signing."""

    def tamper(value: dict[str, Any]) -> dict[str, Any]:
        changed = base64url.encode(change(base64url.decode(value["response"][member])))
        return value | {"response": value["response"] | {member: changed}}

    return {"tampering": Tampering(response=tamper)}


def flip(position: int) -> Callable[[bytes], bytes]:
    """One bit of one byte."""
    return lambda value: bytes(
        byte ^ (place == position % len(value)) for place, byte in enumerate(value)
    )


def attested(*, identifier: bytes | None = None, key: Any = None) -> dict[str, Any]:
    """Another credential id or another COSE key, in authenticator data that is whole."""

    def change(value: bytes) -> bytes:
        length = int.from_bytes(value[_ID_AT - 2 : _ID_AT])
        chosen = value[_ID_AT : _ID_AT + length] if identifier is None else identifier
        cose_key = value[_ID_AT + length :] if key is None else _encoded(key)
        return value[: _ID_AT - 2] + len(chosen).to_bytes(2) + chosen + cose_key

    return authenticator_data(change)


def identified_by(identifier: bytes) -> Tampering:
    """The credential id of the test's choice, inside and out."""
    named = base64url.encode(identifier)
    inside: Tampering = attested(identifier=identifier)["tampering"]
    return replace(inside, response=lambda value: value | {"id": named, "rawId": named})


def _encoded(key: Any) -> bytes:
    return key if isinstance(key, bytes) else cbor.encode(key)
