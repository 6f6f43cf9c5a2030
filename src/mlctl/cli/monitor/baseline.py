"""`mlctl monitor baseline`: freeze the reference of a monitor into a small file."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def baseline(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The monitor.")],
    reference: Annotated[
        str | None,
        typer.Option("--reference", metavar="PATH", help="The data; default: the monitor's own."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="Default: in monitors/baselines."),
    ] = None,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Freeze the reference of a monitor: bins with exact counts, at most 1 kB a column, no rows.

    A monitor with `reference: {baseline: FILE}` compares with it where the data themselves are not
    at hand; `-o models/best/baseline.json` keeps it with a model, for `reference: {model: …}`.
    From a baseline, KS is taken on its bins, and what needs rows is unavailable.

    Examples:

        $ mlctl monitor baseline requests

        $ mlctl monitor baseline requests -o models/best/baseline.json
    """
    from mlctl.cli._output import print_json, say
    from mlctl.monitoring.freezing import freeze
    from mlctl.store.config import find_root

    done = freeze(find_root("."), name, reference=reference, output=output)
    if json:
        print_json(
            "monitor.baseline",
            {
                "name": name,
                "path": done.path,
                "changed": done.changed,
                "bytes": done.size,
                "columns": len(done.baseline.columns),
                "rows": done.baseline.ref.rows,
                "performance": sorted((done.baseline.performance or {}).get("values", {})),
            },
        )
        return 0
    note = "" if done.changed else " (unchanged)"
    columns, rows = len(done.baseline.columns), done.baseline.ref.rows
    say(f"{done.path}: {columns} columns of {rows:,} rows in {done.size / 1000:.1f} kB{note}")
    if not done.used:
        say(f"`reference: {{baseline: {done.path}}}` in monitors/{name}.yaml compares with it")
    return 0
