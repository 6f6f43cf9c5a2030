"""GitLab's code quality report: a JSON list of issues."""

from __future__ import annotations

from collections.abc import Sequence

from mlctl.data.findings import Suite
from mlctl.records import canonical


def render(suites: Sequence[Suite]) -> str:
    """The whole artifact. A fingerprint holds neither line nor value, so issues can be followed."""
    return canonical.pretty(
        [
            {
                "description": ". ".join(filter(None, (finding.message, finding.hint))),
                "check_name": finding.rule,
                "fingerprint": finding.fingerprint,
                "severity": "major",
                "location": {"path": finding.file, "lines": {"begin": finding.line}},
            }
            for suite in suites
            for finding in suite.findings
        ]
    )
