"""/api/v1/clients: applications by RFC 7591's members, as they are registered here."""

from typing import Any, Final

from flask import abort

from idp.services.client_export import exported
from idp.services.client_health import health_of
from idp.services.client_listing import ClientInfo, ClientRefused, all_of
from idp.services.client_pages import page_of, seen_by
from idp.services.client_powers import worth
from idp.services.client_presets import kind_of
from idp.services.roles import Area
from idp.services.versions import claim_client
from idp.web.api import schema
from idp.web.api.call import Answer, Call
from idp.web.api.paging import cursor_of, read_cursor
from idp.web.api.problems import Problem
from idp.web.api.registry import operation
from idp.web.api.representing import instant, tag_of
from idp.web.api.schema import INSTANT, members, named, number, or_null, text
from idp.web.context import services

ONE: Final = "/clients/{client_id}"
REGISTERED: Final = members(
    {"client": named("Client"), "client_secret": or_null(text())},
    about="The secret is told this once; null where there is none, or none new.",
)


def client_view(info: ClientInfo) -> dict[str, Any]:
    """An application as it is told; nothing in it is secret."""
    return {
        "client_id": info.id,
        "name": info.name,
        "kind": kind_of(info.metadata),
        "managed_by": info.managed_by,
        "disabled": info.disabled_at is not None,
        "created_at": instant(info.created_at),
        "updated_at": instant(info.updated_at),
        "registration": info.metadata.to_json(),
    }


def tag(info: ClientInfo) -> str:
    """Of this revision."""
    return tag_of(info.revision, client_view(info))


def seen(call: Call, client_id: str) -> ClientInfo:
    """The application; 404 for one that is not there, or not for this caller."""
    try:
        return seen_by(call.caller.manager, client_id)
    except ClientRefused:
        abort(404)


def changeable(call: Call, client_id: str) -> ClientInfo:
    """The same, for a change. Raises ``Problem`` where it may administer more than the caller."""
    info = seen(call, client_id)
    if not call.caller.manager.may_hand_on(worth(info.metadata.to_json())):
        raise Problem(403, "This application may do more here than you: an administrator can.")
    return info


def matched(call: Call, client_id: str) -> ClientInfo:
    """The same, where it is still what the caller has read. Raises ``Stale``."""
    info = changeable(call, client_id)
    call.insist_on_match(tag(info))
    return info


def claimed(call: Call, client_id: str) -> ClientInfo:
    """The same, and nobody else changes it meanwhile. Raises ``Stale``."""
    info = matched(call, client_id)
    claim_client(info.id, info.revision)
    return info


@operation(
    "GET",
    "/clients",
    Area.CLIENTS,
    query={"q": text(at_most=200, about="How words of names, ids and redirect addresses begin.")},
    answer=schema.page_of(named("Client")),
)
def list_clients(call: Call) -> Answer:
    """Applications by name."""
    after = read_cursor(call.query.get("cursor"), str, str)
    found = page_of(
        call.caller.manager,
        wanted=call.query.get("q", "").strip(),
        after=(after[0], after[1]) if after else None,
        at_most=call.limit,
    )
    more = cursor_of(*found.after) if found.after else None
    return Answer(
        body={"items": [client_view(one) for one in all_of(found.ids)], "next": more}, next=more
    )


@operation(
    "POST",
    "/clients",
    Area.CLIENTS,
    body=named("Registration"),
    answer=REGISTERED,
    status=201,
    tagged=True,
)
def register_client(call: Call) -> Answer:
    """Register an application."""
    made = services().client_editing.register(
        call.body, call.caller.manager, call.context, managed_by="api"
    )
    info = seen(call, made.client_id)
    return _registered(info, made.secret, location=f"/clients/{info.id}")


def _registered(info: ClientInfo, secret: str | None, *, location: str | None = None) -> Answer:
    body = {"client": client_view(info), "client_secret": secret}
    return Answer(body=body, etag=tag(info), location=location)


@operation("GET", ONE, Area.CLIENTS, answer=named("Client"), tagged=True)
def get_client(call: Call, client_id: str) -> Answer:
    """One application."""
    info = seen(call, client_id)
    return Answer(body=client_view(info), etag=tag(info))


@operation(
    "PATCH",
    ONE,
    Area.CLIENTS,
    body=named("Registration"),
    answer=REGISTERED,
    conditional=True,
    tagged=True,
)
def change_client(call: Call, client_id: str) -> Answer:
    """Set these members, and take away those that are null; the rest stays (RFC 7396)."""
    info = matched(call, client_id)
    secret = services().client_editing.change(
        info.id, call.body, call.caller.manager, call.context, expected=info.revision
    )
    return _registered(seen(call, info.id), secret)


@operation(
    "PUT",
    ONE,
    Area.CLIENTS,
    body=named("Registration"),
    answer=REGISTERED,
    conditional=True,
    tagged=True,
)
def replace_client(call: Call, client_id: str) -> Answer:
    """Let this be the whole registration."""
    info = matched(call, client_id)
    secret = services().client_editing.replace(
        info.id, call.body, call.caller.manager, call.context, expected=info.revision
    )
    return _registered(seen(call, info.id), secret)


@operation("DELETE", ONE, Area.CLIENTS, conditional=True)
def delete_client(call: Call, client_id: str) -> Answer:
    """Delete an application with every grant, token and consent."""
    info = claimed(call, client_id)
    services().client_editing.delete(info.id, info.name, call.context)
    return Answer()


@operation("POST", f"{ONE}/disable", Area.CLIENTS, answer=named("Client"), tagged=True)
def disable_client(call: Call, client_id: str) -> Answer:
    """Stop an application, and all it holds, at once."""
    info = changeable(call, client_id)
    services().client_registry.disable(info.id, call.context)
    return get_client(call, info.id)


@operation("POST", f"{ONE}/enable", Area.CLIENTS, answer=named("Client"), tagged=True)
def enable_client(call: Call, client_id: str) -> Answer:
    """Let an application go on."""
    info = changeable(call, client_id)
    services().client_registry.enable(info.id, call.context)
    return get_client(call, info.id)


@operation(
    "GET",
    f"{ONE}/health",
    Area.CLIENTS,
    answer=members(
        {
            "last_sign_in": or_null(INSTANT),
            "failures": number(about="In the last 24 hours; no more than 100 are counted."),
            "reason": or_null(text(about="What most of them were.")),
        }
    ),
)
def get_client_health(call: Call, client_id: str) -> Answer:
    """How an application fares."""
    found = health_of(seen(call, client_id).id, call.context.at)
    reason = ": ".join(filter(None, found.reason)) if found.reason else None
    last = instant(found.last_sign_in)
    return Answer(body={"last_sign_in": last, "failures": found.failures, "reason": reason})


@operation("GET", f"{ONE}/file", Area.CLIENTS, answer={"type": "object"})
def get_client_file(call: Call, client_id: str) -> Answer:
    """An application as the file that ``idp clients apply`` takes; no secret is in it."""
    return Answer(body=exported(seen(call, client_id).id))
