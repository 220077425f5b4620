"""What holds for every test: no developer's settings, no skipping, one Hypothesis profile."""

import gc
import os

import hypothesis
import pytest

pytest.register_assert_rewrite("tests.helpers")
pytest_plugins = [
    "tests.helpers.fixtures",
    "tests.helpers.collecting",
    "tests.helpers.nothing_skipped",
]

# A shared machine is sometimes slow: what asks the clock would fail tests that have nothing wrong.
hypothesis.settings.register_profile(
    "house",
    deadline=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    for name in [name for name in os.environ if name.startswith("IDP_")]:
        del os.environ[name]
    gc.disable()  # until everything is collected: nearly all that is made by then stays


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays to the end anyway: it was a fifth of all the time.

    Thousands of collected tests are a large heap, gone through whenever some hundred objects more
    were made than given back. Garbage is still collected, and what it warns of still fails tests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()
