"""Where relying parties send browsers to sign out, and the document that they frame."""

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _

from idp.oidc.capabilities import ENDPOINTS
from idp.oidc.end_session import Leave
from idp.protocol.errors import OAuthError
from idp.protocol.parameters import Parameters
from idp.services import repeated
from idp.services.sessions import Live
from idp.web import browser_state, cookies, errors, headers, parting
from idp.web.answers import redirect_to
from idp.web.authorization import parameters_of
from idp.web.context import context, live_session, services

bp = Blueprint("logout", __name__)


@bp.route(str(ENDPOINTS.end_session), methods=["GET", "POST"])
def end_session() -> Response:
    """RP-Initiated Logout 1.0 section 2: by GET and POST. Any page may send a person here.

    So it does something by itself only with an ID token from this very session; else she is asked.
    """
    parameters = parameters_of(request)
    try:
        wanted = services().end_session.read(parameters)
    except OAuthError as error:
        return errors.page(
            _("The application sent a request we can’t accept"),
            status=error.status,
            detail=error.description,
            shared=_("You are still signed in.") if live_session() else None,
        )
    if request.method == "POST" and cookies.read(cookies.SESSION) is None:
        # A form on another site comes without our cookies (SameSite=Lax); a GET brings them.
        return redirect_to(parting.again(parameters))
    live = live_session()
    if live is not None and wanted.is_proven(live):
        return parting.leave(live, wanted)
    if wanted.flaw:
        _record(wanted, live, parameters)
    return parting.nobody(wanted) if live is None else parting.ask(live, wanted, parameters)


def _record(wanted: Leave, live: Live | None, parameters: Parameters) -> None:
    """Whoever wonders why nobody comes back to the application finds the reason here."""
    repeated.record(
        "logout.flawed",
        context(),
        alike=(live.user_id if live else "",),
        user_id=live.user_id if live else None,
        client_id=wanted.client.id if wanted.client else None,
        session_id=live.id if live else None,
        reason=wanted.flaw,
        redirect_uri=parameters.get("post_logout_redirect_uri"),
    )
    services().commit()


@bp.get(str(ENDPOINTS.check_session_iframe))
def check_session() -> Response:
    """Session Management 1.0 section 3.2: answers relying parties' pages, and shows nothing."""
    live_session()  # where the session is over, the browser's state says so from here on
    headers.allow_framing()
    page = render_template("check_session.html", cookie=browser_state.cookie_name())
    return make_response(page)
