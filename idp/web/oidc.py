"""The protocol's direct endpoints: a request is handed over as a value, the answer is passed on."""

from io import BytesIO

from flask import Blueprint, Request, Response, abort, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from idp.oidc.capabilities import ENDPOINTS
from idp.oidc.direct import FORM, MAX_BODY, Direct
from idp.oidc.pushing import Pushing
from idp.oidc.registration import REGISTRATION, RegistrationEndpoint
from idp.oidc.server import refusal
from idp.protocol.errors import OAuthError
from idp.web import certificates
from idp.web.context import context, services
from idp.web.documents import document
from idp.web.dpop import offer_nonce

bp = Blueprint("oidc", __name__)

_USUAL = frozenset({FORM, ""})
"""Content types in which there is nothing to be taken apart."""

JWKS_MAX_AGE = 300
"""Seconds that relying parties may keep the key set; far less than a key is published ahead."""


@bp.post(ENDPOINTS.token)
def token() -> Response:
    """RFC 6749 section 3.2."""
    return services().provider.server.token(_direct())


@bp.post(str(ENDPOINTS.introspection))
def introspect() -> Response:
    """RFC 7662 section 2."""
    return services().provider.server.endpoint("introspection", _direct())


@bp.post(str(ENDPOINTS.revocation))
def revoke() -> Response:
    """RFC 7009 section 2."""
    return services().provider.server.endpoint("revocation", _direct())


@bp.post(str(ENDPOINTS.device_authorization))
def device_authorization() -> Response:
    """RFC 8628 section 3.1."""
    return services().provider.server.endpoint("device_authorization", _direct())


@bp.post(str(ENDPOINTS.pushed_authorization_request))
def push() -> Response:
    """RFC 9126 section 2."""
    return services().provider.server.endpoint(Pushing.ENDPOINT_NAME, _direct())


@bp.route(ENDPOINTS.userinfo, methods=["GET", "POST"])
def userinfo() -> Response:
    """OIDC Core 5.3.1: GET and POST, the token in the header or in the form."""
    return services().provider.userinfo.answer(_direct())


@bp.post(REGISTRATION)
def register() -> Response:
    """RFC 7591 section 3."""
    return _registration().register(_direct())


@bp.get(f"{REGISTRATION}/<client_id>")
def read_registration(client_id: str) -> Response:
    """RFC 7592 section 2.1."""
    return _registration().read(_direct(), client_id)


@bp.put(f"{REGISTRATION}/<client_id>")
def update_registration(client_id: str) -> Response:
    """RFC 7592 section 2.2."""
    return _registration().update(_direct(), client_id)


@bp.delete(f"{REGISTRATION}/<client_id>")
def delete_registration(client_id: str) -> Response:
    """RFC 7592 section 2.3."""
    return _registration().delete(_direct(), client_id)


def _registration() -> RegistrationEndpoint:
    if services().settings.client_registration == "off":
        abort(404)
    return RegistrationEndpoint(services().settings, services().client_registration)


@bp.get(ENDPOINTS.jwks)
def jwks() -> Response:
    """RFC 7517 section 5."""
    keys = services().provider.keys
    return document(keys.key_set(g.now), max_age=JWKS_MAX_AGE, source=keys.known_key_set)


def _direct() -> Direct:
    # What stands behind Flask's proxy, once: each look through it costs more than what it finds.
    came: Request = request._get_current_object()  # type: ignore[attr-defined]
    environ = came.environ
    content_type = environ.get("CONTENT_TYPE", "")
    return Direct(
        method=came.method,
        path=came.path,
        content_type=content_type if content_type in _USUAL else came.mimetype,
        authorization=environ.get("HTTP_AUTHORIZATION"),
        query=came.query_string.decode("latin-1"),
        body=_body(came),
        context=context(),
        dpop=environ.get("HTTP_DPOP"),
        certificate=certificates.presented(),
    )


def _body(came: Request) -> bytes:
    """As it came, bounded before it is read: what it holds is for the endpoint to judge."""
    environ = came.environ
    length, source = environ.get("CONTENT_LENGTH", ""), environ["wsgi.input"]
    # RFC 9112 section 6.3: without either of them a request has no body.
    if not length and "HTTP_TRANSFER_ENCODING" not in environ:
        return b""
    if length.isdecimal() and type(source) is BytesIO:
        return source.read(MAX_BODY + 1)  # it is here, and whole: nothing can be cut short
    # One more than may be: a body that comes in chunks is cut off there, and has to show it.
    came.max_content_length = MAX_BODY + 1
    return came.get_data(cache=False)


@bp.errorhandler(RequestEntityTooLarge)
def too_large(_error: RequestEntityTooLarge) -> Response:
    """More than any honest request."""
    error = OAuthError("invalid_request", "The request is too large.", status=413)
    return refusal(error, services().settings.issuer)


bp.after_request(offer_nonce)
