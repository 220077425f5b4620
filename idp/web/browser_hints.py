"""What browsers and password managers look for at addresses of their own choosing."""

from typing import Any

from flask import Blueprint, Response, abort, jsonify, make_response, redirect, url_for

from idp.factors.password import KIND as PASSWORD
from idp.factors.password import Password
from idp.services.methods import in_use
from idp.web.context import services

bp = Blueprint("browser_hints", __name__, url_prefix="/.well-known")

MAX_AGE = 3600
"""Seconds that the documents may be kept."""


@bp.get("/change-password")
def change_password() -> Response:
    """Where a password is changed (W3C, A Well-Known URL for Changing Passwords).

    Where there are none, what there is in their place.
    """
    is_there = in_use(Password, services().settings)
    page = url_for("account.new", method=PASSWORD) if is_there else url_for("account.security")
    return make_response(redirect(page, code=302))


@bp.get("/passkey-endpoints")
def passkey_endpoints() -> Response:
    """Where passkeys are made and managed (W3C, Passkey Endpoints Well-Known URL)."""
    page = f"{services().settings.issuer}{url_for('account.passkeys')}"
    return _document({"enroll": page, "manage": page})


@bp.get("/webauthn")
def related_origins() -> Response:
    """The other origins that passkeys of this relying party work on (WebAuthn L3 §5.11).

    Only for a deployment that has several: otherwise there is nothing to relate.
    """
    origins = services().settings.passkey_origins
    if len(origins) < 2:
        abort(404)
    return _document({"origins": list(origins)})


def _document(content: dict[str, Any]) -> Response:
    response = jsonify(content)
    response.cache_control.public = True
    response.cache_control.max_age = MAX_AGE
    return response
