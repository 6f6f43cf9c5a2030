"""`mlctl commit`"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Directory, Json, Recursive, Targets

if TYPE_CHECKING:
    from mlctl.pipeline.plan import Step

app = typer.Typer()


@app.command()
def commit(
    targets: Targets = None,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Record changed stages without asking.")
    ] = False,
    recursive: Recursive = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Record what is in the workspace, without running anything.

    Puts outs into the cache (after `mlctl run --no-commit`), and takes deps and outs that you
    changed by hand for what the stages made.

    Examples:

        $ mlctl commit                after `mlctl run --no-commit`

        $ mlctl commit -f train       the model was made elsewhere; take it as it is
    """
    from mlctl.cli._output import print_json, say
    from mlctl.cli._plain import Plain
    from mlctl.cli._text import counted
    from mlctl.pipeline.commit import commit as commit_stages
    from mlctl.pipeline.project import Project

    project = Project.open()
    indices = project.select(
        targets or [], everything=not targets, single=True, recursive=recursive
    )
    steps = commit_stages(project, indices, Plain(sys.stderr), confirm=_ask, force=force)
    project.save_state()
    changed = [step.stage.address for step in steps if step.changed]
    if json:
        print_json("commit", {"recorded": changed, "stages": len(steps)})
    else:
        for address in changed:
            say(f"recorded {address}")
        say(f"{counted([step.stage.address for step in steps])} committed.")
    return 0


def _ask(step: Step) -> bool:
    if not sys.stdin.isatty():
        return False
    return typer.confirm(f"{step.stage.address} is changed. Record it as it is now?")
