"""/admin/keys: what tokens are signed with, on a line in time."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any, Final

from flask import Response, abort, flash, request, url_for
from flask_babel import gettext as _

from idp.services.jose import ALGORITHMS
from idp.services.key_rotation import CannotRetire, KeyInfo
from idp.services.roles import Area, Permission
from idp.web.account.blueprint import DONE
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp, page
from idp.web.admin.guard import console, may
from idp.web.admin.timeline import Line
from idp.web.answers import redirect_to
from idp.web.context import context, services
from idp.web.oidc import JWKS_MAX_AGE

ORDER: Final = ("signing", "waiting", "published")


@bp.get("/keys")
@console(Area.KEYS)
def keys() -> Response:
    """Each algorithm's keys: the one that signs, the next, those whose tokens still live."""
    return _page()


@bp.post("/keys/rotate")
@console(Area.KEYS, writes=True, back="admin.keys")
def rotate_keys() -> Response:
    """Publish successors; for a key that has leaked, let them sign at once."""
    wanted = request.form.get("algorithm", "")
    if wanted and wanted not in ALGORITHMS:
        abort(404)
    algorithms = (wanted,) if wanted else ALGORITHMS
    at_once = request.form.get("at_once") == "yes"
    if at_once and request.form.get("sure") != "yes":
        return _page(problem=("sure", _("Tick the box to say that you mean it.")))
    made = services().key_rotation.rotate(acting(), algorithms=algorithms, at_once=at_once)
    flash(_told(made, at_once=at_once), DONE)
    return redirect_to(url_for("admin.keys"))


@bp.post("/keys/<kid>/retire")
@console(Area.KEYS, writes=True, back="admin.keys")
def retire_key(kid: str) -> Response:
    """Stop signing with a key now; with ``at_once`` what it signed is worthless, too."""
    listed = services().key_rotation.listed(context().at)
    if kid not in {key.kid for key in listed if key.state != "removed"}:
        abort(404)
    at_once = request.form.get("at_once") == "yes"
    try:
        services().key_rotation.retire(kid, acting(), at_once=at_once)
    except CannotRetire as error:
        return _page(problem=(None, str(error)))
    flash(_("Key %(kid)s signs no more.", kid=kid[:8]), DONE)
    return redirect_to(url_for("admin.keys"))


def _told(made: Sequence[str], *, at_once: bool) -> str:
    if not made:
        return str(_("Somebody else is rotating the keys at this very moment: nothing was done."))
    if at_once:
        return str(_("The new keys sign from now on. Now remove the key that leaked."))
    days = services().settings.key_publish_ahead
    return str(_("The new keys are published, and sign in %(time)s.", time=_hours(days)))


def _hours(span: timedelta) -> str:
    hours, minutes = divmod(round(span.total_seconds() / 60), 60)
    return " ".join([*([f"{hours} h"] if hours else []), *([f"{minutes} min"] if minutes else [])])


def _page(*, problem: tuple[str | None, str] | None = None) -> Response:
    now, keep = context().at, services().keys.keep
    listed = services().key_rotation.listed(now)
    there = [key for key in listed if key.state != "removed"]
    settings = services().settings
    return page(
        "admin/keys.html",
        section="admin.keys",
        status=422 if problem else 200,
        algorithms=list(_by_algorithm(there)),
        gone=len(listed) - len(there),
        may_change=may(Permission(Area.KEYS, writes=True)),
        ahead=_hours(settings.key_publish_ahead),
        lifetime=settings.key_lifetime.days,
        keep=_hours(keep),
        cache=_hours(timedelta(seconds=JWKS_MAX_AGE)),
        errors=[{"field": problem[0], "message": problem[1]}] if problem else [],
    )


def _by_algorithm(there: Iterable[KeyInfo]) -> Iterable[dict[str, Any]]:
    for algorithm, found in groupby(there, key=lambda key: key.algorithm):
        ours = tuple(found)
        following = _next(ours)
        line = Line.over(
            ours,
            keep=services().keys.keep,
            now=context().at,
            takes_over=following["signs_from"] if following else None,
        )
        shown = sorted(ours, key=lambda key: ORDER.index(key.state))
        yield {
            "name": algorithm,
            "here": line.here,
            "begins": line.begins,
            "ends": line.ends,
            "keys": [_view(key, line) for key in shown],
            "next": following,
        }


def _next(keys: Sequence[KeyInfo]) -> dict[str, Any] | None:
    """When the youngest of them gets its successor, if nobody rotates before."""
    able = [key for key in keys if key.state in ("signing", "waiting")]
    if not able:
        return None
    settings = services().settings
    signs_from = max(key.signs_from for key in able) + settings.key_lifetime
    published_at = signs_from - settings.key_publish_ahead
    due = published_at <= context().at
    return {"published_at": published_at, "signs_from": signs_from, "due": due}


def _view(key: KeyInfo, line: Line) -> dict[str, Any]:
    keep = services().keys.keep
    return {
        "kid": key.kid,
        "state": key.state,
        "published_at": key.published_at,
        "signs_from": key.signs_from,
        "stops_at": key.stops_at,
        "gone_at": key.stops_at + keep if key.stops_at else None,
        "bars": line.bars(key, keep),
    }
