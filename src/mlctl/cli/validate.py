"""`mlctl validate`: check data against the contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlctl.cli._forms import Formats
from mlctl.cli._options import Directory, Json, Quiet

if TYPE_CHECKING:
    from mlctl.data.validated import Validated

app = typer.Typer()


@app.command()
def validate(
    datasets: Annotated[
        list[str] | None, typer.Argument(metavar="[DATASET]...", help="Contracts; default: all.")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Write the verdicts to reports/validation.")
    ] = True,
    formats: Formats = None,
    show_values: Annotated[
        bool, typer.Option("--show-values", help="Failing values in reports and forms, too.")
    ] = False,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out data that is not here.")
    ] = False,
    directory: Directory = None,
    quiet: Quiet = False,
    json: Json = False,
) -> int:
    """Check data against its contracts, and name every failure at once.

    Row numbers count data rows from 1. Ends with 1 where data is invalid, with 2 where a
    contract is wrong or its data is missing. Verdicts are remembered: what did not change costs
    nothing.

    Reports and forms hold patterns in place of failing values, which may be personal;
    `--show-values` (or `validate: {show_values: true}` in mlctl.yaml) puts the values there, but
    never those of a column with `personal: true`. The terminal and `--json` show values, those of
    personal columns with `--show-values` only.

    Inside a git hook no report is written, the data is what the staged pointers name, and data
    that is not here is left out.

    Examples:

        $ mlctl validate

        $ mlctl validate raw --no-report

        $ mlctl validate --format junit=junit.xml --format sarif=validate.sarif
    """
    from mlctl.cli import _forms, _hook
    from mlctl.data.contracts import files
    from mlctl.data.validation import validate as judge
    from mlctl.store.config import find_root

    in_hook = _hook.in_hook()
    forms = _forms.wanted(formats, json=json)
    root = find_root(".")
    results: list[Validated] = []
    if datasets or not in_hook or files.datasets(root):  # before the first, a hook stops nobody
        results = judge(
            root,
            datasets or [],
            staged=in_hook,
            revision=_hook.commits()[0],
            absent_ok=skip_missing or in_hook,
        )
    if report and not in_hook:
        results = _reported(root, results, show_values)
    _forms.write(forms, _suites(root, results, show_values) if forms else [], root)
    if json:
        _print_json(results, show_values)
    elif not _forms.to_stdout(forms):
        _show(results, quiet=quiet, show_values=show_values, staged=in_hook)
    return 0 if all(result.valid for result in results) else 1


def _reported(root: str, results: list[Validated], show: bool) -> list[Validated]:
    """Each with the report that was written; what is invalid may hold values."""
    from dataclasses import replace

    from mlctl.data.validated import write_report

    show = _may_show(root, results, show)
    return [replace(result, report=write_report(root, result, show=show)) for result in results]


def _suites(root: str, results: list[Validated], show: bool) -> list[Any]:
    from mlctl.data.contracts import files
    from mlctl.data.findings import suite_of

    show = _may_show(root, results, show)
    return [suite_of(result, files.read(root, result.dataset), show=show) for result in results]


def _may_show(root: str, results: list[Validated], asked: bool) -> bool:
    """Whether values may leave the terminal: as asked, or set in mlctl.yaml, read if it matters."""
    if asked or all(result.valid for result in results):
        return asked
    from mlctl.projects.settings import load_settings

    return load_settings(root).show_values


def _print_json(results: list[Validated], show: bool) -> None:
    from mlctl.cli._output import print_json
    from mlctl.data.validated import to_dict
    from mlctl.records import canonical

    said = [
        {**to_dict(r, show=show, terminal=True), "cached": r.cached, "report": r.report}
        for r in results
    ]
    valid = all(result.valid for result in results)
    print_json("validate", canonical.plain({"valid": valid, "datasets": said}))


def _show(results: list[Validated], *, quiet: bool, show_values: bool, staged: bool) -> None:
    from mlctl.cli._output import say, styled

    width = max((len(result.dataset) for result in results), default=0)
    for result in results:
        name, verdict = f"{result.dataset:<{width}}", result.verdict
        if verdict is None:
            ending = styled("not judged", "33")
            say(f"{name}  {result.data} is not here  {ending}  (`mlctl data pull` brings it)")
            continue
        if verdict.valid and quiet:
            continue
        ending = styled("ok", "32") if verdict.valid else styled("invalid", "1;31")
        counts = f"{verdict.rows} rows, {verdict.columns} columns, {verdict.checks} checks"
        note = styled("  (unchanged)", "2") if result.cached else ""
        say(f"{name}  {counts}  {ending}{note}")
        if not verdict.valid:
            _show_failures(result, show_values)
    if staged and not all(result.valid for result in results):
        say(styled("Judged as staged: `mlctl data add` what you mend, and stage it again.", "2"))


def _show_failures(result: Validated, show_values: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from mlctl.cli._output import console
    from mlctl.data.validated import to_dict
    from mlctl.data.validation_page import HEADS, cells

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), header_style="dim")
    for name in HEADS:
        right = name in {"rows", "share"}
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for failure in to_dict(result, show=show_values, terminal=True)["failures"]:
        table.add_row(*map(Text, cells(failure)))
    console().print(table)
    if result.report:
        console().print(Text(f"  report: {result.report}", style="dim"))
