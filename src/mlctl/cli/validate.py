"""`mlctl validate`: check data against the contracts."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from mlctl.cli._options import Directory, Json, Quiet

app = typer.Typer()

_HOOK_MARKS = ("GIT_INDEX_FILE", "PRE_COMMIT")  # git sets one for its commit hooks


@app.command()
def validate(
    datasets: Annotated[
        list[str] | None, typer.Argument(metavar="[DATASET]...", help="Contracts; default: all.")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Write the verdicts to reports/validation.")
    ] = True,
    directory: Directory = None,
    quiet: Quiet = False,
    json: Json = False,
) -> int:
    """Check data against its contracts, and name every failure at once.

    Row numbers count data rows from 1. Ends with 1 where data is invalid, with 2 where a
    contract is wrong. Inside a git hook no report is written.

    Examples:

        $ mlctl validate

        $ mlctl validate raw --no-report
    """
    from mlctl.cli._output import print_json
    from mlctl.data.validated import to_dict
    from mlctl.data.validation import validate as judge
    from mlctl.records import canonical
    from mlctl.store.config import find_root

    in_hook = any(mark in os.environ for mark in _HOOK_MARKS)
    results = judge(find_root("."), datasets or [], report=report and not in_hook)
    valid = all(result.verdict.valid for result in results)
    if json:
        said = [{**to_dict(r), "cached": r.cached, "report": r.report} for r in results]
        print_json("validate", canonical.plain({"valid": valid, "datasets": said}))
    else:
        _show(results, quiet=quiet)
    return 0 if valid else 1


def _show(results: list[Any], *, quiet: bool) -> None:
    from mlctl.cli._output import say, styled

    width = max(len(result.dataset) for result in results)
    for result in results:
        verdict = result.verdict
        if verdict.valid and quiet:
            continue
        ending = styled("ok", "32") if verdict.valid else styled("invalid", "1;31")
        counts = f"{verdict.rows} rows, {verdict.columns} columns, {verdict.checks} checks"
        note = styled("  (unchanged)", "2") if result.cached else ""
        say(f"{result.dataset:<{width}}  {counts}  {ending}{note}")
        if not verdict.valid:
            _show_failures(result)


def _show_failures(result: Any) -> None:
    from rich.table import Table
    from rich.text import Text

    from mlctl.cli._output import console
    from mlctl.data.validated import cells

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), header_style="dim")
    for name in ("column", "check", "rows", "share", "first rows", "values"):
        right = name in {"rows", "share"}
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for failure in result.verdict.failures:
        table.add_row(*map(Text, cells(failure)))
    console().print(table)
    if result.report:
        console().print(Text(f"  report: {result.report}", style="dim"))
