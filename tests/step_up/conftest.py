"""The issuer under test: this project's own, or the one that ``--issuer-config`` describes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.helpers.clock import FakeClock
from tests.helpers.databases import Databases
from tests.step_up.elsewhere import Elsewhere
from tests.step_up.issuer import Issuer
from tests.step_up.ours import Ours
from tests.step_up.visit import Visit

HERE = Path(__file__).parent
OPTION = "--issuer-config"
Welcome = Callable[..., Visit]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        OPTION,
        type=Path,
        help="a file that describes the issuer to run tests/step_up against (see its README)",
    )


def _config_file(config: pytest.Config) -> Path | None:
    found: Path | None = config.getoption(OPTION, None)
    return found


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let the cases, and no other test, reach the issuer."""
    file = _config_file(config)
    if file is None:
        return
    host = urlsplit(Elsewhere(file).url).hostname or ""
    allowed = pytest.mark.allow_hosts(["127.0.0.0/8", "::1", "localhost", host])
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(allowed)


@pytest.fixture(scope="session")
def elsewhere(request: pytest.FixtureRequest) -> Iterator[Elsewhere | None]:
    """The issuer of the file, for all cases: it remembers which codes were used."""
    file = _config_file(request.config)
    if file is None:
        yield None
        return
    found = Elsewhere(file)
    yield found
    found.close()


@contextmanager
def _under_test(
    elsewhere: Elsewhere | None, databases: Databases, *, second_step: bool | None
) -> Iterator[Issuer]:
    if elsewhere is not None:
        yield elsewhere if second_step is None else elsewhere.insist(second_step=second_step)
        return
    with databases.fresh("sqlite") as url:
        yield Ours(url, FakeClock(), account_second_step=second_step is not False)


@pytest.fixture(scope="module")
def issuer(elsewhere: Elsewhere | None, databases: Databases) -> Iterator[Issuer]:
    """Whatever its policy on second steps is."""
    with _under_test(elsewhere, databases, second_step=None) as found:
        yield found


@pytest.fixture(scope="module")
def careful(elsewhere: Elsewhere | None, databases: Databases) -> Iterator[Issuer]:
    """An issuer that asks whoever has a second step for it at every sign-in."""
    with _under_test(elsewhere, databases, second_step=True) as found:
        yield found


@pytest.fixture(scope="module")
def content(elsewhere: Elsewhere | None, databases: Databases) -> Iterator[Issuer]:
    """An issuer that is content with one factor unless a request asks for more."""
    with _under_test(elsewhere, databases, second_step=False) as found:
        yield found


def welcome_at(issuer: Issuer) -> Welcome:
    """Somebody who ``has`` these ways, at a new browser, sent by a client of that role."""

    def come(*has: str, role: str = "plain") -> Visit:
        return Visit(issuer, issuer.agent(), issuer.client(role), issuer.person(*has))

    return come


@pytest.fixture
def welcome(issuer: Issuer) -> Welcome:
    """``welcome("totp", role="voluntary")``."""
    return welcome_at(issuer)


@pytest.fixture
def welcome_carefully(careful: Issuer) -> Welcome:
    """The same at an issuer that asks for the second step that somebody has."""
    return welcome_at(careful)


@pytest.fixture
def welcome_simply(content: Issuer) -> Welcome:
    """The same at an issuer that is content with one factor."""
    return welcome_at(content)
