"""/admin/refused/<reference>: what was sent against what is registered, and the repair."""

import json
import shlex
from dataclasses import dataclass

from flask import Response, abort, request, url_for
from flask_babel import gettext as _

from idp.models import AuditEvent
from idp.protocol.redirect_uris import check_redirect_uri, is_registered
from idp.protocol.registration import InvalidClientMetadata
from idp.services.client_listing import ClientInfo, ClientRefused
from idp.services.client_pages import seen_by
from idp.services.refused_requests import compared, find, is_mismatch, is_new_host
from idp.services.roles import Area
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp, page
from idp.web.admin.clients.common import (
    SECTION,
    done,
    manager,
    may_change,
    problems,
)
from idp.web.admin.guard import console
from idp.web.answers import redirect_to
from idp.web.context import services

SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Found:
    event: AuditEvent
    client: ClientInfo | None

    @property
    def sent(self) -> str:
        return str(self.event.data.get("redirect_uri", ""))


@bp.get("/refused")
@console(Area.CLIENTS)
def refused_search() -> Response:
    """By the reference that somebody reads out."""
    reference = request.args.get("reference", "").strip()
    if reference and find(reference):
        return redirect_to(url_for("admin.refused_request", reference=reference.upper()[:16]))
    errors = [{"field": "reference", "message": _("No request was refused under this reference.")}]
    return page(
        "admin/clients/refused_search.html",
        section=SECTION,
        status=422 if reference else 200,
        reference=reference,
        errors=errors if reference else [],
    )


@bp.get("/refused/<reference>")
@console(Area.CLIENTS)
def refused_request(reference: str) -> Response:
    """What happened, and how it is put right."""
    return _page(_found(reference))


@bp.post("/refused/<reference>/add")
@console(Area.CLIENTS, writes=True, back="admin.refused_request")
def refused_address_added(reference: str) -> Response:
    """Register the address that was sent."""
    found = _found(reference)
    if found.client is None or not is_mismatch(found.event):
        abort(404)
    if _needs_word(found) and "mine" not in request.form:
        told = _("Tick that this address is the application’s own.")
        return _page(found, [{"field": "mine", "message": told}])
    try:
        services().client_editing.add_address(found.client.id, found.sent, manager(), acting())
    except InvalidClientMetadata as error:
        return _page(found, problems(error.problems, ()))
    except ClientRefused as error:
        return _page(found, [{"field": None, "message": str(error)}])
    told = _("The address was added. The next sign-in works.")
    return done(told, "admin.refused_request", reference=reference)


def _found(reference: str) -> _Found:
    event = find(reference) or abort(404)
    if event.client_id is None:
        return _Found(event, None)
    try:
        return _Found(event, seen_by(manager(), event.client_id))
    except ClientRefused:
        # Named, but not registered; or somebody else's, of which nothing is told.
        known = services().clients.get(event.client_id) is not None
        return abort(404) if known else _Found(event, None)


def _needs_word(found: _Found) -> bool:
    known = found.client.metadata.redirect_uris if found.client else ()
    return is_new_host(found.sent, known)


def _command(found: _Found) -> str:
    """What the button does."""
    if found.client is None:
        return ""
    wanted = json.dumps([*found.client.metadata.redirect_uris, found.sent])
    return f"idp clients set {found.client.id} redirect_uris {shlex.quote(wanted)}"


def _page(found: _Found, errors: list[dict[str, str | None]] | None = None) -> Response:
    client, mismatch = found.client, is_mismatch(found.event)
    known = client.metadata.redirect_uris if client else ()
    kind = client.metadata.application_type if client else "web"
    return page(
        "admin/clients/refused.html",
        section=SECTION,
        status=422 if errors else 200,
        event=found.event,
        sent=found.sent,
        client=client,
        mismatch=mismatch,
        repaired=mismatch and is_registered(found.sent, known),
        command=_command(found),
        comparisons=compared(found.sent, known)[:SHOWN] if mismatch else [],
        blocked=list(check_redirect_uri(found.sent, kind)) if mismatch else [],
        new_host=_needs_word(found),
        by_file=client is not None and client.managed_by == "file",
        writable=may_change(),
        errors=errors or [],
    )
