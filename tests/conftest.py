"""What holds for every test: no developer's settings, no skipping, one Hypothesis profile."""

import gc
import os
from collections.abc import Generator

import hypothesis
import pytest

pytest.register_assert_rewrite("tests.helpers")
pytest_plugins = ["tests.helpers.fixtures", "tests.helpers.collecting"]

# A shared machine is sometimes slow: a deadline would fail tests that have nothing wrong.
hypothesis.settings.register_profile("house", deadline=None, print_blob=True)
hypothesis.settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--nothing-skipped",
        action="store_true",
        default=bool(os.environ.get("CI")),
        help="a skipped or expectedly failing test is a failure (always so when CI is set)",
    )


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


def _insist(config: pytest.Config, report: pytest.TestReport | pytest.CollectReport) -> None:
    expected_to_fail = hasattr(report, "wasxfail")
    if config.getoption("--nothing-skipped") and (report.skipped or expected_to_fail):
        reason = getattr(report, "wasxfail", None) or report.longrepr
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped or expected to fail here: {reason}"
        if expected_to_fail:
            del report.wasxfail


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _insist(item.config, report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _insist(collector.config, report)
    return report
