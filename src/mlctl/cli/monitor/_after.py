"""What follows a run of monitors: a summary for a pull request, messages, a commit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlctl.monitoring.running import MonitorRun
    from mlctl.monitoring.telling import Told


def append_markdown(path: str, runs: Sequence[MonitorRun]) -> None:
    """Append the newest report of each monitor to the file at `path`."""
    from mlctl.monitoring.report.markdown import to_markdown

    texts = [to_markdown(run.periods[-1].report) for run in runs if run.periods]
    with Path(path).open("a", encoding="utf-8") as file:
        file.write("\n".join(texts))


def commit_reports(
    root: str, runs: Sequence[MonitorRun], asked: bool | None, *, quiet: bool
) -> None:
    """Commit what was written, where that is asked for or set, and say why where it cannot be."""
    from mlctl.cli._output import say
    from mlctl.experiments.commit import commit_record
    from mlctl.projects.settings import load_settings

    touched = [path for run in runs for path in run.touched]
    if not touched or not (load_settings(root).records_commit if asked is None else asked):
        return
    names = ", ".join(run.spec.name for run in runs if run.touched)
    made = commit_record(root, touched, f"Monitor {names}")
    if made.reason is not None and not quiet:
        say(f"the reports are not committed: {made.reason}")


def tell(root: str, runs: Sequence[MonitorRun]) -> None:
    """Send what is due; what could not be sent is a warning, and is sent by the next run."""
    from mlctl.monitoring.telling import tell as send

    for run in runs:
        show_told(send(root, run.spec))


def show_told(told: Sequence[Told]) -> None:
    """A line for each message."""
    import sys

    from mlctl.cli._output import styled

    for it in told:
        word = styled("not sent", "33") if it.error else "told"
        why = f": {it.error}" if it.error else ""
        sys.stderr.write(f"{word} {it.channel}: {it.message.title}{why}\n")
