"""/admin/clients/<id>/secrets: several at once, so that one can be rotated and nothing stops."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from flask import Response, abort, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later

from idp.services.client_listing import ClientInfo, ClientRefused
from idp.services.client_secrets import has_secret
from idp.services.roles import Area
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp
from idp.web.admin.clients import fresh
from idp.web.admin.clients.common import client_page, done, wanted
from idp.web.admin.guard import console
from idp.web.context import context, services

LIFETIMES: Final[Mapping[str, tuple[Any, timedelta | None]]] = {
    "never": (later("Never"), None),
    "90": (later("In 90 days"), timedelta(days=90)),
    "365": (later("In a year"), timedelta(days=365)),
}
OVERLAPS: Final[Mapping[str, tuple[Any, timedelta]]] = {
    "week": (later("In 7 days"), timedelta(days=7)),
    "day": (later("In a day"), timedelta(days=1)),
    "hour": (later("In an hour"), timedelta(hours=1)),
    "now": (later("At once"), timedelta(0)),
}


def _with_secrets(client_id: str) -> ClientInfo:
    info = wanted(client_id)
    return info if has_secret(info.metadata) else abort(404)


@bp.get("/clients/<path:client_id>/secrets")
@console(Area.CLIENTS)
def client_secrets(client_id: str) -> Response:
    """Each by its first characters, with its times."""
    info, now = _with_secrets(client_id), context().at
    return client_page(
        "secrets",
        info,
        tab="admin.client_secrets",
        secret=fresh.secret_of(client_id),
        secrets=[
            {
                "id": one.id,
                "prefix": one.prefix,
                "created_at": one.created_at,
                "expires_at": one.expires_at,
                "last_used_at": one.last_used_at,
                "over": one.expires_at is not None and one.expires_at <= now,
            }
            for one in info.secrets
        ],
        lifetimes=[(name, label) for name, (label, _delta) in LIFETIMES.items()],
        overlaps=[(name, label) for name, (label, _delta) in OVERLAPS.items()],
    )


@bp.post("/clients/<path:client_id>/secrets/add")
@console(Area.CLIENTS, writes=True, back="admin.client_secrets")
def client_secret_added(client_id: str) -> Response:
    """One more; the others go on."""
    _with_secrets(client_id)
    _label, lifetime = LIFETIMES.get(request.form.get("expires", "never")) or abort(400)
    until = context().at + lifetime if lifetime else None
    made = services().client_registry.add_secret(client_id, acting(), expires_at=until)
    fresh.keep(client_id, made)
    return done(_("A secret was added. Copy it now."), "admin.client_secrets", client_id=client_id)


@bp.post("/clients/<path:client_id>/secrets/rotate")
@console(Area.CLIENTS, writes=True, back="admin.client_secrets")
def client_secret_rotated(client_id: str) -> Response:
    """A new one; the others end when they are told to."""
    _with_secrets(client_id)
    _label, overlap = OVERLAPS.get(request.form.get("overlap", "week")) or abort(400)
    made = services().client_registry.rotate_secret(client_id, acting(), overlap=overlap)
    fresh.keep(client_id, made)
    told = _("A new secret was made. Copy it now; the others still work until they end.")
    return done(told, "admin.client_secrets", client_id=client_id)


@bp.post("/clients/<path:client_id>/secrets/<secret_id>/remove")
@console(Area.CLIENTS, writes=True, back="admin.client_secrets")
def client_secret_removed(client_id: str, secret_id: str) -> Response:
    """Whoever still uses it is refused from now on."""
    _with_secrets(client_id)
    try:
        services().client_registry.remove_secret(client_id, secret_id, acting())
    except ClientRefused:
        abort(404)
    return done(_("The secret was removed."), "admin.client_secrets", client_id=client_id)
