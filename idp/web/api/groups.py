"""/api/v1/groups: who belongs together. A person's own groups are among her fields."""

from typing import Final

from flask import abort

from idp.models import Group
from idp.services import group_list
from idp.services.group_list import COUNTED
from idp.services.roles import Area
from idp.services.versions import claim_group
from idp.web.api.call import Answer, Call
from idp.web.api.paging import cursor_of, read_cursor
from idp.web.api.registry import operation
from idp.web.api.representing import tag_of
from idp.web.api.schema import members, named, number, page_of, text

ONE: Final = "/groups/{group_id}"
NAME: Final = members({"name": text(at_least=1, at_most=255)})
LISTED: Final = members(
    {
        "id": text(),
        "name": text(),
        "members": number(about=f"How many; above {COUNTED} they are not counted."),
    }
)


def _answer(group: Group, *, location: str | None = None) -> Answer:
    shown = {"id": group.id, "name": group.name}
    return Answer(body=shown, etag=tag_of("", shown), location=location)


def _found(group_id: str) -> Group:
    return group_list.find(group_id) or abort(404)


def _claimed(call: Call, group_id: str) -> Group:
    group = _found(group_id)
    call.insist_on_match(_answer(group).etag or "")
    claim_group(group)
    return group


@operation("GET", "/groups", Area.GROUPS, answer=page_of(LISTED))
def list_groups(call: Call) -> Answer:
    """Groups by name, with how many are in each."""
    after = read_cursor(call.query.get("cursor"), str)
    page = group_list.groups_of(after=after[0] if after else "", at_most=call.limit)
    more = cursor_of(page.listed[-1].name) if page.more else None
    items = [{"id": one.id, "name": one.name, "members": one.members} for one in page.listed]
    return Answer(body={"items": items, "next": more}, next=more)


@operation(
    "POST", "/groups", Area.GROUPS, body=NAME, answer=named("Group"), status=201, tagged=True
)
def create_group(call: Call) -> Answer:
    """Make an empty group."""
    made = group_list.create(call.body["name"], call.context)
    return _answer(made, location=f"/groups/{made.id}")


@operation("GET", ONE, Area.GROUPS, answer=named("Group"), tagged=True)
def get_group(call: Call, group_id: str) -> Answer:
    """One group; ``/people?group=`` lists who is in it."""
    return _answer(_found(group_id))


@operation(
    "PATCH", ONE, Area.GROUPS, body=NAME, answer=named("Group"), conditional=True, tagged=True
)
def rename_group(call: Call, group_id: str) -> Answer:
    """Call it otherwise, in applications that name it as well; not where a file keeps one."""
    group = _claimed(call, group_id)
    group_list.rename(group, call.body["name"], call.context)
    return _answer(group)


@operation("DELETE", ONE, Area.GROUPS, conditional=True)
def delete_group(call: Call, group_id: str) -> Answer:
    """Delete it; its members stay. Not while an application names it."""
    group_list.remove(_claimed(call, group_id), call.context)
    return Answer()
