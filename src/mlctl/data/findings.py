"""What checks found, with the place where a person can act: what every form of output draws."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlctl.adapters import yaml
from mlctl.data import values
from mlctl.data.contracts.outcome import Failure
from mlctl.data.validated import Validated

_WHOLE = ("not null", "column missing", "column not in the contract")
_RULE = re.compile(r"[a-z]+(?: (?:min|max)\b)?")
_SHOWN = 3  # rows and values that a message names


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `rule` is its stable name, `subject` what it is about.

    `file` (from the DVC root) and `line` are where a person can act; `properties` are for machines.
    """

    rule: str
    subject: str
    message: str
    file: str
    line: int = 1
    hint: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The same for the same problem, wherever its line moves and whatever its values are."""
        parts = f"{self.rule}\0{self.file}\0{self.subject}"
        return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Suite:
    """What was checked together: `checks` promises about `name`; `skipped` says why they were not.

    `summary` is said of it in one line.
    """

    name: str
    checks: int
    findings: tuple[Finding, ...] = ()
    summary: str = ""
    skipped: str = ""


def suite_of(result: Validated, contract: str, *, show: bool = False) -> Suite:
    """A data set's verdict; its findings stand at the rules in the text of its `contract`."""
    if result.verdict is None:
        return Suite(result.dataset, 0, skipped=f"{result.data} is not here", summary="not judged")
    verdict = result.verdict
    line = _line_finder(result, contract) if verdict.failures else _nowhere
    found = tuple(_finding(result, failure, line, show=show) for failure in verdict.failures)
    summary = f"{verdict.rows} rows, {verdict.columns} columns, {verdict.checks} checks"
    return Suite(result.dataset, verdict.checks, found, summary)


def _nowhere(_failure: Failure) -> int:
    return 1


def _line_finder(result: Validated, text: str) -> Callable[[Failure], int]:
    """The line of the rule that a failure breaks."""
    lines = yaml.lines_of(text)
    data = yaml.load(text, name=result.contract)
    checks = [check.get("expr") for check in data.get("checks") or ()]
    return lambda failure: lines(_yaml_path(failure, checks)) or 1


def _finding(
    result: Validated, failure: Failure, line: Callable[[Failure], int], *, show: bool
) -> Finding:
    rule = rule_of(failure.check)
    about = failure.column or (failure.check if failure.check != rule else "")
    plain = values.may_show(failure, result.personal, show=show, terminal=False)
    seen = [v if plain else values.pattern(v) for v in failure.values]
    properties = {
        "dataset": result.dataset,
        "data": result.data,
        "digest": result.data_digest,
        "check": failure.check,
        "column": failure.column,
        "count": failure.count,
        "share": failure.share,
        "rows": list(failure.rows),
        "values" if plain else "patterns": seen,
        **({"file": failure.file} if failure.file else {}),
    }
    return Finding(
        rule,
        ": ".join(filter(None, (result.dataset, failure.file, about))),
        _message(result, failure, seen),
        result.contract,
        line(failure),
        properties=properties,
    )


def _message(result: Validated, failure: Failure, seen: Sequence[Any]) -> str:
    place = failure.file or result.data
    what = f"{failure.column}: {failure.check}" if failure.column else failure.check
    if failure.detail:
        return f"{place}: {what}: {failure.detail}"
    if not failure.count:
        return f"{place}: {what}"
    rows = result.verdict.rows if result.verdict else 0
    more = ", …" if failure.count > min(_SHOWN, len(failure.rows)) else ""
    first = ", ".join(map(str, failure.rows[:_SHOWN])) + more
    like = ", ".join(dict.fromkeys(values.text(value) for value in seen[:_SHOWN]))
    said = f"{failure.count} of {rows} rows ({failure.share:.2%}) break it"
    said += f", rows {first}" if failure.rows else ""
    return f"{place}: {what}: {said}" + (f", values {like}" if like else "")


def rule_of(check: str) -> str:
    """The stable name of a check: `min` of `min 0`, `rows-min` of `rows min 10`, `not-null`."""
    if check in _WHOLE:
        return check.replace(" ", "-")
    found = _RULE.match(check)
    return found[0].replace(" ", "-") if found else check


def _yaml_path(failure: Failure, checks: Sequence[str]) -> tuple[str | int, ...]:
    """Where a rule stands in its contract; a step that is not there means the one before it."""
    check, column = failure.check, failure.column
    word, _, rest = check.partition(" ")
    if check in ("column missing", "column not in the contract"):
        return ("columns", column)
    if column:
        return ("columns", column, {"not": "nullable"}.get(word, word))
    if word == "expr:" and rest in checks:
        return ("checks", checks.index(rest))
    return (word, rest.partition(" ")[0])
