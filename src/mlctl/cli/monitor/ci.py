"""`mlctl monitor ci`: a workflow that runs the monitors on a schedule."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def ci(
    github: Annotated[bool, typer.Option("--github", help="For GitHub Actions.")] = False,
    gitlab: Annotated[bool, typer.Option("--gitlab", help="For GitLab CI.")] = False,
    schedule: Annotated[
        str, typer.Option("--schedule", metavar="CRON", help="When it runs, in UTC.")
    ] = "17 5 * * *",
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace the file.")] = False,
    dry: Annotated[
        bool, typer.Option("--dry", "--dry-run", help="Print it, and write nothing.")
    ] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Write a workflow that runs the monitors, commits reports and keeps an issue an incident.

    Examples:

        $ mlctl monitor ci --github

        $ mlctl monitor ci --gitlab --schedule '0 6 * * 1-5' --dry
    """
    from pathlib import Path

    from mlctl.adapters import files
    from mlctl.cli._output import print_json, say
    from mlctl.errors import InvalidInput
    from mlctl.monitoring import workflows
    from mlctl.store.config import find_root

    if github == gitlab:
        raise InvalidInput("say for which: --github or --gitlab")
    if len(schedule.split()) != 5 or '"' in schedule:
        raise InvalidInput(f"{schedule!r} is no cron schedule", hint='five fields: "17 5 * * *"')
    key = workflows.GITHUB if github else workflows.GITLAB
    text = workflows.github(schedule) if github else workflows.gitlab(schedule)
    path = Path(find_root("."), key)
    if path.exists() and not (force or dry):
        raise InvalidInput(f"{key} is there already", hint="--force replaces it")
    if not dry:
        files.write_text(path, text)
    if json:
        print_json("monitor.ci", {"path": key, "written": not dry, "text": text})
    else:
        say(text.rstrip("\n") if dry else f"{key} is written: commit it")
    return 0
