"""One place for each family of errors: what people see, what scripts get, what is remembered."""

import logging
from typing import Any

from flask import Flask, Response, g, jsonify, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from idp import capacity
from idp.capacity import Busy
from idp.protocol.errors import OAuthError
from idp.secrecy import new_reference
from idp.services import refused_requests, repeated
from idp.services.clients import RegisteredClient
from idp.services.roles import Area, Permission, permits
from idp.web.answers import problem, problem_details, redirect_to, wants_json
from idp.web.context import context, live_session, services
from idp.web.forms import has_form_cookie
from idp.web.strays import DETAILS, HEADINGS, way_back, without_last_slash

log = logging.getLogger("idp.web")
RETRY_AFTER = 5


def page(
    heading: str,
    *,
    status: int,
    detail: str | None = None,
    shared: str | None = None,
    back: dict[str, str] | None = None,
    reference: str | None = None,
    symbol: str = "alert",
    hint: dict[str, str] | None = None,
) -> Response:
    """The error page; with another ``symbol`` than a warning's, a piece of good news."""
    html = render_template(
        "error.html",
        heading=heading,
        detail=detail,
        shared=shared,
        back=back,
        reference=reference,
        at=g.now if reference else None,
        hint=hint,
        symbol=symbol,
    )
    return make_response(html, status)


def authorization_refused(error: OAuthError, sent: dict[str, Any]) -> Response:
    """The request cannot even be answered at the client's address: say so here.

    The reference leads from the page to the audit event, which holds what was sent.
    """
    reference = new_reference()
    refused_requests.record(
        error,
        context(),
        alike=(),
        most=repeated.FROM_NETWORK,  # people read their references out
        client_id=_sayable(sent.get("client_id"))[:255] or None,
        reference=reference,
        redirect_uri=_sayable(sent.get("redirect_uri"))[:2000],
    )
    services().commit()
    if wants_json():
        response = jsonify(error.parameters() | {"reference": reference})
        response.status_code = error.status
        return response
    client = _known(sent.get("client_id"))
    return page(
        _("The application sent a request we can’t accept"),
        status=error.status,
        detail=f"{_named(error, client)} {_explained(error)}".strip(),
        shared=_("Nothing was shared."),
        back=_back_to(client),
        reference=reference,
        hint=_hint(reference),
    )


def _known(client_id: object) -> RegisteredClient | None:
    """The application, if it is one that people may sign in to."""
    client = services().clients.get(_sayable(client_id))
    return client if client is not None and not client.disabled else None


def _named(error: OAuthError, client: RegisteredClient | None) -> str:
    """Names the application, where there is one of that ``client_id``.

    Beneath a heading that is always the same: so that whoever drives a browser knows this page.
    """
    if client is None:
        return ""
    if error.description == "redirect_uri is missing.":
        return str(_("%(app)s did not say where to go back to.", app=client.name))
    if "redirect_uri" in error.description:
        return str(_("%(app)s sent an address we don’t recognise.", app=client.name))
    return str(_("The application is %(app)s.", app=client.name))


def _back_to(client: RegisteredClient | None) -> dict[str, str]:
    """The application's own home, as it is registered; nothing that came with the request."""
    if client is not None and client.metadata.client_uri:
        label = _("Return to %(app)s", app=client.name)
        return {"url": client.metadata.client_uri, "label": label}
    return {"url": url_for("account.home"), "label": _("Go to your account")}


def _hint(reference: str) -> dict[str, str] | None:
    """For whoever may see applications: what was sent against what is registered."""
    live = live_session()
    if live is None or not permits(live.role, Permission(Area.CLIENTS)):
        return None
    return {
        "text": _("You administer this provider."),
        "url": url_for("admin.refused_request", reference=reference),
        "label": _("See what was sent and repair it"),
    }


def _sayable(sent: object) -> str:
    """What was sent, in characters that every database and terminal takes."""
    return "".join(char if char.isprintable() else "\ufffd" for char in str(sent or ""))


def _explained(error: OAuthError) -> str:
    if "redirect_uri" in error.description:
        return str(_("Whoever looks after it has to put that right."))
    if "client_id" in error.description:
        return str(_("We don’t know the application that sent you here."))
    return error.description


