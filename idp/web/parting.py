"""Signing out in this browser, whoever asked for it: at once, or once the person has said so."""

from urllib.parse import urlencode

from flask import Response, make_response, render_template, session, url_for
from flask_babel import gettext as _

from idp.oidc.end_session import Leave
from idp.protocol.parameters import Parameters
from idp.services import farewell
from idp.services.farewell import Farewell, farewell_of
from idp.services.session_clients import parties_of
from idp.services.sessions import Live
from idp.services.signing_out import sign_out
from idp.web import cookies, headers
from idp.web.answers import see_other
from idp.web.context import context, services
from idp.web.models import app_view

CARRIED = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint")
"""What the question takes along, to be read again with its answer."""


def leave(live: Live, wanted: Leave | None = None) -> Response:
    """End the session, and go where that leads: back to the application, or to a page of ours."""
    wanted = wanted or Leave()
    by_app = wanted.client is not None
    reason = "signed_out_by_app" if by_app else "signed_out"
    sign_out(live.id, user_id=live.user_id, context=context(), reason=reason)
    said = _said(live, wanted)
    page = _page(said) if said.frames or said.way_back is None else said.way_back
    services().commit()
    session.clear()  # what was to be told on the next page is no matter of the next person's
    response = see_other(page)
    cookies.clear_session(response)
    return response


def _said(live: Live, wanted: Leave) -> Farewell:
    settings = services().settings
    lifetime = settings.access_token_lifetime
    parties = parties_of(live.id, live.user_id, context().at, access_lifetime=lifetime)
    return farewell_of(
        parties,
        issuer=settings.issuer,
        session_id=live.id,
        way_back=wanted.way_back,
        app=wanted.client.name if wanted.client else None,
    )


def _page(said: Farewell) -> str:
    if said == Farewell():
        return url_for("signed_out.page")
    return url_for("signed_out.page", handle=farewell.keep(said, context().at))


def nobody(wanted: Leave) -> Response:
    """Nobody is signed in here: there is nothing to end, and nothing to ask."""
    if wanted.way_back and wanted.hint:
        return see_other(wanted.way_back)
    app = wanted.client.name if wanted.client else None
    said = Farewell(way_back=wanted.way_back, app=app) if wanted.way_back else Farewell()
    page = _page(said)
    services().commit()
    return see_other(page)


def ask(live: Live, wanted: Leave, parameters: Parameters) -> Response:
    """Is she sure? Nothing has proved that it is her own wish: any page can send a browser here."""
    if wanted.way_back:
        headers.allow_form_target(wanted.way_back)
    carried = {name: value for name in CARRIED if (value := parameters.get(name))}
    page = render_template(
        "login/signed_out.html",
        asking=True,
        app=app_view(wanted.client) if wanted.client else None,
        user={"name": live.name, "email": live.email},
        action=url_for("signed_out.sign_out"),
        carried=carried,
        form_token=live.id,
    )
    return make_response(page)


def again(parameters: Parameters) -> str:
    """The request's address, for a browser that has to come once more with its cookies."""
    pairs = [(name, one) for name, values in parameters.values.items() for one in values]
    return f"{url_for('logout.end_session')}?{urlencode(pairs)}"


def way_on(said: Farewell) -> dict[str, str]:
    """The button of the last page."""
    if said.way_back is None:
        return {"url": url_for("login.start"), "label": _("Sign in again")}
    label = _("Back to %(app)s", app=said.app) if said.app else _("Continue")
    return {"url": said.way_back, "label": label}
