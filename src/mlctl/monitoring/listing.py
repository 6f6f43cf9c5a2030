"""Every monitor, with the latest of its reports."""

from __future__ import annotations

import os
from dataclasses import dataclass

from mlctl.monitoring.report import committed
from mlctl.monitoring.results import MonitorReport
from mlctl.monitoring.running import load_monitor, monitor_names
from mlctl.monitoring.spec import MonitorSpec

StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class MonitorEntry:
    """One monitor, how many periods have a report, and the latest, None before the first."""

    spec: MonitorSpec
    reports: int
    latest: MonitorReport | None

    @property
    def reference(self) -> str:
        """What current data is compared with, in a word or two."""
        it = self.spec.reference
        if it.before:
            return f"the {it.before} periods before"
        return it.where.label if it.where is not None else it.baseline or it.model


def list_monitors(root: StrPath) -> list[MonitorEntry]:
    """All monitors, by name. Raises ConfigError for a monitor or a report that is wrong."""
    found = []
    for name in monitor_names(root):
        latest = committed.latest(root, name, 1)
        periods = committed.count(root, name)
        found.append(
            MonitorEntry(load_monitor(root, name), periods, latest[-1] if latest else None)
        )
    return found
