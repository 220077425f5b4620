"""What the console and the API list and search, as a service answers it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter, process_time
from typing import Any, Final

from sqlalchemy import select

from idp.models import AuditEvent, Client, User, db
from idp.services.audit_log import Search, search
from idp.services.client_pages import Manager, page_of
from idp.services.group_list import groups_of
from idp.services.people import State, Wanted, people_of
from idp.services.roles import ADMINISTRATOR
from tests.bench.scale.databases import Filled
from tests.bench.turns import Cost

EVERYBODY: Final = Manager(ADMINISTRATOR, frozenset())
FAR: Final = ("Application 8", "")
"""Half of them come before it, for the word that tells them apart is scattered."""

PAGE: Final = 50


@dataclass(frozen=True)
class Known:
    """What to look for: somebody with much in the log, a rare word, and an event halfway."""

    person: str
    client: str
    event: int
    reference: str
    at: datetime


def known_of(filled: Filled) -> Known:
    """Found out before anything is measured."""
    middle = filled.size.audit // 20 * 10 + 3
    with filled.house.app.app_context():
        person = db.session.scalars(select(User.id).where(User.email == "someone0@example.org"))
        event = select(AuditEvent).where(AuditEvent.reference == f"R{middle}")
        found = db.session.scalars(event).one()
        return Known(
            person=person.one(),
            client=db.session.get_one(Client, "client42").name.removeprefix("Application "),
            event=found.id,
            reference=f"R{middle}",
            at=found.at,
        )


def _log(**wanted: Any) -> object:
    return search(Search(at_most=PAGE + 1, **wanted))


Listed = Callable[[Known], object]

PEOPLE: Final[Mapping[str, Listed]] = {
    "people, first page": lambda _: people_of(Wanted()),
    "people, a page far in": lambda _: people_of(Wanted(after="someone5")),
    "people by how an address begins": lambda _: people_of(Wanted(beginning="someone1")),
    "people by how a name begins": lambda _: people_of(Wanted(beginning="given1")),
    "people by how a later word begins": lambda _: people_of(Wanted(beginning="family1")),
    "people by words in any order": lambda _: people_of(Wanted(beginning="family1 given1")),
    # One of 500, and two of a million.
    "people by words that few have together": lambda _: people_of(
        Wanted(beginning="family499 given499")
    ),
    "people by a whole address": lambda _: people_of(Wanted(beginning="someone77@example.org")),
    "people who are disabled": lambda _: people_of(Wanted(state=State.DISABLED)),
    "people of a group": lambda _: people_of(Wanted(group="crew")),
    "people of a group of half of them": lambda _: people_of(Wanted(group="staff")),
    "groups": lambda _: groups_of(),
}
CLIENTS: Final[Mapping[str, Listed]] = {
    "applications, first page": lambda _: page_of(EVERYBODY),
    "applications, a page far in": lambda _: page_of(EVERYBODY, after=FAR),
    "applications by a word many have": lambda _: page_of(EVERYBODY, wanted="appl"),
    "the same, a page far in": lambda _: page_of(EVERYBODY, wanted="appl", after=FAR),
    "applications by words of which one is rare": lambda known: page_of(
        EVERYBODY, wanted=f"{known.client} example.com"
    ),
    "applications by a word none has": lambda _: page_of(EVERYBODY, wanted="nobody"),
}
LOG: Final[Mapping[str, Listed]] = {
    "log, first page": lambda _: _log(),
    "log, a page far in": lambda known: _log(before=known.event),
    "log of a person": lambda known: _log(user_id=known.person),
    "log of a person, far in": lambda known: _log(user_id=known.person, before=known.event),
    "log of an application": lambda _: _log(client_id="client7"),
    "log by reference": lambda known: _log(reference=known.reference),
    "log by event": lambda _: _log(event="login.password"),
    "log of what was refused": lambda _: _log(outcome="refused"),
    "log since a time": lambda known: _log(since=known.at),
    "log of a time": lambda known: _log(
        since=known.at - timedelta(minutes=1), until=known.at + timedelta(minutes=1)
    ),
}
LISTS: Final[Mapping[str, Listed]] = {**PEOPLE, **CLIENTS, **LOG}


def cost_of(listed: Listed, known: Known, there: Filled, seconds: float) -> Cost:
    """CPU of this process, which does the server's work here, and of the database."""
    with there.house.app.app_context():
        _once(listed, known)
        before, of_database = process_time(), there.database.cpu_seconds()
        ends, count = perf_counter() + seconds, 0
        while count == 0 or perf_counter() < ends:
            _once(listed, known)
            count += 1
        spent, there_spent = process_time() - before, there.database.cpu_seconds() - of_database
    return Cost(spent / count * 1000, there_spent / count * 1000)


def _once(listed: Listed, known: Known) -> None:
    listed(known)
    db.session.rollback()
