"""/admin/people/<id>: one person, and what can be done about the account."""

import shlex
from collections.abc import Mapping
from typing import Any

from flask import Response, abort, url_for

from idp.models import User
from idp.services.deletion import TIME_TO_UNDO
from idp.services.people import State, methods_of, state_of
from idp.services.roles import ROLES, Area
from idp.web.admin.blueprint import bp, page
from idp.web.admin.guard import console, may
from idp.web.admin.meanwhile import Errors
from idp.web.admin.people import CHANGES
from idp.web.admin.person_views import (
    ROLE_NAMES,
    claims_view,
    credentials_view,
    recent,
    sessions_view,
)
from idp.web.context import services
from idp.web.guards import viewer

_ACTIONS = (
    *(
        "change_person",
        "mail_link",
        "make_link",
        "make_sign_in_link",
        "reset_second_step",
        "end_person_sessions",
    ),
    *("disable_person", "enable_person", "delete_person", "keep_person", "change_role"),
)


@bp.get("/people/<user_id>")
@console(Area.PEOPLE)
def person(user_id: str) -> Response:
    """Everything about them but what is secret."""
    return person_page(found(user_id))


def found(user_id: str) -> User:
    """The person; 404 for an id that is nobody's."""
    user = services().accounts.find(user_id)
    if user is None:
        abort(404)
    return user


def person_page(
    user: User,
    problems: Mapping[str, str] | Errors | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    """The page; with what was wrong in a form, and what was typed."""
    _live, me = viewer()
    changes = may(CHANGES)
    state = state_of(user, methods_of(user.id))
    return page(
        "admin/person.html",
        section="admin.people",
        status=422 if problems else 200,
        person=_shown(user, state),
        values=values_of(user) | dict(typed or {}),
        version=user.version,
        claims=claims_view(user),
        methods=credentials_view(user),
        sessions=sessions_view(user, changes=changes),
        events=recent(user),
        all_events=url_for(".audit", person=user.id),
        changes=changes,
        actions={name: url_for(f".{name}", user_id=user.id) for name in _ACTIONS},
        is_me=user.id == me.id,
        roles=[(name, ROLE_NAMES[name]) for name in ROLES],
        can_mail=services().settings.mail_url is not None,
        days=TIME_TO_UNDO.days,
        errors=errors_of(problems),
        who=shlex.quote(user.email),
    )


def _shown(user: User, state: State) -> dict[str, Any]:
    return {
        "id": user.id,
        "name": user.display_name,
        "email": user.email,
        "state": state.value,
        "role": user.role,
        "role_name": ROLE_NAMES.get(user.role or ""),
        "since": user.created_at,
        "leaves": user.deletion_due_at,
    }


def errors_of(problems: Mapping[str, str] | Errors | None) -> Errors:
    """As templates show them, from sentences by field or ready-made."""
    if isinstance(problems, list):
        return problems
    return [{"field": name, "message": text} for name, text in (problems or {}).items()]


def values_of(user: User) -> dict[str, str]:
    """The person as the forms show her."""
    return {
        "email": user.email,
        "email_verified": "yes" if user.email_verified else "",
        "name": user.name or "",
        "username": user.username or "",
        "groups": "\n".join(group.name for group in user.groups),
        "role": user.role or "",
    }
