"""Markdown for a pull request or a job's summary: what was checked, and what was found."""

from __future__ import annotations

from collections.abc import Sequence

from mlctl.data.findings import Suite
from mlctl.reports import markdown


def render(suites: Sequence[Suite]) -> str:
    """The whole page."""
    findings = [finding for suite in suites for finding in suite.findings]
    heads = markdown.table(
        ["checked", "result", ""], [[s.name, _result(s), s.skipped or s.summary] for s in suites]
    )
    if not findings:
        return heads
    rows = [
        [
            finding.subject,
            finding.rule,
            ". ".join(filter(None, (finding.message, finding.hint))),
            markdown.Raw(markdown.code(f"{finding.file}:{finding.line}")),
        ]
        for finding in findings
    ]
    return heads + "\n" + markdown.table(["about", "rule", "what is wrong", "where"], rows)


def _result(suite: Suite) -> str:
    if suite.skipped:
        return "not judged"
    return f"{len(suite.findings)} failed" if suite.findings else "ok"
