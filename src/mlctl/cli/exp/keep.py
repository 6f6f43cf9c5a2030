"""`mlctl exp keep`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Directory, Json

if TYPE_CHECKING:
    from mlctl.experiments.kept import Kept

app = typer.Typer()


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
    from dataclasses import asdict

    from mlctl.cli._text import some
    from mlctl.cli.exp import _saying
    from mlctl.experiments import kept
    from mlctl.records.ulid import short_form

    root = _saying.runs_root()
    heads = _saying.found(root, runs)
    found = [] if undo else kept.keep(root, heads)
    keys = kept.unkeep(root, heads) if undo else [it.event for it in found]
    shown = some([short_form(head.id) for head in heads])
    message = f"{'Keep no longer' if undo else 'Keep'} runs {shown}"
    made = _saying.commit_said(root, keys, message)
    text = f"Kept no longer: {shown}." if undo else "\n".join(map(_said, found))
    more = {"undo": undo, "kept": [asdict(it) for it in found]}
    return _saying.tell("keep", heads, keys, made, json=json, text=text, more=more)


def _said(it: Kept) -> str:
    from mlctl.cli._output import styled
    from mlctl.cli._text import count, some
    from mlctl.records.ulid import short_form

    pinned = "not in git, so nothing is pinned"
    if it.pinned is not None:
        pinned = f"{count(it.pinned, 'object')} pinned"
    text = f"{short_form(it.run)}: kept; {pinned}."
    if it.missing:
        lacking = f"the cache lacks {some(list(it.missing))}; `mlctl exp pull` may bring it"
        text += f"\n  {styled(lacking, '33')}"
    return text
