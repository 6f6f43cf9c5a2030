"""What `exp push` and `exp pull` share: options, and how they tell what was moved."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mlctl.experiments.transfer import Moved

_SHOWN = 10

Runs = Annotated[
    list[str] | None,
    typer.Argument(metavar="[RUN]...", help="Short ids, starts of ids, `last`; default: all."),
]
GitRemote = Annotated[
    str | None,
    typer.Option(
        "--git-remote", metavar="NAME", help="The remote of git; default: the branch's, or origin."
    ),
]


def answer(verb: str, moved: Moved, *, json: bool, quiet: bool) -> int:
    """Print what was moved and what is missing; 1 where something is."""
    from mlctl.cli._output import print_json

    if json:
        print_json(f"exp.{verb}", asdict(moved))
    elif not quiet:
        _say_moved(verb, moved)
    if moved.missing and not json:
        _say_missing(moved)
    return 1 if moved.missing else 0


def _say_moved(verb: str, moved: Moved) -> None:
    from mlctl.cli._output import say, styled
    from mlctl.cli._text import count
    from mlctl.reports.scales import size_text

    word, way = ("sent", "to") if verb == "push" else ("came", "from")
    said = f"{count(moved.runs, 'run')}"
    if moved.git is not None:
        said += f"; {count(moved.snapshots, 'snapshot')} {word} {way} {moved.git}"
    if moved.remote is not None:
        objects = f"{count(moved.objects, 'object')} ({size_text(moved.size)})"
        said += f"; {objects} {word} {way} {moved.remote}"
    say(f"{said}.")
    if moved.git is None:
        say(styled("git has no remote: records and snapshots stay where they are", "2"))


def _say_missing(moved: Moved) -> None:
    from mlctl.cli._output import say, styled
    from mlctl.records.ulid import short_form

    say(styled("Missing, here and there:", "31"))
    for it in moved.missing[:_SHOWN]:
        say(f"  {short_form(it.run)}  {it.what}{f'  ({it.digest})' if it.digest else ''}")
    if len(moved.missing) > _SHOWN:
        say(f"  and {len(moved.missing) - _SHOWN} more; --json has them all")
