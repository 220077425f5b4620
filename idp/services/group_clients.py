"""What registrations say of a group: by its name, which has to be one that there is."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Text, cast, select

from idp import audit
from idp.audit import Context
from idp.models import Client, db
from idp.services.client_editing import FILE
from idp.services.client_registry import change, differences

MEMBERS: Final = ("allowed_groups", "told_groups", "owner_groups")
"""Those of a registration that name groups."""


@dataclass(frozen=True, slots=True)
class Named:
    """A client that names the group, in these of ``MEMBERS``."""

    id: str
    name: str
    managed_by: str
    revision: int
    registration: Mapping[str, Any]
    members: tuple[str, ...]


def naming(group: str, *, locked: bool = False) -> tuple[Named, ...]:
    """Clients that name it, by their names; ``locked``: as nobody changes them meanwhile."""
    statement = (
        select(Client.name, Client.id, Client.managed_by, Client.revision, Client.registration)
        .where(cast(Client.registration, Text).contains(_written(group), autoescape=True))
        .order_by(Client.name, Client.id)
    )
    if locked:
        statement = statement.with_for_update()
    return tuple(one for row in db.session.execute(statement) for one in _found(row, group))


def _written(group: str) -> str:
    """As it stands in JSON, whichever way a database writes what is not ASCII."""
    return json.dumps(group) if group.isascii() else "_groups"


def _found(row: Any, group: str) -> Iterator[Named]:
    members = tuple(one for one in MEMBERS if group in row.registration.get(one, ()))
    if members:
        yield Named(row.id, row.name, row.managed_by, row.revision, row.registration, members)


def kept_by_files(clients: tuple[Named, ...]) -> tuple[str, ...]:
    """The names of those that only their file changes."""
    return tuple(one.name for one in clients if one.managed_by == FILE)


def follow(clients: tuple[Named, ...], before: str, after: str, context: Context) -> None:
    """Let them, locked, name the group by its new name, in the caller's transaction."""
    for one in clients:
        renamed = {name: _renamed(one.registration[name], before, after) for name in one.members}
        wanted = {**one.registration, **renamed}
        change(one.id, context, expected=one.revision, registration=wanted)
        told = differences(one.registration, wanted)
        audit.record("client.changed", context, client_id=one.id, **told)


def _renamed(names: list[str], before: str, after: str) -> list[str]:
    return [after if name == before else name for name in names]
