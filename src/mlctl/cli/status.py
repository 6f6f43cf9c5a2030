"""`mlctl status`"""

from __future__ import annotations

import typer

from mlctl.cli._options import Check, Directory, Json, Targets, Verbose

app = typer.Typer()


@app.command()
def status(
    targets: Targets = None,
    check: Check = False,
    json: Json = False,
    verbose: Verbose = False,
    directory: Directory = None,
) -> int:
    """Show which stages are changed, and why.

    Agrees with `dvc status`. `mlctl plan` adds the stages that depend on them.

    Examples:

        $ mlctl status

        $ mlctl status train@a --json

        $ mlctl status --check        for CI: end with 1 if anything is changed
    """
    from mlctl.cli._output import print_json, say
    from mlctl.cli._steps import merges_json, show_merges, status_lines, step_json
    from mlctl.pipeline.planning import planned
    from mlctl.pipeline.project import Project

    project = Project.open()
    indices = project.select(targets or [], everything=not targets, single=True)
    steps = planned(project, indices, downstream=False)
    project.save_state()
    changed = sum(step.changed for step in steps)
    if json:
        print_json(
            "status",
            {
                "changed": changed,
                "stages": len(steps),
                "steps": [step_json(s) for s in steps],
                "unmerged": merges_json(project.merges),
            },
        )
    else:
        show_merges(project.merges)
        for line in status_lines(steps, show_all=verbose):
            say(line)
    return 1 if check and changed else 0
