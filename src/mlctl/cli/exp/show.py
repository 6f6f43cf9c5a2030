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
    """Show one recorded run: name, tags, notes, code, metrics, parameters and stages.

    With -v also each stage's command, why it ran, and the digests of what it read and wrote.

    Examples:

        $ mlctl exp show

        $ mlctl exp show K3F9QZ -v

        $ mlctl exp show last~1 --json
    """
    import shutil
    from dataclasses import asdict

    from mlctl.adapters.clock import now
    from mlctl.cli._output import print_json, say
    from mlctl.cli.exp._page import page_lines
    from mlctl.cli.exp._saying import runs_root
    from mlctl.experiments.events import facts_json, name_of
    from mlctl.experiments.query import (
        all_metrics,
        all_params,
        find_run,
        load_stages,
        run_facts,
    )
    from mlctl.records.canonical import plain
    from mlctl.records.run import run_folder

    root = runs_root()
    head = find_run(root, run)
    stages = load_stages(root, head.id)
    params, metrics = all_params(head, stages, root), all_metrics(head, stages)
    facts = run_facts(root, head.id)
    if json:
        data = {**asdict(head), "name": name_of(head.name, facts), **facts_json(facts)}
        data |= {"params": params, "metrics": metrics}
        data |= {"record": run_folder(head.id), "stages": [asdict(stage) for stage in stages]}
        print_json("exp.show", plain(data))
        return 0
    width = shutil.get_terminal_size((160, 24)).columns
    lines = page_lines(
        head,
        stages,
        params=params,
        metrics=metrics,
        facts=facts,
        now=now(),
        width=width,
        verbose=verbose,
    )
    for line in lines:
        say(line)
    return 0
