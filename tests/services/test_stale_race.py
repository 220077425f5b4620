"""Of two who looked at the same and change it at the same moment, one does; the other is told."""

from collections.abc import Callable, Mapping

import pytest

from idp.audit import Context
from idp.factors.base import Tools
from idp.models import Group, User, db, release
from idp.services import client_listing, group_list, settings_revision
from idp.services.versions import Stale
from idp.web.services import Services
from tests.factors.race import Racetrack, services_with
from tests.factors.storage import KEY, add_person
from tests.helpers.clock import NOON

ROUNDS = 6
CONTEXT = Context(at=NOON, actor_id="command:test")
APP = {"client_name": "Shop", "redirect_uris": ["https://shop.example/callback"]}
Case = tuple[str, str, int | str, str]
"""What is changed, its id, the version that was looked at, and what it becomes."""


def change_client(services: Services, client_id: str, seen: int, name: str) -> None:
    members = {**APP, "client_name": name}
    services.client_registry.update(client_id, members, CONTEXT, expected=seen)


def change_person(services: Services, user_id: str, seen: int, name: str) -> None:
    user = db.session.get_one(User, user_id)
    release()
    services.accounts.update(user, {"name": name}, CONTEXT, expected=seen)


def rename_group(_services: Services, group_id: str, seen: str, name: str) -> None:
    group = db.session.get_one(Group, group_id)
    release()
    group_list.rename(group, name, CONTEXT, expected=seen)


def change_setting(services: Services, name: str, seen: str, value: str) -> None:
    services.changed_settings.set({name: value}, CONTEXT, expected=seen)


CHANGES: Mapping[str, Callable[..., None]] = {
    "client": change_client,
    "person": change_person,
    "group": rename_group,
    "setting": change_setting,
}


def attempt(tools: Tools, case: Case) -> bool:
    what, named, seen, wanted = case
    try:
        CHANGES[what](services_with(tools.settings.keys[0]), named, seen, wanted)
    except Stale:
        return False
    return True


def make(what: str, number: int) -> str:
    """Something to change; its id."""
    services = services_with(KEY)
    if what == "client":
        return services.client_registry.register(APP, CONTEXT).client_id
    if what == "person":
        return add_person(f"ann{number}@example.com", name="Ann").id
    return group_list.create(f"Group {number}", CONTEXT).id if what == "group" else "site_name"


VERSIONS: Mapping[str, Callable[[str], int | str]] = {
    "client": lambda named: client_listing.shown(named).revision,
    "person": lambda named: db.session.get_one(User, named, populate_existing=True).version,
    "group": lambda named: db.session.get_one(Group, named, populate_existing=True).name,
    "setting": lambda _named: settings_revision.current(),
}
"""What a form that shows it would say of it."""


@pytest.mark.parametrize("what", CHANGES)
def test_of_two_who_looked_at_the_same_one_changes_it(
    track: Racetrack, raced_url: str, what: str
) -> None:
    for number in range(ROUNDS):
        named = make(what, number)
        seen = VERSIONS[what](named)
        release()
        lanes = [[(what, named, seen, f"{one} {number}")] for one in ("This", "That")]
        assert track.run(attempt, *lanes, url=raced_url, key=KEY) == [1]


@pytest.mark.parametrize("what", CHANGES)
def test_whoever_looked_again_changes_it(raced_url: str, what: str) -> None:
    services, named = services_with(KEY), make(what, 0)
    seen = VERSIONS[what](named)
    CHANGES[what](services, named, seen, "This")
    with pytest.raises(Stale):
        CHANGES[what](services, named, seen, "That")
    CHANGES[what](services, named, VERSIONS[what](named), "That")
