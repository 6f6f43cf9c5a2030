"""`mlctl data status`: what differs from the pointers, or from a remote."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Check, Directory, Json
from mlctl.cli.data._options import DataTargets, RemoteName, TransferJobs

if TYPE_CHECKING:
    from mlctl.data.versions.condition import Condition, RemoteCondition

app = typer.Typer()


@app.command()
def status(
    targets: DataTargets = None,
    cloud: Annotated[
        bool, typer.Option("-c", "--cloud", help="Compare the cache with the remote.")
    ] = False,
    remote: RemoteName = None,
    jobs: TransferJobs = None,
    check: Check = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Show which data differs from its `.dvc` file, or with `--cloud` what a remote lacks.

    Without targets this is all tracked data; with `--cloud` or `--remote` the outs of stages too,
    as in `mlctl data push`. `mlctl status` is about stages.

    Examples:

        $ mlctl data status

        $ mlctl data status --remote backup --check
    """
    from mlctl.cli._output import print_json, say
    from mlctl.data.versions.condition import conditions, remote_conditions
    from mlctl.pipeline.project import Project

    project = Project.open()
    if cloud or remote:
        compared = remote_conditions(project, targets or [], remote=remote, jobs=jobs)
        lines = [_remote_line(item) for item in compared if not item.is_fine]
        data = [asdict(item) for item in compared]
    else:
        found = conditions(project, targets or [])
        lines = [_line(item) for item in found if not item.is_fine]
        data = [asdict(item) for item in found]
    if json:
        print_json("data.status", {"changed": len(lines), "data": data})
    else:
        for line in lines or [f"{len(data)} up to date" if data else "no data is tracked"]:
            say(line)
    return 1 if check and lines else 0


def _line(item: Condition) -> str:
    from mlctl.cli._output import styled

    colour = {"ok": "0", "modified": "33", "missing": "31"}[item.state]
    word = styled(f"{item.state:<9}", colour) if item.state != "ok" else f"{'':<9}"
    return f"{word}  {item.path}{'' if item.cached else '  not in cache'}"


def _remote_line(item: RemoteCondition) -> str:
    counts = {
        f"to push to {item.remote}": item.to_push,
        f"to fetch from {item.remote}": item.to_fetch,
        "on neither side": item.nowhere,
    }
    said = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
    return f"{item.path}  {said}"
