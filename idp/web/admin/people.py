"""/admin/people: everybody, a page at a time; and inviting somebody."""

import re
import shlex
from collections.abc import Mapping
from typing import Any, Final, cast

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from idp.protocol.text import is_clean
from idp.services.account_fields import Fields
from idp.services.invalid import Invalid
from idp.services.people import Listed, People, State, Wanted, people_of
from idp.services.people_search import Spot
from idp.services.roles import ROLES, Area, Permission
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp, page
from idp.web.admin.guard import console, may
from idp.web.admin.person_views import ROLE_NAMES, STATE_NAMES, methods_in_words
from idp.web.answers import redirect_to
from idp.web.context import services
from idp.web.forms import submitted

CHANGES: Final = Permission(Area.PEOPLE, writes=True)
_FIELDS: Final = ("q", "state", "group", "roles")


@bp.get("/people")
@console(Area.PEOPLE)
def people() -> Response:
    """By address; a search finds how an address, a user name or any word of a name begins."""
    values = {name: request.args.get(name, "").strip() for name in _FIELDS}
    after = request.args.get("after", "")
    after = after if is_clean(after) else ""
    wanted = Wanted(
        beginning=values["q"],
        state=next((one for one in State if one.value == values["state"]), None),
        with_role=bool(values["roles"]),
        group=values["group"] or None,
        after="" if values["q"] else after,
        spot=_spot(after),
    )
    found = people_of(wanted)
    given: dict[str, Any] = {name: value for name, value in values.items() if value}
    return page(
        "admin/people.html",
        section="admin.people",
        values=values,
        states=STATE_NAMES,
        is_filtered=bool(given),
        people=[_row(one) for one in found.listed],
        next=url_for(".people", **given, after=_after(found)) if found.more else None,
        first=url_for(".people", **given) if after else None,
        invite=url_for(".invite") if may(CHANGES) else None,
        take_over=url_for(".import_people") if may(CHANGES) else None,
        command=_command(values),
    )


_SPOT: Final = re.compile(r"(?P<way>[0-9]{1,3}):(?P<id>[^:]*):(?P<key>.*)", re.DOTALL)


def _spot(text: str) -> Spot | None:
    """Where a search goes on; None for the first page, and for what is none of ours."""
    read = _SPOT.fullmatch(text)
    return Spot(int(read["way"]), read["key"], read["id"]) if read else None


def _after(found: People) -> str:
    if (spot := found.after) is not None:
        return f"{spot.way}:{spot.user_id}:{spot.key}"
    return str(found.listed[-1].user.email)


def _row(one: Listed) -> dict[str, Any]:
    user = one.user
    return {
        "url": url_for(".person", user_id=user.id),
        "name": user.display_name,
        "email": user.email,
        "state": one.state.value,
        "methods": methods_in_words(one.methods),
        "groups": [group.name for group in user.groups],
        "role": ROLE_NAMES.get(user.role or ""),
        "since": user.created_at,
    }


def _command(values: Mapping[str, str]) -> str:
    names = {"q": "--beginning", "state": "--state", "group": "--group"}
    given = [f"{names[name]} {shlex.quote(values[name])}" for name in names if values[name]]
    return " ".join(("idp users list", *given, *(["--roles"] if values["roles"] else [])))


@bp.get("/people/invite")
@console(Area.PEOPLE, writes=True)
def invite() -> Response:
    """Whom?"""
    return _invitation({})


@bp.post("/people/invite")
@console(Area.PEOPLE, writes=True, back="admin.invite")
def send_invitation() -> Response:
    """Make the account; the link is mailed, or shown on the next page."""
    typed = submitted()
    fields: dict[str, Any] = {
        name: typed[name] for name in ("email", "name", "username") if name in typed
    }
    fields |= {"groups": groups_in(typed.get("groups", "")), "role": typed.get("role")}
    try:
        user = services().accounts.create(cast("Fields", fields), acting())
    except Invalid as error:
        return _invitation(typed, error.problems)
    if services().settings.mail_url is not None and typed.get("how") != "show":
        services().password_reset.send(user, acting(), invited=True)
        flash(_("An invitation is on its way to %(email)s.", email=user.email))
    else:
        flash(_("The account is made. Make a link and hand it over."))
    return redirect_to(url_for(".person", user_id=user.id))


def groups_in(text: str) -> list[str]:
    """Names of groups as they are typed: one a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _invitation(typed: Mapping[str, str], problems: Mapping[str, str] | None = None) -> Response:
    return page(
        "admin/invite.html",
        section="admin.people",
        status=422 if problems else 200,
        values=typed,
        roles=[(name, ROLE_NAMES[name]) for name in ROLES],
        can_mail=services().settings.mail_url is not None,
        errors=[{"field": name, "message": text} for name, text in (problems or {}).items()],
        command=f"idp users invite {shlex.quote(typed.get('email', 'EMAIL'))}",
    )
