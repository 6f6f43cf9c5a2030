"""`mlctl monitor run`: compare current data with the reference."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json, Quiet, Verbose

app = typer.Typer()


@app.command()
def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Monitors; default: all.")
    ] = None,
    directory: Directory = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Compare current data with the reference, column by column, and write a report.

    A column drifts only where the change is large and no accident. Reports go to
    reports/monitoring/NAME as JSON, Markdown and HTML. Ends with 1 only where a monitor
    with `fail_on: drift` found drift.

    Examples:

        $ mlctl monitor run

        $ mlctl monitor run adult --json
    """
    from mlctl.cli._output import print_json, say, styled
    from mlctl.cli.monitor._show import show_table, show_verdict
    from mlctl.errors import InvalidInput
    from mlctl.monitoring.monitor import monitor_names, run_monitor
    from mlctl.monitoring.record import to_dict
    from mlctl.store.config import find_root

    root = find_root(".")
    chosen = list(dict.fromkeys(names or monitor_names(root)))
    if not chosen:
        raise InvalidInput(
            "there is no monitor yet", hint="describe one in monitors/<name>.yaml: docs/formats"
        )
    runs = []
    for name in chosen:
        done = run_monitor(root, name)
        runs.append(done)
        if json or (quiet and done.report.verdict == "ok"):
            continue
        if not quiet:
            show_table(done.report, everything=verbose)
        show_verdict(done.report)
        page = next(path for path in done.paths if path.endswith(".html"))
        say(styled(f"  report: {page}{'' if done.changed else ' (unchanged)'}", "2"))
    failed = any(done.failed for done in runs)
    if json:
        found = [
            {**to_dict(r.report), "paths": r.paths, "changed": r.changed, "failed": r.failed}
            for r in runs
        ]
        print_json("monitor.run", {"failed": failed, "monitors": found})
    return 1 if failed else 0
