"""`mlctl fsck`"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Directory, Json

if TYPE_CHECKING:
    from mlctl.projects.fsck.findings import Finding, Report

app = typer.Typer()
_SHOWN = 20  # findings of one kind and problem


@app.command()
def fsck(
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="Every object in the cache, needed or not.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Bring back what is damaged or missing.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("-j", "--jobs", metavar="N", min=1, help="Threads that hash.")
    ] = None,
    json: Json = False,
    directory: Directory = None,
) -> int:
    """Verify the cache, the locks, the `.dvc` files and the run-cache.

    Hashes every object that the current locks and `.dvc` files need, also those whose mode says
    that they are trusted, and names what is damaged with the outs that need it. Ends with 1 if
    damage is found (or left, with `--repair`).

    `--repair` takes a damaged object out of the cache and brings it back from the workspace, where
    the file there is right, or from the remote (one `dvc fetch`). What it cannot bring back stays
    in the cache's folder `damaged`.

    Examples:

        $ mlctl fsck

        $ mlctl fsck --all --json

        $ mlctl fsck --repair
    """
    from mlctl.cli._output import print_json
    from mlctl.projects.fsck.check import fsck as check

    progress = _Progress()
    try:
        report = check(".", everything=everything, mend=repair, jobs=jobs, progress=progress)
    finally:
        progress.clear()
    if json:
        print_json("fsck", _json(report))
    else:
        _show(report, repair=repair)
    return 0 if report.sound else 1


def _json(report: Report) -> dict[str, object]:
    return {
        "sound": report.sound,
        "objects": report.objects,
        "bytes": report.size,
        "run_cache_entries": report.entries,
        "files": report.files,
        "seconds": round(report.seconds, 3),
        "findings": [asdict(finding) for finding in report.findings],
        "notes": list(report.notes),
    }


def _show(report: Report, *, repair: bool) -> None:
    from mlctl.cli._output import say, styled
    from mlctl.cli._text import count, duration
    from mlctl.reports.scales import size_text

    groups: dict[tuple[str, str, bool], list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault((finding.kind, finding.problem, finding.is_left), []).append(finding)
    for group in groups.values():
        for finding in group[:_SHOWN]:
            for line in _lines(finding):
                say(line)
        if len(group) > _SHOWN:
            say(f"  and {len(group) - _SHOWN} more; --json has them all")
    for note in report.notes:
        say(f"{styled('note', '2')}  {note}")
    if report.findings:
        say()
    rate = f", {size_text(report.size / report.seconds)}/s" if report.seconds > 1 else ""
    say(
        f"{count(report.objects, 'object')}, {size_text(report.size)} hashed in "
        f"{duration(report.seconds)}{rate}; {count(report.files, 'file')} of pipelines and data; "
        f"{count(report.entries, 'result')} in the run-cache."
    )
    say(_verdict(report.findings, repair=repair))


def _verdict(findings: Sequence[Finding], *, repair: bool) -> str:
    from mlctl.cli._output import styled

    left = sum(finding.is_left for finding in findings)
    untidy = sum(not finding.damage and finding.mended is None for finding in findings)
    mended = sum(finding.mended is not None for finding in findings)
    parts = [styled(f"{left} damaged or missing.", "31") if left else styled("All sound.", "32")]
    if mended:
        parts.append(f"{mended} mended.")
    if untidy:
        parts.append(f"{untidy} left over by processes that are dead.")
    if (left or untidy) and not repair:
        parts.append(styled("`mlctl fsck --repair` mends what it can.", "2"))
    return " ".join(parts)


def _lines(finding: Finding) -> list[str]:
    from mlctl.cli._output import styled
    from mlctl.cli._text import some

    colour = "31" if finding.is_left else "33" if finding.mended is None else "32"
    outs = f"  {some(list(finding.outs))}" if finding.outs else ""
    detail = f"  ({finding.detail})" if finding.detail else ""
    lines = [f"{styled(finding.problem, colour)}  {finding.what}{outs}{detail}"]
    if finding.mended in {"workspace", "remote"}:
        lines.append(f"  brought back from the {finding.mended}")
    elif finding.mended is not None:
        lines.append(f"  {finding.mended}" + (f": {finding.aside}" if finding.aside else ""))
    elif finding.aside:
        lines.append(f"  set aside: {finding.aside}")
    if finding.hint:
        lines.append(f"  {styled(finding.hint, '2')}")
    return lines


class _Progress:
    """One line on stderr, redrawn a few times a second; nothing where that is no terminal."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shows = sys.stderr.isatty()
        self._begin = self._drawn = time.monotonic()
        self._size = self._objects = 0

    def __call__(self, size: int, objects: int) -> None:
        with self._lock:
            self._size += size
            self._objects += objects
            now = time.monotonic()
            if not self._shows or now - self._drawn < 0.2:
                return
            from mlctl.reports.scales import size_text

            self._drawn = now
            rate = size_text(self._size / (now - self._begin))
            text = f"{self._objects} objects, {size_text(self._size)}, {rate}/s"
            sys.stderr.write(f"\r\033[K{text}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Leave an empty line."""
        if self._shows and self._drawn > self._begin:
            sys.stderr.write("\r\033[K")
