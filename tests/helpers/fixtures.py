"""The fixtures every test may ask for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser, Page

from idp.migrate import upgrade
from tests.helpers.chromium import Problems, chromium
from tests.helpers.clock import FakeClock
from tests.helpers.databases import KINDS, Databases, quick_folder
from tests.helpers.servers import Command, Server, idp_serve, serve
from tests.helpers.smtp import Outbox

Serve = Callable[..., list[Server]]


@pytest.fixture
def clock() -> FakeClock:
    """Noon of 1 June 2030, and standing still."""
    return FakeClock()


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Makes databases; for fixtures that live longer than one test."""
    with quick_folder(tmp_path_factory.mktemp("databases")) as folder:
        made = Databases(folder, upgrade)
        yield made
        made.close()


@pytest.fixture
def sqlite_url(databases: Databases) -> Iterator[str]:
    """A migrated, empty SQLite database."""
    with databases.fresh("sqlite") as url:
        yield url


@pytest.fixture
def postgresql_url(databases: Databases) -> Iterator[str]:
    """A migrated, empty PostgreSQL database."""
    with databases.fresh("postgresql") as url:
        yield url


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """Runs the test twice: with ``sqlite_url`` and with ``postgresql_url``."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def outbox() -> Iterator[Outbox]:
    """A mail server; ``outbox.url`` is for ``IDP_MAIL_URL``."""
    with Outbox() as running:
        yield running


@pytest.fixture
def run_servers(tmp_path: Path) -> Iterator[Serve]:
    """``run_servers(database_url, n=2, settings={…})`` starts servers that end with the test."""
    with ExitStack() as stack:

        def start(
            database_url: str,
            *,
            n: int = 1,
            settings: Mapping[str, str] | None = None,
            command: Command = idp_serve,
        ) -> list[Server]:
            running = serve(database_url, tmp_path, n=n, settings=settings, command=command)
            return stack.enter_context(running)

        yield start


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this process."""
    with chromium() as running:
        yield running


@pytest.fixture
def page_problems() -> Problems:
    """What went wrong on ``page`` so far; a test that means it to happen clears the list."""
    return Problems()


@pytest.fixture
def page(browser: Browser, page_problems: Problems) -> Iterator[Page]:
    """A tab of a fresh profile. Uncaught exceptions and CSP refusals on it fail the test."""
    context = browser.new_context()
    opened = context.new_page()
    page_problems.watch(opened)
    yield opened
    context.close()
    assert page_problems == []


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that others of this machine get to: pytest's own are closed."""
    with TemporaryDirectory(dir="/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made)
