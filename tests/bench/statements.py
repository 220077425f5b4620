"""How often an operation goes to the database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, Engine, event

from idp.models import db, driver, pipeline
from tests.bench.operations import Operation
from tests.bench.wire import InProcess
from tests.bench.world import World


@dataclass
class Statements:
    """What was executed. Transactions count by how they ended; ``pings`` are of the pool."""

    texts: list[str] = field(default_factory=list)
    begins: int = 0
    commits: int = 0
    rollbacks: int = 0
    pings: int = 0
    along: int = 0
    """How many of these were sent with another, and not waited for by themselves."""

    @property
    def trips(self) -> int:
        """Each waits for the answer of a database server, once."""
        ends = self.begins + self.commits + self.rollbacks
        return len(self.texts) + ends + self.pings - self.along


def count(world: World, operation: Operation) -> Statements:
    """The third of three rounds, in this process: by then everything that is kept is kept."""
    http = InProcess(world.house.app, world.server.url)
    actor = world.actor(http, 0, operation.client)
    rounds = operation.rounds(actor, 3)
    for warm_up in islice(rounds, 2):
        warm_up()
    with world.house.app.app_context():
        engine = db.engine
    with counting(engine) as counted:
        next(rounds)()
    return counted


@contextmanager
def counting(engine: Engine) -> Iterator[Statements]:
    """Count what the engine does within the block."""
    counted = Statements()
    ping = engine.dialect.do_ping

    def pinged(*arguments: Any) -> bool:
        counted.pings += 1
        return ping(*arguments)

    together = pipeline.together

    def sent_together(*arguments: Any, **named: Any) -> list[Any]:
        answers = together(*arguments, **named)
        counted.along += len(answers) - 1
        return answers

    hooks = _hooks(counted)
    for name, hook in hooks.items():
        event.listen(engine, name, hook)
    try:
        with (
            patch.object(engine.dialect, "do_ping", pinged),
            patch.object(driver, "together", sent_together),
        ):
            yield counted
    finally:
        for name, hook in hooks.items():
            event.remove(engine, name, hook)


def _is_sent(connection: Connection) -> bool:
    """Does the database hear of the transaction at all?"""
    return connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT"


def _hooks(counted: Statements) -> dict[str, Callable[..., None]]:
    def executed(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        # SQLite's are ours, and are counted with the transactions.
        if not statement.startswith("BEGIN"):
            counted.texts.append(statement)

    def began(connection: Connection) -> None:
        counted.begins += _is_sent(connection)

    def committed(connection: Connection) -> None:
        counted.commits += _is_sent(connection)

    def rolled_back(connection: Connection) -> None:
        counted.rollbacks += _is_sent(connection)

    return {
        "before_cursor_execute": executed,
        "begin": began,
        "commit": committed,
        "rollback": rolled_back,
    }
