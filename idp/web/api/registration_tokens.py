"""/api/v1/registration-tokens: who presents one may register an application (RFC 7591)."""

from datetime import timedelta
from typing import Any, Final

from flask import abort

from idp.services import registration_tokens
from idp.services.client_listing import ClientRefused
from idp.services.registration_tokens import TokenInfo
from idp.services.roles import Area
from idp.web.api.call import Answer, Call
from idp.web.api.registry import operation
from idp.web.api.representing import instant
from idp.web.api.schema import INSTANT, many, members, number, text

PATH: Final = "/registration-tokens"
MOST_USES: Final = 1000
LONGEST: Final = 365 * 24 * 3600
TOKEN: Final = {
    "id": text(),
    "prefix": text(),
    "uses_left": number(),
    "created_at": INSTANT,
    "expires_at": INSTANT,
}


def _view(one: TokenInfo) -> dict[str, Any]:
    return {
        "id": one.id,
        "prefix": one.prefix,
        "uses_left": one.uses_left,
        "created_at": instant(one.created_at),
        "expires_at": instant(one.expires_at),
    }


@operation("GET", PATH, Area.CLIENTS, answer=members({"items": many(members(TOKEN))}))
def list_registration_tokens(call: Call) -> Answer:
    """Those that are still good, the newest first."""
    found = registration_tokens.listed(call.context.at)
    return Answer(body={"items": [_view(one) for one in found]})


@operation(
    "POST",
    PATH,
    Area.CLIENTS,
    body=members(
        {},
        {
            "uses": {**number(at_least=1, at_most=MOST_USES), "default": 1},
            "lifetime": {**number(at_least=60, at_most=LONGEST, about="Seconds."), "default": 3600},
        },
    ),
    answer=members({**TOKEN, "token": text()}),
    status=201,
)
def make_registration_token(call: Call) -> Answer:
    """A token that is good for so many registrations, told this once."""
    lifetime = timedelta(seconds=call.body.get("lifetime", 3600))
    made, token = registration_tokens.make(
        call.context, uses=call.body.get("uses", 1), lifetime=lifetime
    )
    return Answer(body={**_view(made), "token": token}, location=f"{PATH}/{made.id}")


@operation("DELETE", f"{PATH}/{{token_id}}", Area.CLIENTS)
def revoke_registration_token(call: Call, token_id: str) -> Answer:
    """Make one worthless; what was registered with it stays."""
    try:
        registration_tokens.revoke(token_id, call.context)
    except ClientRefused:
        abort(404)
    return Answer()
