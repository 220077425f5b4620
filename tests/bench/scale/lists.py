"""What the console lists and searches, as a service answers it."""

from collections.abc import Callable, Mapping
from time import process_time
from typing import Final

from idp.models import db
from idp.services.audit_log import Search, search
from idp.services.client_pages import Manager, page_of
from idp.services.group_list import groups_of
from idp.services.people import State, Wanted, people_of
from idp.services.roles import ADMINISTRATOR
from tests.bench.turns import Cost
from tests.bench.world import World

ROUNDS: Final = 60

EVERYBODY: Final = Manager(ADMINISTRATOR, frozenset())
LISTS: Final[Mapping[str, Callable[[], object]]] = {
    "people": lambda: people_of(Wanted(after="someone5")),
    "people by how a name begins": lambda: people_of(Wanted(beginning="person")),
    "people who are disabled": lambda: people_of(Wanted(state=State.DISABLED)),
    "people of a group": lambda: people_of(Wanted(group="staff")),
    "groups": groups_of,
    "applications": lambda: page_of(EVERYBODY),
    "applications by a word": lambda: page_of(EVERYBODY, wanted="nobody has this"),
    "audit log": lambda: search(Search()),
    "audit log by event": lambda: search(Search(event="login.password")),
}


def cost_of(name: str, there: World) -> Cost:
    """CPU of this process, which does the server's work here, and of the database."""
    with there.house.app.app_context():
        listed = LISTS[name]
        for _ in range(3):
            listed()
        db.session.rollback()
        before, of_database = process_time(), there.database.cpu_seconds()
        for _ in range(ROUNDS):
            listed()
            db.session.rollback()
        spent, there_spent = process_time() - before, there.database.cpu_seconds() - of_database
    return Cost(spent / ROUNDS * 1000, there_spent / ROUNDS * 1000)
