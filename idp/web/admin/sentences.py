"""Audit events in plain sentences, for administrators: who, what, to whom."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as later
from sqlalchemy import select

from idp.models import AuditEvent, Client, User, db
from idp.services.clients import SELF_REGISTERED
from idp.services.sign_in_told import Told, methods_in, told_by
from idp.services.turned_away import CANCELLED, IN_NO_GROUP, NOBODY_ADMITTED, NOT_ALLOWED
from idp.web.words import listed

SENTENCES: Final[Mapping[str, Any]] = {
    "administrator.link.made": later("A link was made for the first administrator."),
    "administrator.made": later("%(person)s became the first administrator, by the link."),
    "audit.exported": later("%(actor)s exported the audit log."),
    "authorization.refused": later("A sign-in to %(app)s was not finished: %(error)s."),
    "authorization.throttled": later("Requests were pushed too often, lastly for %(app)s."),
    "client.authentication.refused": later("%(app)s did not prove to be %(app)s."),
    "client.change.refused": later(
        "%(actor)s wanted to let an application do more than is for them to give: %(members)s."
    ),
    "client.changed": later("%(actor)s changed %(app)s."),
    "client.deleted": later("%(actor)s deleted %(app)s."),
    "client.disabled": later("%(actor)s disabled %(app)s."),
    "client.enabled": later("%(actor)s enabled %(app)s."),
    "client.registered": later("%(actor)s registered %(app)s."),
    "client.registration.refused": later("An application could not register itself."),
    "client.registration.throttled": later("Applications registered themselves too often."),
    "client.registration_token.made": later("%(actor)s made a token to register applications."),
    "client.registration_token.revoked": later("%(actor)s revoked a registration token."),
    "client.registration_token.used": later("%(app)s was registered with a token."),
    "client.secret_added": later("%(actor)s added a secret to %(app)s."),
    "client.secret_removed": later("%(actor)s removed a secret of %(app)s."),
    "client.secret_rotated": later("%(actor)s gave %(app)s a new secret."),
    "client.tested": later("%(actor)s tested %(app)s: %(outcome)s."),
    "code.refused": later("%(app)s could not finish the sign-in of %(person)s."),
    "consent.given": later("%(person)s allowed %(app)s to see details."),
    "consent.revoked": later("%(actor)s took back what %(person)s had allowed %(app)s."),
    "data.exported": later("%(actor)s downloaded the data of %(person)s."),
    "data.restored": later("%(actor)s restored a backup: all sessions and tokens were ended."),
    "device.approved": later("%(person)s connected %(app)s on a device."),
    "device.code.refused": later("%(app)s could not finish the sign-in on a device."),
    "device.denied": later("%(person)s did not connect %(app)s on a device."),
    "device.requested": later("%(app)s asked to be connected on a device."),
    "device.throttled": later("Codes for devices were asked for too often, lastly for %(app)s."),
    "device.user_code.refused": later("Somebody typed a device code that there is not."),
    "device.user_code.throttled": later("Device codes were tried too often."),
    "email.change.forgotten": later("%(person)s called off another email address."),
    "email.change.requested": later("%(person)s asked for another email address."),
    "email.change.undone": later("The email address of %(person)s was put back."),
    "email.changed": later("%(person)s has another email address."),
    "grant.ended": later("Access to the account of %(person)s was ended for %(app)s."),
    "group.created": later("%(actor)s made the group %(group)s."),
    "group.deleted": later("%(actor)s deleted the group %(group)s."),
    "group.renamed": later("%(actor)s renamed the group %(before)s to %(after)s."),
    "key.created": later("%(actor)s made a signing key."),
    "key.rotated": later("%(actor)s rotated the signing keys."),
    "key.retired": later("%(actor)s retired a signing key."),
    "login.handed_link.made": later("%(actor)s made a sign-in link for %(person)s."),
    "login.link.disowned": later("%(person)s said that a sign-in by a mailed link was not theirs."),
    "logout.flawed": later("%(app)s asked to sign somebody out, in a way that proves nothing."),
    "logout.notice.failed": later("%(app)s could not be told that %(person)s had signed out."),
    "mail.failed": later("A mail to %(person)s could not be delivered."),
    "passkey.proposed": later("%(person)s was asked whether a passkey would do."),
    "password.reset.finished": later("%(person)s set a new password by a link."),
    "password.reset.mailed": later("%(actor)s mailed %(person)s a link to set a password."),
    "password.reset.printed": later("%(actor)s made a link to set the password of %(person)s."),
    "password.reset.requested": later("A link to set the password of %(person)s was asked for."),
    "password.reset.throttled": later("Links to set a password were asked for too often."),
    "password.set": later("%(actor)s set the password of %(person)s."),
    "people.exported": later("%(actor)s exported the list of people."),
    "people.imported": later("%(actor)s imported people."),
    "registration.requested": later("Somebody asked for an account."),
    "registration.throttled": later("Accounts were asked for too often."),
    "second_step.reset": later("%(actor)s took the second step off the account of %(person)s."),
    "session.ended": later("A session of %(person)s was ended."),
    "setting.changed": later("%(actor)s changed the setting %(setting)s."),
    "step_up.satisfied": later("%(person)s confirmed it again for %(app)s."),
    "token.exchange.refused": later("%(app)s could not pass on what it may do."),
    "token.exchanged": later("%(app)s passed on what it may do for %(person)s."),
    "token.refused": later("%(app)s was refused further access."),
    "token.repeated": later("%(app)s renewed its access twice at once."),
    "token.replayed": later("Somebody used what %(app)s had used already; its access was ended."),
    "token.revoked": later("%(app)s gave its access back."),
    "user.change.refused": later("%(actor)s may not change the account of %(person)s like this."),
    "user.created": later("%(actor)s made the account of %(person)s."),
    "user.deleted": later("The account of %(person)s was deleted."),
    "user.deletion.requested": later("%(actor)s asked for the deletion of %(person)s."),
    "user.deletion.undone": later("%(actor)s called off the deletion of %(person)s."),
    "user.disabled": later("%(actor)s disabled %(person)s."),
    "user.enabled": later("%(actor)s enabled %(person)s."),
    "user.updated": later("%(actor)s changed the account of %(person)s: %(fields)s."),
}
"""Every event that has a name of its own; ways to sign in make theirs from ``_OF_A_WAY``."""

_BY_THEMSELVES: Final[Mapping[str, Any]] = {
    "consent.revoked": later("%(person)s took back what %(app)s was allowed."),
    "data.exported": later("%(person)s downloaded their own data."),
    "user.created": later("The account of %(person)s was made."),
    "user.deletion.requested": later("%(person)s asked for their account to be deleted."),
    "user.deletion.undone": later("%(person)s kept their account."),
    "user.updated": later("%(person)s changed their own account: %(fields)s."),
    "password.set": later("%(person)s set a password."),
}
"""The same where nobody else did it."""

_BY_THE_APPLICATION: Final[Mapping[str, Any]] = {
    "client.changed": later("%(app)s changed its own registration."),
    "client.deleted": later("%(app)s deleted its own registration."),
    "client.registered": later("%(app)s registered itself."),
}
"""The same where the application did it to itself, at the registration endpoint."""

_OF_SOMEBODY: Final[Mapping[str, Any]] = {
    "authorization.refused": later(
        "A sign-in of %(person)s to %(app)s was not finished: %(error)s."
    ),
}
"""The same where it is known whose it was."""

_TURNED_AWAY: Final[Mapping[str, Any]] = {
    CANCELLED: later("%(person)s cancelled the sign-in to %(app)s."),
    NOT_ALLOWED: later("%(person)s did not allow %(app)s what it asked for."),
    NOBODY_ADMITTED: later("%(person)s was not let in to %(app)s: nobody may sign in to it yet."),
    IN_NO_GROUP: later("%(person)s was not let in to %(app)s, which is for other groups."),
}
"""A sign-in that was not finished, by why."""

_OF_A_WAY: Final[Mapping[str, Any]] = {
    "login.*.refused": later("A sign-in of %(person)s with %(method)s failed."),
    "login.*.throttled": later("Sign-ins of %(person)s with %(method)s were tried too often."),
    "*.added": later("%(person)s set up %(method)s."),
    "*.replaced": later("%(person)s replaced %(method)s."),
    "*.renamed": later("%(person)s gave %(method)s another name."),
    "*.removed": later("%(actor)s removed %(method)s of %(person)s."),
    "*.refused": later("%(method)s of %(person)s was not set up."),
}
WAYS: Final[Mapping[str, Any]] = {
    "password": later("a password"),
    "passkey": later("a passkey"),
    "totp": later("an authenticator app"),
    "recovery_code": later("a recovery code"),
    "magic_link": later("a mailed link"),
    "handed_link": later("an administrator’s link"),
}
_PROVED: Final[Mapping[Told, Any]] = {
    "opened": later("%(person)s signed in with %(method)s."),
    "pending": later(
        "A sign-in of %(person)s was begun with %(method)s; a second step was still to come."
    ),
    "added": later("%(person)s proved with %(method)s that it is them."),
}
"""A proof that was accepted, by what came of it."""
_SOMEBODY: Final = later("somebody")
_AN_APPLICATION: Final = later("an application")
_COMMAND: Final = "command:"
_CLIENT: Final = "client:"


@dataclass(frozen=True, slots=True)
class Names:
    """What people and applications of some events are called, by id."""

    people: Mapping[str, str]
    clients: Mapping[str, str]

    @classmethod
    def of(cls, events: Iterable[AuditEvent]) -> "Names":
        """Two statements, however many events."""
        every = list(events)
        users = {one for event in every for one in (event.user_id, event.actor_id) if one}
        clients = {event.client_id for event in every if event.client_id}
        clients |= {one.removeprefix(_CLIENT) for one in users if one.startswith(_CLIENT)}
        found = db.session.execute(select(User.id, User.email).where(User.id.in_(users)))
        apps = db.session.execute(select(Client.id, Client.name).where(Client.id.in_(clients)))
        return cls({row.id: row.email for row in found}, {row.id: row.name for row in apps})

    def person(self, user_id: str | None) -> str:
        """By address; somebody who is gone by the bare id."""
        return self.people.get(user_id or "") or user_id or str(_SOMEBODY)

    def app(self, client_id: str | None) -> str:
        """By name; one that is gone by the bare id."""
        return self.clients.get(client_id or "") or client_id or str(_AN_APPLICATION)

    def actor(self, event: AuditEvent) -> str:
        """Who did it: a person, whoever ran the command, or the program by itself."""
        if event.actor_id is None:
            return str(later("Gatehouse"))
        if event.actor_id.startswith(_COMMAND):
            operator = event.actor_id.removeprefix(_COMMAND)
            return str(later("%(name)s, by the command,", name=operator))
        app = self.app(event.actor_id.removeprefix(_CLIENT))
        return self.people.get(event.actor_id) or app


def sentence_of(event: AuditEvent, names: Names) -> str:
    """One sentence; an event that nothing is known of is told by its name."""
    words, method = _words(event)
    values = {
        **{name: _shown(value) for name, value in event.data.items()},
        "person": names.person(event.user_id),
        "app": names.app(event.client_id),
        "actor": names.actor(event),
        "method": _ways(event, method),
    }
    told = str(words) % _Filled(values)
    return told[:1].upper() + told[1:] if told.startswith(_small()) else told


def _ways(event: AuditEvent, method: str) -> str:
    methods = methods_in(event.data, method)
    return listed([str(WAYS.get(one, one)) for one in methods], str(later("and")))


def _small() -> tuple[str, ...]:
    """What begins in small letters only because of where it mostly stands; names stay as is."""
    return tuple(map(str, (_SOMEBODY, _AN_APPLICATION, *WAYS.values())))


def _words(event: AuditEvent) -> tuple[Any, str]:
    name = event.name
    if event.user_id and event.actor_id == event.user_id and name in _BY_THEMSELVES:
        return _BY_THEMSELVES[name], ""
    if name in _BY_THE_APPLICATION and _by_itself(event):
        return _BY_THE_APPLICATION[name], ""
    if name == "authorization.refused" and event.data.get("reason") in _TURNED_AWAY:
        return _TURNED_AWAY[event.data["reason"]], ""
    if event.user_id and name in _OF_SOMEBODY:
        return _OF_SOMEBODY[name], ""
    if name in SENTENCES:
        return SENTENCES[name], ""
    parts: Sequence[str] = name.split(".")
    place = 1 if parts[0] == "login" else 0
    pattern = ".".join("*" if number == place else part for number, part in enumerate(parts))
    if pattern == "login.*.accepted":
        return _PROVED[told_by(event.data)], parts[place]
    if pattern in _OF_A_WAY:
        return _OF_A_WAY[pattern], parts[place]
    return later("Noted: %(what)s.", what=name.replace(".", " ").replace("_", " ")), ""


def _by_itself(event: AuditEvent) -> bool:
    """By what the event holds: older ones name nobody who did it."""
    told = (event.data.get(name) for name in ("by", "reason", "managed_by"))
    return not {"itself", "by_itself", SELF_REGISTERED}.isdisjoint(told)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


class _Filled(dict[str, str]):
    """Nothing is missing from a sentence, whatever an event of an older version holds."""

    def __missing__(self, name: str) -> str:
        return "…"
