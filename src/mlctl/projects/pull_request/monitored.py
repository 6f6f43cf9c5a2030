"""The monitoring reports that only the newer side of a pull request has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mlctl.errors import MlctlError
from mlctl.monitoring.report.committed import FOLDER
from mlctl.monitoring.report.markdown import headline
from mlctl.monitoring.report.record import parse_report
from mlctl.monitoring.results import MonitorReport
from mlctl.outputs.trees import Tree

MOST = 100  # reports that are read, the latest
_REPORT = re.compile(rf"{FOLDER}/[^/]+/[^/]+\.[0-9a-f]{{8}}\.json")


@dataclass(frozen=True, slots=True)
class Monitored:
    """What a monitor says of a period: its verdict, one sentence, and where the report lies."""

    monitor: str
    period: str
    verdict: str
    alarm: str
    said: str
    report: str


def monitored(old: Tree, new: Tree, notes: list[str]) -> Iterator[Monitored]:
    """The newest revision of each period that has a new one, by monitor and period."""
    known = set(old.expand(FOLDER))
    added = [k for k in new.expand(FOLDER) if k not in known and _REPORT.fullmatch(k)]
    newest: dict[tuple[str, str], tuple[MonitorReport, str]] = {}
    for key in sorted(added)[-MOST:]:
        try:
            report = parse_report(new.text(key), name=key)
        except MlctlError as error:
            notes.append(f"{key}: {error}")
            continue
        before = newest.get((report.monitor, report.period))
        if before is None or before[0].revision < report.revision:
            newest[report.monitor, report.period] = (report, key)
    for (monitor, period), (report, key) in sorted(newest.items()):
        yield Monitored(monitor, period, report.verdict, report.alarm.state, headline(report), key)
