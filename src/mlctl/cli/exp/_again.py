"""How runs that run again are shown: what differs before, what came out, and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace

from mlctl.cli._output import print_json, say, styled
from mlctl.cli._text import some
from mlctl.experiments.again.causes import Cause
from mlctl.experiments.again.difference import Change
from mlctl.experiments.again.reproducing import Rerun
from mlctl.experiments.again.side import Side
from mlctl.experiments.again.verdict import MetricVerdict, StageVerdict, Verification
from mlctl.experiments.again.verifying import environment_changes
from mlctl.pipeline.events import Emit, Event, Notice, RunFinished
from mlctl.records.canonical import plain
from mlctl.records.ulid import short_form

_MARKS = {
    "identical": ("✓", "32"),
    "within tolerance": ("✓", "32"),
    "different": ("✗", "31"),
    "failed": ("✗", "31"),
}


@contextmanager
def running(json: bool, quiet: bool, verbose: bool) -> Iterator[Emit]:
    """Where the events of a rerun go: its record is not kept, so none is named."""
    from mlctl.cli._view import view

    if json:
        yield _nobody
        return
    shown = view(False, quiet, verbose)

    def emit(event: Event) -> None:
        if isinstance(event, Notice) and event.level == "info":
            return
        shown(replace(event, record=None) if isinstance(event, RunFinished) else event)

    try:
        yield emit
    finally:
        shown.close()


def _nobody(_event: Event) -> None:
    """A document is printed at the end."""


def say_before(side: Side) -> None:
    """What of the run cannot be had as it was, said before anything runs."""
    found = environment_changes(side)
    if found is None:
        say("The packages of that run are not known here.")
    elif found:
        say(f"Other packages than that run had: {some([change_text(c) for c in found], 5)}.")
        say("`--env` installs those of the run.")
    omitted = side.head.git.omitted if side.head.git else ()
    if omitted:
        say(f"Not kept with the code of that run: {some(list(omitted), 5)}.")


def change_text(change: Change) -> str:
    """`numpy 1.26.4 → 2.0.0`, `tqdm none → 4.66`."""
    old = "none" if change.what == "added" else change.old
    new = "none" if change.what == "removed" else change.new
    return f"{change.name} {old} → {new}"


def print_rerun(
    record: Side, rerun: Rerun, verification: Verification | None, *, json: bool
) -> None:
    """What came out, and with a verification the verdict on each stage and the causes."""
    if json:
        print_json("exp.reproduce", _document(record, rerun, verification))
        return
    if rerun.kept is not None:
        say(f"The work tree is {rerun.kept}")
        say(f"(`git worktree remove --force {rerun.kept}` when it is not needed any more.)")
    if verification is None:
        return
    say()
    for stage in verification.stages:
        say(_stage_line(stage))
        for metric in stage.metrics:
            if metric.recorded != metric.now:
                say(f"    {_metric_line(metric)}")
        if stage.outs:
            say(f"    other bytes: {some(list(stage.outs), 5)}")
    for cause in verification.causes:
        say(_cause_line(cause))
    name = short_form(record.head.id)
    say(f"Run {name} came out again." if verification.holds else f"Run {name} did not come out.")


def _stage_line(stage: StageVerdict) -> str:
    mark, style = _MARKS[stage.verdict]
    return f"{styled(mark, style)} {stage.address}  {styled(stage.verdict, style)}"


def _metric_line(metric: MetricVerdict) -> str:
    text = f"{metric.name}  {metric.recorded} → {metric.now}"
    if metric.recorded is not None and metric.now is not None:
        text += f"  ({metric.now - metric.recorded:+.3g}, tolerance {metric.tolerance:g})"
    return text if metric.same else styled(text, "31")


def _cause_line(cause: Cause) -> str:
    return f"{styled('because', '1')} {cause.kind}: {cause.text}  [{some(list(cause.stages))}]"


def _document(record: Side, rerun: Rerun, verification: Verification | None) -> dict[str, object]:
    data: dict[str, object] = {
        "run": record.head.id,
        "status": rerun.status,
        "kept": rerun.kept,
        "metrics": plain(rerun.side.metrics),
        "params": plain(rerun.side.params),
        "stages": plain([asdict(stage) for stage in rerun.side.stages]),
        "verification": None,
    }
    if verification is not None:
        data["verification"] = {"holds": verification.holds, **plain(asdict(verification))}
    return data
