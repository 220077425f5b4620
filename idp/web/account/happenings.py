"""Audit events in plain sentences, for the person they are about."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as later

from idp.models import AuditEvent
from idp.services.activity import Happening
from idp.services.demands import HANDED
from idp.services.notices import sentence
from idp.services.sign_in_told import Told, methods_in, told_by
from idp.web.context import services
from idp.web.user_agents import device_name
from idp.web.words import listed, phrase

Outcome = Literal["ok", "refused", "change"]

_SENTENCES: Final[Mapping[str, Any]] = {
    "step_up.satisfied": later("You confirmed that it’s you."),
    "session.ended": later("A session was ended."),
    "consent.given": later("You allowed %(app)s to see your details."),
    "consent.revoked": later("You removed %(app)s."),
    "grant.ended": later("Access was ended for apps: %(app)s."),
    "token.revoked": later("%(app)s gave its access back."),
    "token.refused": later("%(app)s could not renew its access."),
    "token.repeated": later("%(app)s renewed its access twice at once."),
    "token.replayed": later(
        "Somebody used what %(app)s had used already. Its access was ended to be safe."
    ),
    "code.refused": later("%(app)s could not finish a sign-in."),
    "device.approved": later("You connected %(app)s on a device."),
    "device.denied": later("You did not connect %(app)s on a device."),
    "token.exchanged": later("%(app)s passed on what it may do in your name."),
    "token.exchange.refused": later("%(app)s could not pass on what it may do in your name."),
    "authorization.refused": later("A sign-in to %(app)s was not finished."),
    "password.set": later("An administrator set your password."),
    "password.reset.requested": later("A link to set a new password was asked for."),
    "password.reset.throttled": later("Links to set a new password were asked for too often."),
    "password.reset.mailed": later("An administrator mailed you a link to set your password."),
    "password.reset.printed": later("An administrator made a link to set your password."),
    "login.handed_link.made": later("An administrator made a sign-in link for you."),
    "password.reset.finished": later("Your password was changed by a link."),
    "email.change.requested": later("Another email address was asked for."),
    "email.change.forgotten": later("The change of your email address was called off."),
    "email.changed": later("Your email address was changed."),
    "email.change.undone": later("Your email address was put back."),
    "second_step.reset": later("An administrator took the second step off your account."),
    "administrator.made": later("You became the first administrator, by the link."),
    "client.tested": later("You tested %(app)s."),
    "user.created": later("Your account was made."),
    "user.updated": later("Your details were changed."),
    "user.change.refused": later("A change to your account was refused."),
    "user.disabled": later("Your account was disabled."),
    "user.enabled": later("Your account was enabled."),
    "user.deletion.requested": later("The deletion of your account was asked for."),
    "user.deletion.undone": later("The deletion of your account was called off."),
    "data.exported": later("Your data was downloaded."),
    "logout.flawed": later("%(app)s asked to sign you out, in a way that proves nothing."),
    "logout.notice.failed": later("%(app)s could not be told that you had signed out."),
    "mail.failed": later("A mail to you could not be delivered."),
    "registration.requested": later("Somebody tried to make an account with your address."),
    "registration.throttled": later(
        "Somebody tried too often to make an account with your address."
    ),
    "passkey.proposed": later("You were asked whether you would like a passkey."),
}
_ATTEMPTS: Final[Mapping[str, Any]] = {
    "refused": later("A sign-in with %(method)s failed."),
    "throttled": later("Sign-ins with %(method)s were tried too often."),
}
_PROVED: Final[Mapping[Told, Any]] = {
    "opened": later("You signed in with %(method)s."),
    "pending": later("A sign-in was begun with %(method)s; a second step was still to come."),
    "added": later("You confirmed with %(method)s that it’s you."),
}
"""A proof that was accepted, by what came of it."""
_BAD: Final = frozenset({"refused", "throttled", "failed", "replayed"})
_QUIET: Final = (
    "login.",
    "step_up.",
    "session.",
    "consent.",
    "token.",
    "code.",
    "grant.",
    "device.",
    "logout.",
)


def happening_view(happening: Happening) -> dict[str, Any]:
    """An event as templates show it; who can dispute it is for the page to say."""
    event = happening.event
    return {
        "sentence": sentence_of(event),
        "at": event.at,
        "device": device_name(happening.user_agent) if happening.user_agent else None,
        "place": event.address,
        "outcome": outcome_of(event.name),
        "reference": event.reference,
    }


def outcome_of(name: str) -> Outcome:
    """Did it work, was it refused, or did something change?"""
    if name.rpartition(".")[2] in _BAD:
        return "refused"
    return "ok" if name.startswith(_QUIET) else "change"


def method_of(event: AuditEvent) -> str | None:
    """The way to sign in that an event is about: used, tried or changed; None where it is none."""
    subject, _dot, rest = event.name.partition(".")
    method = rest.partition(".")[0] if subject == "login" else subject
    return method if method in services().factors else None


def sentence_of(event: AuditEvent) -> str:
    """One sentence. An event that this page has no words for is told by its name."""
    subject, _dot, rest = event.name.partition(".")
    if event.name in _SENTENCES:
        return str(_SENTENCES[event.name]) % {"app": _app(event)}
    if subject == "login":
        return _attempt(event, *rest.partition(".")[::2]) or _by_name(event.name)
    if subject in services().factors:
        return _of_credential(subject, rest, event) or _by_name(event.name)
    return _by_name(event.name)


def _attempt(event: AuditEvent, method: str, outcome: str) -> str | None:
    if method not in services().factors and method != HANDED:
        return None
    if outcome == "accepted":
        methods = listed([phrase(one) for one in methods_in(event.data, method)], _("and"))
        return str(_PROVED[told_by(event.data)]) % {"method": methods}
    if outcome not in _ATTEMPTS:
        return None
    return str(_ATTEMPTS[outcome]) % {"method": phrase(method)}


def _of_credential(method: str, action: str, event: AuditEvent) -> str | None:
    try:
        return str(_(sentence(method, action, event.data.get("label"))))
    except KeyError:
        return None


def _app(event: AuditEvent) -> str:
    client = services().clients.get(event.client_id) if event.client_id else None
    return client.name if client else event.client_id or str(_("all of them"))


def _by_name(name: str) -> str:
    return str(_("Noted: %(what)s.", what=name.replace(".", " ").replace("_", " ")))
