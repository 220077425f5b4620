"""SQLite's disk is full: a 503, nothing half done, what only reads goes on, the file is whole.

Mutation: ``errors.install`` without the families of the database's errors, and it is a 500.
"""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, make_url, select

from idp.clock import system_clock
from idp.models import Grant, db
from tests.failures.artefacts import Node, Remote, at
from tests.helpers.clock import FakeClock
from tests.helpers.house import CHEAP, ISSUER, House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.servers import serve
from tests.web.walking import housed, newcomer

ROOM = 24
"""Pages that are left."""


def file_of(url: str) -> Path:
    return Path(str(make_url(url).database))


@contextmanager
def by_pages(url: str, house: House, _folder: Path) -> Iterator[Node]:
    """SQLite says "database or disk is full"."""
    with house.app.app_context():
        engine = db.engine
    with closing(sqlite3.connect(file_of(url))) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    engine.dispose()

    def limit(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages + ROOM}")

    event.listen(engine, "connect", limit)
    yield house
    event.remove(engine, "connect", limit)
    engine.dispose()


@contextmanager
def by_file_size(url: str, house: House, folder: Path) -> Iterator[Node]:
    """The operating system says so, and SQLite "disk I/O error"."""
    with house.app.app_context():
        db.engine.dispose()
    blocks = file_of(url).stat().st_size // 1024 + ROOM * 4

    def command(port: int) -> list[str]:
        program = f"exec {sys.executable} -m tests.failures.node {port}"
        return ["bash", "-c", f"ulimit -f {blocks}; {program}"]

    settings = {f"IDP_{name.upper()}": str(value) for name, value in CHEAP.items()}
    with serve(url, folder, settings=settings | {"IDP_ISSUER": ISSUER}, command=command) as servers:
        yield Remote(servers[0].port)


def sign_in(node: Node, shop: RelyingParty, person: Person) -> int:
    """The status of the first answer that was not the next step, or 200 for tokens."""
    agent, there = node.browser(), at(shop, node)
    begun = agent.client.get(there.authorization_url())
    if begun.status_code != 303:
        return begun.status_code
    form = agent.page(begun.headers["Location"]).form("/password")
    values = {**form.fields, "username": person.email, "password": person.password}
    answered = agent.client.post(form.action, data=values).status_code
    return 200 if answered == 303 else answered


@pytest.mark.parametrize("fill", [by_pages, by_file_size])
def test_it_fails_whole_and_reads_go_on(
    sqlite_url: str, tmp_path: Path, fill: Callable[..., Any]
) -> None:
    with housed(sqlite_url, FakeClock(system_clock())) as house:
        alice, shop = newcomer(house), house.client(consent="never")
        with fill(sqlite_url, house, tmp_path) as node:
            done: list[int] = []
            while len(done) < 60 and 503 not in done:
                done.append(sign_in(node, shop, alice))
            assert done[-1] == 503, done
            assert node.http().get("/oauth/jwks").status_code == 200
            assert node.http().get("/.well-known/openid-configuration").status_code == 200
            assert node.http().get("/readyz").status_code == 200
        with closing(sqlite3.connect(file_of(sqlite_url))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        with house.app.app_context():
            grants = db.session.scalar(select(func.count(Grant.id)))
        assert grants == done.count(200), "a code for each that was told of one, and no other"
        assert sign_in(house, shop, alice) == 200, "and there is room again"
