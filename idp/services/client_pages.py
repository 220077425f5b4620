"""Clients by name, page by page, for whoever administers them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, select, tuple_

from idp.models import Client, Group, User, db
from idp.protocol.parameters import Parameters
from idp.protocol.scopes import ADMIN_SCOPES
from idp.services.client_listing import ClientInfo, all_of, no_client, shown
from idp.services.client_powers import OVER_PEOPLE, worth
from idp.services.client_words import having
from idp.services.roles import CLIENT_MANAGER, handed_on_by

PAGE: Final = 25
READ_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Manager:
    """Whoever administers, by role and groups; an application that does has neither.

    ``holds`` are the scopes of the administration that it may let a client have.
    """

    role: str | None
    groups: frozenset[str]
    holds: frozenset[str] = frozenset()

    @classmethod
    def of(cls, user: User) -> "Manager":
        """The person as she is now."""
        groups = frozenset(group.name for group in user.groups)
        return cls(user.role, groups, handed_on_by(user.role))

    def may_see(self, owners: Iterable[str], scope: Iterable[str] = ()) -> bool:
        """A client that groups own is, of the client managers, for these groups' alone.

        One that may administer is for none of them: its secret would give more than their role.
        """
        named = frozenset(owners)
        theirs = not named or bool(named & self.groups)
        return self.role != CLIENT_MANAGER or (theirs and self.may_hand_on(scope))

    @property
    def may_leave_unasked(self) -> bool:
        """May it say that an application asks nobody? That answers for everybody's account."""
        return OVER_PEOPLE in self.holds

    def may_hand_on(self, scope: Iterable[str]) -> bool:
        """Does it hold whatever of the administration is named there?"""
        return ADMIN_SCOPES & frozenset(scope) <= self.holds


_ANYBODY: Final = Manager(None, frozenset())


@dataclass(frozen=True, slots=True)
class ClientPage:
    """``after`` is where the next page begins; None on the last."""

    ids: Sequence[str]
    after: tuple[str, str] | None


def page_of(
    manager: Manager,
    *,
    wanted: str = "",
    after: tuple[str, str] | None = None,
    at_most: int = PAGE,
) -> ClientPage:
    """Clients by name; ``after`` name and id.

    Those with words, in name, id and redirect addresses, that begin as the words of ``wanted``.
    Read by an index from where the page begins; never counted, never skipped over.
    """
    found: list[tuple[str, str]] = []
    matching = having(wanted)
    some = READ_AT_ONCE if manager.role == CLIENT_MANAGER else at_most + 1
    while len(found) <= at_most:
        rows = _rows(matching, after, some)
        found += [(row.name, row.id) for row in rows if _is_seen(manager, row.registration)]
        if len(rows) < some:
            break
        after = (rows[-1].name, rows[-1].id)
    shown_now = found[:at_most]
    more = len(found) > at_most
    return ClientPage([one for _name, one in shown_now], shown_now[-1] if more else None)


def found_by(wanted: str) -> Iterator[ClientInfo]:
    """All that are found by it, whoever may see them, by name."""
    page = ClientPage((), ("", ""))
    while page.after is not None:
        page = page_of(_ANYBODY, wanted=wanted, after=page.after, at_most=READ_AT_ONCE)
        yield from all_of(page.ids)


def _rows(
    matching: Sequence[ColumnElement[bool]], after: tuple[str, str] | None, at_most: int
) -> Sequence[Any]:
    statement = select(Client.name, Client.id, Client.registration).where(*matching)
    if after is not None:
        statement = statement.where(tuple_(Client.name, Client.id) > after)
    ordered = statement.order_by(Client.name, Client.id).limit(at_most)
    return db.session.execute(ordered).all()


def _is_seen(manager: Manager, registration: Mapping[str, Any]) -> bool:
    return manager.may_see(registration.get("owner_groups", ()), worth(registration))


def seen_by(manager: Manager, client_id: str) -> ClientInfo:
    """One client. Raises ``ClientRefused`` when there is none such, or not for this one's eyes."""
    info = shown(client_id)
    if not manager.may_see(info.metadata.owner_groups, worth(info.metadata.to_json())):
        raise no_client(client_id)
    return info


def is_hidden(parameters: Parameters, manager: Manager) -> bool:
    """Is the authorization request from a client that is not for this one's eyes?"""
    client_id = parameters.clean("client_id") or ""
    found = db.session.scalar(select(Client.registration).where(Client.id == client_id))
    return found is not None and not _is_seen(manager, found)


def unknown_groups(named: Sequence[str]) -> tuple[str, ...]:
    """Names that no group has: a door for nobody is mostly a slip."""
    known = set(db.session.scalars(select(Group.name).where(Group.name.in_(named))))
    return tuple(name for name in named if name not in known)
