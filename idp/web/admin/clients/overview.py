"""/admin/clients/<id>: how it fares and what it is; and what has happened."""

import json

from flask import Response, request, url_for
from flask_babel import gettext as _

from idp.services.audit_log import Search, search
from idp.services.client_health import health_of
from idp.services.roles import Area
from idp.web.admin.blueprint import bp
from idp.web.admin.clients.activity import row
from idp.web.admin.clients.common import client_page, kind_words, wanted
from idp.web.admin.clients.health import words
from idp.web.admin.guard import console
from idp.web.context import context

PAGE = 50


@bp.get("/clients/<path:client_id>")
@console(Area.CLIENTS)
def client_overview(client_id: str) -> Response:
    """The first tab."""
    info = wanted(client_id)
    health = health_of(client_id, context().at)
    return client_page(
        "overview",
        info,
        tab="admin.client_overview",
        kind=kind_words(info.metadata),
        health=words(health, info),
        last_sign_in=health.last_sign_in,
        registration=json.dumps(info.metadata.to_json(), indent=2, ensure_ascii=False),
    )


@bp.get("/clients/<path:client_id>/activity")
@console(Area.CLIENTS)
def client_activity(client_id: str) -> Response:
    """Its rows of the audit log, the newest first; ``before`` is the id where a page begins."""
    info, before = wanted(client_id), request.args.get("before", "")
    is_id = before.isascii() and before.isdecimal() and len(before) < 18
    page = Search(client_id=client_id, before=int(before) if is_id else None, at_most=PAGE + 1)
    events = search(page)
    last = events[PAGE - 1].id if len(events) > PAGE else None
    return client_page(
        "activity",
        info,
        tab="admin.client_activity",
        rows=[row(event) for event in events[:PAGE]],
        older=url_for("admin.client_activity", client_id=client_id, before=last) if last else None,
        none=_("Nothing has happened yet."),
    )
