"""`mlctl init`"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Directory, Json

if TYPE_CHECKING:
    from mlctl.projects.init import Started

app = typer.Typer()


def _complete(incomplete: str) -> list[str]:
    from mlctl.projects import templates

    return [name for name in templates.names() if name.startswith(incomplete)]


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The project's folder.")] = Path(),
    template: Annotated[
        str,
        typer.Option(
            "--template",
            "-t",
            metavar="NAME",
            help="tabular, vision or none.",
            autocompletion=_complete,
        ),
    ] = "none",
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Answer a question of the template."),
    ] = None,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Ask nothing: take the defaults.")
    ] = False,
    no_scm: Annotated[
        bool, typer.Option("--no-scm", "--no-git", help="Without git (DVC's --no-scm).")
    ] = False,
    subdir: Annotated[
        bool, typer.Option("--subdir", help="A project in a folder of a larger git repository.")
    ] = False,
    merge_driver: Annotated[
        bool | None,
        typer.Option(
            "--merge-driver/--no-merge-driver",
            help="Let git merge dvc.lock stage by stage; default: in a new repository.",
        ),
    ] = None,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Start a project, or add what a repository lacks; overwrites nothing.

    A missing or empty DIR becomes a git and DVC repository with a first commit.

    An existing one keeps all its files, and its records stay uncommitted until you ask for that.

    Examples:

        $ mlctl init churn --template tabular

        $ mlctl init churn --template tabular --set task=regression --defaults

        $ mlctl init            # in a repository that is there already

        $ mlctl init --merge-driver   # there, git is to merge dvc.lock by stage
    """
    from mlctl.projects import init as project

    asks = sys.stdin.isatty() and sys.stdout.isatty() and not (defaults or json)
    started = project.start(
        folder,
        template=template,
        answers=_answers(sets or []),
        ask=asks,
        scm=not no_scm,
        subdir=subdir,
        driver=merge_driver,
    )
    _show_json(started) if json else _show(started, folder)
    return 0


def _answers(sets: list[str]) -> dict[str, str]:
    from mlctl.errors import InvalidInput

    for text in sets:
        if "=" not in text:
            raise InvalidInput(f"--set {text}: not KEY=VALUE", hint="--set task=regression")
    return dict(text.split("=", 1) for text in sets)


def _show_json(started: Started) -> None:
    from mlctl.cli._output import print_json

    print_json(
        "init",
        {
            "root": str(started.root),
            "template": started.template,
            "version": started.version,
            "added": list(started.added),
            "kept": list(started.kept),
            "git": started.git_made,
            "dvc": started.dvc_made,
            "commit": started.commit,
            "merge_driver": started.merge_driver,
            "notes": list(started.notes),
            "next": list(started.next),
        },
    )


def _show(started: Started, folder: Path) -> None:
    import shlex

    from mlctl.cli._output import say, styled

    made = [n for n, is_made in (("git", started.git_made), ("DVC", started.dvc_made)) if is_made]
    say(styled(str(started.root), "1") + (f"  new {' and '.join(made)} repository" if made else ""))
    for name in started.added:
        say(f"  {styled('added', '32')}  {name}")
    for name in started.kept:
        say(f"  {styled('kept', '33')}   {name}")
    if not started.added:
        say("  nothing to add")
    if started.commit:
        say(f"  first commit {started.commit[:8]}")
    for note in started.notes:
        say(f"{styled('note', '2')}  {note}")
    say("\nNext:")
    if started.root != Path.cwd():
        say(f"  cd {shlex.quote(str(folder))}")
    for command in started.next:
        say(f"  {command}")
