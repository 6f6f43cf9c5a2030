"""A validation report drawn for people, from what its JSON says: Markdown and one HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlctl.data import values
from mlctl.reports import html, markdown, plots
from mlctl.reports.markup import Html, join

_ROWS = 5  # first rows and values that a table names
HEADS = ("column", "check", "rows", "share", "first rows", "values")
_READING = "Rows are counted from 1, without the header."
_PATTERNS = (
    "Values are shown as patterns: A and a stand for letters, x for those of other scripts, 9 for "
    "digits."
)


def cells(failure: Mapping[str, Any]) -> tuple[str, str, str, str, str, str]:
    """A failure as text for a table: column, check, count, share, first rows, first values."""
    count, rows, detail = failure["count"], failure["rows"], failure["detail"]
    seen = _seen(failure)
    more = ", …" if count > min(_ROWS, len(rows)) and rows else ""
    place = f"{failure['file']}: " if failure.get("file") else ""
    return (
        failure["column"] or "-",
        failure["check"],
        str(count) if count else "-",
        f"{failure['share']:.2%}" if count and not detail else "-",
        place + ", ".join(map(str, rows[:_ROWS])) + more if rows else failure.get("file") or "-",
        detail or (", ".join(seen) + more if seen else "-"),
    )


def _seen(failure: Mapping[str, Any]) -> list[str]:
    """The different values, or patterns, among the first rows."""
    seen = failure["values"] if "values" in failure else failure["patterns"]
    return list(dict.fromkeys(values.text(value) for value in seen[:_ROWS]))


def _reading(said: Mapping[str, Any]) -> str:
    hidden = any(failure.get("patterns") for failure in said["failures"])
    return f"{_READING} {_PATTERNS}" if hidden else _READING


def to_markdown(said: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    data, contract, failures = said["data"], said["contract"], said["failures"]
    size = f"{data['rows']} rows, {data['columns']} columns"
    lines = [
        f"# {markdown.escape(said['dataset'])}: {'valid' if said['valid'] else 'invalid'}",
        "",
        f"- data: {markdown.code(data['path'])}, {size}, {markdown.code(data['digest'])}",
        f"- contract: {markdown.code(contract['path'])}, {markdown.code(contract['digest'])}",
        f"- checks: {said['checks']}, failed: {len(failures)}",
        "",
    ]
    if not failures:
        return "\n".join(lines)
    table = markdown.table(HEADS, [cells(failure) for failure in failures], right="  rr")
    return "\n".join(lines) + "\n" + table + f"\n{_reading(said)}\n"


def to_html(said: Mapping[str, Any]) -> str:
    """The report as one self-contained page."""
    data, contract, failures = said["data"], said["contract"], said["failures"]
    badge = html.badge("valid", "good") if said["valid"] else html.badge("invalid", "bad")
    figures = html.cards(
        {
            "rows": f"{data['rows']:,}",
            "columns": f"{data['columns']:,}",
            "checks": f"{said['checks']:,}",
            "failed": f"{len(failures):,}",
        }
    )
    origin = html.table(
        ["", "file", "digest"],
        [
            ["data", html.code(data["path"]), html.code(data["digest"])],
            ["contract", html.code(contract["path"]), html.code(contract["digest"])],
        ],
        sort=False,
    )
    verdict = join([html.paragraph(badge), figures, origin])
    sections = [html.Section("Verdict", verdict)]
    if failures:
        sections.append(html.Section("Broken promises", _failures(failures), _reading(said)))
    shares = [(_label(f), 100 * f["share"]) for f in failures if f["share"] and not f["detail"]]
    if len(shares) > 1:
        drawing = plots.bars(*zip(*shares, strict=True), value_label="% of rows")
        sections.append(html.Section("Share of rows that break a promise", html.figure(drawing)))
    title = f"Validation of {said['dataset']}"
    return html.page(title, f"{data['path']} against {contract['path']}", sections)


def _failures(failures: Sequence[Mapping[str, Any]]) -> Html:
    rows = []
    for failure in failures:
        column, check, count, share, first, seen = cells(failure)
        sortable = (
            html.Cell(count, failure["count"], right=True),
            html.Cell(share, failure["share"], right=True),
        )
        rows.append([column, check, *sortable, first, seen])
    return html.table(HEADS, rows)


def _label(failure: Mapping[str, Any]) -> str:
    return f"{failure['column']} {failure['check']}".strip()
