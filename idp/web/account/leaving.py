"""Taking one's data along, and leaving."""

import json

from flask import Response, flash, make_response, render_template, url_for
from flask_babel import format_date
from flask_babel import gettext as _

from idp import audit
from idp.factors.base import Refused
from idp.services.deletion import TIME_TO_UNDO
from idp.services.export import exported
from idp.web import cookies
from idp.web.account.blueprint import bp, page
from idp.web.answers import problem, see_other, wants_json
from idp.web.context import context, services
from idp.web.forms import submitted
from idp.web.guards import secured, viewer
from idp.web.models import errors_of
from idp.web.words import DAY, refusal


@bp.post("/security/export")
@secured(back="account.security")
def export() -> Response:
    """Everything we hold about the person, as one file."""
    live, user = viewer()
    audit.record("data.exported", context(), user_id=user.id, session_id=live.id)
    services().notices.tell(user, "Your data was downloaded.", context())
    content = exported(user, services().connected_apps, context().at)
    services().commit()
    response = make_response(json.dumps(content, indent=2, ensure_ascii=False))
    response.mimetype = "application/json"
    response.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/security/delete")
@secured()
def delete() -> Response:
    """What it means, and whether she is sure."""
    return _page()


def _page(refused: Refused | None = None, status: int = 200) -> Response:
    if refused is not None and wants_json():
        return problem(status, refused.reason, refusal(refused))
    _live, user = viewer()
    return page(
        "account/delete.html",
        status=status,
        action=url_for("account.confirm_delete"),
        apps=[app.name for app in services().connected_apps.listed(user.id, context().at)],
        days=TIME_TO_UNDO.days,
        export=url_for("account.export"),
        errors=errors_of(refused),
    )


@bp.post("/security/delete")
@secured(back="account.delete")
def confirm_delete() -> Response:
    """Sign out everywhere; the rest in two weeks, unless she comes back."""
    _live, user = viewer()
    refused = services().deletion.request(user, submitted().get("confirm_email", ""), context())
    if refused is not None:
        return _page(refused, 422)
    day = format_date(user.deletion_due_at, DAY)
    shown = render_template(
        "account/told.html",
        heading=_("Your account will be deleted"),
        text=_("On %(day)s it is erased. Until then you can sign in and keep it.", day=day),
        way_on={"url": url_for("login.start"), "label": _("Sign in")},
    )
    response = make_response(shown)
    cookies.clear_session(response)
    return response


@bp.post("/security/keep")
@secured(back="account.security")
def keep() -> Response:
    """She has changed her mind."""
    _live, user = viewer()
    if services().deletion.undo(user, context()):
        flash(_("Your account stays."))
    return see_other(url_for("account.security"))
