"""`mlctl exp show`."""

from __future__ import annotations

import typer

from mlctl.cli._options import Directory, Json, RunName, Verbose

app = typer.Typer()


@app.command()
def show(
    run: RunName = "last",
    directory: Directory = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Show one recorded run: code, metrics, parameters and stages.

    With -v also each stage's command, why it ran, and the digests of what it read and wrote.

    Examples:

        $ mlctl exp show

        $ mlctl exp show K3F9QZ -v

        $ mlctl exp show last~1 --json
    """
    import os
    import shutil
    from dataclasses import asdict

    from mlctl.adapters.clock import now
    from mlctl.cli._output import print_json, say
    from mlctl.cli.exp._page import page_lines
    from mlctl.experiments.query import all_metrics, all_params, find_run, load_stages
    from mlctl.records.canonical import plain
    from mlctl.records.run import run_folder
    from mlctl.store.config import find_root

    root = find_root(os.getcwd())
    head = find_run(root, run)
    stages = load_stages(root, head.id)
    params, metrics = all_params(head, stages, root), all_metrics(head, stages)
    if json:
        data = {**asdict(head), "params": params, "metrics": metrics}
        data |= {"record": run_folder(head.id), "stages": [asdict(stage) for stage in stages]}
        print_json("exp.show", plain(data))
        return 0
    width = shutil.get_terminal_size((160, 24)).columns
    lines = page_lines(
        head, stages, params=params, metrics=metrics, now=now(), width=width, verbose=verbose
    )
    for line in lines:
        say(line)
    return 0
