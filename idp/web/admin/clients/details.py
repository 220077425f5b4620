"""/admin/clients/<id>/details: name, addresses, papers; and the whole registration as JSON."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Response, request
from flask_babel import gettext as _

from idp.protocol.registration import InvalidClientMetadata, Problems
from idp.services.client_listing import ClientInfo, ClientRefused
from idp.services.invalid import Invalid
from idp.services.roles import Area
from idp.services.versions import Stale
from idp.web.admin import meanwhile
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp
from idp.web.admin.clients import fields, fresh
from idp.web.admin.clients.common import client_page, done, manager, problems, wanted, warn
from idp.web.admin.clients.wording import LABELS, for_programmers
from idp.web.admin.guard import console
from idp.web.admin.meanwhile import Errors
from idp.web.admin.person import errors_of
from idp.web.context import services


def saved(
    change: Callable[[], str | None],
    client_id: str,
    given: Mapping[str, Any],
    *,
    at: Iterable[str] | None = None,
) -> tuple[Errors, str | None]:
    """Do it; what was wrong, ``at`` the fields given, and a new secret if one had to be made."""
    try:
        return [], change()
    except InvalidClientMetadata as error:
        return (problems(error.problems, given) if at is None else _raw(error.problems)), None
    except Invalid as error:
        return errors_of(error.problems), None
    except Stale:
        now = wanted(client_id).metadata.to_json()
        there = {name: now.get(name) for name in given}
        return meanwhile.told(given, there, LABELS if at is None else {}), None
    except ClientRefused as error:
        return [{"field": None, "message": str(error)}], None


def _raw(found: Problems) -> Errors:
    """For a field that holds all members as they are called."""
    return [{"field": None, "message": for_programmers(*one)} for one in found]


@bp.get("/clients/<path:client_id>/details")
@console(Area.CLIENTS)
def client_details(client_id: str) -> Response:
    """The form, with what is registered."""
    info = wanted(client_id)
    return _page(info, fields.shown(info.metadata.to_json(), fields.DETAILS))


@bp.post("/clients/<path:client_id>/details")
@console(Area.CLIENTS, writes=True, back="admin.client_details")
def client_details_saved(client_id: str) -> Response:
    """Save it, warnings and all; what is wrong is named and nothing is saved."""
    info, given = wanted(client_id), fields.read(fields.DETAILS)
    errors, secret = saved(
        lambda: services().client_editing.change(
            client_id, fields.with_logo(given), manager(), acting(), expected=meanwhile.seen()
        ),
        client_id,
        given,
    )
    if errors:
        return _page(wanted(client_id), given, errors)
    fresh.keep(client_id, secret)
    warn(wanted(client_id).metadata.redirect_uris, info.metadata.application_type)
    return done(_("Saved."), "admin.client_details", client_id=client_id)


def _page(info: ClientInfo, values: dict[str, Any], errors: Errors | None = None) -> Response:
    return client_page(
        "details",
        info,
        tab="admin.client_details",
        status=422 if errors else 200,
        values=values,
        errors=errors or [],
    )


@bp.get("/clients/<path:client_id>/registration")
@console(Area.CLIENTS)
def client_registration(client_id: str) -> Response:
    """Every member, as JSON, for those that no form has."""
    info = wanted(client_id)
    text = json.dumps(info.metadata.to_json(), indent=2, ensure_ascii=False)
    return _as_json(info, text)


@bp.post("/clients/<path:client_id>/registration")
@console(Area.CLIENTS, writes=True, back="admin.client_registration")
def client_registration_saved(client_id: str) -> Response:
    """Replace the registration by what was typed, if the rules take it."""
    info, text = wanted(client_id), request.form.get("registration", "")
    try:
        members = _object(text)
    except ValueError as error:
        return _as_json(info, text, [{"field": "registration", "message": str(error)}])
    errors, secret = saved(
        lambda: services().client_editing.replace(
            client_id, members, manager(), acting(), expected=meanwhile.seen()
        ),
        client_id,
        members,
        at=(),
    )
    if errors:
        return _as_json(wanted(client_id), text, [_in_text(one) for one in errors])
    fresh.keep(client_id, secret)
    return done(_("Saved."), "admin.client_registration", client_id=client_id)


def _in_text(error: Mapping[str, str | None]) -> dict[str, str | None]:
    """One field holds all members: so each problem names the member that it is about."""
    member = error["field"]
    told = f"{member}: {error['message']}" if member else error["message"]
    return {"field": "registration", "message": told}


def _object(text: str) -> dict[str, object]:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(_("This is not JSON: %(error)s.", error=str(error))) from None
    if not isinstance(read, dict):
        raise ValueError(_("A registration is one JSON object, in braces."))
    return read


def _as_json(info: ClientInfo, text: str, errors: Errors | None = None) -> Response:
    return client_page(
        "registration",
        info,
        tab="admin.client_details",
        status=422 if errors else 200,
        text=text,
        errors=errors or [],
    )