def storage_failed(error: Exception) -> Response:
    """503: nothing was done, and nothing was skipped; another try may well succeed."""
    log.error("storage failed", exc_info=error)
    services().rollback()
    response = _calmly(503, "temporarily_unavailable", "Try again in a moment.")
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def busy(_error: Busy) -> Response:
    """503: there was no room for it, and nothing was done."""
    services().rollback()
    response = _calmly(503, "temporarily_unavailable", "Try again in a moment.")
    response.headers["Retry-After"] = str(capacity.RETRY_AFTER)
    return response


def _calmly(status: int, error: str, message: str) -> Response:
    if _is_protocol() or wants_json() or request.endpoint == "health.ready":
        return _for_a_script(status, error, message)
    if status == 503:
        return make_response(render_template("unavailable.html"), status)
    return page(_("Something went wrong on our side"), status=status, detail=_("Try again."))


def _for_a_script(status: int, error: str, message: str) -> Response:
    """RFC 6749 section 5.2 names the members at the protocol's endpoints; elsewhere we do."""
    if request.path.startswith(_OUR_API):
        return problem_details(status, message)
    if not _is_protocol():
        return problem(status, error, message)
    response = jsonify(error=error, error_description=message)
    response.status_code = status
    return response


_OUR_API = "/api/"


def _is_protocol() -> bool:
    return request.path.startswith(("/oauth/", "/.well-known/", _OUR_API)) and (
        request.path not in _FOR_PEOPLE
    )


_FOR_PEOPLE = frozenset({"/oauth/authorize", "/oauth/logout"})
"""Among the protocol's endpoints, those that a browser is sent to."""


def csrf_failed(_error: CSRFError) -> Response:
    """The form was not ours, or the browser has lost its cookies since it was shown.

    Which of them goes by what this browser sent, and not by the sign-in that the address names: of
    that nobody learns anything who has no more than its address.
    """
    if wants_json():
        told = _("The form's token is missing, or does not fit this browser's cookies.")
        return problem(400, "invalid_request", told)
    begun = (request.view_args or {}).get("transaction_id")
    home = url_for("login.show", transaction_id=begun) if begun else url_for("account.home")
    heading, detail = _OUT_OF_DATE if has_form_cookie() else _WITHOUT_COOKIES
    return page(
        str(heading),
        status=400,
        detail=str(detail),
        back={"url": home, "label": _("Try again")},
    )


_WITHOUT_COOKIES = (
    later("This site’s cookies are missing"),
    later(
        "They were deleted, your browser blocks them, or somebody signed out since it opened this"
        " page. Nothing was done. Allow cookies for this site, and try again."
    ),
)
_OUT_OF_DATE = (
    later("This page is out of date"),
    later(
        "Your browser’s cookies have changed since it was opened: they were deleted, say, or"
        " somebody signed out. Nothing was done. Please try again."
    ),
)


def http_error(error: HTTPException) -> Response:
    """Werkzeug's errors, in our clothes."""
    status = error.code or 500
    if error.response is not None and not isinstance(error, CSRFError):
        return make_response(error.response)
    if _is_protocol() or wants_json():
        response = _for_a_script(status, "invalid_request", _named_for_a_script(error))
    elif status == 404 and (meant := without_last_slash()):
        return redirect_to(meant)
    else:
        response = page(
            str(HEADINGS.get(status, error.name)),
            status=status,
            detail=str(DETAILS[status]) if status in DETAILS else None,
            back=way_back(),
        )
    for header, value in error.get_headers():
        if header in ("Allow", "Retry-After"):
            response.headers[header] = value
    return response


def _named_for_a_script(error: HTTPException) -> str:
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        taken = sorted(set(error.valid_methods) - {"HEAD", "OPTIONS"})
        return f"This address takes {' and '.join(taken)} alone."
    return error.name


def unexpected(error: Exception) -> Response:
    """A mistake of ours: logged with the request's id, shown without a word of it."""
    log.error("unexpected error", exc_info=error)
    services().rollback()
    return _calmly(500, "server_error", "Something went wrong.")


def install(app: Flask) -> None:
    """Hand each family to its place."""
    for family in (OperationalError, InterfaceError, PoolTimeout, DBAPIError):
        app.register_error_handler(family, storage_failed)
    app.register_error_handler(Busy, busy)
    app.register_error_handler(CSRFError, csrf_failed)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, unexpected)
