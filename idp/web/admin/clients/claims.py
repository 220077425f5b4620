"""/admin/clients/<id>/claims: which groups it is told of, and claims taken from other fields."""

from typing import Any, Final

from flask import Response
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later

from idp.protocol.claim_mapping import FIELDS, MAPPED_CLAIMS
from idp.services.client_listing import ClientInfo
from idp.services.roles import Area
from idp.web.admin import meanwhile
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp
from idp.web.admin.clients import fields
from idp.web.admin.clients.common import client_page, done, manager, wanted
from idp.web.admin.clients.details import saved
from idp.web.admin.guard import console
from idp.web.admin.meanwhile import Errors
from idp.web.context import services

NAMES: Final = {
    "name": later("Name"),
    "given_name": later("Given name"),
    "family_name": later("Family name"),
    "middle_name": later("Middle name"),
    "nickname": later("Nickname"),
    "preferred_username": later("User name"),
    "email": later("Email address"),
    "email_local_part": later("Email address, up to the @"),
}
"""What a claim can be taken from, in words."""


@bp.get("/clients/<path:client_id>/claims")
@console(Area.CLIENTS)
def client_claims(client_id: str) -> Response:
    """The form, with what is registered."""
    info = wanted(client_id)
    return _page(info, fields.shown(info.metadata.to_json(), fields.CLAIMS))


@bp.post("/clients/<path:client_id>/claims")
@console(Area.CLIENTS, writes=True, back="admin.client_claims")
def client_claims_saved(client_id: str) -> Response:
    """Save it; it counts from the next token on."""
    wanted(client_id)
    given = fields.read(fields.CLAIMS)
    errors, _secret = saved(
        lambda: services().client_editing.change(
            client_id, given, manager(), acting(), expected=meanwhile.seen()
        ),
        client_id,
        given,
    )
    if errors:
        return _page(wanted(client_id), given, errors)
    return done(_("Saved. It counts from now on."), "admin.client_claims", client_id=client_id)


def _page(info: ClientInfo, values: dict[str, Any], errors: Errors | None = None) -> Response:
    return client_page(
        "claims",
        info,
        tab="admin.client_claims",
        status=422 if errors else 200,
        values=values,
        claims=[(claim, NAMES[claim]) for claim in MAPPED_CLAIMS],
        sources=[("", _("Itself")), *((name, NAMES[name]) for name in FIELDS)],
        errors=errors or [],
    )
