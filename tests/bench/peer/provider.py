"""The peer as a process: what it is started with, and the people and clients in it."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from tests.bench.actor import Actor, Jar, Registration, expect
from tests.bench.wire import Connection
from tests.helpers.house import CALLBACK, PASSWORD, Person, made_once
from tests.helpers.ports import free_port
from tests.helpers.relying_party import RelyingParty
from tests.helpers.servers import Server

HERE = Path(__file__).parent
_INSTALL = HERE.parents[2] / ".ci" / "node-packages"

ALGORITHMS = ("RS256", "ES256")
_SECRET = "nobody has to guess what is written down here"


class PeerActor(Actor):
    """The same person at the peer, whose sign-in takes other steps."""

    def sign_in(self, jar: Jar | None = None) -> str:
        """Authorization request, page, form, and the request that the form leads back to."""
        jar = {} if jar is None else jar
        place = self._redirected(self._browse(jar, "GET", self.authorization()))
        page = expect(self._browse(jar, "GET", place), 200)
        back = self._redirected(self._submit(jar, place, page, "password", **self._credentials()))
        return self._code(self._browse(jar, "GET", back))


@dataclass(frozen=True)
class Peer:
    """A running peer with as many people as there are drivers."""

    server: Server
    database_url: str

    def actor(self, connection: Connection, number: int, registration: Registration) -> PeerActor:
        """Somebody with an account of their own, at a client that many use.

        Access tokens are opaque, whatever was registered: the peer knows no others.
        """
        name = registration.algorithm
        client = RelyingParty(self.server.url, name, CALLBACK, client_secret=_SECRET)
        return PeerActor(connection, _person(number), client)

    def connection(self) -> Connection:
        return Connection(self.server.port)


@contextmanager
def running(database_url: str, folder: Path, people: int) -> Iterator[Peer]:
    """Start it over a database of its own, beside ours in the same server.

    Raises ``RuntimeError`` where Node or the packages are missing.
    """
    install()
    own = _database(database_url)
    server = _server(own, folder, people)
    try:
        server.start()
        yield Peer(server, own)
    finally:
        server.stop()


def install() -> None:
    """Fetch the packages that the lock file names. Raises ``RuntimeError`` saying what failed."""
    installed = subprocess.run([_INSTALL, HERE], capture_output=True, text=True, check=False)
    if installed.returncode != 0:
        raise RuntimeError(installed.stderr.strip())


def _server(database_url: str, folder: Path, people: int) -> Server:
    node = shutil.which("node")
    if node is None:
        raise RuntimeError("Node is not installed: run .ci/system-packages")
    port = free_port()
    told = {
        "NODE_ENV": "production",
        "PEER_ISSUER": f"http://localhost:{port}",
        "PEER_PORT": str(port),
        "PEER_DATABASE": database_url,
        "PEER_WORLD": json.dumps(_world(people)),
    }
    script = str(HERE / "server.mjs")
    return Server(lambda _: [node, script], port, os.environ | told, folder)


def _database(beside: str) -> str:
    url = make_url(beside).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE peer")
    return url.set(database="peer").render_as_string()


def _world(people: int) -> dict[str, object]:
    keys = [_key(algorithm) for algorithm in ALGORITHMS]
    accounts = [
        {"id": one.id, "email": one.email, "name": one.id, "password": one.password}
        for one in map(_person, range(people))
    ]
    return {"keys": keys, "clients": list(map(_client, ALGORITHMS)), "accounts": accounts}


def _key(algorithm: str) -> dict[str, object]:
    return {**made_once(algorithm).as_dict(private=True), "alg": algorithm, "use": "sig"}


def _client(algorithm: str) -> dict[str, object]:
    return {
        "client_id": algorithm,
        "client_secret": _SECRET,
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "id_token_signed_response_alg": algorithm,
    }


def _person(number: int) -> Person:
    return Person(f"person{number}", f"person{number}@example.com", PASSWORD)
