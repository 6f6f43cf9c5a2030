"""A data set's verdict as a record: `reports/validation/<dataset>/<data>.<digest>.{json,md}`.

The format is described in docs/formats/validation.md.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from typing import Any

from mlctl.adapters.files import write_text
from mlctl.data.contracts.verdict import Failure, Verdict
from mlctl.records import canonical
from mlctl.reports import markdown

SCHEMA = "mlctl.validation/1"
FOLDER = "reports/validation"


@dataclass(frozen=True, slots=True)
class Validated:
    """One data set's verdict. Digests carry their kind; `report` is a path from the root.

    `cached` says that neither data nor contract changed since the verdict was reached.
    """

    dataset: str
    data: str
    data_digest: str
    contract: str
    contract_digest: str
    verdict: Verdict
    cached: bool = False
    report: str | None = None


def to_dict(result: Validated) -> dict[str, Any]:
    """What is said of a data set by reports and `--json`, without what is local."""
    verdict = result.verdict
    return {
        "dataset": result.dataset,
        "data": {
            "path": result.data,
            "digest": result.data_digest,
            "rows": verdict.rows,
            "columns": verdict.columns,
        },
        "contract": {"path": result.contract, "digest": result.contract_digest},
        "valid": verdict.valid,
        "checks": verdict.checks,
        "failures": [_plain(failure) for failure in verdict.failures],
    }


def _plain(failure: Failure) -> dict[str, Any]:
    """Its fields; `file` only where the data set has several."""
    said = asdict(failure)
    return said if failure.file else {key: said[key] for key in said if key != "file"}


def write_report(root: str, result: Validated) -> str:
    """Write the JSON and Markdown of a verdict; the path of the JSON, from the root.

    The name is that of the data and of what is said, and neither holds a time: where the same
    verdict stands already, nothing is written.
    """
    text = canonical.pretty({"schema": SCHEMA, **to_dict(result)})
    data = result.data_digest.partition(":")[2][:8]
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    stem = f"{FOLDER}/{result.dataset}/{data}.{digest}"
    for ending, content in ((".md", to_markdown(result)), (".json", text)):
        path = os.path.join(root, stem + ending)
        if not os.path.exists(path):
            write_text(path, content)
    return f"{stem}.json"


def to_markdown(result: Validated) -> str:
    """The report as Markdown."""
    verdict = result.verdict
    size = f"{verdict.rows} rows, {verdict.columns} columns"
    lines = [
        f"# {markdown.escape(result.dataset)}: {'valid' if verdict.valid else 'invalid'}",
        "",
        f"- data: {markdown.code(result.data)}, {size}, {markdown.code(result.data_digest)}",
        f"- contract: {markdown.code(result.contract)}, {markdown.code(result.contract_digest)}",
        f"- checks: {verdict.checks}, failed: {len(verdict.failures)}",
        "",
    ]
    if verdict.valid:
        return "\n".join(lines)
    columns = ("column", "check", "rows", "share", "first rows", "values")
    table = markdown.table(columns, [cells(failure) for failure in verdict.failures], right="  rr")
    return "\n".join(lines) + "\n" + table + "\nRows are counted from 1, without the header.\n"


def cells(failure: Failure) -> tuple[str, str, str, str, str, str]:
    """A failure as text for a table: column, check, count, share, first rows, first values."""
    shown = 5
    more = ", …" if failure.count > min(shown, len(failure.rows)) and failure.rows else ""
    values = [_value(value) for value in failure.values[:shown]]
    place = f"{failure.file}: " if failure.file else ""
    return (
        failure.column or "-",
        failure.check,
        str(failure.count) if failure.count else "-",
        f"{failure.share:.2%}" if failure.count and not failure.detail else "-",
        place + ", ".join(map(str, failure.rows[:shown])) + more if failure.rows else "-",
        failure.detail or (", ".join(values) + more if values else "-"),
    )


def _value(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_value, value))})"
    if value is None:
        return "null"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
