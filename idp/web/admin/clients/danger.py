"""/admin/clients/<id>/danger: disable, enable, delete, and take it along as a file."""

from flask import Response, request
from flask_babel import gettext as _

from idp.services.client_export import exported, to_toml
from idp.services.client_listing import ClientInfo, ClientRefused
from idp.services.roles import Area
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp
from idp.web.admin.clients.common import SECTION, client_page, done, wanted
from idp.web.admin.guard import console
from idp.web.admin.meanwhile import Errors
from idp.web.context import services


@bp.get("/clients/<path:client_id>/danger")
@console(Area.CLIENTS)
def client_danger(client_id: str) -> Response:
    """What cannot all be taken back."""
    return _page(wanted(client_id))


def _page(info: ClientInfo, errors: Errors | None = None) -> Response:
    return client_page(
        "danger",
        info,
        tab="admin.client_danger",
        status=422 if errors else 200,
        errors=errors or [],
    )


@bp.get("/clients/<path:client_id>/client.toml")
@console(Area.CLIENTS)
def client_exported(client_id: str) -> Response:
    """A file that ``idp clients apply`` takes; no secret is in it."""
    info = wanted(client_id)
    response = Response(to_toml(exported(info.id)), content_type="application/toml")
    response.headers["Content-Disposition"] = 'attachment; filename="client.toml"'
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/clients/<path:client_id>/disable")
@console(Area.CLIENTS, writes=True, back="admin.client_danger")
def client_disabled(client_id: str) -> Response:
    """It stops at once, everywhere."""
    info = wanted(client_id)
    services().client_registry.disable(info.id, acting())
    return done(_("It is disabled."), "admin.client_danger", client_id=info.id)


@bp.post("/clients/<path:client_id>/enable")
@console(Area.CLIENTS, writes=True, back="admin.client_danger")
def client_enabled(client_id: str) -> Response:
    """It goes on."""
    info = wanted(client_id)
    services().client_registry.enable(info.id, acting())
    return done(_("It is enabled."), "admin.client_danger", client_id=info.id)


@bp.post("/clients/<path:client_id>/delete")
@console(Area.CLIENTS, writes=True, back="admin.client_danger")
def client_deleted(client_id: str) -> Response:
    """With every token and consent, once its name was typed."""
    info = wanted(client_id)
    try:
        services().client_editing.delete(info.id, request.form.get("name", ""), acting())
    except ClientRefused as error:
        return _page(info, [{"field": "name", "message": str(error)}])
    return done(_("%(app)s was deleted.", app=info.name), SECTION)
