"""`mlctl monitor run`: compare the periods that are due with the reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Directory, Json, Quiet, RecordCommit, Verbose

if TYPE_CHECKING:
    from mlctl.monitoring.running import MonitorRun

app = typer.Typer()


@app.command()
def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Monitors; default: all.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="PERIOD", help="Every period from this one on, again."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="PERIOD", help="… up to this one.")
    ] = None,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Also the period that is not over yet.")
    ] = False,
    alert: Annotated[
        bool, typer.Option("--alert", help="Tell people of incidents that they have not heard of.")
    ] = False,
    markdown: Annotated[
        str | None,
        typer.Option("--markdown", metavar="FILE", help="Append a summary for a pull request."),
    ] = None,
    commit: RecordCommit = None,
    directory: Directory = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Compare current data with the reference, period by period, and write a report on each.

    Looks at the periods without a report, at those whose labels are not final, and at the newest.
    A column drifts only where the change is large and no accident. Reports go to
    reports/monitoring/NAME as JSON, Markdown and HTML; running again changes nothing.

    Ends with 1 where a monitor's `fail_on` is met by the newest period, and with 3 where nothing
    could be checked.

    Examples:

        $ mlctl monitor run

        $ mlctl monitor run requests --since 2026-05-01

        $ mlctl monitor run --alert --commit --markdown "$GITHUB_STEP_SUMMARY"
    """
    from mlctl.cli.monitor import _after, _show, _watching
    from mlctl.errors import InvalidInput
    from mlctl.monitoring.running import monitor_names, run_monitor
    from mlctl.store.config import find_root

    root = find_root(".")
    chosen = list(dict.fromkeys(names or monitor_names(root)))
    if not chosen:
        raise InvalidInput(
            "there is no monitor yet", hint="`mlctl monitor init NAME` proposes one from data"
        )
    runs = []
    for name in chosen:
        with _watching.watching(name, show=not (quiet or json)) as progress:
            done = run_monitor(
                root, name, since=since, until=until, unfinished=unfinished, progress=progress
            )
        runs.append(done)
        if not json:
            _show.show_run(done, quiet=quiet, verbose=verbose)
    if markdown is not None:
        _after.append_markdown(markdown, runs)
    if alert:
        _after.tell(root, runs)
    _after.commit_reports(root, runs, commit, quiet=quiet or json)
    failed = any(done.failed for done in runs)
    if json:
        _print_json(runs, failed)
    return 1 if failed else 0


def _print_json(runs: Sequence[MonitorRun], failed: bool) -> None:
    from mlctl.cli._output import print_json
    from mlctl.monitoring.report.record import to_dict

    found = [
        {
            "name": run.spec.name,
            "failed": run.failed,
            "going_on": run.going_on or None,
            "periods": [
                {**to_dict(period.report), "paths": period.paths, "changed": period.changed}
                for period in run.periods
            ],
        }
        for run in runs
    ]
    print_json("monitor.run", {"failed": failed, "monitors": found}, version=2)
