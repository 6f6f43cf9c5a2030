"""A skipped test is a test that did NOT RUN: named with its reason, and a failure where CI=true."""

from __future__ import annotations

import os

import pytest

IN_CI = os.environ.get("CI") == "true"


def _skipped(report) -> bool:
    return report.outcome == "skipped" and not hasattr(report, "wasxfail")


def _reason(report) -> str:
    said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return said.removeprefix("Skipped: ").removeprefix("NOT RUN: ")


def _judge(report):
    if IN_CI and _skipped(report):
        report.outcome = "failed"
        report.longrepr = f"NOT RUN: {_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return _judge((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return _judge((yield))


def pytest_report_teststatus(report):
    return ("NOT RUN", "n", "NOT RUN") if _skipped(report) else None


def pytest_terminal_summary(terminalreporter):
    # A file that is skipped as a whole has no tests to report: it stands among the skipped.
    terminalreporter._add_stats("NOT RUN", terminalreporter.stats.pop("skipped", []))
    for report in terminalreporter.stats["NOT RUN"]:
        terminalreporter.write_line(f"NOT RUN {report.nodeid}: {_reason(report)}")
