"""A provider to measure: its database, its server process, and the actors on it."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import psycopg
from sqlalchemy import make_url

from idp.clock import system_clock
from idp.migrate import upgrade
from idp.models import db
from tests.bench.actor import Actor, Registration
from tests.bench.measure import Meter
from tests.bench.processes import cpu_seconds, parent_of
from tests.bench.wire import Connection, Http
from tests.helpers.clock import FakeClock
from tests.helpers.house import House, Person
from tests.helpers.postgres import PostgresCluster
from tests.helpers.relying_party import RelyingParty
from tests.helpers.servers import Server, idp_serve, serve

Kind = Literal["sqlite", "postgresql"]

CHEAP_HASH = {"argon2_memory_kib": 8, "argon2_time": 1}
_UNTHROTTLED = {"network_attempts": 1_000_000_000}
"""All actors share one address, and are not meant to be stopped."""


@dataclass
class Database:
    """``pid`` is its server's, where it has one."""

    kind: Kind
    url: str
    pid: int | None

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.pid) if self.pid else 0.0


@contextmanager
def database(kind: Kind, folder: Path) -> Iterator[Database]:
    """A migrated, empty database, as durable as in earnest."""
    with ExitStack() as stack:
        if kind == "sqlite":
            made = Database(kind, f"sqlite:///{folder / 'bench.sqlite3'}", None)
        else:
            cluster = PostgresCluster(durable=True)
            stack.callback(cluster.remove)
            cluster.start()
            url = cluster.create("bench")
            made = Database(kind, url, server_of(url))
        upgrade(made.url)
        yield made


def analyze(url: str) -> None:
    """Let PostgreSQL know its tables, as it does by itself within a minute or so."""
    plain = make_url(url).set(drivername="postgresql").render_as_string()
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("ANALYZE")


def server_of(url: str) -> int:
    """The server process that answers there."""
    plain = make_url(url).set(drivername="postgresql").render_as_string()
    with psycopg.connect(plain) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        return parent_of(row[0])  # while it is there


@dataclass
class World:
    """One server over one database. ``house`` is the same application in this process."""

    database: Database
    server: Server
    house: House
    _clients: dict[Registration, RelyingParty] = field(default_factory=dict)
    _people: dict[int, Person] = field(default_factory=dict)

    @property
    def meter(self) -> Meter:
        """What server and database have used so far."""
        pid = self.server.pid
        apart = self.database.cpu_seconds if self.database.pid else None
        return Meter(lambda: cpu_seconds(pid), apart)

    def actor(self, http: Http, number: int, registration: Registration) -> Actor:
        """Somebody with an account of their own, at a client that many use."""
        self.house.clock.set(system_clock())
        if registration not in self._clients:
            self._clients[registration] = self.house.client(**registration.members)
        if number not in self._people:
            # Two worlds may share a database: a port of its own tells each one's people apart.
            email = f"person{number}.{self.server.port}@example.com"
            self._people[number] = self.house.person(email)
        return Actor(http, self._people[number], self._clients[registration])

    def connection(self) -> Connection:
        return Connection(self.server.port)


@contextmanager
def world(
    found: Database,
    folder: Path,
    *,
    cheap_hash: bool,
    workers: int = 1,
    further: Mapping[str, Any] | None = None,
) -> Iterator[World]:
    """Start the server, with so many workers, and compose the same application here; both with
    ``further`` settings."""
    hashing = CHEAP_HASH if cheap_hash else _full_hash()
    settings: Mapping[str, Any] = {**_UNTHROTTLED, **hashing, **(further or {})}
    told = {f"IDP_{name.upper()}": str(value) for name, value in settings.items()}
    command = partial(_serving, workers)
    with serve(found.url, folder, settings=told, command=command) as (server,):
        house = House(found.url, FakeClock(system_clock()), issuer=server.url, **settings)
        try:
            yield World(found, server, house)
        finally:
            with house.app.app_context():
                db.engine.dispose()


def _serving(workers: int, port: int) -> list[str]:
    return [*idp_serve(port), "--workers", str(workers)]


def _full_hash() -> dict[str, int]:
    return {"argon2_memory_kib": 19456, "argon2_time": 2}
