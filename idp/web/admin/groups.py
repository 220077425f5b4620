"""/admin/groups: how many are in each, and which application each opens."""

import shlex
from collections.abc import Mapping

from flask import Response, abort, flash, request, url_for
from flask_babel import gettext as _

from idp.models import Group
from idp.services import group_list
from idp.services.group_list import COUNTED, GroupInfo, groups_of
from idp.services.invalid import Invalid
from idp.services.roles import Area, Permission
from idp.services.versions import Stale
from idp.web.admin.acting import acting
from idp.web.admin.blueprint import bp, page
from idp.web.admin.guard import console, may
from idp.web.answers import redirect_to
from idp.web.forms import submitted


@bp.get("/groups")
@console(Area.GROUPS)
def groups() -> Response:
    """By name, a page at a time."""
    return _list()


def _list(typed: str = "", problems: Mapping[str, str] | None = None) -> Response:
    found = groups_of(after=request.args.get("after", ""))
    return page(
        "admin/groups.html",
        section="admin.groups",
        status=422 if problems else 200,
        groups=[_row(one) for one in found.listed],
        next=url_for(".groups", after=found.listed[-1].name) if found.more else None,
        first=url_for(".groups") if request.args.get("after") else None,
        changes=may(Permission(Area.GROUPS, writes=True)),
        value=typed,
        errors=_errors(problems),
    )


def _row(one: GroupInfo) -> dict[str, str]:
    more = one.members > COUNTED
    return {
        "name": one.name,
        "members": _("more than %(number)s", number=COUNTED) if more else str(one.members),
        "url": url_for(".group", group_id=one.id),
    }


def _errors(problems: Mapping[str, str] | None) -> list[dict[str, str]]:
    return [{"field": name, "message": text} for name, text in (problems or {}).items()]


@bp.post("/groups")
@console(Area.GROUPS, writes=True, back="admin.groups")
def add_group() -> Response:
    """A new one, with nobody in it."""
    name = submitted().get("name", "")
    try:
        group_list.create(name, acting())
    except Invalid as error:
        return _list(name, error.problems)
    flash(_("The group is made."))
    return redirect_to(url_for(".groups"))


@bp.get("/groups/<group_id>")
@console(Area.GROUPS)
def group(group_id: str) -> Response:
    """One group: what opens by it, and changing it."""
    return _page(_found(group_id))


def _found(group_id: str) -> Group:
    found = group_list.find(group_id)
    if found is None:
        abort(404)
    return found


def _page(
    one: Group, typed: str | None = None, problems: Mapping[str, str] | None = None
) -> Response:
    sees_people = may(Permission(Area.PEOPLE))
    return page(
        "admin/group.html",
        section="admin.groups",
        status=422 if problems else 200,
        group={"id": one.id, "name": one.name},
        members=url_for(".people", group=one.name) if sees_people else None,
        clients=group_list.clients_for(one.name),
        changes=may(Permission(Area.GROUPS, writes=True)),
        value=one.name if typed is None else typed,
        rename=url_for(".rename_group", group_id=one.id),
        delete=url_for(".delete_group", group_id=one.id),
        command="\n".join(_commands(shlex.quote(one.name))),
        errors=_errors(problems),
    )


def _commands(name: str) -> tuple[str, ...]:
    return (
        f"idp groups rename {name} NEW",
        f"idp groups delete {name}",
        f"idp users list --group {name}",
    )


@bp.post("/groups/<group_id>")
@console(Area.GROUPS, writes=True, back="admin.group")
def rename_group(group_id: str) -> Response:
    """The same people by another name."""
    one, name = _found(group_id), submitted().get("name", "")
    try:
        group_list.rename(one, name, acting(), expected=submitted().get("was", ""))
    except Invalid as error:
        return _page(_found(group_id), name, error.problems)
    except Stale:
        now = _found(group_id)
        text = _("Somebody renamed it meanwhile: it is called %(name)s now.", name=now.name)
        return _page(now, name, {"name": text})
    flash(_("Saved."))
    return redirect_to(url_for(".group", group_id=group_id))


@bp.post("/groups/<group_id>/delete")
@console(Area.GROUPS, writes=True, back="admin.group")
def delete_group(group_id: str) -> Response:
    """Its members stay."""
    one = _found(group_id)
    try:
        group_list.remove(one, acting())
    except Invalid as error:
        return _page(one, None, error.problems)
    flash(_("The group is deleted."))
    return redirect_to(url_for(".groups"))
