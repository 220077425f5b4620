"""/api/v1/clients/{client_id}/secrets: several at once, so that one can be rotated."""

from datetime import timedelta
from typing import Any, Final

from flask import abort

from idp.services.client_listing import ClientRefused, SecretInfo
from idp.services.roles import Area
from idp.web.api.call import Answer, Call
from idp.web.api.clients import ONE, changeable, seen
from idp.web.api.problems import wrong
from idp.web.api.registry import operation
from idp.web.api.representing import instant
from idp.web.api.schema import many, members, named, number, text
from idp.web.context import services

SECRETS: Final = f"{ONE}/secrets"
LONGEST: Final = 10 * 365 * 24 * 3600
MADE: Final = members({"client_id": text(), "client_secret": text()})


@operation("GET", SECRETS, Area.CLIENTS, answer=members({"items": many(named("Secret"))}))
def list_client_secrets(call: Call, client_id: str) -> Answer:
    """An application's secrets by their first characters."""
    found = seen(call, client_id).secrets
    return Answer(body={"items": [_secret(one) for one in found]})


def _secret(one: SecretInfo) -> dict[str, Any]:
    return {
        "id": one.id,
        "prefix": one.prefix,
        "created_at": instant(one.created_at),
        "expires_at": instant(one.expires_at),
        "last_used_at": instant(one.last_used_at),
    }


@operation(
    "POST",
    SECRETS,
    Area.CLIENTS,
    body=members(
        {},
        {
            "lifetime": number(at_least=1, at_most=LONGEST, about="Seconds; without it, for good."),
            "end_others_in": number(
                at_most=LONGEST, about="Seconds until the others end; without it they go on."
            ),
        },
    ),
    answer=MADE,
    status=201,
)
def add_client_secret(call: Call, client_id: str) -> Answer:
    """A new secret, told this once; with ``end_others_in`` the others end: that is a rotation."""
    info = changeable(call, client_id)
    lifetime, overlap = call.body.get("lifetime"), call.body.get("end_others_in")
    if lifetime is not None and overlap is not None:
        raise wrong("lifetime", "goes without end_others_in: send one of the two")
    registry = services().client_registry
    if overlap is not None:
        made = registry.rotate_secret(info.id, call.context, overlap=timedelta(seconds=overlap))
    else:
        ends = call.context.at + timedelta(seconds=lifetime) if lifetime else None
        made = registry.add_secret(info.id, call.context, expires_at=ends)
    return Answer(body={"client_id": info.id, "client_secret": made})


@operation("DELETE", f"{SECRETS}/{{secret_id}}", Area.CLIENTS)
def remove_client_secret(call: Call, client_id: str, secret_id: str) -> Answer:
    """Forget one secret: whoever still uses it is refused from now on."""
    info = changeable(call, client_id)
    try:
        services().client_registry.remove_secret(info.id, secret_id, call.context)
    except ClientRefused:
        abort(404)
    return Answer()
