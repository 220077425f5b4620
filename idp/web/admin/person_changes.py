"""What an administrator does to somebody's account."""

from collections.abc import Mapping
from typing import Any, Final, cast

from flask import Response, abort, flash, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later

from idp.models import User
from idp.services.account_fields import Fields
from idp.services.endings import end_everything
from idp.services.invalid import Invalid
from idp.services.roles import Area
from idp.services.signing_out import end_session
from idp.services.versions import Stale
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp
from idp.web.admin.guard import console
from idp.web.admin.meanwhile import seen, told
from idp.web.admin.people import groups_in
from idp.web.admin.person import found, person_page, values_of
from idp.web.answers import redirect_to
from idp.web.context import services
from idp.web.forms import submitted
from idp.web.words import refusal

_PERSON = "admin.person"
LABELS: Final = {
    "email": later("Email address"),
    "email_verified": later("Known to be theirs"),
    "name": later("Name"),
    "username": later("User name"),
    "groups": later("Groups"),
    "role": later("Role"),
}


def _back(user: User, done: str) -> Response:
    flash(done)
    return redirect_to(url_for(".person", user_id=user.id))


@bp.post("/people/<user_id>")
@console(Area.PEOPLE, writes=True, back=_PERSON)
def change_person(user_id: str) -> Response:
    """What the form holds, and nothing else: a role is not among it."""
    user, typed = found(user_id), submitted()
    fields: dict[str, Any] = {
        "email": typed.get("email", ""),
        "email_verified": "email_verified" in typed,
        "name": typed.get("name"),
        "username": typed.get("username"),
        "groups": groups_in(typed.get("groups", "")),
    }
    try:
        services().accounts.update(user, cast("Fields", fields), acting(), expected=seen())
    except Invalid as error:
        return person_page(user, error.problems, _kept(typed))
    except Stale:
        return _overtaken(user, _kept(typed))
    return _back(user, _("Saved."))


def _kept(typed: Mapping[str, str]) -> dict[str, str]:
    names = ("email", "name", "username", "groups", "email_verified")
    return {name: typed.get(name, "") for name in names}


def _overtaken(user: User, typed: Mapping[str, str]) -> Response:
    """Nothing is saved; what was typed stays, and what is there now stands beside it."""
    now = values_of(user)
    return person_page(user, told(typed, {name: now[name] for name in typed}, LABELS), typed)


@bp.post("/people/<user_id>/role")
@console(Area.PEOPLE, writes=True, back=_PERSON)
def change_role(user_id: str) -> Response:
    """Of somebody else: nobody raises their own."""
    user, role = found(user_id), submitted().get("role")
    try:
        services().accounts.update(user, {"role": role}, acting(), expected=seen())
    except Invalid as error:
        return person_page(user, error.problems)
    except Stale:
        return _overtaken(user, {"role": role or ""})
    return _back(user, _("The role is changed."))


@bp.post("/people/<user_id>/second-step")
@console(Area.PEOPLE, writes=True, back=_PERSON)
def reset_second_step(user_id: str) -> Response:
    """It is lost: off with it, and with every session."""
    user = found(user_id)
    services().second_step.take_off(user, acting())
    return _back(user, _("The second step is off. The person is told by mail."))


@bp.post("/people/<user_id>/sessions/end")
@console(Area.PEOPLE, writes=True, back=_PERSON)
def end_person_sessions(user_id: str) -> Response:
    """All of them, with every token."""
    user = found(user_id)
    end_everything(user.id, context=acting(), reason="by_administrator")
    services().commit()
    return _back(user, _("All sessions are ended."))


@bp.post("/people/<user_id>/sessions/<session_id>/end")
@console(Area.PEOPLE, writes=True, back=_PERSON)
def end_person_session(user_id: str, session_id: str) -> Response:
    """One; somebody else's is not found."""
    user = found(user_id)
    if not end_session(session_id, user_id=user.id, context=acting(), reason="by_administrator"):
        abort(404)
    services().commit()
    return _back(user, _("The session is ended."))


@bp.post("/people/<user_id>/disable")
@console(Area.PEOPLE, writes=True, back=_PERSON)
def disable_person(user_id: str) -> Response:
    """Out, now."""
    user = found(user_id)
    try:
        services().accounts.disable(user, acting())
    except Invalid as error:
        return person_page(user, error.problems)
    return _back(user, _("The account is disabled: sessions and tokens have ended."))


@bp.post("/people/<user_id>/enable")
@console(Area.PEOPLE, writes=True, back=_PERSON)
def enable_person(user_id: str) -> Response:
    """In again."""
    user = found(user_id)
    services().accounts.enable(user, acting())
    return _back(user, _("The account is enabled."))


@bp.post("/people/<user_id>/delete")
@console(Area.PEOPLE, writes=True, back=_PERSON)
def delete_person(user_id: str) -> Response:
    """Signed out at once, deleted in two weeks; the person is told, and can keep the account."""
    user = found(user_id)
    refused = services().deletion.request(user, submitted().get("confirm_email", ""), acting())
    if refused is not None:
        return person_page(user, {refused.at_field or "": refusal(refused)})
    return _back(user, _("The account will be deleted."))


@bp.post("/people/<user_id>/keep")
@console(Area.PEOPLE, writes=True, back=_PERSON)
def keep_person(user_id: str) -> Response:
    """Not to be deleted after all."""
    user = found(user_id)
    services().deletion.undo(user, acting())
    return _back(user, _("The account stays."))
