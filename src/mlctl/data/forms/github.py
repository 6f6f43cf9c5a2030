"""GitHub's workflow commands: a step that prints them gets annotations in the pull request.

GitHub shows ten errors of a step, so the tenth line counts the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlctl.data.findings import Finding, Suite

SHOWN = 9


def render(suites: Sequence[Suite]) -> str:
    """A line for each finding, at most ten."""
    findings = [finding for suite in suites for finding in suite.findings]
    lines = [_line(finding) for finding in findings[:SHOWN]]
    more = len(findings) - SHOWN
    if more > 0:
        lines.append(f"::error title=mlctl::and {more} more")
    return "".join(f"{line}\n" for line in lines)


def _line(finding: Finding) -> str:
    title = _property(f"{finding.subject} ({finding.rule})")
    message = ". ".join(filter(None, (finding.message, finding.hint)))
    place = f"file={_property(finding.file)},line={finding.line}"
    return f"::error {place},title={title}::{_message(message)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
