"""/admin/audit: what happened, filtered; and the same as a table to take away."""

import csv
import io
import json
import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, cast

from flask import Response, request, stream_with_context, url_for
from flask_babel import gettext as _

from idp.audit import record
from idp.models import AuditEvent
from idp.services.audit_log import Outcome, Search, every, search, went_wrong
from idp.services.cells import plain_cell
from idp.services.roles import Area
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp, page
from idp.web.admin.guard import console
from idp.web.admin.sentences import Names, sentence_of
from idp.web.context import services

PAGE: Final = 50
MOST_EXPORTED: Final = 100_000
_FIELDS: Final = ("person", "client", "event", "outcome", "reference", "since", "until")
_COLUMNS: Final = (
    *("at", "event", "sentence", "person", "client", "actor", "address", "reference"),
    *("session", "transaction", "data"),
)


@bp.get("/audit")
@console(Area.AUDIT)
def audit() -> Response:
    """By GET, so that what was found can be shown to somebody else by its address."""
    values = _values()
    wanted, errors = _read(values)
    found = [] if wanted is None else search(wanted)
    events, names = found[:PAGE], Names.of(found)
    return page(
        "admin/audit.html",
        section="admin.audit",
        status=422 if errors else 200,
        values=values,
        errors=errors,
        is_filtered=any(values.values()),
        events=[event_view(one, names) for one in events],
        older=url_for(".audit", **_given(values), before=events[-1].id)
        if len(found) > PAGE
        else None,
        newest=url_for(".audit", **_given(values)) if request.args.get("before") else None,
        export=url_for(".audit_export", **_given(values)),
        command=_command(values),
    )


@bp.get("/audit.csv")
@console(Area.AUDIT)
def audit_export() -> Response:
    """The same, as a file; it is on record who took it."""
    values = _values()
    wanted, _errors = _read(values, at_most=MOST_EXPORTED)
    record("audit.exported", acting(), filter=_given(values))
    services().commit()
    rows = _rows(wanted) if wanted else iter(())
    response = Response(stream_with_context(rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


def event_view(event: AuditEvent, names: Names) -> dict[str, Any]:
    """An event as templates show it, with the whole record."""
    return {
        "sentence": sentence_of(event, names),
        "bad": went_wrong(event),
        "at": event.at,
        "name": event.name,
        "address": event.address,
        "reference": event.reference,
        "record": json.dumps(_record(event), indent=2, ensure_ascii=False),
        "person": url_for(".audit", person=event.user_id) if event.user_id else None,
        "client": url_for(".audit", client=event.client_id) if event.client_id else None,
    }


def _record(event: AuditEvent) -> dict[str, object]:
    names = ("id", "name", "actor_id", "user_id", "client_id", "session_id", "transaction_id")
    values = {name: getattr(event, name) for name in (*names, "address", "reference", "data")}
    return {"at": _instant(event.at), **values}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rows(wanted: Search) -> Iterator[str]:
    yield _line(_COLUMNS)
    batch: list[AuditEvent] = []
    for event in every(wanted):
        batch.append(event)
        if len(batch) == PAGE:
            yield from _lines(batch)
            batch = []
    yield from _lines(batch)


def _lines(events: list[AuditEvent]) -> Iterator[str]:
    names = Names.of(events)
    for event in events:
        yield _line(
            (
                *(_instant(event.at), event.name, sentence_of(event, names)),
                names.people.get(event.user_id or "", event.user_id),
                *(event.client_id, event.actor_id, event.address, event.reference),
                *(event.session_id, event.transaction_id),
                json.dumps(event.data, ensure_ascii=False),
            )
        )


def _line(cells: tuple[object, ...]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(map(plain_cell, cells))
    return text.getvalue()


def _values() -> dict[str, str]:
    return {name: request.args.get(name, "").strip() for name in _FIELDS}


def _given(values: Mapping[str, str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _read(
    values: Mapping[str, str], *, at_most: int = PAGE + 1
) -> tuple[Search | None, list[dict[str, str]]]:
    """The search, or what is wrong with it."""
    times: dict[str, datetime | None] = {}
    errors = []
    for name in ("since", "until"):
        try:
            times[name] = _moment(values[name])
        except ValueError:
            errors.append({"field": name, "message": _("Write a time like 2026-07-14 09:30.")})
    outcome = values["outcome"] if values["outcome"] in ("ok", "refused") else None
    if errors:
        return None, errors
    before = request.args.get("before", type=int)
    return Search(
        user_id=_person_id(values["person"]),
        client_id=values["client"] or None,
        event=values["event"] or None,
        outcome=cast("Outcome | None", outcome),
        reference=values["reference"].upper() or None,
        since=times["since"],
        until=times["until"],
        before=before if before is not None and 0 < before < 2**63 else None,
        at_most=at_most,
    ), []


def _moment(text: str) -> datetime | None:
    """UTC, as every time on these pages."""
    if not text:
        return None
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _person_id(who: str) -> str | None:
    """Somebody who was deleted is still found by the bare id."""
    if not who:
        return None
    accounts = services().accounts
    known = accounts.find_by_login(who) or accounts.find(who)
    return known.id if known else who


def _command(values: Mapping[str, str]) -> str:
    options = {"person": "user", "client": "client", "event": "event", "reference": "reference"}
    options |= {"outcome": "outcome", "since": "since", "until": "until"}
    given = [f"--{options[name]} {shlex.quote(value)}" for name, value in _given(values).items()]
    return " ".join(("idp audit search", *given))
