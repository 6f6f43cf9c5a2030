"""Run a monitor: from its file and its data to a written report for each period."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlctl.adapters import clock, files
from mlctl.errors import InvalidInput, NotAble, suggestion
from mlctl.monitoring import alarms, choice, choosing, cutting, incidents, verdicts
from mlctl.monitoring.alarms import mutes
from mlctl.monitoring.parse import completed, monitor_file, parse_monitor
from mlctl.monitoring.report import committed
from mlctl.monitoring.results import Alarm, MonitorReport
from mlctl.monitoring.sides import Sides
from mlctl.monitoring.sources import opened
from mlctl.monitoring.spec import MonitorSpec

if TYPE_CHECKING:
    pass

StrPath = str | os.PathLike[str]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PeriodRun:
    """The report on one period; `changed` is off where all of its files were there as they are."""

    report: MonitorReport
    paths: tuple[str, ...]
    changed: bool


@dataclass(frozen=True, slots=True)
class MonitorRun:
    """One run of a monitor. `periods` are those looked at, ascending; `going_on` is not over yet.

    `touched` are the files that were written. `failed` says that the monitor asks for a failure on
    the newest of the periods.
    """

    spec: MonitorSpec
    periods: tuple[PeriodRun, ...]
    touched: tuple[str, ...]
    going_on: str
    failed: bool


def monitor_names(root: StrPath) -> list[str]:
    """The monitors of the repository, sorted."""
    found = Path(root, "monitors").glob("*.yaml")
    return sorted(path.stem for path in found if path.name != mutes.FILE_NAME)


def load_monitor(root: StrPath, name: str) -> MonitorSpec:
    """The monitor `name`. Raises InvalidInput where there is none, ConfigError for a wrong one."""
    key = monitor_file(name)
    if not Path(root, key).is_file():
        hint = suggestion(name, monitor_names(root)) or "`mlctl monitor init NAME` proposes one"
        raise InvalidInput(f"no monitor is called {name!r}", hint=hint)
    return parse_monitor(files.read_text(Path(root, key), name=key), name=name)


def run_monitor(
    root: StrPath,
    name: str,
    *,
    since: str | None = None,
    until: str | None = None,
    unfinished: bool = False,
    progress: Progress = lambda _: None,
) -> MonitorRun:
    """Compare the periods of the monitor `name` that are due, and write a report on each.

    Due are those without a report, those whose labels are not final, and the newest; with `since`
    or `until` all between them. A period that is not over is left out unless `unfinished`. The
    files follow from the monitor, its data and the reports before: running again changes nothing.

    Raises InvalidInput or ConfigError where the monitor or its data cannot be used, and NotAble
    where nothing could be checked for want of readable data.
    """
    spec = load_monitor(root, name)
    known = {report.period: report for report in committed.newest(root, name)}
    with ExitStack() as stack:
        current = stack.enter_context(opened(root, spec.current, role="current"))
        spec = completed(spec, current.schema)
        sides = Sides.open(stack, root, spec, current)
        columns = choosing.choose(spec, sides.schema, file=monitor_file(name))
        reference = current if spec.reference.before else sides.source
        cuts = cutting.cut(spec, current, reference, since=since, until=until)
        finished = cuts if unfinished else choice.over(cuts, _now())
        due = finished if since or until else choice.due(finished, known)
        going_on = cuts[-1].period.name if len(finished) < len(cuts) else ""
        # Imported here, now that Polars and numpy are known to be there.
        from mlctl.monitoring.examining import examine

        reports = examine(spec, columns, sides, current, due, progress=progress)
    written = _write(root, spec, reports, known)
    runs = tuple(written[report.period] for report in reports)
    _check_anything(runs)
    touched = tuple(path for run in written.values() if run.changed for path in run.paths)
    if touched:
        touched += tuple(dict.fromkeys(it.key for it in incidents.update(root, name)))
    newest = runs[-1].report if runs else None
    failed = newest is not None and verdicts.fails(spec.fail_on, newest.verdict, newest.alarm.state)
    return MonitorRun(spec, runs, touched, going_on, failed)


def _now() -> datetime:
    return datetime.fromtimestamp(clock.now(), UTC)


def _write(
    root: StrPath,
    spec: MonitorSpec,
    reports: Sequence[MonitorReport],
    known: dict[str, MonitorReport],
) -> dict[str, PeriodRun]:
    """Every report with its alarm, the oldest first; then those after whose alarm that changes."""
    muted = mutes.load(root)
    runs: dict[str, PeriodRun] = {}
    changed = False
    for report in reports:
        judged = replace(report, alarm=_alarm(spec, report, known, muted))
        runs[report.period] = _written(root, judged, known)
        changed |= runs[report.period].changed
    if reports and changed:
        for later in choice.after(known, reports[0]):
            alarm = _alarm(spec, later, known, muted)
            if later.period not in runs and alarm != later.alarm:
                runs[later.period] = _written(root, replace(later, alarm=alarm), known)
    return runs


def _alarm(
    spec: MonitorSpec, report: MonitorReport, known: dict[str, MonitorReport], muted: mutes.Mutes
) -> Alarm:
    return alarms.decide(spec, report, choice.before(known, report), muted)


def _written(root: StrPath, report: MonitorReport, known: dict[str, MonitorReport]) -> PeriodRun:
    done = committed.write(root, report)
    known[report.period] = done.report
    return PeriodRun(done.report, done.paths, done.changed)


def _check_anything(runs: Sequence[PeriodRun]) -> None:
    """Raise NotAble where errors kept every period from being judged; the reports are written."""
    if not runs or any(run.report.verdict != "insufficient" for run in runs):
        return
    errors = [f for run in runs for f in run.report.findings if f.severity == "error"]
    if errors:
        raise NotAble(
            f"{runs[-1].report.monitor}: nothing could be checked: {errors[0].text}",
            hint=f"the findings stand in {runs[-1].paths[-1]}",
        )
