"""/api/v1/people/{person_id}/apps: what somebody has allowed which applications."""

from typing import Any, Final

from flask import abort

from idp.services.apps import ConnectedApp
from idp.services.roles import Area
from idp.web.api.call import Answer, Call
from idp.web.api.people import ONE, changeable, found
from idp.web.api.registry import operation
from idp.web.api.representing import instant
from idp.web.api.schema import FLAG, INSTANT, many, members, text
from idp.web.context import services

APPS: Final = f"{ONE}/apps"
APP: Final = members(
    {
        "client_id": text(),
        "name": text(),
        "scopes": many(text()),
        "offline": {**FLAG, "description": "May it act while the person is away?"},
        "first_used_at": INSTANT,
        "last_used_at": INSTANT,
    }
)


@operation("GET", APPS, Area.PEOPLE, answer=members({"items": many(APP)}))
def list_apps(call: Call, person_id: str) -> Answer:
    """The applications that somebody has allowed something, or that hold tokens of hers."""
    listed = services().connected_apps.listed(found(person_id).id, call.context.at)
    return Answer(body={"items": [_app(one) for one in listed]})


def _app(one: ConnectedApp) -> dict[str, Any]:
    return {
        "client_id": one.client_id,
        "name": one.name,
        "scopes": list(one.scopes),
        "offline": one.offline,
        "first_used_at": instant(one.first_used),
        "last_used_at": instant(one.last_used),
    }


@operation("DELETE", f"{APPS}/{{client_id}}", Area.PEOPLE)
def disconnect_app(call: Call, person_id: str, client_id: str) -> Answer:
    """Take back what was allowed, and end every grant and token that rests on it."""
    user = changeable(call, person_id)
    if not services().consents.revoke(user.id, client_id, context=call.context):
        abort(404)
    return Answer()
