"""`mlctl exp import`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Directory, Json, RecordCommit

if TYPE_CHECKING:
    from mlctl.experiments.importing import Imported

app = typer.Typer()


@app.command("import")
def import_(
    path: Annotated[
        str | None, typer.Argument(metavar="[PATH]", help="A folder or a file of the other tool.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="TOOL", help="mlflow, wandb, tensorboard, dvc or csv."),
    ] = None,
    artifacts: Annotated[
        bool, typer.Option("--artifacts", help="Keep the runs' files too, in DVC's cache.")
    ] = False,
    dry: Annotated[bool, typer.Option("--dry", help="Only say what would be imported.")] = False,
    commit: RecordCommit = None,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Make records of runs that another tool has kept.

    PATH is an MLflow `mlruns` folder or SQLite file, a W&B offline folder, a folder of TensorBoard
    event files, a CSV of Lightning or Ultralytics, or a repository with DVC experiments. Importing
    again adds what is new, and nothing twice. Ends in 1 where something was damaged.

    Examples:

        $ mlctl exp import mlruns

        $ mlctl exp import mlflow.db --artifacts

        $ mlctl exp import --from dvc
    """
    import os

    from mlctl.cli._output import print_json
    from mlctl.errors import InvalidInput
    from mlctl.experiments.commit import commit_record
    from mlctl.experiments.importing import import_runs
    from mlctl.experiments.live import project_root
    from mlctl.projects.settings import load_settings

    root = project_root(os.getcwd())
    if path is None and source is None:
        raise InvalidInput(
            "nothing is named to import", hint="name a folder, a file or --from TOOL"
        )
    path = "." if path is None else path
    if not os.path.exists(path):
        raise InvalidInput(f"{path} does not exist")
    done = import_runs(root, path, source, artifacts=artifacts, dry=dry)
    settings = load_settings(root)
    wanted = settings.records_commit if commit is None else commit
    made = None
    if done.records and wanted and not dry:
        message = f"Import runs of {done.source}"
        made = commit_record(root, done.records, message, branch=settings.records_branch)
    if json:
        names = ("commit", "stored", "reason")
        data = {**_data(done), "dry": dry, **{name: getattr(made, name, None) for name in names}}
        print_json("exp.import", data)
    else:
        _print(done, dry=dry, reason=made.reason if made else None)
    return int(bool(done.damaged))


def _data(done: Imported) -> dict[str, object]:
    return {
        "source": done.source,
        "found": done.found,
        "records": done.records,
        "present": done.present,
        "skipped": [{"run": it.where, "reason": it.reason} for it in done.skipped],
        "damaged": [{"run": it.where, "reason": it.reason} for it in done.damaged],
    }


def _print(done: Imported, *, dry: bool, reason: str | None) -> None:
    from mlctl.cli._output import say, styled
    from mlctl.cli._text import count, visible

    verb = "would be imported" if dry else "imported"
    parts = [f"{len(done.records):,} {verb}"]
    others = ("there already", done.present), ("left out", done.skipped), ("damaged", done.damaged)
    parts += [f"{len(items):,} {word}" for word, items in others if items]
    say(f"{count(done.found, 'run')} of {done.source}: {', '.join(parts)}.")
    for word, items, style in (("left out", done.skipped, "2"), ("damaged", done.damaged, "33")):
        for it in items:
            say(styled(f"  {word}: {visible(it.where)}: {visible(it.reason)}", style))
    if reason is not None:
        say(f"The records are not committed: {reason}.")
