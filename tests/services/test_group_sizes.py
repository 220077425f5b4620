"""Groups are marked as large while they are, and only then are their members not counted."""

from collections.abc import Sequence

from flask import Flask
from sqlalchemy import delete, insert, select

from idp.audit import Context
from idp.models import Group, User, db, membership, new_id
from idp.services.group_list import COUNTED, groups_of
from idp.services.group_sizes import AT_ONCE, LARGE, mark
from tests.bench.statements import counting


def settle(context: Context) -> Sequence[str]:
    """As many people as a large group has; returns their ids."""
    since = {"created_at": context.at, "updated_at": context.at}
    rows = [
        {"id": f"{n:022}", "email": f"p{n}@example.com", "webauthn_handle": new_id(), **since}
        for n in range(LARGE)
    ]
    db.session.execute(insert(User), rows)
    db.session.commit()
    return [str(row["id"]) for row in rows]


def gather(name: str, people: Sequence[str]) -> str:
    """A group of these people; returns its id."""
    group = Group(id=f"{name:z>22}", name=name)
    db.session.add(group)
    db.session.flush()
    rows = [{"user_id": one, "group_id": group.id} for one in people]
    db.session.execute(insert(membership), rows)
    db.session.commit()
    return group.id


def marked() -> list[str]:
    return list(db.session.scalars(select(Group.name).where(Group.large).order_by(Group.name)))


def listed() -> dict[str, int]:
    return {one.name: one.members for one in groups_of(at_most=AT_ONCE + 9).listed}


def test_large_groups_are_marked_and_not_counted(app: Flask, context: Context) -> None:
    people = settle(context)
    db.session.execute(insert(Group), [{"id": f"{n:022}", "name": f"g{n}"} for n in range(AT_ONCE)])
    db.session.commit()
    staff = gather("staff", people)
    gather("team", people[1:])
    gather("crew", people[:COUNTED])
    assert (marked(), mark(), marked(), mark()) == ([], 1, ["staff"], 0)
    sizes = {"staff": COUNTED + 1, "team": COUNTED + 1, "crew": COUNTED, "g7": 0}
    assert {name: listed()[name] for name in sizes} == sizes

    # Whoever has left shows after the next look at it, and no sooner.
    db.session.execute(delete(membership).where(membership.c.group_id == staff))
    db.session.commit()
    assert listed()["staff"] == COUNTED + 1
    assert (mark(), marked(), listed()["staff"]) == (1, [], 0)


def test_nothing_is_written_where_nothing_has_changed(app: Flask, context: Context) -> None:
    gather("staff", settle(context))
    mark()
    with counting(db.engine) as counted:
        assert mark() == 0
    assert not any(text.startswith("UPDATE") for text in counted.texts)
