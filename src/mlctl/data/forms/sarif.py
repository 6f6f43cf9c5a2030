"""SARIF 2.1.0, which GitHub code scanning and many viewers read: a result for each finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from mlctl import __version__
from mlctl.data.findings import Finding, Suite
from mlctl.records import canonical

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def render(suites: Sequence[Suite]) -> str:
    """One SARIF log."""
    findings = [finding for suite in suites for finding in suite.findings]
    rules = sorted({finding.rule for finding in findings})
    run = {
        "tool": {
            "driver": {
                "name": "mlctl",
                "semanticVersion": __version__,
                "rules": [
                    {"id": rule, "shortDescription": {"text": _words(rule)}} for rule in rules
                ],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, rules.index(finding.rule)) for finding in findings],
    }
    return canonical.pretty({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    hint = f". {finding.hint}" if finding.hint else ""
    place = {
        "artifactLocation": {
            "uri": quote(finding.file, errors="replace"),
            "uriBaseId": "%SRCROOT%",
        },
        "region": {"startLine": finding.line},
    }
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": "error",
        "message": {"text": finding.message + hint},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"mlctl/v1": finding.fingerprint},
        "properties": dict(finding.properties),
    }


def _words(rule: str) -> str:
    return f"The rule `{rule}`"
