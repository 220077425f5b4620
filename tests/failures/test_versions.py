"""One version beside the next: it goes on, or refuses loudly; and back again with all its rows.

Mutation: ``reads`` in ``idp/migrate.py`` that says yes to every newer schema.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from idp import migrate
from idp.clock import system_clock
from tests.cli.command import Command
from tests.failures.artefacts import ONCE, Remote, as_there, code, refresh_token
from tests.failures.next_version import REVISION, NextVersion, next_version
from tests.helpers.clock import FakeClock
from tests.helpers.databases import KINDS, Databases
from tests.helpers.house import CHEAP, ISSUER, House, Person
from tests.helpers.relying_party import RelyingParty
from tests.helpers.servers import serve
from tests.helpers.user_agent import UserAgent
from tests.web.walking import enter, gone, housed, newcomer, silently, tokens_of

LATER = {"device_requests", "facts", "session_clients", "settings", "stored_secrets"}
"""Tables that the first revision does not have: their rows go with them."""
SETTINGS = {f"IDP_{name.upper()}": str(value) for name, value in CHEAP.items()}


@pytest.fixture(scope="module")
def following(tmp_path_factory: pytest.TempPathFactory) -> NextVersion:
    """Whose migration only adds."""
    return next_version(tmp_path_factory.mktemp("next"), expands=True)


@pytest.fixture(scope="module")
def breaking(tmp_path_factory: pytest.TempPathFactory) -> NextVersion:
    """Whose migration changes what this version relies on."""
    return next_version(tmp_path_factory.mktemp("breaking"), expands=False)


def upgraded(version: NextVersion, url: str) -> None:
    """Its database, as that version wants it."""
    done = version.run(url, "db", "upgrade")
    assert done.returncode == 0, done.stderr


@contextmanager
def load(house: House, shop: RelyingParty, person: Person) -> Iterator[None]:
    """Sign-ins one after the other, none of which may fail."""
    over = Event()

    def sign_in() -> int:
        done = 0
        while not over.is_set():
            tokens_of(house.browser(), shop, person)
            done += 1
            over.wait(0.3)
        return done

    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(sign_in)
        yield
        over.set()
        assert loading.result() > 0


def test_it_is_upgraded_under_load_and_two_versions_share_one_sign_in(
    database_url: str, following: NextVersion, tmp_path: Path
) -> None:
    with housed(database_url, FakeClock(system_clock())) as house:
        alice, shop = newcomer(house), house.client(consent="never")
        with load(house, shop, alice):
            upgraded(following, database_url)
        ready = house.http().get("/readyz")
        assert (ready.status_code, ready.json()["found"]) == (200, REVISION)
        agent = shared_sign_in(house, shop, alice, following, tmp_path)
        goes_on_over_it(Command.over(database_url, IDP_ISSUER=ISSUER))

        back = following.run(database_url, "db", "downgrade", migrate.head() or "", "--yes")
        assert back.returncode == 0, back.stderr
        assert house.http().get("/readyz").json() == {"status": "ready"}
        assert silently(agent, shop) == "", "what the next version wrote is read"


def shared_sign_in(
    house: House, shop: RelyingParty, person: Person, version: NextVersion, folder: Path
) -> UserAgent:
    """Begun at this version's node and finished at the next one's; the browser at the first."""
    settings = {**SETTINGS, **version.path, "IDP_ISSUER": ISSUER}
    url: str = house.settings.database_url
    with serve(url, folder, settings=settings, command=version.serve) as servers:
        node = Remote(servers[0].port)
        assert node.http().get("/readyz").json() == {"status": "ready"}
        agent = house.browser()
        page = agent.page(shop.authorization_url())
        there = as_there(agent, node)
        place = enter(there, there.page(page.url), person)
        assert shop.finish(gone(place)).claims["sub"] == person.id
        house.clock.set(system_clock())
        for make in (code, refresh_token):
            thing = make(house)
            assert thing.use(node), thing.name
        return as_there(there, house)


def goes_on_over_it(idp: Command) -> None:
    """Commands of this version work, and one says that there is a newer one."""
    assert len(idp.json("users", "list")) > 0
    (found,) = [one for one in idp("doctor").output.splitlines() if "schema" in one]
    assert "newer version" in found


def test_what_a_version_cannot_read_it_refuses(database_url: str, breaking: NextVersion) -> None:
    early = breaking.run(database_url, "users", "list")
    assert early.returncode == 1
    assert "Run `idp db upgrade`" in early.stderr
    with housed(database_url, FakeClock(system_clock())) as house:
        upgraded(breaking, database_url)
        ready = house.http().get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "schema")
    idp = Command.over(database_url, IDP_ISSUER=ISSUER)
    for command in (["users", "list"], ["serve"]):
        assert "A newer one has upgraded it" in idp.refused(*command)


def revisions() -> list[str]:
    """All but the newest, the newest first."""
    scripts = ScriptDirectory.from_config(migrate._config())
    return [one.revision for one in scripts.walk_revisions()][1:]


def counts(url: str) -> Mapping[str, Any]:
    engine = create_engine(url)
    with engine.connect() as connection:
        names = sorted(inspect(connection).get_table_names())
        found = {
            name: connection.scalar(text(f"SELECT count(*) FROM {name}"))  # noqa: S608
            for name in names
        }
    engine.dispose()
    return found


def insist_on_its_state(revision: str, house: House, idp: Command) -> None:
    """Served only where nothing is missing of what this version needs."""
    ready = house.http().get("/readyz").status_code
    assert "Run `idp db upgrade`" in idp.refused("db", "check")
    if revision in migrate.own():
        assert ready == 200
        (found,) = [one for one in idp("doctor").output.splitlines() if "schema" in one]
        assert found.startswith("warning")
    else:
        assert ready == 503
        assert "Run `idp db upgrade`" in idp.refused("users", "list")


@pytest.mark.parametrize("kind", KINDS)
def test_back_to_every_revision_and_up_again_with_all_its_rows(
    databases: Databases, kind: Any
) -> None:
    """Rows that this version wrote. One that is behind says so, and nothing is served."""
    with databases.fresh(kind) as url, housed(url, FakeClock(system_clock())) as house:
        for make in ONCE:
            make(house)
        idp = Command.over(url, IDP_ISSUER=ISSUER)
        before = counts(url)
        for revision in revisions():
            migrate.downgrade(url, revision)
            insist_on_its_state(revision, house, idp)
            here = counts(url)
            assert here == {**here, **{k: before[k] for k in here if k in before}}, revision
        migrate.upgrade(url)
        after = counts(url)
        lost = {name for name, number in before.items() if number and not after[name]}
        assert lost <= LATER, lost
        assert house.http().get("/readyz").status_code == 200
