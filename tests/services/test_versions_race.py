"""Of two who change one version at the same moment one does; a call with a key is done once."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm.attributes import set_committed_value

from idp.audit import Context
from idp.factors.base import Tools
from idp.models import AuditEvent, Client, Group, User, db, new_id, release
from idp.services import group_list, settings_revision
from idp.services.client_pages import Manager
from idp.services.idempotency import Key, NotAnswered
from idp.services.invalid import Invalid
from idp.services.roles import ADMINISTRATOR, handed_on_by
from idp.services.versions import Stale, claim_client, claim_group, claim_person
from idp.web.services import Services
from tests.factors.race import Racetrack, services_with
from tests.factors.storage import KEY, add_person
from tests.helpers.clock import NOON

ROUNDS = 10
CONTEXT = Context(at=NOON, actor_id="command:test")
ANYBODY = Manager(ADMINISTRATOR, frozenset(), handed_on_by(ADMINISTRATOR))
APP = {"redirect_uris": ["https://app.example/callback"]}


def services(tools: Tools) -> Services:
    return services_with(tools.settings.keys[0])


def wins(change: Callable[[], object]) -> bool:
    try:
        change()
    except Stale:
        return False
    return True


def change_person(tools: Tools, case: tuple[str, int]) -> bool:
    user = db.session.get_one(User, case[0])
    set_committed_value(user, "version", case[1])  # as it was read before

    def change() -> None:
        claim_person(user)
        services(tools).accounts.update(user, {"name": "Ann"}, CONTEXT)

    return wins(change)


def change_client(tools: Tools, case: tuple[str, int]) -> bool:
    def change() -> None:
        claim_client(*case)
        services(tools).client_registry.update(case[0], APP, CONTEXT)

    return wins(change)


def change_group(_tools: Tools, case: tuple[str, str]) -> bool:
    group = db.session.get_one(Group, case[0])
    set_committed_value(group, "name", case[1])

    def change() -> None:
        claim_group(group)
        group_list.rename(group, f"{case[1]} again", CONTEXT)

    return wins(change)


def change_settings(tools: Tools, case: tuple[str, int]) -> bool:
    revision, number = case

    def change() -> None:
        settings_revision.claim(revision, NOON)
        services(tools).changed_settings.set({"site_name": f"Site {number}"}, CONTEXT)

    return wins(change)


def people() -> list[tuple[str, int]]:
    """Every other one an administrator: those are counted before they are changed."""
    roles = [ADMINISTRATOR if number % 2 else None for number in range(ROUNDS)]
    made = [add_person(f"p{n}@example.com", role=role) for n, role in enumerate(roles)]
    return [(one.id, one.version) for one in made]


def clients() -> list[tuple[str, int]]:
    registry = services_with(KEY).client_registry
    ids = [registry.register(APP, CONTEXT).client_id for _ in range(ROUNDS)]
    return [(one, db.session.get_one(Client, one).revision) for one in ids]


def groups() -> list[tuple[str, str]]:
    made = [group_list.create(f"group {number}", CONTEXT) for number in range(ROUNDS)]
    return [(one.id, one.name) for one in made]


WAYS: Mapping[str, tuple[Callable[[], list[Any]], Callable[[Tools, Any], bool]]] = {
    "a person": (people, change_person),
    "an application": (clients, change_client),
    "a group": (groups, change_group),
}


@pytest.mark.parametrize(("make", "change"), WAYS.values(), ids=WAYS)
def test_one_change_of_a_version_is_made(
    track: Racetrack, raced_url: str, make: Any, change: Any
) -> None:
    cases = make()
    release()
    assert track.run(change, cases, url=raced_url, key=KEY) == [1] * ROUNDS


def test_one_change_of_the_settings_is_made_the_first_as_well(
    track: Racetrack, raced_url: str
) -> None:
    seen = []
    for number in range(ROUNDS):
        revision = settings_revision.current()
        release()
        assert track.run(change_settings, [(revision, number)], url=raced_url, key=KEY) == [1]
        seen.append(revision)
    assert seen[0] == ""
    assert len(set(seen)) == ROUNDS


def set_member(tools: Tools, case: tuple[str, str]) -> bool:
    """As the command does, which names one member and the whole of what it is to be."""
    client_id, language = case
    members = {f"client_name#{language}": "App"}
    services(tools).client_editing.let_be(client_id, members, ANYBODY, CONTEXT)
    return True


def test_whoever_names_the_whole_change_is_not_refused_for_another(
    track: Racetrack, raced_url: str
) -> None:
    ids = [client_id for client_id, _revision in clients()]
    release()
    lanes = [[(one, language) for one in ids] for language in ("de", "pt")]
    assert track.run(set_member, *lanes, url=raced_url, key=KEY) == [2] * ROUNDS
    found = [db.session.get_one(Client, one).registration for one in ids]
    assert all({"client_name#de", "client_name#pt"} <= one.keys() for one in found)


def call(tools: Tools, name: str) -> bool:
    """A call that makes a group, as the API makes it; True: it was done here."""
    idempotency = services(tools).idempotency
    key = Key(caller="ann", name=name, call="POST /groups")
    try:
        if idempotency.begin(key, NOON) is not None:
            return False
        group_list.create(new_id(), CONTEXT)
        idempotency.finish(key, {"status": 201})
    except NotAnswered:
        return False
    return True


def test_a_call_with_a_key_is_done_once(track: Racetrack, raced_url: str) -> None:
    names = [f"key {number}" for number in range(ROUNDS)]
    assert track.run(call, names, url=raced_url, key=KEY) == [1] * ROUNDS
    made = select(func.count()).where(AuditEvent.name == "group.created")
    assert db.session.scalar(made) == ROUNDS


def test_a_call_that_rolls_back_leaves_its_key_unused(raced_url: str) -> None:
    idempotency = services_with(KEY).idempotency
    key = Key(caller="ann", name="one", call="POST /groups")
    assert idempotency.begin(key, NOON) is None
    with pytest.raises(Invalid):
        group_list.create("", CONTEXT)
    db.session.rollback()
    assert idempotency.begin(key, NOON) is None
    db.session.rollback()


def test_every_change_of_an_account_counts_however_it_is_written(raced_url: str) -> None:
    user = add_person("ann@example.com")
    release()
    user.name = "Ann"
    db.session.commit()
    db.session.execute(update(User).where(User.id == user.id).values(name="Anna"))
    db.session.commit()
    assert db.session.scalar(select(User.version).where(User.id == user.id)) == 3
