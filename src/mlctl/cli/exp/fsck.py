"""`mlctl exp fsck`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Directory, Json
from mlctl.cli.data._options import RemoteName

if TYPE_CHECKING:
    from mlctl.experiments.fsck.findings import Finding, Report

app = typer.Typer()
_SHOWN = 20  # findings of one problem


@app.command()
def fsck(
    cloud: Annotated[
        bool, typer.Option("-c", "--cloud", help="Look on the remote for what the cache lacks.")
    ] = False,
    remote: RemoteName = None,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Find records that cannot be read, and what they refer to that is gone.

    Looks at every record in `runs/`, in packs and on the branch `mlctl/runs`: conflict markers,
    cut-off files, records of a newer mlctl, two records of one id, events of unknown runs. Then at
    the commits, snapshots, packages, pins and data that they name. Says for each what to do, and
    changes nothing. Ends with 1 where something is damaged or lost.

    Examples:

        $ mlctl exp fsck

        $ mlctl exp fsck --cloud --remote backup
    """
    from dataclasses import asdict

    from mlctl.cli._output import print_json
    from mlctl.cli.exp._saying import runs_root
    from mlctl.experiments.fsck.check import fsck as check

    root = runs_root()
    report = check(root, remote=remote, cloud=cloud or remote is not None)
    if json:
        findings = [asdict(finding) for finding in report.findings]
        parts = {"sound": report.sound, "records": report.records, "findings": findings}
        print_json("exp.fsck", parts)
    else:
        _show(report)
    return 0 if report.sound else 1


def _show(report: Report) -> None:
    from mlctl.cli._output import say, styled
    from mlctl.cli._text import count

    groups: dict[str, list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault(finding.problem, []).append(finding)
    for problem, found in groups.items():
        colour = "31" if found[0].damage else "33"
        for finding in found[:_SHOWN]:
            detail = f"  {finding.detail}" if finding.detail else ""
            say(f"{styled(problem, colour)}  {finding.where}{detail}")
            say(f"  {styled(finding.hint, '2')}")
        if len(found) > _SHOWN:
            say(f"  and {len(found) - _SHOWN} more; --json has them all")
    damaged = sum(finding.damage for finding in report.findings)
    verdict = styled(f"{damaged} damaged or lost.", "31") if damaged else styled("All sound.", "32")
    say(f"{count(report.records, 'record')}. {verdict}")
