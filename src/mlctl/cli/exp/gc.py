"""`mlctl exp gc`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Directory, Json

if TYPE_CHECKING:
    from mlctl.experiments.collecting import Leftover

app = typer.Typer()
_UNITS = {"h": 3600.0, "d": 86_400.0, "w": 604_800.0}


@app.command()
def gc(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="AGE", help="Untouched so long: 12h, 7d, 2w.")
    ] = "1d",
    force: Annotated[
        bool, typer.Option("-f", "--force", help="Remove; without it nothing is touched.")
    ] = False,
    dry: Annotated[
        bool, typer.Option("--dry", "--dry-run", help="Only show, as without --force.")
    ] = False,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Show what runs have left and nothing needs any more, and with `--force` remove it.

    These are folders of processes that were killed, scratch work trees, and the snapshots and pins
    of runs that have no record any more, on no branch. Records stay: `mlctl exp rm` removes those.
    Data in the cache is freed by `mlctl data gc`.

    Examples:

        $ mlctl exp gc

        $ mlctl exp gc --older-than 7d --force
    """
    from dataclasses import asdict

    from mlctl.cli._output import print_json
    from mlctl.cli.exp._saying import runs_root
    from mlctl.experiments.collecting import collect

    remove = force and not dry
    root = runs_root()
    found = collect(root, older_than=_seconds(older_than), remove=remove)
    if json:
        leftovers = [asdict(leftover) for leftover in found]
        print_json("exp.gc", {"removed": remove, "leftovers": leftovers})
    else:
        _show(found, removed=remove)
    return 0


def _seconds(age: str) -> float:
    from mlctl.errors import InvalidInput

    number, unit = age[:-1], age[-1:]
    if not number.isdigit() or unit not in _UNITS:
        raise InvalidInput(f"--older-than {age}: no age", hint="such as 12h, 7d or 2w")
    return int(number) * _UNITS[unit]


def _show(found: list[Leftover], *, removed: bool) -> None:
    from mlctl.cli._output import say, styled
    from mlctl.cli._text import count
    from mlctl.reports.scales import size_text

    if not found:
        say("Nothing is left over.")
        return
    width = max(len(leftover.kind) for leftover in found)
    for it in found:
        size = f"  {size_text(it.size)}" if it.size else ""
        say(f"{it.kind:{width}}  {it.name}{size}")
    word = "removed" if removed else "would go"
    total = size_text(sum(it.size for it in found))
    say(f"{count(len(found), 'leftover')} {word}, {total}.")
    if not removed:
        say(styled("--force removes.", "2"))
