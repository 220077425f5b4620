"""The shapes that several operations take or give, by the names that the document knows them by."""

from collections.abc import Mapping
from types import UnionType
from typing import Any, Final, get_args, get_origin

from idp.protocol.client_metadata import LOCALIZED_MEMBERS, MEMBERS
from idp.services.people import State
from idp.services.roles import ROLES
from idp.web.api.schema import (
    ANY,
    FLAG,
    INSTANT,
    Schema,
    many,
    members,
    number,
    or_null,
    text,
)

CLAIMS: Final[Schema] = {"type": "object", "description": "Standard claims by their names."}
NAMES: Final = many(text(at_most=255), at_most=200)
ROLE: Final = or_null(text(of=list(ROLES)))


def _member(name: str, hint: Any) -> Schema:
    """What a member of a registration is, from the type that it is read into."""
    if name == "scope":
        return or_null(text(at_most=4096, about="Scopes, separated by spaces."))
    kinds = [one for one in get_args(hint) if one is not type(None)]
    kind = kinds[0] if isinstance(hint, UnionType) else hint
    return or_null(_OF_TYPE.get(get_origin(kind) or kind, {"type": "object"}))


_OF_TYPE: Final[Mapping[Any, Schema]] = {
    bool: FLAG,
    int: number(at_most=2**31 - 1),
    str: text(),
    tuple: many(text(), at_most=50),
}

REGISTRATION: Final[Schema] = {
    **members({}, {one.name: _member(one.name, one.type) for one in MEMBERS}),
    "patternProperties": {f"^({'|'.join(LOCALIZED_MEMBERS)})#": or_null(text())},
    "description": "A registration by RFC 7591's names, and ours. null leaves a member out.",
}

CLIENT: Final = members(
    {
        "client_id": text(),
        "name": text(),
        "kind": text(),
        "managed_by": text(),
        "disabled": FLAG,
        "created_at": INSTANT,
        "updated_at": INSTANT,
        "registration": {"$ref": "#/components/schemas/Registration"},
    }
)
SECRET: Final = members(
    {
        "id": text(),
        "prefix": text(about="How it begins: it is told whole only once."),
        "created_at": INSTANT,
        "expires_at": or_null(INSTANT),
        "last_used_at": or_null(INSTANT),
    }
)
PERSON: Final = members(
    {
        "id": text(),
        "email": text(),
        "email_verified": FLAG,
        "username": or_null(text()),
        "name": or_null(text()),
        "profile": CLAIMS,
        "groups": many(text()),
        "role": or_null(text()),
        "state": text(of=[one.value for one in State]),
        "deletion_due_at": or_null(INSTANT),
        "created_at": INSTANT,
        "updated_at": INSTANT,
    }
)
EVENT: Final = members(
    {
        "id": number(),
        "at": INSTANT,
        "name": text(about="subject.action[.outcome]"),
        "sentence": {"type": "string"},
        "actor_id": or_null(text()),
        "user_id": or_null(text()),
        "client_id": or_null(text()),
        "session_id": or_null(text()),
        "transaction_id": or_null(text()),
        "address": or_null(text()),
        "reference": or_null(text()),
        "data": {"type": "object"},
    }
)
GROUP: Final = members({"id": text(), "name": text()})
KEY: Final = members(
    {
        "kid": text(),
        "algorithm": text(),
        "state": text(of=("waiting", "signing", "published", "removed")),
        "published_at": INSTANT,
        "signs_from": INSTANT,
        "stops_at": or_null(INSTANT),
        "removed_at": or_null(INSTANT),
    }
)
SETTING: Final = members(
    {
        "value": ANY,
        "source": text(of=("environment", "changed here", "started with", "default")),
        "started_with": ANY,
    }
)
PROBLEM: Final[Schema] = {
    **members(
        {"type": text(), "title": text(), "status": number(), "detail": text(at_most=100_000)},
        {
            "errors": many(
                members({"field": text(at_most=100_000), "message": text(at_most=100_000)})
            ),
            "error": text(about="RFC 6749's code, where the token or the sign-in will not do."),
            "error_description": text(),
            "acr_values": text(about="RFC 9470: how to sign in instead."),
            "max_age": text(about="RFC 9470: how long ago at most, in seconds."),
        },
    ),
    "description": "RFC 9457. Nothing was changed.",
}

COMPONENTS: Final[Mapping[str, Schema]] = {
    "Registration": REGISTRATION,
    "Client": CLIENT,
    "Secret": SECRET,
    "Person": PERSON,
    "Event": EVENT,
    "Group": GROUP,
    "Key": KEY,
    "Setting": SETTING,
    "Problem": PROBLEM,
}
