"""/api/v1/keys: what tokens are signed with."""

from collections.abc import Iterable
from typing import Any, Final

from flask import abort

from idp.services.jose import ALGORITHMS
from idp.services.key_rotation import KeyInfo
from idp.services.roles import Area
from idp.web.api.call import Answer, Call
from idp.web.api.registry import operation
from idp.web.api.representing import instant
from idp.web.api.schema import FLAG, many, members, named, text
from idp.web.context import services

KEYS: Final = members({"items": many(named("Key"))})
AT_ONCE: Final = {**FLAG, "description": "It has leaked: do not wait for caches."}


def _listed(call: Call) -> dict[str, KeyInfo]:
    listed = services().key_rotation.listed(call.context.at)
    return {one.kid: one for one in listed if one.state != "removed"}


def _view(one: KeyInfo) -> dict[str, Any]:
    return {
        "kid": one.kid,
        "algorithm": one.algorithm,
        "state": one.state,
        "published_at": instant(one.published_at),
        "signs_from": instant(one.signs_from),
        "stops_at": instant(one.stops_at),
        "removed_at": instant(one.removed_at),
    }


def _told(keys: Iterable[KeyInfo]) -> Answer:
    return Answer(body={"items": [_view(one) for one in keys]})


@operation("GET", "/keys", Area.KEYS, answer=KEYS)
def list_keys(call: Call) -> Answer:
    """The keys that are published: waiting, signing, or there until their tokens have expired."""
    return _told(_listed(call).values())


@operation(
    "POST",
    "/keys/rotate",
    Area.KEYS,
    body=members({}, {"algorithm": text(of=ALGORITHMS), "at_once": AT_ONCE}),
    answer=KEYS,
)
def rotate_keys(call: Call) -> Answer:
    """Publish a successor for each key, or for one algorithm's; answers with the successors."""
    wanted = call.body.get("algorithm")
    kids = services().key_rotation.rotate(
        call.context,
        algorithms=(wanted,) if wanted else ALGORITHMS,
        at_once=call.body.get("at_once", False),
    )
    listed = _listed(call)
    return _told(listed[kid] for kid in kids)


@operation(
    "POST", "/keys/{kid}/retire", Area.KEYS, body=members({}, {"at_once": AT_ONCE}), answer=KEYS
)
def retire_key(call: Call, kid: str) -> Answer:
    """Stop signing with a key now; with ``at_once`` what it signed is worthless, too."""
    if kid not in _listed(call):
        abort(404)
    at_once = call.body.get("at_once", False)
    services().key_rotation.retire(kid, call.context, at_once=at_once)
    return _told(_listed(call).values())
