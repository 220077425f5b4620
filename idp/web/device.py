"""The pages for a device without a browser of its own (RFC 8628 section 3.3)."""

from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_babel import gettext as _

from idp import audit
from idp.assurance import Satisfied
from idp.factors.base import Refused
from idp.models import User, db
from idp.oidc.device import VERIFICATION
from idp.protocol.errors import OAuthError
from idp.protocol.scopes import sentence
from idp.services import refused_requests, repeated
from idp.services.device_codes import Waiting
from idp.services.sessions import Live
from idp.services.throttle import Wait
from idp.services.transactions import Purpose
from idp.services.turned_away import NOBODY_ADMITTED
from idp.web import asking, cookies, errors, flow
from idp.web.answers import redirect_to, see_other
from idp.web.context import context, live_session, services
from idp.web.delivering import nobody_yet
from idp.web.forms import submitted
from idp.web.models import apis_of, app_view, errors_of
from idp.web.user_agents import device_name
from idp.web.words import ago, too_often

bp = Blueprint("device", __name__, url_prefix=VERIFICATION)

_FIELD = "user_code"
_EMPTY = Refused("no_code", "Enter the code that your device shows.", at_field=_FIELD)
_UNKNOWN = Refused(
    "unknown_code",
    "We don’t know this code. Look at your device again: the code works for a few minutes only.",
    at_field=_FIELD,
)


@bp.get("")
def enter() -> Response:
    """Where the code is typed. One that came along is filled in, and not yet looked at."""
    return _enter_page(request.args.get(_FIELD, "")[:40])


def _enter_page(typed: str = "", refused: Refused | None = None, status: int = 200) -> Response:
    page = render_template(
        "device/enter.html",
        action=url_for("device.entered"),
        values={_FIELD: typed},
        errors=errors_of(refused),
    )
    return make_response(page, status)


@bp.post("")
def entered() -> Response:
    """The code was typed. Each one that is not there counts as a guess (RFC 8628 section 5.1)."""
    typed = submitted().get(_FIELD, "")
    if not typed.strip():
        return _enter_page(refused=_EMPTY, status=422)
    reserved = services().throttle.reserve_guess(_FIELD, who=_guesser(), context=context())
    services().commit()
    if isinstance(reserved, Wait):
        repeated.record("device.user_code.throttled", context(), alike=())
        services().commit()
        refused = Refused("too_many", too_often(reserved), counts=False)
        return asking.slowed(_enter_page(typed[:40], refused, status=429), reserved)
    found = services().device_codes.find(typed, context().at)
    if found is None:
        audit.record("device.user_code.refused", context())
        services().commit()
        return _enter_page(typed[:40], _UNKNOWN, status=422)
    services().throttle.give_back(reserved)
    services().commit()
    return see_other(_address(found))


def _guesser() -> str:
    live = live_session()
    return live.user_id if live else cookies.browser_token()


def _address(waiting: Waiting) -> str:
    return url_for("device.show", request_id=waiting.id)


@bp.get("/<request_id>")
def show(request_id: str) -> Response:
    """Sign in for it; then what it asks for; at the end, what became of it."""
    waiting, live = services().device_codes.get(request_id), live_session()
    if waiting is not None and live is not None and waiting.decided_by == live.user_id:
        return _told(waiting)
    if waiting is None or not waiting.is_open(context().at):
        return _gone()
    try:
        if live is None or not _suffices(waiting, live):
            return _sign_in(waiting, live)
        services().device_approval.check_entry(waiting, live)
        services().sessions.touch(live, context().at)
        services().commit()
        return _ask(waiting, live)
    except OAuthError as error:
        return _refused(error, waiting, live)


def _suffices(waiting: Waiting, live: Live) -> bool:
    return isinstance(services().device_approval.weigh(waiting, live), Satisfied)


