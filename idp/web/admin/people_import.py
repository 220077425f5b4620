"""/admin/people/import: a file is looked at, then taken whole or not at all; and the export."""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final
from zlib import compress, decompress

from flask import Response, flash, request, stream_with_context, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from idp.audit import record
from idp.services.invalid import Invalid
from idp.services.people_export import as_csv, as_json
from idp.services.people_files import FirebaseKey, Unreadable, records
from idp.services.people_import import Plan, carry_out, plan
from idp.services.roles import Area, Permission
from idp.services.sessions import Live
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp, page
from idp.web.admin.guard import console, may
from idp.web.answers import redirect_to
from idp.web.context import context, services
from idp.web.forms import submitted
from idp.web.guards import viewer
from idp.web.sizes import IMPORT_FORM

_KEPT_AS: Final = "import"
_SHOWN_AS: Final = "import-outlook"
_SHOWN: Final = 100


@bp.before_request
def let_a_file_in() -> None:
    """Of whoever may take people over; for everybody else it is too large, as anywhere."""
    writes = Permission(Area.PEOPLE, writes=True)
    if request.endpoint == "admin.look_at_people" and may(writes):
        request.max_content_length = IMPORT_FORM


@bp.get("/people/import")
@console(Area.PEOPLE, writes=True)
def import_people() -> Response:
    """Which file?"""
    return _ask()


def _ask(
    problem: str | None = None, typed: dict[str, str] | None = None, *, at: str = "file"
) -> Response:
    return page(
        "admin/import.html",
        section="admin.people",
        status=422 if problem else 200,
        values=typed or {},
        errors=[{"field": at, "message": problem}] if problem else [],
    )


@bp.post("/people/import")
@console(Area.PEOPLE, writes=True, back="admin.import_people")
def look_at_people() -> Response:
    """Read it, and show what would be made; nothing is made yet."""
    live, _me = viewer()
    sent, typed = request.files.get("file"), submitted()
    content, at = sent.read() if sent else b"", "file"
    if not content and typed.get("people"):
        content, at = typed["people"].encode("utf-8", "replace"), "people"
    if not content.strip():
        return _ask(_("Choose a file or paste text."), typed)
    kept = {"content": b64encode(compress(content)).decode(), "firebase": _firebase(typed)}
    try:
        planned = _planned(kept)
    except Unreadable as error:
        return _ask(str(error), typed, at=at)
    services().once.keep(live.id, _KEPT_AS, kept, context().at)
    return _to_preview(live, planned)


@bp.get("/people/import/preview")
@console(Area.PEOPLE, writes=True)
def preview_people() -> Response:
    """What would be made, and what is wrong, record by record, as it was when it was looked at."""
    live, _me = viewer()
    outlook = services().once.show(live.id, _SHOWN_AS, context().at)
    if outlook is None:
        return redirect_to(url_for(".import_people"))
    return page("admin/import_preview.html", section="admin.people", **outlook)


def _to_preview(live: Live, planned: Plan) -> Response:
    """Show it on a page of its own, which does not look at ten thousand people once more."""
    services().once.keep(live.id, _SHOWN_AS, _outlook(planned), context().at)
    services().commit()
    return redirect_to(url_for(".preview_people"))


def _outlook(planned: Plan) -> dict[str, Any]:
    """The page's values; of people nothing that is secret."""
    return {
        "count": len(planned.ready),
        "people": [
            {
                "email": one.user.email,
                "name": one.user.name,
                "groups": list(one.groups),
                "has_password": one.hashed is not None,
                "disabled": one.disabled,
            }
            for one in planned.ready[:_SHOWN]
        ],
        "problems": [asdict(one) for one in planned.problems[:_SHOWN]],
        "problem_count": len(planned.problems),
    }


@bp.post("/people/import/confirm")
@console(Area.PEOPLE, writes=True, back="admin.import_people")
def confirm_people() -> Response:
    """All of them, or nobody."""
    live, _me = viewer()
    kept = services().once.show(live.id, _KEPT_AS, context().at)
    if kept is None:
        return redirect_to(url_for(".import_people"))
    planned = _planned(kept)  # anew: others may have taken a name since it was looked at
    try:
        made = carry_out(planned, acting())
    except Invalid:
        return _to_preview(live, _planned(kept))
    for name in (_KEPT_AS, _SHOWN_AS):
        services().once.saved(live.id, name, context().at)
    services().commit()
    flash(ngettext("%(num)s account is made.", "%(num)s accounts are made.", made))
    return redirect_to(url_for(".people"))


def _planned(kept: Any) -> Plan:
    key = FirebaseKey(**kept["firebase"]) if kept["firebase"] else None
    return plan(records(decompress(b64decode(kept["content"])), firebase=key), acting())


def _firebase(typed: dict[str, str]) -> dict[str, Any] | None:
    """The project's parameters, where the file is Firebase's."""
    if "signer_key" not in typed:
        return None
    return {
        "signer_key": typed["signer_key"],
        "salt_separator": typed.get("salt_separator", "Bw=="),
        "rounds": _number(typed.get("rounds", ""), usual=8),
        "mem_cost": _number(typed.get("mem_cost", ""), usual=14),
    }


def _number(text: str, *, usual: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else usual


@bp.get("/people.csv")
@console(Area.PEOPLE)
def export_people_csv() -> Response:
    """Everybody, with nothing secret; it is on record who took it."""
    return _file(as_csv(), "people.csv", "text/csv")


@bp.get("/people.json")
@console(Area.PEOPLE)
def export_people_json() -> Response:
    """The same, one object a line."""
    return _file(as_json(), "people.json", "application/x-ndjson")


def _file(lines: Iterator[str], name: str, kind: str) -> Response:
    record("people.exported", acting())
    services().commit()
    response = Response(stream_with_context(f"{line}\n" for line in lines), mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
