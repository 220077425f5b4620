"""/admin/clients: every application, how it fares, and the way to a new one."""

import shlex
from typing import Any

from flask import Response, jsonify, request, url_for

from idp.protocol.redirect_uris import notes_on
from idp.services.client_health import health_of
from idp.services.client_listing import ClientInfo
from idp.services.client_pages import page_of, seen_by
from idp.services.client_presets import signs_people_in
from idp.services.pictures import PATH
from idp.services.roles import Area
from idp.web.admin.blueprint import bp, page
from idp.web.admin.clients.common import SECTION, kind_words, manager, may_change, sentence_on
from idp.web.admin.clients.health import words
from idp.web.admin.guard import console
from idp.web.context import context, services

MOST_ADDRESSES = 50


@bp.get("/clients")
@console(Area.CLIENTS)
def clients() -> Response:
    """By name, a page at a time; ``q`` is how words of names, ids and addresses begin."""
    looks, wanted = manager(), request.args.get("q", "").strip()[:200]
    after = (request.args.get("name", ""), request.args["after"]) if _is_later() else None
    found = page_of(looks, wanted=wanted, after=after)
    more = None
    if found.after is not None:
        name, last = found.after
        more = url_for(SECTION, q=wanted or None, name=name, after=last)
    return page(
        "admin/clients/list.html",
        section=SECTION,
        rows=[_row(seen_by(looks, client_id)) for client_id in found.ids],
        wanted=wanted,
        more=more,
        first=url_for(SECTION, q=wanted or None) if after else None,
        writable=may_change(),
        command="idp clients list" + (f" --beginning {shlex.quote(wanted)}" if wanted else ""),
    )


def _is_later() -> bool:
    return "after" in request.args


def _row(info: ClientInfo) -> dict[str, Any]:
    health = health_of(info.id, context().at)
    return {
        "name": info.name,
        "logo_url": _own_logo(info),
        "id": info.id,
        "url": url_for("admin.client_overview", client_id=info.id),
        "kind": kind_words(info.metadata),
        "by_file": info.managed_by == "file",
        "health": words(health, info),
        "signs_in": signs_people_in(info.metadata),
        "last_sign_in": health.last_sign_in,
    }


def _own_logo(info: ClientInfo) -> str | None:
    """One that is kept here: a list asks no other hosts for pictures."""
    logo, ours = info.metadata.logo_uri or "", services().settings.issuer + PATH
    return logo if logo.startswith(ours) else None


@bp.get("/clients/check")
@console(Area.CLIENTS)
def client_addresses_checked() -> Response:
    """What is to be said about redirect addresses while they are typed: ``uri``, several times."""
    uris = request.args.getlist("uri")[:MOST_ADDRESSES]
    kind = request.args.get("application_type", "web")
    notes = [
        {
            "blocks": note.blocks,
            "message": sentence_on(note),
        }
        for note in notes_on(uris, kind)
    ]
    return jsonify(notes=notes)
