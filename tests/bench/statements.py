"""How often an operation goes to the database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import Engine, event

from idp.models import db
from tests.bench.operations import Operation
from tests.bench.wire import InProcess
from tests.bench.world import World


@dataclass
class Statements:
    """What was executed; a transaction's own BEGIN and COMMIT are counted apart."""

    texts: list[str] = field(default_factory=list)
    commits: int = 0
    rollbacks: int = 0

    @property
    def summary(self) -> str:
        return f"{len(self.texts)} + {self.commits}"


def count(world: World, operation: Operation) -> Statements:
    """The third of three rounds, in this process: by then everything that is kept is kept."""
    http = InProcess(world.house.app, world.server.url)
    actor = world.actor(http, 0, operation.algorithm)
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

    def executed(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            counted.texts.append(statement)

    def committed(_: object) -> None:
        counted.commits += 1

    def rolled_back(_: object) -> None:
        counted.rollbacks += 1

    hooks: dict[str, Callable[..., None]] = {
        "before_cursor_execute": executed,
        "commit": committed,
        "rollback": rolled_back,
    }
    for name, hook in hooks.items():
        event.listen(engine, name, hook)
    try:
        yield counted
    finally:
        for name, hook in hooks.items():
            event.remove(engine, name, hook)
