"""/me: the state of the account first, and the one thing worth doing now."""

from collections.abc import Sequence
from typing import Any

from flask import Response
from flask_babel import gettext as _

from idp.models import User
from idp.services.holdings import credentials_of
from idp.services.session_list import session_list
from idp.web.account.apps import app_views
from idp.web.account.blueprint import bp, page
from idp.web.account.rows import ENOUGH_LEFT, MethodRow, deletion_of, method_rows
from idp.web.account.sessions import session_views
from idp.web.context import context, services
from idp.web.guards import demanding, viewer

SESSIONS_SHOWN = 3
APPS_SHOWN = 6


@bp.get("")
@demanding()
def home() -> Response:
    """Who is signed in, how, and where."""
    live, user = viewer()
    rows = method_rows(user, credentials_of(user))
    listed = session_list(user.id, services().settings, context().at)
    return page(
        "account/home.html",
        suggestion=_suggestion(user, rows),
        deletion=deletion_of(user),
        methods=rows,
        sessions=session_views(listed[:SESSIONS_SHOWN], live),
        session_count=len(listed),
        apps=app_views(services().connected_apps.listed(user.id, context().at)[:APPS_SHOWN]),
    )


def _suggestion(user: User, rows: Sequence[MethodRow]) -> dict[str, Any] | None:
    if user.deletion_due_at is not None:
        return None  # one thing at a time, and that is the notice about it
    for row in rows:
        if row.method in services().holdings.last_resorts and row.count <= ENOUGH_LEFT:
            text = _("You have few recovery codes left. New ones keep you from being locked out.")
            return {"text": text, "url": row.url, "label": _("Make new codes")}
    first = next((row for row in rows if services().factors[row.method].enrolable), None)
    if first is None or first.enrolled:
        return None
    text = _("A passkey is quicker than a password, and cannot be guessed, stolen or phished.")
    return {"text": text, "url": first.url, "label": _("Add a passkey")}
