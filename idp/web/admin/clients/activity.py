"""Audit events of an application, in sentences for whoever keeps it."""

import json
from collections.abc import Mapping
from typing import Any, Final

from flask import url_for
from flask_babel import lazy_gettext as later

from idp.models import AuditEvent

SENTENCES: Final[Mapping[str, Any]] = {
    "client.registered": later("It was registered."),
    "client.changed": later("Its registration was changed."),
    "client.secret_added": later("A secret was added."),
    "client.secret_rotated": later("Its secret was rotated."),
    "client.secret_removed": later("A secret was removed."),
    "client.disabled": later("It was disabled."),
    "client.enabled": later("It was enabled again."),
    "client.deleted": later("It was deleted."),
    "client.change.refused": later("A change of its registration was refused."),
    "client.registration.refused": later("It could not change its registration."),
    "client.registration_token.used": later("It was registered with a token."),
    "client.tested": later("It was tested from the console."),
    "client.authentication.refused": later("It could not show that it is itself."),
    "authorization.refused": later("An authorization request was refused."),
    "code.refused": later("A code was refused."),
    "token.refused": later("A token was refused."),
    "token.repeated": later("It renewed its access twice at once."),
    "token.replayed": later("Something that works once was used twice, so its grant was ended."),
    "token.revoked": later("It gave a token back."),
    "token.exchanged": later("It exchanged a token."),
    "token.exchange.refused": later("A token exchange was refused."),
    "consent.given": later("Somebody allowed it to see their details."),
    "consent.revoked": later("Somebody disconnected it."),
    "grant.ended": later("Access was ended."),
    "step_up.satisfied": later("Somebody proved more for it."),
    "device.requested": later("A device asked to be connected."),
    "device.approved": later("Somebody connected a device."),
    "device.denied": later("Somebody did not connect a device."),
    "device.code.refused": later("It could not finish the sign-in on a device."),
    "logout.flawed": later("It asked to sign somebody out, in a way that proves nothing."),
    "logout.notice.failed": later("It could not be told that somebody had signed out."),
}
_TOLD: Final = ("members", "reason", "error", "description", "redirect_uri", "before", "after")


def row(event: AuditEvent) -> dict[str, Any]:
    """One row: when, what, and what is known of it."""
    told = {name: event.data[name] for name in _TOLD if event.data.get(name)}
    return {
        "at": event.at,
        "sentence": SENTENCES.get(event.name) or _sign_in(event.name),
        "name": event.name,
        "actor": event.actor_id,
        "reference": event.reference,
        "reference_url": (
            url_for("admin.refused_request", reference=event.reference) if event.reference else None
        ),
        "detail": json.dumps(told, indent=2, ensure_ascii=False) if told else None,
    }


def _sign_in(name: str) -> Any:
    parts = name.split(".")
    if parts[0] == "login" and parts[-1] == "accepted":
        return later("Somebody signed in for it.")
    if parts[0] == "login" and parts[-1] == "refused":
        return later("Somebody’s proof was refused on the way to it.")
    if parts[0] == "login" and parts[-1] == "throttled":
        return later("Somebody tried too often on the way to it.")
    return name
