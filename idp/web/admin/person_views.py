"""One person as the console shows them: what of it is said in which words."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from sqlalchemy import select

from idp.factors.base import of_kind
from idp.models import Credential, User, db
from idp.services.audit_log import Search, search
from idp.services.claims import claims_of
from idp.services.people import State
from idp.services.roles import ADMINISTRATOR, AUDITOR, CLIENT_MANAGER
from idp.services.session_list import SessionView, session_list
from idp.web.admin.audit import event_view
from idp.web.admin.sentences import WAYS, Names
from idp.web.context import context, services
from idp.web.user_agents import device_name

ROLE_NAMES: Final = {
    ADMINISTRATOR: later("Administrator"),
    AUDITOR: later("Auditor"),
    CLIENT_MANAGER: later("Client manager"),
}
STATE_NAMES: Final = {
    State.ACTIVE: later("Active"),
    State.INVITED: later("Invited"),
    State.DISABLED: later("Disabled"),
    State.LEAVING: later("Leaving"),
}
_RECENT: Final = 8


def methods_in_words(kinds: Iterable[str]) -> str:
    """The ways somebody has to sign in, listed."""
    names = [str(WAYS.get(kind, kind)) for kind in kinds]
    text = ", ".join(names)
    return text[:1].upper() + text[1:]


def claims_view(user: User) -> list[tuple[str, str]]:
    """What applications can be told, by the name of each claim."""
    return [(name, _as_text(value)) for name, value in claims_of(user).items()]


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def credentials_view(user: User) -> list[dict[str, Any]]:
    """Each way to sign in; of what is secret about it, nothing. Codes are counted."""
    ever = select(Credential).where(Credential.user_id == user.id)
    rows = db.session.scalars(ever.order_by(Credential.created_at, Credential.id)).all()
    kinds = dict.fromkeys(row.kind for row in rows)
    return [_way(kind, [row for row in rows if row.kind == kind]) for kind in kinds]


def _way(kind: str, rows: Sequence[Credential]) -> dict[str, Any]:
    """Of one kind: ``total`` there have been, of which ``count`` are still of use."""
    used = [row.last_used_at for row in rows if row.last_used_at]
    return {
        "kind": kind,
        "name": methods_in_words([kind]),
        "count": len(of_kind(rows, kind)),
        "total": len(rows),
        "labels": [row.label for row in rows if row.label],
        "added": rows[-1].created_at,
        "last_used": max(used, default=None),
    }


def sessions_view(user: User, *, changes: bool) -> list[dict[str, Any]]:
    """Each browser that is signed in."""
    listed = session_list(user.id, services().settings, context().at)
    return [_session(one, user, changes=changes) for one in listed]


def _session(one: SessionView, user: User, *, changes: bool) -> dict[str, Any]:
    end = url_for(".end_person_session", user_id=user.id, session_id=one.id) if changes else None
    return {
        "id": one.id,
        "device": device_name(one.user_agent),
        "place": one.address or None,
        "methods": methods_in_words(one.methods),
        "started": one.started,
        "last_seen": one.last_seen,
        "end_url": end,
    }


def recent(user: User) -> list[dict[str, Any]]:
    """What happened lately."""
    events = search(Search(user_id=user.id, at_most=_RECENT))
    names = Names.of(events)
    return [event_view(one, names) for one in events]


def state_name(state: State) -> str:
    """In one word, for people."""
    return str(_(STATE_NAMES[state]))
