"""/me/passkeys: the page of passkeys, and the list of them for scripts."""

from flask import Response, jsonify

from idp.services.holdings import credentials_of
from idp.services.passkeys import METHOD
from idp.web.account.blueprint import bp
from idp.web.account.credentials import as_json, credential_views
from idp.web.account.methods import manage, managed
from idp.web.answers import wants_json
from idp.web.guards import secured, viewer


@bp.get("/passkeys")
@secured()
def passkeys() -> Response:
    """All of the person's own; as JSON a list, without key material."""
    return _listed() if wants_json() else managed(manage)(METHOD)


def _listed() -> Response:
    live, user = viewer()
    views = credential_views(METHOD, user, credentials_of(user), live)
    return jsonify([as_json(view) for view in views])
