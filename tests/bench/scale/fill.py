"""Fills a migrated database with made-up people, clients, tokens and events.

Every id is a digest of a number, so that rows lie in the indexes as scattered as in earnest.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy import make_url

BATCH: Final = 250_000
_WHEN: Final = "'2026-01-15 12:00:00'"
_LATER: Final = "'2036-01-15 12:00:00'"

Execute = Callable[[str], object]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How many of each there are to be. Two refresh tokens share a grant."""

    people: int
    clients: int
    tokens: int
    audit: int


def _id(kind: str, number: str = "i") -> str:
    return f"substr(md5('{kind}' || ({number})), 1, 22)"


def _hash(kind: str) -> str:
    return f"substr(md5('{kind}' || i) || md5('{kind}+' || i), 1, 43)"


def _client(size: Size) -> str:
    return f"'client' || (i % {size.clients})"


def _tables(size: Size) -> Iterator[tuple[str, int, Mapping[str, str]]]:
    """Table, how many rows, and what stands in each of its columns for the number ``i``."""
    person = _id("user", f"i % {size.people}")
    registration = (
        '\'{"client_name": "Client", "redirect_uris": ["https://client.example/callback"]}\''
    )
    yield (
        "users",
        size.people,
        {
            "id": _id("user"),
            "email": "'someone' || i || '@example.org'",
            "email_verified": "true",
            "name": "'Someone ' || i",
            "profile": "'{}'",
            "webauthn_handle": _hash("handle"),
            "created_at": _WHEN,
            "updated_at": _WHEN,
        },
    )
    yield (
        "credentials",
        size.people,
        {
            "id": _id("credential"),
            "user_id": person,
            "kind": "'password'",
            "lookup": person,
            "counter": "0",
            "data": '\'{"hash": "$argon2id$nobody"}\'',
            "created_at": _WHEN,
        },
    )
    yield (
        "sessions",
        size.people,
        {
            "id": _id("session"),
            "token_hash": _hash("session token"),
            "user_id": person,
            "persistent": "false",
            "user_agent": "'Firefox'",
            "address": "'192.0.2.1'",
            "created_at": _WHEN,
            "last_seen_at": _WHEN,
            "expires_at": _LATER,
        },
    )
    yield (
        "evidence",
        size.people,
        {
            "session_id": _id("session"),
            "transaction_id": _id("transaction"),
            "method": "'password'",
            "credential_id": _id("credential"),
            "proves": "'knowledge'",
            "amr": "'pwd'",
            "enrolled": "false",
            "at": _WHEN,
        },
    )
    yield (
        "clients",
        size.clients,
        {
            "id": "'client' || i",
            "name": "'Client ' || i",
            "registration": registration,
            "managed_by": "'command'",
            "revision": "1",
            "created_at": _WHEN,
            "updated_at": _WHEN,
        },
    )
    yield (
        "consents",
        size.people,
        {
            "id": _id("consent"),
            "user_id": person,
            "client_id": _client(size),
            "scope": "'openid profile email'",
            "granted_at": _WHEN,
            "last_used_at": _WHEN,
        },
    )
    yield (
        "grants",
        size.tokens // 2,
        {
            "id": _id("grant"),
            "client_id": _client(size),
            "user_id": person,
            "session_id": _id("session", f"i % {size.people}"),
            "scope": "'openid profile email offline_access'",
            "acr": "'urn:idp:acr:1fa'",
            "amr": "'pwd'",
            "auth_time": _WHEN,
            "request": '\'{"rung": 1, "redirect_uri": "https://client.example/callback"}\'',
            "code_hash": _hash("code"),
            "code_expires_at": _WHEN,
            "code_used_at": _WHEN,
            "created_at": _WHEN,
            "expires_at": _LATER,
        },
    )
    yield (
        "refresh_tokens",
        size.tokens,
        {
            "id": _id("refresh"),
            "token_hash": _hash("refresh token"),
            "grant_id": _id("grant", "i / 2"),
            "scope": "'openid profile email offline_access'",
            "created_at": _WHEN,
            "expires_at": _LATER,
            "line_ends_at": _LATER,
        },
    )
    yield (
        "audit_events",
        size.audit,
        {
            "at": _WHEN,
            "name": "CASE WHEN i % 10 = 0 THEN 'login.password.refused' "
            "ELSE 'login.password.accepted' END",
            "actor_id": person,
            "user_id": person,
            "client_id": _client(size),
            "address": "'192.0.2.1'",
            "data": "'{}'",
        },
    )


def disk_bytes(database_url: str) -> int:
    """What the whole database takes."""
    url = make_url(database_url)
    if database_url.startswith("sqlite"):
        return Path(url.database or "").stat().st_size
    with psycopg.connect(url.set(drivername="postgresql").render_as_string()) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(row[0]) if row else 0


def fill(database_url: str, size: Size, progress: Progress) -> None:
    """Do all of it, and have the database count its rows afterwards."""
    connect = _sqlite if database_url.startswith("sqlite") else _postgresql
    with connect(database_url) as (execute, series):
        for table, count, columns in _tables(size):
            for first in range(0, count, BATCH):
                progress(f"filling {table}: {first:,} of {count:,}")
                numbers = series.format(first=first, last=min(first + BATCH, count) - 1)
                names, values = ", ".join(columns), ", ".join(columns.values())
                insert = f"INSERT INTO {table} ({names}) SELECT {values} FROM n"  # noqa: S608
                execute(f"WITH {numbers} {insert}")
        progress("analysing")
        execute("ANALYZE")


@contextmanager
def _sqlite(database_url: str) -> Iterator[tuple[Execute, str]]:
    path = make_url(database_url).database or ""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.create_function("md5", 1, _md5, deterministic=True)
        connection.execute("PRAGMA synchronous=OFF")
        yield (
            connection.execute,
            "RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})",
        )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@contextmanager
def _postgresql(database_url: str) -> Iterator[tuple[Execute, str]]:
    url = make_url(database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(), autocommit=True) as connection:
        # Every row refers to one that there is: to look each of them up takes longer than the rest.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        yield connection.execute, "n(i) AS (SELECT generate_series({first}, {last}))"
