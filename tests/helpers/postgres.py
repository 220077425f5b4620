"""A throwaway PostgreSQL: initialised in a temporary folder, gone at the end."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.helpers.ports import free_port, wait_until

_OWNER = "idp"
# Tests lose nothing in a power cut, and waiting for the disk is most of what a commit costs. A
# commit still outlives a crash of the server (synchronous_commit stays on): tests rely on that.
_FAST = ("fsync=off", "full_page_writes=off", "autovacuum=off")
_SETTINGS = ("listen_addresses=127.0.0.1", "max_connections=200", "timezone=UTC")


def binaries() -> Path:
    """The newest server's folder. Raises ``FileNotFoundError`` where none is installed."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parts[-3]),
    )
    name = str(found[-1]) if found else shutil.which("initdb")
    if name is None:
        raise FileNotFoundError("PostgreSQL's initdb is not installed: run .ci/system-packages")
    return Path(name).parent


def _unprivileged() -> dict[str, Any]:
    """Arguments for ``subprocess``: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _dies_with_parent() -> list[str]:
    """A prefix that stops the server even when the tests are killed; Linux only."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT"] if setpriv else []


class PostgresCluster:
    """One server on a random loopback port. ``start`` again after ``stop`` keeps the data.

    ``durable`` makes a commit wait for the disk, as in earnest.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._bin = binaries()
        self._settings = _SETTINGS if durable else (*_SETTINGS, *_FAST)
        self._as_user = _unprivileged()
        # Not pytest's own temporary folder: that one is closed to every other user.
        self._folder = Path(tempfile.mkdtemp(prefix="idp-postgres-"))
        if self._as_user:
            os.chown(self._folder, self._as_user["user"], self._as_user["group"])
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: psycopg.Connection[tuple[object, ...]] | None = None
        self.port = free_port()
        self._initdb()

    def _initdb(self) -> None:
        command = f"initdb --pgdata data --username {_OWNER} --auth trust --encoding UTF8"
        name, *options = f"{command} --locale C --no-sync".split()
        subprocess.run(
            [self._bin / name, *options],
            cwd=self._folder,
            check=True,
            stdout=subprocess.DEVNULL,
            **self._as_user,
        )

    def start(self) -> None:
        """Start and wait until it answers."""
        settings = [f"port={self.port}", f"unix_socket_directories={self._folder}", *self._settings]
        flags = [part for setting in settings for part in ("-c", setting)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_dies_with_parent(), self._bin / "postgres", "-D", "data", *flags],
                cwd=self._folder,
                stdout=log,
                stderr=log,
                **self._as_user,
            )
        try:
            wait_until(self._answers, seconds=20, what="PostgreSQL's start")
        except TimeoutError as error:
            error.add_note((self._folder / "log").read_text())
            raise

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.conninfo("postgres")):
                return True
        except psycopg.OperationalError:
            return False

    def stop(self, *, immediate: bool = False) -> None:
        """Stop. ``immediate`` is a crash: no checkpoint, connections cut."""
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if immediate else signal.SIGINT)
            self._process.wait(timeout=20)
            self._process = None

    def restart(self, *, immediate: bool = False) -> None:
        """Stop and start at the same port with the same data."""
        self.stop(immediate=immediate)
        self.start()

    def remove(self) -> None:
        """Stop and delete everything."""
        self.stop(immediate=True)
        shutil.rmtree(self._folder)

    def conninfo(self, database: str) -> str:
        """What psycopg connects to one of its databases by."""
        return f"host=127.0.0.1 port={self.port} user={_OWNER} dbname={database}"

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of one of its databases."""
        return f"postgresql+psycopg://{_OWNER}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, *, template: str = "template1") -> str:
        """Make a database, a copy of ``template`` (which nobody may be connected to)."""
        names = map(sql.Identifier, (database, template))
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return self.url(database)

    def shut(self, database: str) -> None:
        """Let nobody in until it is opened again; who is connected stays so."""
        name = sql.Identifier(database)
        self._execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))

    def reopen(self, database: str, name: str) -> None:
        """Open one that is shut, by another name. Nobody may be connected."""
        names = tuple(map(sql.Identifier, (database, name)))
        self._execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))
        self._execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(names[1]))

    def drop(self, database: str) -> None:
        """Remove a database, cutting whoever is connected."""
        name = sql.Identifier(database)
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def _execute(self, statement: sql.Composed) -> None:
        if self._keeper is None:
            self._keeper = psycopg.connect(self.conninfo("postgres"), autocommit=True)
        self._keeper.execute(statement)
