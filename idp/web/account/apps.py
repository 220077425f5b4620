"""/me/apps: the applications a person has connected, what they may see, and their removal."""

from collections.abc import Iterable
from typing import Any

from flask import Response, abort, flash, url_for
from flask_babel import gettext as _

from idp.protocol.client_metadata import ClientMetadata
from idp.protocol.initiation import initiation_url
from idp.protocol.scopes import sentence
from idp.services.apps import ConnectedApp
from idp.web.account.blueprint import bp, page
from idp.web.answers import see_other
from idp.web.context import context, services
from idp.web.guards import demanding, viewer
from idp.web.models import app_view


def app_views(apps: Iterable[ConnectedApp]) -> list[dict[str, Any]]:
    """Applications as templates show them."""
    return [_view(app) for app in apps]


def _view(app: ConnectedApp) -> dict[str, Any]:
    client = services().clients.get(app.client_id)
    known = app_view(client) if client else None
    return {
        "name": app.name,
        "logo_url": known.logo_url if known else None,
        "host": known.host if known else None,
        "url": _opens(client.metadata) if client else None,
        "first_used": app.first_used,
        "last_used": app.last_used,
        "permissions": [sentence(scope) or scope for scope in app.scopes],
        "offline": app.offline,
        "remove_url": url_for("account.disconnect", client_id=app.client_id),
    }


def _opens(metadata: ClientMetadata) -> str | None:
    """Where "Open" leads: to be signed in there, where the application takes that, else home."""
    if metadata.initiate_login_uri is None:
        return metadata.client_uri
    return initiation_url(
        metadata.initiate_login_uri,
        issuer=services().settings.issuer,
        target_link_uri=metadata.client_uri,
    )


@bp.get("/apps")
@demanding()
def apps() -> Response:
    """What is connected."""
    _live, user = viewer()
    listed = services().connected_apps.listed(user.id, context().at)
    return page("account/apps.html", apps=app_views(listed))


@bp.post("/apps/<path:client_id>/remove")
@demanding(back="account.apps")
def disconnect(client_id: str) -> Response:
    """Take back what was allowed; every token that rests on it ends now."""
    _live, user = viewer()
    if not services().consents.revoke(user.id, client_id, context=context()):
        abort(404)
    client = services().clients.get(client_id)
    flash(_("%(app)s no longer has access.", app=client.name if client else client_id))
    return see_other(url_for("account.apps"))
