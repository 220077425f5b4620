"""Somebody always administers: whatever two do to each other at the same moment."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from idp.audit import Context
from idp.factors.base import Tools
from idp.models import AuditEvent, User, db, release
from idp.services.invalid import Invalid
from idp.services.roles import ADMINISTRATOR
from idp.web.services import Services
from tests.factors.race import Racetrack, services_with
from tests.factors.storage import KEY, add_person
from tests.helpers.clock import NOON

ROUNDS = 8
CONTEXT = Context(at=NOON, actor_id="command:test")


def found(user_id: str) -> User:
    user = db.session.get(User, user_id, populate_existing=True)
    assert user is not None
    release()
    return user


def disable(services: Services, user: User) -> None:
    services.accounts.disable(user, CONTEXT)


def demote(services: Services, user: User) -> None:
    services.accounts.update(user, {"role": "auditor"}, CONTEXT)


def delete(services: Services, user: User) -> None:
    services.accounts.delete(user, CONTEXT)


def leave(services: Services, user: User) -> None:
    if services.deletion.request(user, user.email, CONTEXT) is not None:
        raise Invalid({"confirm_email": "the last one"})


WAYS: Mapping[str, Callable[[Services, User], None]] = {
    "disabled": disable,
    "demoted": demote,
    "deleted": delete,
    "leaving": leave,
}


def attempt(tools: Tools, case: tuple[str, str]) -> bool:
    """One of a pair is shut out; afterwards, for the next round, there is a pair again."""
    way, user_id = case
    services = services_with(tools.settings.keys[0])
    try:
        WAYS[way](services, found(user_id))
    except Invalid:
        return False
    return True


@pytest.mark.parametrize("way", WAYS)
def test_of_two_who_shut_each_other_out_one_is_left(
    track: Racetrack, raced_url: str, way: str
) -> None:
    for number in range(ROUNDS):
        ids = [
            add_person(f"{one}{number}@example.com", role=ADMINISTRATOR).id for one in ("a", "b")
        ]
        release()
        lanes = [[(way, user_id)] for user_id in ids]
        assert track.run(attempt, *lanes, url=raced_url, key=KEY) == [1]
        release()
        assert _left() == 1
        for user in db.session.scalars(select(User)):
            db.session.delete(user)
        db.session.commit()


def _left() -> int | None:
    return db.session.scalar(
        select(func.count())
        .select_from(User)
        .where(
            User.role == ADMINISTRATOR,
            User.disabled_at.is_(None),
            User.deletion_due_at.is_(None),
        )
    )


@pytest.mark.parametrize("way", WAYS)
def test_the_last_one_stays_and_the_refusal_is_on_record(raced_url: str, way: str) -> None:
    last = add_person("last@example.com", role=ADMINISTRATOR)
    add_person("gone@example.com", role=ADMINISTRATOR, disabled_at=NOON)
    add_person("going@example.com", role=ADMINISTRATOR, deletion_due_at=NOON)
    other = add_person("other@example.com", role="auditor")
    with pytest.raises(Invalid):
        WAYS[way](services_with(KEY), found(last.id))
    release()
    assert _left() == 1
    event = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert (event.name, event.data["reason"]) == ("user.change.refused", "last_administrator")
    release()
    WAYS[way](services_with(KEY), found(other.id))


def test_nobody_raises_a_role_of_their_own(raced_url: str) -> None:
    auditor = add_person("ann@example.com", role="auditor")
    herself = replace(CONTEXT, actor_id=auditor.id)
    with pytest.raises(Invalid, match="their own role"):
        services_with(KEY).accounts.update(found(auditor.id), {"role": ADMINISTRATOR}, herself)
    services_with(KEY).accounts.update(found(auditor.id), {"role": ADMINISTRATOR}, CONTEXT)
    assert found(auditor.id).role == ADMINISTRATOR
