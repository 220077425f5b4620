"""Bring a database to the schema of this code, and tell whether it is there."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from time import sleep
from typing import Any, Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import (
    URL,
    Connection,
    create_engine,
    delete,
    func,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.exc import OperationalError

from idp.models import Fact, db
from idp.models.base import engine_options, prepare_engine
from idp.resources import resource_dir
from idp.secrecy import private_folder

READERS: Final = "readers"

_TURN: Final = int.from_bytes(b"idp turn")
"""The number of the lock that whoever migrates holds, in the database's own."""

_log = logging.getLogger(__name__)

LOCK_WAIT: Final = "700ms"
"""How long a change of a table waits for those who are using it: less than the second after which
PostgreSQL looks for a deadlock, so that it is never a request that has to give way."""
TRIES: Final = 40
PAUSE: Final = 0.5
"""Seconds in which those who waited behind it get on, before it tries once more."""


def upgrade(database_url: str, revision: str = "head") -> None:
    """Run every migration up to ``revision``; does nothing where they have all been run."""
    _change(database_url, command.upgrade, revision)


def upgrade_beside(database_url: str) -> None:
    """Run every migration but the last ones that take away what only the version before needs.

    Its nodes can be replaced one by one then. Where nothing is yet there are none: it runs all.
    """
    upgrade(database_url, own()[-1] if revision(database_url) else "head")


def downgrade(database_url: str, revision: str) -> None:
    """Undo migrations down to ``revision`` (``base`` for all)."""
    _change(database_url, command.downgrade, revision)


def _change(database_url: str, change: Callable[[Config, str], None], revision: str) -> None:
    """Every revision can be begun again wherever it gave way: it is one transaction, or indexes
    that were made beside everybody's work (``idp/indexes.py``)."""
    tries = 1 if "options" in make_url(database_url).query else TRIES
    for left in reversed(range(tries)):
        try:
            with connected(database_url) as connection:
                _be_alone(connection)
                with _tables_may_be_replaced(connection):
                    return change(_config(connection), revision)
        except OperationalError as error:
            if not left or not isinstance(error.orig, LockNotAvailable | DeadlockDetected):
                raise
        sleep(PAUSE)
    return None


def pending(database_url: str) -> tuple[str, ...]:
    """What keeps the schema from being the code's, a sentence each; empty when it is."""
    with connected(database_url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        current = context.get_current_revision()
        if current != head():
            return (f"the schema is at revision {current or 'none'}, the code at {head()}",)
        return tuple(str(change) for change in compare_metadata(context, db.metadata))


def revision(database_url: str) -> str | None:
    """The revision a database is at; None where no migration was ever run. Makes nothing."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return None
    with connected(database_url) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def knows(name: str) -> bool:
    """Is it a revision of this code, or of a newer one?"""
    try:
        return _scripts().get_revision(name) is not None
    except CommandError:
        return False


def reads(found: str | None, readers: str | None) -> bool:
    """Can this code work over a database at ``found``, whose note of its readers is ``readers``?

    Over its own schema, and over a newer one where all that was changed since a revision that
    this code knows only adds: so the nodes of two versions stand beside each other for a while.
    """
    if found in own():
        return True
    written_at, _, oldest = (readers or "").partition(" ")
    # A note of another revision is no note: whoever moved the schema by hand left it behind.
    return found == written_at and not knows(found) and knows(oldest)


def readers(database_url: str) -> str | None:
    """What a database says of its readers: its revision, and the oldest whose code can use it."""
    with connected(database_url) as connection:
        if not inspect(connection).has_table(Fact.__tablename__):
            return None
        return connection.scalar(select(Fact.value).where(Fact.name == READERS))


def note_readers(connection: Connection, current: str | None) -> None:
    """Write down which older code can read what was just made of the schema; no commit."""
    if inspect(connection).has_table(Fact.__tablename__):
        connection.execute(delete(Fact).where(Fact.name == READERS))
        value = f"{current} {_readable_from(current)}"
        connection.execute(insert(Fact).values(name=READERS, value=value))


def _readable_from(name: str | None) -> str:
    """Back over all revisions that say ``expands = True``: those only add what may be ignored, or
    take away what older code finds the same without. Or, at those that say ``contracts = True``,
    the one before them: they take away what its code does without, and only older code needs."""
    script = _scripts().get_revision(name) if name else None
    before = _back(script, "contracts")
    found = _back(script, "expands") if before is script else before
    return found.revision if found else ""


def _back(script: Script | None, word: str) -> Script | None:
    """The newest from here that does not say this of itself."""
    while script is not None and getattr(script.module, word, False):
        script = _scripts().get_revision(str(script.down_revision))
    return script


@cache
def own() -> tuple[str, ...]:
    """The revisions that this code works over as its own, the newest first.

    Until no node of the version before is left, what only that one needs may stay.
    """
    found = _back(_scripts().get_revision("head"), "contracts")
    last = found.revision if found else "base"
    between = _scripts().iterate_revisions("head", last, inclusive=True)
    return tuple(one.revision for one in between)


def head() -> str | None:
    """The newest revision this code knows."""
    return _scripts().get_current_head()


@cache
def _scripts() -> ScriptDirectory:
    """What lies in the folder, read once: each revision is a module that has to be compiled."""
    return ScriptDirectory.from_config(_config())


def _config(connection: object = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(resource_dir("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _be_alone(connection: Connection) -> None:
    """One migration at a time, for as long as the connection lasts.

    It asks again and again: who waits within a statement is one of those for whom an index that is
    being made waits. And where who had it made was killed, the server goes on making it, and this
    is given back when that has come to an end.
    """
    if connection.dialect.name != "postgresql":
        return
    told = False
    while not connection.scalar(select(func.pg_try_advisory_lock(_TURN))):
        connection.commit()
        if not told:
            _log.warning("the schema is being changed by somebody else: waiting for that")
        told = True
        sleep(PAUSE)
    connection.commit()


@contextmanager
def _tables_may_be_replaced(connection: Connection) -> Iterator[None]:
    """While SQLite's foreign keys are not enforced.

    There a column is changed by copying its table and dropping the old one, and dropping deletes:
    with the keys enforced, every row that refers to the table would go along by ON DELETE CASCADE.
    The pragma is only heeded outside a transaction (sqlite.org/lang_altertable.html, section 7).
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101  narrows the type
    driver.execute("PRAGMA foreign_keys=OFF")
    yield
    driver.execute("PRAGMA foreign_keys=ON")


def _unhurried(url: URL, options: dict[str, Any]) -> dict[str, Any]:
    """Engine arguments with which nobody waits long behind a migration that waits for a table.

    Whoever wants a table that a change of it waits for waits as well: so the change gives up, and
    begins again. A URL with options of its own has the last word: then it is tried once.
    """
    if url.get_backend_name() != "postgresql" or "options" in url.query:
        return options
    return options | {"connect_args": {"options": f"-c lock_timeout={LOCK_WAIT}"}}


@contextmanager
def connected(database_url: str) -> Iterator[Connection]:
    """A connection that is closed, and not merely pooled, afterwards."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        private_folder(Path(url.database).parent)
    engine = create_engine(url, **_unhurried(url, engine_options(database_url)))
    prepare_engine(engine)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
