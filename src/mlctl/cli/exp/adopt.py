"""`mlctl exp adopt`."""

from __future__ import annotations

import typer

from mlctl.cli._options import Directory, Json, RecordCommit

app = typer.Typer()


@app.command()
def adopt(directory: Directory = None, commit: RecordCommit = None, json: Json = False) -> int:
    """Make records of the runs that scripts have ended.

    A script that calls `mlctl.start_run` only logs. Its run becomes a record, like that of a
    pipeline, as soon as `mlctl run` records one or `mlctl exp` looks at runs; this does it now. A
    script that was killed leaves an interrupted run.

    Examples:

        $ mlctl exp adopt

        $ mlctl exp adopt --commit
    """
    import os

    from mlctl.cli._output import print_json, say
    from mlctl.experiments.adopting import adopt as make_records
    from mlctl.experiments.commit import commit_record
    from mlctl.experiments.live import project_root
    from mlctl.projects.settings import load_settings
    from mlctl.records.ulid import short_form

    root = project_root(os.getcwd())
    records = make_records(root, strict=True)
    settings = load_settings(root)
    wanted = settings.records_commit if commit is None else commit
    names = ", ".join(short_form(os.path.basename(key)) for key in records)
    made = None
    if records and wanted:
        made = commit_record(
            root,
            [*records, "runs/_env"],
            f"Record runs of scripts: {names}",
            branch=settings.records_branch,
        )
    if json:
        print_json(
            "exp.adopt",
            {
                "records": records,
                "commit": made.commit if made else None,
                "stored": made.stored if made else None,
                "reason": made.reason if made else None,
            },
        )
        return 0
    say(f"Recorded {names}." if records else "No script has ended a run since the last look.")
    if made is not None and made.reason is not None:
        say(f"The records are not committed: {made.reason}.")
    return 0
