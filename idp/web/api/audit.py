"""/api/v1/audit: what happened, the newest first."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

from idp.models import AuditEvent
from idp.services.audit_log import Outcome, Search, search
from idp.services.roles import Area, Permission
from idp.web.admin.sentences import Names, sentence_of
from idp.web.api.call import Answer, Call
from idp.web.api.clients import ONE as CLIENT
from idp.web.api.clients import seen
from idp.web.api.paging import cursor_of, read_cursor
from idp.web.api.problems import wrong_query
from idp.web.api.registry import operation
from idp.web.api.representing import instant
from idp.web.api.schema import INSTANT, named, page_of, text
from idp.web.context import services

_KEPT: Final = (
    *("name", "actor_id", "user_id", "client_id", "session_id", "transaction_id"),
    *("address", "reference", "data"),
)


def _view(event: AuditEvent, names: Names) -> dict[str, Any]:
    kept = {name: getattr(event, name) for name in _KEPT}
    sentence = sentence_of(event, names)
    return {"id": event.id, "at": instant(event.at), "sentence": sentence, **kept}


def _page(found: Sequence[AuditEvent], limit: int) -> Answer:
    shown = found[:limit]
    names = Names.of(shown)
    more = cursor_of(shown[-1].id) if len(found) > limit else None
    return Answer(body={"items": [_view(one, names) for one in shown], "next": more}, next=more)


def _before(call: Call) -> int | None:
    key = read_cursor(call.query.get("cursor"), int)
    return key[0] if key else None


@operation(
    "GET",
    "/audit",
    Area.AUDIT,
    query={
        "person": text(at_most=320, about="An address, a user name or an id."),
        "client": text(at_most=255, about="A client_id."),
        "event": text(at_most=64, about="A name, or the words it begins with: login.password"),
        "outcome": text(of=("ok", "refused")),
        "reference": text(at_most=16, about="What an error page showed."),
        "since": INSTANT,
        "until": INSTANT,
    },
    answer=page_of(named("Event")),
)
def search_audit(call: Call) -> Answer:
    """The events that fit."""
    query = call.query
    found = search(
        Search(
            user_id=_person(query["person"]) if "person" in query else None,
            client_id=query.get("client"),
            event=query.get("event"),
            outcome=cast("Outcome | None", query.get("outcome")),
            reference=query["reference"].upper() if "reference" in query else None,
            since=_moment(query, "since"),
            until=_moment(query, "until"),
            before=_before(call),
            at_most=call.limit + 1,
        )
    )
    return _page(found, call.limit)


def _person(who: str) -> str:
    """Somebody who was deleted is still found by the bare id."""
    accounts = services().accounts
    known = accounts.find_by_login(who) or accounts.find(who)
    return known.id if known else who


def _moment(query: Any, name: str) -> datetime | None:
    if name not in query:
        return None
    try:
        read = datetime.fromisoformat(query[name])
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise wrong_query((name, "must be a time like 2026-07-14T09:30:00Z")) from error


@operation("GET", f"{CLIENT}/activity", Area.CLIENTS, answer=page_of(named("Event")))
def list_client_activity(call: Call, client_id: str) -> Answer:
    """What happened about one application; without admin:audit:read, not to whom."""
    info = seen(call, client_id)
    wanted = Search(client_id=info.id, before=_before(call), at_most=call.limit + 1)
    found = search(wanted)
    if Permission(Area.AUDIT).scope not in call.caller.holds:
        found = [_of_somebody(one) for one in found]
    return _page(found, call.limit)


def _of_somebody(event: AuditEvent) -> AuditEvent:
    """The same, as the console tells who keeps an application: nothing about the person."""
    acted = event.actor_id if event.actor_id != event.user_id else _SOMEBODY
    return AuditEvent(
        id=event.id,
        at=event.at,
        name=event.name,
        actor_id=acted,
        client_id=event.client_id,
        reference=event.reference,
        data={name: event.data[name] for name in _OF_CLIENTS if name in event.data},
    )


_SOMEBODY: Final = "somebody"
_OF_CLIENTS: Final = (
    *("members", "reason", "error", "description", "redirect_uri", "before", "after"),
    *("method", "scopes", "times", "via"),
)
