"""`mlctl monitor mute`: what is known and need not be told again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Directory, Json

if TYPE_CHECKING:
    from mlctl.monitoring.alarms.mutes import Mute

app = typer.Typer()


@app.command()
def mute(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The monitor to mute.")
    ] = None,
    column: Annotated[
        str | None, typer.Option("--column", metavar="NAME", help="One column or metric only.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="From this date of periods on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Before this date of periods.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why; it is reviewed.")
    ] = None,
    ls: Annotated[bool, typer.Option("--ls", help="List the mutes.")] = False,
    rm: Annotated[
        int | None, typer.Option("--rm", metavar="N", help="Take the mute N out again.")
    ] = None,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Keep a monitor, or one column of it, from raising an alarm, with a reason and an end.

    Mutes stand in monitors/mutes.yaml and are reviewed like code. They end at a date of periods;
    reports still say what they found. `mlctl monitor run --since DATE` applies a new one.

    Examples:

        $ mlctl monitor mute requests --column age --until 2026-06-01 --reason "new form, see #42"

        $ mlctl monitor mute --ls
    """
    from mlctl.cli._output import print_json, say
    from mlctl.errors import InvalidInput
    from mlctl.monitoring.alarms import mutes, muting
    from mlctl.monitoring.running import load_monitor
    from mlctl.store.config import find_root

    root, said = find_root("."), ""
    if rm is not None:
        said = f"no longer muted: {_words(muting.remove(root, rm))}"
    elif not ls:
        if name is None or until is None or not reason:
            raise InvalidInput(
                "a mute needs a monitor, an end and a reason",
                hint='mlctl monitor mute NAME --until 2026-06-01 --reason "…", or --ls',
            )
        load_monitor(root, name)
        made = mutes.Mute(name, until, reason, column or "", since or "")
        muting.add(root, made)
        said = f"muted: {_words(made)}"
    entries = mutes.load(root).entries
    if json:
        found = [
            {
                "monitor": m.monitor,
                "column": m.column or None,
                "from": m.since or None,
                "until": m.to,
                "reason": m.reason,
                "by": m.by or None,
            }
            for m in entries
        ]
        print_json("monitor.mute", {"mutes": found})
        return 0
    if said:
        say(said)
    if ls:
        for number, entry in enumerate(entries, start=1):
            say(f"{number}  {_words(entry)}")
        if not entries:
            say("nothing is muted")
    return 0


def _words(mute: Mute) -> str:
    what = f"{mute.monitor}, {mute.column}" if mute.column else mute.monitor
    since = f"from {mute.since} " if mute.since else ""
    return f"{what} {since}until {mute.to}: {mute.reason}"
