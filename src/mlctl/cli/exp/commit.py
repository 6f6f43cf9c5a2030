"""`mlctl exp commit`."""

from __future__ import annotations

from typing import Annotated

import typer

from mlctl.cli._options import Directory, Json

app = typer.Typer()


@app.command()
def commit(
    message: Annotated[
        str | None, typer.Option("-m", "--message", metavar="TEXT", help="The commit's message.")
    ] = None,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Commit the records that are not committed yet, all in one commit.

    Nothing else goes along, and what you have staged stays staged. Records go to your branch. With
    `records: {store: branch}` in mlctl.yaml they move out of the work tree, to the branch
    `mlctl/runs`. Ends with 1 where they could not be committed.

    Examples:

        $ mlctl exp commit

        $ mlctl exp commit -m "Runs of the night"
    """
    from mlctl.cli._output import print_json, say
    from mlctl.cli.exp._saying import runs_root
    from mlctl.experiments.adopting import adopt
    from mlctl.experiments.commit import UNCHANGED, commit_record
    from mlctl.projects.settings import load_settings

    root = runs_root()
    adopt(root)
    branch = load_settings(root).records_branch
    done = commit_record(root, ["runs"], message or "Record runs", branch=branch)
    made = done.stored or done.commit
    if json:
        parts = {"commit": done.commit, "stored": done.stored, "reason": done.reason}
        print_json("exp.commit", parts)
    elif made:
        where = " to the branch mlctl/runs" if done.stored else ""
        say(f"The records are committed{where}: {made[:10]}.")
    elif done.reason == UNCHANGED:
        say("All records are committed.")
    if done.reason in (None, UNCHANGED):
        return 0
    if not json:
        say(f"Not committed: {done.reason}.")
    return 1
