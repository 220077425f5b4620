"""/api/v1/people/{person_id}/…: letting somebody in, or out."""

from typing import Any, Final

from flask import abort
from sqlalchemy import select

from idp.models import Credential, User, db
from idp.services.endings import end_everything
from idp.services.handed_links import LIFETIME
from idp.services.reset import LIFETIME_BY_HAND
from idp.services.roles import Area
from idp.services.session_list import SessionView, session_list
from idp.services.signing_out import end_session
from idp.web.api.call import Answer, Call
from idp.web.api.people import ONE, changeable, found, person_answer
from idp.web.api.problems import Problem
from idp.web.api.registry import operation
from idp.web.api.representing import instant
from idp.web.api.schema import FLAG, INSTANT, many, members, named, or_null, text
from idp.web.context import services

SESSIONS: Final = f"{ONE}/sessions"
SESSION: Final = members(
    {
        "id": text(),
        "user_agent": text(),
        "address": text(),
        "started_at": INSTANT,
        "last_seen_at": INSTANT,
        "persistent": FLAG,
        "methods": many(text()),
    }
)
CREDENTIAL: Final = members(
    {
        "id": text(),
        "kind": text(),
        "label": or_null(text()),
        "created_at": INSTANT,
        "last_used_at": or_null(INSTANT),
    }
)
LINK: Final = members({"url": text(), "expires_at": INSTANT})


@operation("POST", f"{ONE}/disable", Area.PEOPLE, answer=named("Person"), tagged=True)
def disable_person(call: Call, person_id: str) -> Answer:
    """Shut somebody out now; sessions and tokens end with it."""
    user = changeable(call, person_id)
    services().accounts.disable(user, call.context)
    return person_answer(user)


@operation("POST", f"{ONE}/enable", Area.PEOPLE, answer=named("Person"), tagged=True)
def enable_person(call: Call, person_id: str) -> Answer:
    """Let somebody in again; what had ended stays ended."""
    user = changeable(call, person_id)
    services().accounts.enable(user, call.context)
    return person_answer(user)


@operation("POST", f"{ONE}/deletion", Area.PEOPLE, answer=named("Person"), tagged=True)
def ask_for_deletion(call: Call, person_id: str) -> Answer:
    """Sign somebody out and delete the account in two weeks; she is told, and can keep it."""
    user = changeable(call, person_id)
    refused = services().deletion.request(user, user.email, call.context)
    if refused is not None:
        raise Problem(409, refused.message)
    return person_answer(user)


@operation("DELETE", f"{ONE}/deletion", Area.PEOPLE)
def undo_deletion(call: Call, person_id: str) -> Answer:
    """Keep the account after all."""
    services().deletion.undo(changeable(call, person_id), call.context)
    return Answer()


@operation("POST", f"{ONE}/link", Area.PEOPLE, answer=LINK, status=201)
def make_link(call: Call, person_id: str) -> Answer:
    """A link to set a password by, told this once, to be handed over."""
    user = _open(changeable(call, person_id))
    url = services().password_reset.link(user, call.context)
    return Answer(body={"url": url, "expires_at": instant(call.context.at + LIFETIME_BY_HAND)})


@operation("POST", f"{ONE}/sign-in-link", Area.PEOPLE, answer=LINK, status=201)
def make_sign_in_link(call: Call, person_id: str) -> Answer:
    """A link that signs in once, told this once; a second step is still asked for."""
    user = _open(changeable(call, person_id))
    url = services().handed_links.link(user, call.context)
    return Answer(body={"url": url, "expires_at": instant(call.context.at + LIFETIME)})


@operation("POST", f"{ONE}/link/mail", Area.PEOPLE)
def mail_link(call: Call, person_id: str) -> Answer:
    """Mail the person a link to set a password by; following it verifies the address."""
    user = _open(changeable(call, person_id))
    if services().settings.mail_url is None:
        raise Problem(409, "No mail can be sent: mail_url is not set. Make a link instead.")
    services().password_reset.send(user, call.context)
    return Answer()


def _open(user: User) -> User:
    if user.disabled_at is not None:
        raise Problem(409, "The account is disabled. Enable it first.")
    return user


@operation("GET", f"{ONE}/credentials", Area.PEOPLE, answer=members({"items": many(CREDENTIAL)}))
def list_credentials(call: Call, person_id: str) -> Answer:
    """The ways somebody has to sign in; of what is secret about them, nothing."""
    user = found(person_id)
    held = select(Credential).where(Credential.user_id == user.id, Credential.used_at.is_(None))
    rows = db.session.scalars(held.order_by(Credential.created_at, Credential.id))
    return Answer(body={"items": [_credential(one) for one in rows]})


def _credential(one: Credential) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "label": one.label,
        "created_at": instant(one.created_at),
        "last_used_at": instant(one.last_used_at),
    }


@operation("DELETE", f"{ONE}/second-step", Area.PEOPLE)
def reset_second_step(call: Call, person_id: str) -> Answer:
    """Take off passkeys, codes and app that are lost; sessions end, and the person is told."""
    services().second_step.take_off(changeable(call, person_id), call.context)
    return Answer()


@operation("GET", SESSIONS, Area.PEOPLE, answer=members({"items": many(SESSION)}))
def list_person_sessions(call: Call, person_id: str) -> Answer:
    """The browsers in which somebody is signed in."""
    listed = session_list(found(person_id).id, services().settings, call.context.at)
    return Answer(body={"items": [_session(one) for one in listed]})


def _session(one: SessionView) -> dict[str, Any]:
    return {
        "id": one.id,
        "user_agent": one.user_agent,
        "address": one.address,
        "started_at": instant(one.started),
        "last_seen_at": instant(one.last_seen),
        "persistent": one.persistent,
        "methods": list(one.methods),
    }


@operation("DELETE", SESSIONS, Area.PEOPLE)
def end_person_sessions(call: Call, person_id: str) -> Answer:
    """End all of somebody's sessions, with every token."""
    user = changeable(call, person_id)
    end_everything(user.id, context=call.context, reason="by_administrator")
    services().commit()
    return Answer()


@operation("DELETE", f"{SESSIONS}/{{session_id}}", Area.PEOPLE)
def end_person_session(call: Call, person_id: str, session_id: str) -> Answer:
    """End one of them; somebody else's is not found."""
    user, reason = changeable(call, person_id), "by_administrator"
    if not end_session(session_id, user_id=user.id, context=call.context, reason=reason):
        abort(404)
    services().commit()
    return Answer()
