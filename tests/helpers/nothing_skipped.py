"""Whoever decides whether the tests pass lets none of them get out of it."""

import os
from collections.abc import Generator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--nothing-skipped",
        action="store_true",
        default=bool(os.environ.get("CI")),
        help="a skipped or expectedly failing test is a failure (always so when CI is set)",
    )


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
