"""What ``docs/step-up.md`` shows is what happens; ``python -m tests.examples`` writes it anew."""

import pytest

from tests.examples.pages import examples
from tests.examples.step_up import PAGE, make_examples
from tests.helpers.databases import Databases

SHOWN = examples(PAGE)


@pytest.fixture(scope="module")
def made(databases: Databases) -> dict[str, str]:
    with databases.fresh("sqlite") as url:
        return make_examples(url)


def test_every_example_is_on_the_page(made: dict[str, str]) -> None:
    assert set(made) == set(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_it_happens_as_shown(made: dict[str, str], name: str) -> None:
    assert made[name] == SHOWN[name]
