"""How the verbs of `mlctl data` show what they did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlctl.cli._output import say, styled
from mlctl.cli._text import count, duration
from mlctl.reports.scales import size_text

if TYPE_CHECKING:
    from mlctl.data.tracking import Added
    from mlctl.data.versions.checkout import CheckedOut
    from mlctl.data.versions.push import Done

_COLOURS = {"added": "32", "modified": "33", "missing": "31", "refused": "31"}


def described(item: Added) -> str:
    """`1.2 MB, 3 files, md5 1a2b3c4d`."""
    files = f", {item.files} files" if item.md5.endswith(".dir") else ""
    return f"{size_text(item.size)}{files}, md5 {item.md5[:8]}"


def say_moved(word: str, where: str, done: Sequence[Done]) -> None:
    """`sent 12 objects, 3.4 MB to backup in 1.2s, 4 were there`."""
    for item in done:
        if not item.objects:
            say(f"nothing to move {where} {item.remote}: {count(item.present, 'object')} there")
            continue
        rate = f", {size_text(item.size / item.seconds)}/s" if item.seconds > 1 else ""
        there = f", {item.present} there before" if item.present else ""
        what = f"{count(item.objects, 'object')}, {size_text(item.size)}"
        say(f"{word} {what} {where} {item.remote} in {duration(item.seconds)}{rate}{there}")
    if not done:
        say("nothing to move: everything is there")


def say_checked_out(outs: Sequence[CheckedOut], *, quiet: bool) -> None:
    """A line for each out that changed or could not be had."""
    unchanged = 0
    for out in outs:
        failed = out.outcome in {"missing", "refused"}
        if out.outcome == "unchanged":
            unchanged += 1
        elif failed or not quiet:
            parts = {"added": out.added, "modified": out.modified, "deleted": out.deleted}
            counts = ", ".join(f"{number} {name}" for name, number in parts.items() if number)
            detail = f"  {out.message or counts}"
            say(f"{styled(f'{out.outcome:<9}', _COLOURS[out.outcome])}  {out.path}{detail}")
    if any(out.outcome == "missing" for out in outs):
        say(styled("`mlctl data pull` brings what is missing.", "2"))
    if any(out.outcome == "refused" for out in outs):
        say(styled("`mlctl data add` keeps a change, `--force` throws it away.", "2"))
    if not quiet and unchanged:
        say(f"{count(unchanged, 'out')} unchanged")