def _sign_in(waiting: Waiting, live: Live | None, **state: bool) -> Response:
    """Through the same sign-in as everything else, with the demand of this request."""
    purpose = Purpose(
        return_to=_address(waiting), state={"demand": {"device": waiting.id}, **state}
    )
    url = flow.begin(
        purpose, user_id=live.user_id if live else None, session_id=live.id if live else None
    )
    services().commit()
    return redirect_to(url)


def _ask(waiting: Waiting, live: Live) -> Response:
    """Explicitly, each time: whoever sent the link may hold the device (RFC 8628 section 5.4)."""
    approval = services().device_approval
    client, wanted = approval.client(waiting), approval.request(waiting)
    page = render_template(
        "device/approve.html",
        app=app_view(client),
        user=db.session.get_one(User, live.user_id),
        user_code=waiting.user_code,
        scopes=[sentence(one) or one for one in wanted.scopes],
        apis=apis_of(wanted.resource),
        asked=_asked_from(waiting),
        action=url_for("device.decide", request_id=waiting.id),
        links={"switch": url_for("device.leave", request_id=waiting.id)},
        form_token=live.id,
    )
    return make_response(page)


def _asked_from(waiting: Waiting) -> dict[str, Any]:
    return {
        "address": waiting.address,
        "program": _program(waiting.user_agent),
        "when": ago(context().at - waiting.created_at),
    }


def _program(user_agent: str) -> str:
    """What it calls itself: a browser by its usual name, a program by the first it says."""
    if user_agent.startswith("Mozilla/"):
        return device_name(user_agent)
    return user_agent.partition(" ")[0][:60] or str(_("unknown"))


@bp.post("/<request_id>")
def decide(request_id: str) -> Response:
    """Allow, or not. Of two answers the first counts; either way the page tells what holds."""
    waiting, live = services().device_codes.get(request_id), live_session()
    if waiting is None or live is None or not waiting.is_open(context().at):
        return see_other(url_for("device.show", request_id=request_id))
    approval = services().device_approval
    try:
        if not _suffices(waiting, live):
            return _sign_in(waiting, live)
        if submitted().get("form_token") != live.id:
            # Somebody else has signed in here since the question was put.
            return see_other(_address(waiting))
        if submitted().get("decision") == "allow":
            approval.allow(waiting, live, context())
        else:
            approval.deny(waiting, live, context())
    except OAuthError as error:
        services().rollback()
        return _refused(error, waiting, live)
    return see_other(_address(waiting))


@bp.post("/<request_id>/leave")
def leave(request_id: str) -> Response:
    """ "Not you?": somebody else signs in for it."""
    waiting = services().device_codes.get(request_id)
    if waiting is None or not waiting.is_open(context().at):
        return _gone()
    return _sign_in(waiting, None, other_person=True)


def _told(waiting: Waiting) -> Response:
    client = services().clients.get(waiting.client_id)
    name = client.name if client else waiting.client_id
    if waiting.allowed:
        heading = _("You can go back to your device")
        detail = _("%(app)s will go on there in a moment. You can close this page.", app=name)
        return errors.page(heading, status=200, detail=detail, symbol="check")
    return errors.page(
        _("%(app)s was not connected", app=name),
        status=200,
        detail=_("You can close this page."),
        shared=_("Nothing was shared."),
        symbol="check",
    )


def _gone() -> Response:
    return errors.page(
        _("This code no longer works"),
        status=410,
        detail=_("It was used, or its time is up. Ask your device for a new one."),
        back={"url": url_for("device.enter"), "label": _("Enter another code")},
    )


def _refused(error: OAuthError, waiting: Waiting, live: Live | None) -> Response:
    """The device is told nothing: somebody else may still allow it."""
    refused_requests.record_at_once(
        error,
        context(),
        client_id=waiting.client_id,
        user_id=live.user_id if live else None,
    )
    services().commit()
    if error.reason == NOBODY_ADMITTED:
        return nobody_yet(services().clients.get(waiting.client_id))
    return errors.page(
        _("This can’t be allowed"),
        status=403,
        detail=error.description,
        shared=_("Nothing was shared."),
    )
