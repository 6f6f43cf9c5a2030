"""`mlctl exp keep`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Directory, Json

if TYPE_CHECKING:
    from mlctl.experiments.kept import Kept

app = typer.Typer()
_SHOWN = 5


@app.command()
def keep(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Short ids, starts of ids, `last`.")
    ],
    undo: Annotated[bool, typer.Option("--undo", help="Keep them no longer.")] = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Keep runs: `gc` never frees their data, and `exp rm` refuses them.

    Their outs, what they logged, and what they read of the cache are pinned by the branch
    `mlctl/kept`, which `dvc gc` and `dvc push` with `-a` or `-A` see, as does mlctl. `exp push`
    carries the pins to other clones.

    Examples:

        $ mlctl exp keep last

        $ mlctl exp keep RVN000 --undo
    """
    import os
    from dataclasses import asdict

    from mlctl.cli._output import print_json
    from mlctl.experiments import kept
    from mlctl.experiments.commit import commit_record
    from mlctl.experiments.live import project_root
    from mlctl.experiments.query import find_run
    from mlctl.projects.settings import load_settings

    root = project_root(os.getcwd())
    heads = [find_run(root, name) for name in dict.fromkeys(runs)]
    settings = load_settings(root)
    found = [] if undo else kept.keep(root, heads)
    events = kept.unkeep(root, heads) if undo else [it.event for it in found]
    if settings.records_commit:
        message = "Keep runs no longer" if undo else "Keep runs"
        commit_record(root, events, message, branch=settings.records_branch)
    if json:
        ids = [head.id for head in heads]
        print_json("exp.keep", {"runs": ids, "undo": undo, "kept": [asdict(it) for it in found]})
    else:
        _show([head.id for head in heads], found)
    return 0


def _show(run_ids: list[str], found: list[Kept]) -> None:
    from mlctl.cli._output import say, styled
    from mlctl.cli._text import count, some
    from mlctl.records.ulid import short_form

    if not found:
        say(f"{', '.join(map(short_form, run_ids))}: kept no longer.")
    for it in found:
        pinned = "not in git, so nothing is pinned"
        if it.pinned is not None:
            pinned = f"{count(it.pinned, 'object')} pinned"
        say(f"{short_form(it.run)}: kept; {pinned}.")
        if it.missing:
            said = f"the cache lacks {some(list(it.missing))}; `mlctl exp pull` may bring it"
            say(f"  {styled(said, '33')}")
