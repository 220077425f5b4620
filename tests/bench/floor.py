"""What this machine needs for the things that no implementation can do without."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter, process_time

import psycopg
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import make_url

from idp.config import load_settings
from idp.passwords import Hasher
from tests.helpers.servers import TEST_KEY

_MESSAGE = b"x" * 600
"""About as long as what is signed in an ID token."""

_TABLE = "CREATE TABLE bench_floor (value TEXT)"
_INSERT = "INSERT INTO bench_floor (value) VALUES ('x')"

Action = Callable[[], object]


def cost(action: Action, seconds: float, clock: Callable[[], float]) -> float:
    """Seconds for 1,000 of them, by ``clock``."""
    action()
    ends = perf_counter() + seconds
    started, count = clock(), 0
    while count == 0 or perf_counter() < ends:
        action()
        count += 1
    return (clock() - started) / count * 1000


def computing(seconds: float) -> Mapping[str, float]:
    """CPU seconds for 1,000 signatures, verifications and hashes, straight from the libraries."""
    return {name: cost(action, seconds, process_time) for name, action in _actions().items()}


def _actions() -> dict[str, Action]:
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ec_key = ec.generate_private_key(ec.SECP256R1())
    algorithm = ec.ECDSA(SHA256())
    signature = ec_key.sign(_MESSAGE, algorithm)
    public = ec_key.public_key()
    hasher = Hasher(load_settings(environ={"IDP_ISSUER": "http://localhost", "IDP_KEYS": TEST_KEY}))
    return {
        "RS256": lambda: rsa_key.sign(_MESSAGE, padding.PKCS1v15(), SHA256()),
        "ES256": lambda: ec_key.sign(_MESSAGE, algorithm),
        "ES256 verify": lambda: public.verify(signature, _MESSAGE, algorithm),
        "argon2id": lambda: hasher.hash("paper lanterns drift at noon"),
    }


def commit(database_url: str, seconds: float, clock: Callable[[], float]) -> float:
    """Seconds for 1,000 transactions of one inserted row each, by the bare driver."""
    connect = _sqlite if database_url.startswith("sqlite") else _postgresql
    with connect(database_url) as execute:
        execute(_TABLE)
        try:
            return cost(lambda: execute(_INSERT), seconds, clock)
        finally:
            execute("DROP TABLE bench_floor")


Execute = Callable[[str], object]


@contextmanager
def _sqlite(database_url: str) -> Iterator[Execute]:
    path = Path(make_url(database_url).database or "")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        yield connection.execute


@contextmanager
def _postgresql(database_url: str) -> Iterator[Execute]:
    url = make_url(database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(), autocommit=True) as connection:
        yield connection.execute
