"""What happened: the audit log."""

from collections.abc import Iterator
from typing import Final

from tests.bench.scale.made_up import MadeUp, Table
from tests.bench.scale.rows.clients import CLIENT, of_person
from tests.bench.scale.size import Size

BUSY: Final = 16
"""One event of so many is of person 0, whose log is a page long in any database."""


def tables(sql: MadeUp, size: Size) -> Iterator[Table]:
    """One a second until now; of every ten, one went wrong."""
    number = f"CASE i % {BUSY} WHEN 0 THEN 0 ELSE i % {size.people} END"
    person = sql.id("user", number)
    name = "'login.password.' || CASE i % 10 WHEN 3 THEN 'refused' ELSE 'accepted' END"
    yield Table(
        "audit_events",
        size.audit,
        {
            "at": sql.at(f"i - {size.audit}"),
            "name": name,
            "actor_id": person,
            "user_id": person,
            "client_id": f"'{CLIENT}' || {of_person(size)}",
            "session_id": sql.id_at("session", f"i % {size.people}"),
            "address": "'192.0.2.1'",
            "reference": "CASE i % 10 WHEN 3 THEN 'R' || i END",
            "data": "'{}'",
        },
    )
