"""/admin/clients/<id>/access: who may sign in, how strongly, and who keeps it."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Response
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later

from idp.assurance import ladder_names
from idp.services.client_listing import ClientInfo
from idp.services.client_presets import acts_for_people
from idp.services.group_list import names_to_choose
from idp.services.roles import ADMINISTRATOR, Area
from idp.web.admin import meanwhile
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp
from idp.web.admin.clients import fields
from idp.web.admin.clients.common import client_page, done, manager, problems, wanted
from idp.web.admin.clients.details import saved
from idp.web.admin.guard import console
from idp.web.admin.meanwhile import Errors
from idp.web.admin.sentences import WAYS
from idp.web.context import services


def _fields(info: ClientInfo) -> Mapping[str, fields.Reader]:
    """Those of the form: where nobody signs in, nothing is said about how."""
    access = fields.ACCESS if acts_for_people(info.metadata) else {}
    owns = manager().role == ADMINISTRATOR
    return {**access, **(fields.OWNERS if owns else {})}


@bp.get("/clients/<path:client_id>/access")
@console(Area.CLIENTS)
def client_access(client_id: str) -> Response:
    """The form, with what is registered."""
    info = wanted(client_id)
    members = info.metadata.to_json()
    values = fields.shown(members, {**fields.ACCESS, **fields.OWNERS})
    return _page(info, {**values, "who": fields.who_of(members)})


@bp.post("/clients/<path:client_id>/access")
@console(Area.CLIENTS, writes=True, back="admin.client_access")
def client_access_saved(client_id: str) -> Response:
    """Save it; it counts from the next request on."""
    info = wanted(client_id)
    groups, for_people = info.metadata.allowed_groups, acts_for_people(info.metadata)
    found = tuple(fields.contradicted(groups)) if for_people else ()
    read = fields.read(_fields(info))
    if found:
        return _again(client_id, read, problems(found, read))
    given = {**read, **(fields.admission(groups) if for_people else {})}
    errors, _secret = saved(
        lambda: services().client_editing.change(
            client_id, given, manager(), acting(), expected=meanwhile.seen()
        ),
        client_id,
        given,
    )
    if errors:
        return _again(client_id, read, errors)
    return done(_("Saved. It counts from now on."), "admin.client_access", client_id=client_id)


def _again(client_id: str, read: Mapping[str, object], errors: Errors) -> Response:
    return _page(wanted(client_id), {**read, "who": fields.who_chosen()}, errors)


STRENGTHS: Final = dict(
    zip(
        ladder_names(),
        (
            later("One proof"),
            later("Two factors"),
            later("Phishing-resistant: a passkey"),
            later("Phishing-resistant, in attested hardware"),
        ),
        strict=True,
    )
)


def _called(name: str) -> str:
    """In words, with the name that requests and tokens have for it."""
    words = STRENGTHS.get(name)
    return f"{words} ({name})" if words else name


_ASKING: Final[tuple[tuple[str, Any], ...]] = (
    ("remember", later("Once")),
    ("always", later("At every sign-in")),
    ("never", later("Never: it is one of your own")),
)


def _asking(info: ClientInfo) -> list[tuple[str, Any]]:
    """What can be chosen: what it is already, in any case."""
    may_be_never = manager().may_leave_unasked or info.metadata.consent == "never"
    return [one for one in _ASKING if one[0] != "never" or may_be_never]


def _page(info: ClientInfo, values: dict[str, Any], errors: Errors | None = None) -> Response:
    settings = services().settings
    return client_page(
        "access",
        info,
        tab="admin.client_access",
        status=422 if errors else 200,
        values=values,
        groups=names_to_choose(),
        acr_choices=[
            ("", _("Whatever it asks for")),
            *((name, _called(name)) for name in (*ladder_names(), *settings.acr_aliases)),
        ],
        methods=[(name, WAYS[name]) for name in services().factors if name in WAYS],
        asking=_asking(info),
        owns=manager().role == ADMINISTRATOR,
        vouches=manager().may_leave_unasked,
        errors=errors or [],
        choosing=True,
    )
