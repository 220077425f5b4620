"""One operation to be confirmed: ``authorization_details`` of type ``confirm_operation``.

RFC 9396 leaves the members of a type to whoever defines it. Ours::

    {
      "type": "confirm_operation",
      "id": "order-4711",                                what the relying party knows it by
      "title": "Pay for your order",                     what is about to happen
      "amount": {"value": "40.00", "currency": "EUR"},   optional
      "payee": "ACME Lanterns",                          optional
      "fields": [{"label": "Order", "value": "4711"}],   optional, at most ten
      "message": "Thank you for your order"              optional, the relying party's own words
    }

Every member is shown to the person, so there is none that is not defined here.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from idp.protocol.errors import OAuthError
from idp.protocol.json_values import Json, thaw
from idp.protocol.text import is_displayable

T = TypeVar("T")

CONFIRM_OPERATION: Final = "confirm_operation"
MAX_FIELDS: Final = 10

_AMOUNT: Final = re.compile(r"(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,4})?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum of money: a decimal numeral without grouping, and an ISO 4217 code."""

    value: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a person is asked to confirm; all of it is shown, and nothing else is covered."""

    id: str
    title: str
    amount: Amount | None = None
    payee: str | None = None
    fields: tuple[tuple[str, str], ...] = ()
    """Label and value, in the order in which they are shown."""
    message: str | None = None
    detail: Mapping[str, Json]
    """The object as it came, which tokens carry back."""


def read_operation(details: tuple[Mapping[str, Json], ...]) -> Operation | None:
    """The operation among the authorization details; None when there is none.

    Raises ``OAuthError`` ``invalid_authorization_details`` (RFC 9396 section 5) for one that is
    not of the shape above, and for more than one: a person confirms one thing at a time.
    """
    found = [one for one in details if one.get("type") == CONFIRM_OPERATION]
    if not found:
        return None
    if len(found) > 1:
        raise _invalid("may hold one confirm_operation")
    return _read(found[0])


def digest(operation: Operation, *, client_id: str) -> str:
    """What a confirmation is bound to: SHA-256, base64url, of the client and all that was shown.

    Over JSON with sorted members and no spaces, as RFC 8785 has it for texts and objects: a
    relying party can compute it from what it sent.
    """
    covered = {"client_id": client_id, "operation": thaw(operation.detail)}
    text = json.dumps(covered, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def _read(detail: Mapping[str, Json]) -> Operation:
    unknown = detail.keys() - _MEMBERS
    if unknown:
        raise _invalid("has a member that confirm_operation does not define")
    return Operation(
        id=_text(detail, "id", 128),
        title=_text(detail, "title", 120),
        amount=_optional(detail, "amount", _amount),
        payee=_optional(detail, "payee", lambda value: _clean(value, "payee", 140)),
        fields=_optional(detail, "fields", _fields) or (),
        message=_optional(detail, "message", lambda value: _clean(value, "message", 300)),
        detail=detail,
    )


_MEMBERS: Final = frozenset({"type", "id", "title", "amount", "payee", "fields", "message"})


def _optional(detail: Mapping[str, Json], name: str, read: Callable[[Json], T]) -> T | None:
    return read(detail[name]) if name in detail else None


def _text(members: Mapping[str, Json], name: str, limit: int) -> str:
    return _clean(members.get(name), name, limit)


def _clean(value: Json, name: str, limit: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > limit:
        raise _invalid(f"needs {name}, a text of at most {limit} characters")
    if not is_displayable(value):
        raise _invalid(f"has characters in {name} that cannot be shown")
    return value


def _amount(value: Json) -> Amount:
    if not isinstance(value, Mapping) or value.keys() != {"value", "currency"}:
        raise _invalid("needs value and currency in amount")
    number, currency = value["value"], value["currency"]
    if not isinstance(number, str) or not _AMOUNT.fullmatch(number):
        raise _invalid('needs amount.value as a decimal text, such as "40.00"')
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise _invalid("needs amount.currency as three capital letters (ISO 4217)")
    return Amount(number, currency)


def _fields(value: Json) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, tuple) or len(value) > MAX_FIELDS:
        raise _invalid(f"may have at most {MAX_FIELDS} fields")
    return tuple(_field(one) for one in value)


def _field(value: Json) -> tuple[str, str]:
    if not isinstance(value, Mapping) or value.keys() != {"label", "value"}:
        raise _invalid("needs label and value in each of its fields")
    return _text(value, "label", 60), _text(value, "value", 200)


def _invalid(problem: str) -> OAuthError:
    return OAuthError("invalid_authorization_details", f"authorization_details {problem}.")
