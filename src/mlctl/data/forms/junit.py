"""JUnit XML, as Jenkins, GitLab and most CI systems read it (the XSD of Jenkins' xUnit plug-in).

A suite is a data set. Each broken promise is a failed case, and the kept ones are one case, since
only their number is known.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlctl.data.findings import Finding, Suite
from mlctl.reports.markup import Html, element, join


def render(suites: Sequence[Suite]) -> str:
    """One `testsuites` document."""
    found = [(suite, _cases(suite)) for suite in suites]
    whole = element(
        "testsuites",
        *[_suite(suite, cases) for suite, cases in found],
        "\n",
        name="mlctl",
        tests=str(sum(len(cases) for _, cases in found)),
        failures=str(sum(len(suite.findings) for suite in suites)),
        errors="0",
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{whole}\n'


def _suite(suite: Suite, cases: Sequence[Html]) -> Html:
    body = element(
        "testsuite",
        *[join(["\n  ", case]) for case in cases],
        "\n ",
        name=suite.name,
        tests=str(len(cases)),
        failures=str(len(suite.findings)),
        errors="0",
        skipped=str(int(bool(suite.skipped))),
    )
    return join(["\n ", body])


def _cases(suite: Suite) -> list[Html]:
    if suite.skipped:
        return [_case(suite, "data", element("skipped", message=suite.skipped))]
    cases = [_case(suite, _name(suite, finding), _failure(finding)) for finding in suite.findings]
    kept = suite.checks - len(suite.findings)
    return [*cases, _case(suite, f"{kept} kept")] if kept > 0 or not cases else cases


def _name(suite: Suite, finding: Finding) -> str:
    about = finding.subject.removeprefix(f"{suite.name}: ")
    return f"{about}: {finding.rule}" if about != suite.name else finding.rule


def _case(suite: Suite, name: str, *children: Html) -> Html:
    return element("testcase", *children, classname=suite.name, name=name)


def _failure(finding: Finding) -> Html:
    lines = [finding.message, f"{finding.file}:{finding.line}", finding.hint]
    text = "\n".join(filter(None, lines))
    return element("failure", text, type=finding.rule, message=finding.message)
