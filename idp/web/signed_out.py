"""The pages of a sign-out: the answer to the question, and what became of it."""

from datetime import datetime

from flask import Blueprint, Response, make_response, render_template, request, url_for

from idp.protocol.errors import OAuthError
from idp.protocol.parameters import Parameters
from idp.services import farewell
from idp.services.farewell import Farewell
from idp.web import headers, parting
from idp.web.answers import see_other
from idp.web.context import context, live_session, services

bp = Blueprint("signed_out", __name__)


@bp.post("/sign-out")
def sign_out() -> Response:
    """The person's own answer, on a form of ours: only that, and an ID token, ends a session."""
    parameters = _carried()
    live = live_session()
    if request.form.get("decision") != "sign_out":
        return see_other(url_for("account.home"))
    try:
        wanted = services().end_session.read(parameters)
    except OAuthError:
        return see_other(url_for("signed_out.page") if live is None else url_for("account.home"))
    if live is None:
        return parting.nobody(wanted)
    if request.form.get("form_token") != live.id:
        # Somebody else has signed in here since the question was put.
        return parting.ask(live, wanted, parameters)
    return parting.leave(live, wanted)


def _carried() -> Parameters:
    form = request.form
    return Parameters.of((name, form[name]) for name in parting.CARRIED if form.get(name))


@bp.get("/me/signed-out")
@bp.get("/me/signed-out/<handle>")
def page(handle: str | None = None) -> Response:
    """Say that it is done, and who was told; applications in frames are told by this very page."""
    said = (farewell.kept(handle, context().at) if handle else None) or Farewell()
    for uri in said.frames:
        headers.allow_frame(uri)
    shown = render_template(
        "login/signed_out.html",
        asking=False,
        said=said,
        staying=_dated(said.staying),
        away=_dated(said.away),
        next=parting.way_on(said),
    )
    return make_response(shown)


def _dated(lasting: tuple[farewell.Lasting, ...]) -> list[dict[str, object]]:
    """Names, with the instant until when; today's are shown by the clock, others by the day."""
    today = context().at.date()
    found = [(name, datetime.fromisoformat(until) if until else None) for name, until in lasting]
    return [
        {"name": name, "until": until, "today": until is not None and until.date() == today}
        for name, until in found
    ]
