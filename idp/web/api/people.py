"""/api/v1/people: everybody, a page at a time; one person, made, changed and deleted."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import Any, Final, cast

from flask import abort

from idp.models import User, db
from idp.services.account_fields import Fields
from idp.services.people import People, State, Wanted, methods_of, people_of, state_of
from idp.services.people_search import Spot
from idp.services.roles import Area
from idp.services.versions import claim_person
from idp.web.api.call import Answer, Call
from idp.web.api.components import CLAIMS, NAMES, ROLE
from idp.web.api.paging import cursor_of, read_cursor
from idp.web.api.problems import wrong
from idp.web.api.registry import operation
from idp.web.api.representing import instant, tag_of
from idp.web.api.schema import FLAG, members, named, or_null, page_of, text
from idp.web.context import services

ONE: Final = "/people/{person_id}"
FIELDS: Final = {
    "email_verified": FLAG,
    "username": or_null(text(at_most=64)),
    "name": or_null(text(at_most=255)),
    "profile": CLAIMS,
    "groups": NAMES,
}
ADDRESS: Final = text(at_least=3, at_most=320)


def person_view(user: User, methods: Iterable[str] | None = None) -> dict[str, Any]:
    """A person as she is told; nothing in it is secret."""
    kinds = methods_of(user.id) if methods is None else methods
    return {
        "id": user.id,
        "email": user.email,
        "email_verified": user.email_verified,
        "username": user.username,
        "name": user.name,
        "profile": user.profile,
        "groups": [group.name for group in user.groups],
        "role": user.role,
        "state": state_of(user, kinds).value,
        "deletion_due_at": instant(user.deletion_due_at),
        "created_at": instant(user.created_at),
        "updated_at": instant(user.updated_at),
    }


def person_answer(user: User, *, location: str | None = None) -> Answer:
    """The person with the tag of this version."""
    db.session.refresh(user)
    shown = person_view(user)
    return Answer(body=shown, etag=tag_of(user.version, shown), location=location)


def found(person_id: str) -> User:
    """The person; 404 for an id that is nobody's."""
    return services().accounts.find(person_id) or abort(404)


def changeable(call: Call, person_id: str) -> User:
    """The same, for a change. Raises ``Problem`` where her role permits more than the caller."""
    user = found(person_id)
    call.caller.insist_on_reach(user)
    return user


def claimed(call: Call, person_id: str) -> User:
    """The same, where she is still as the caller has read it. Raises ``Stale``."""
    user = changeable(call, person_id)
    call.insist_on_match(tag_of(user.version, person_view(user)))
    claim_person(user)
    return user


@operation(
    "GET",
    "/people",
    Area.PEOPLE,
    query={
        "q": text(
            at_most=320,
            about="How an address, a user name, a name or words of these begin, in this order.",
        ),
        "state": text(of=[one.value for one in State]),
        "group": text(at_most=255, about="The name of a group."),
        "roles": {**FLAG, "description": "Only those who have a role."},
    },
    answer=page_of(named("Person")),
)
def list_people(call: Call) -> Answer:
    """People by address."""
    state, beginning = call.query.get("state"), call.query.get("q", "").strip()
    kinds = (int, str, str) if beginning else (str,)
    after = read_cursor(call.query.get("cursor"), *kinds)
    page = people_of(
        Wanted(
            beginning=beginning,
            state=State(state) if state else None,
            with_role=call.query.get("roles", False),
            group=call.query.get("group"),
            **_behind(after),
            at_most=call.limit,
        )
    )
    more = _cursor(page)
    people = [person_view(one.user, one.methods) for one in page.listed]
    return Answer(body={"items": people, "next": more}, next=more)


def _behind(key: Sequence[Any] | None) -> dict[str, Any]:
    if key is None:
        return {}
    return {"after": key[0]} if len(key) == 1 else {"spot": Spot(*key)}


def _cursor(page: People) -> str | None:
    """Of a search where it goes on; of the list the last address."""
    if page.after is not None:
        return cursor_of(*astuple(page.after))
    return cursor_of(page.listed[-1].user.email) if page.more else None


@operation(
    "POST",
    "/people",
    Area.PEOPLE,
    body=members(
        {"email": ADDRESS},
        {
            **FIELDS,
            "role": ROLE,
            "invite": {**FLAG, "description": "Mail a link to set a password by."},
        },
    ),
    answer=named("Person"),
    status=201,
    tagged=True,
)
def create_person(call: Call) -> Answer:
    """Make an account, without a password."""
    fields = dict(call.body)
    invites = fields.pop("invite", False)
    if invites and services().settings.mail_url is None:
        raise wrong("invite", "cannot be: no mail can be sent from here, as mail_url is not set")
    call.caller.insist_on_giving(fields.get("role"))
    user = services().accounts.create(cast("Fields", fields), call.context)
    if invites:
        services().password_reset.send(user, call.context, invited=True)
    return person_answer(user, location=f"/people/{user.id}")


@operation("GET", ONE, Area.PEOPLE, answer=named("Person"), tagged=True)
def get_person(call: Call, person_id: str) -> Answer:
    """One person."""
    return person_answer(found(person_id))


@operation(
    "PATCH",
    ONE,
    Area.PEOPLE,
    body=members({}, {"email": ADDRESS, **FIELDS}),
    answer=named("Person"),
    conditional=True,
    tagged=True,
)
def change_person(call: Call, person_id: str) -> Answer:
    """Set these fields; another address counts as unverified unless it is said to be verified."""
    user = claimed(call, person_id)
    services().accounts.update(user, cast("Fields", dict(call.body)), call.context)
    return person_answer(user)


@operation(
    "PUT",
    f"{ONE}/role",
    Area.PEOPLE,
    body=members({"role": ROLE}),
    answer=named("Person"),
    conditional=True,
    tagged=True,
)
def change_role(call: Call, person_id: str) -> Answer:
    """Give somebody else a role, or take it: nobody changes their own."""
    call.caller.insist_on_giving(call.body["role"])
    user = claimed(call, person_id)
    services().accounts.update(user, {"role": call.body["role"]}, call.context)
    return person_answer(user)


@operation("DELETE", ONE, Area.PEOPLE, conditional=True)
def delete_person(call: Call, person_id: str) -> Answer:
    """Delete an account now, with all that is the person's."""
    user = claimed(call, person_id)
    services().accounts.delete(user, call.context)
    return Answer()
