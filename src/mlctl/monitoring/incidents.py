"""Incidents: one file for each spell of bad periods, so that people hear of it once.

`reports/monitoring/<name>/incidents/<since>.json` is committed with the reports: a run on another
machine knows what was told. The format is described in docs/formats/incident.md.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from mlctl.adapters import files
from mlctl.errors import ConfigError
from mlctl.monitoring.report.committed import FOLDER, newest
from mlctl.monitoring.results import MonitorReport
from mlctl.records.canonical import pretty
from mlctl.records.schema import load_record

StrPath = str | os.PathLike[str]
KIND, VERSION = "incident", 1
Said = Literal["opened", "closed"]


@dataclass(frozen=True, slots=True)
class Incident:
    """A spell of raised alarms: `opened` is the period of the first, `last` of the latest.

    `closed` is the first quiet period after, empty while it goes on. `told` says what each channel
    has heard already.
    """

    monitor: str
    since: str
    opened: str
    last: str
    verdict: str
    columns: tuple[str, ...] = ()
    closed: str = ""
    told: Mapping[str, Said] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Its file."""
        return f"{FOLDER}/{self.monitor}/incidents/{self.since}.json"

    def owes(self, channel: str) -> Said | None:
        """What `channel` has not heard yet; an end is told where the beginning was."""
        said = self.told.get(channel)
        if said is None:
            return None if self.closed else "opened"
        return "closed" if self.closed and said == "opened" else None


def derived(name: str, reports: list[MonitorReport]) -> list[Incident]:
    """The incidents that the reports of a monitor (ascending) tell of. Pure."""
    found: list[Incident] = []
    going = False
    for report in reports:
        if report.verdict == "insufficient":
            continue
        if report.alarm.state == "raised":
            names = [c.name for c in report.columns if c.state == "drift"]
            names += [s.metric for s in report.scores if s.state == "degraded"]
            if going:
                columns = tuple(dict.fromkeys((*found[-1].columns, *names[:10])))[:10]
                found[-1] = replace(found[-1], last=report.period, columns=columns)
            else:
                since = report.alarm.since or report.period
                period, verdict = report.period, report.verdict
                found.append(Incident(name, since, period, period, verdict, tuple(names[:10])))
            going = True
        elif going:
            found[-1] = replace(found[-1], closed=report.period)
            going = False
    return found


def update(root: StrPath, name: str) -> list[Incident]:
    """Bring the incidents' files in line with the reports; all of them, the latest last.

    What was told stays told. An incident that a later revision undid is closed, not deleted.
    """
    known = {incident.since: incident for incident in load(root, name)}
    current = []
    for incident in derived(name, newest(root, name)):
        before = known.pop(incident.since, None)
        current.append(replace(incident, told=before.told) if before else incident)
    current += [it if it.closed else replace(it, closed=it.last) for it in known.values()]
    current.sort(key=lambda incident: incident.since)
    for incident in current:
        write(root, incident)
    return current


def load(root: StrPath, name: str) -> list[Incident]:
    """The incidents of a monitor, the latest last. Raises ConfigError for a damaged file."""
    folder = Path(root, FOLDER, name, "incidents")
    keys = sorted(f"{FOLDER}/{name}/incidents/{path.name}" for path in folder.glob("*.json"))
    return [parse(files.read_text(Path(root, key), name=key), name=key) for key in keys]


def write(root: StrPath, incident: Incident) -> bool:
    """Write its file; off where it says the same already."""
    text = pretty({"schema": f"mlctl.{KIND}/{VERSION}", **asdict(incident)})
    path = Path(root, incident.key)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    files.write_text(path, text)
    return True


def parse(text: str, *, name: str) -> Incident:
    """The incident in `text`. Raises ConfigError for none, or a newer one."""
    data: dict[str, Any] = dict(load_record(text, kind=KIND, newest=VERSION, name=name))
    data.pop("schema")
    try:
        return Incident(**{**data, "columns": tuple(data.get("columns", ()))})
    except TypeError as error:
        hint = f"restore it from git: git checkout HEAD -- {name}"
        raise ConfigError(f"not an incident: {error}", file=name, hint=hint) from None


def as_json(incident: Incident) -> dict[str, Any]:
    """For `--json`."""
    data: dict[str, Any] = json.loads(json.dumps(asdict(incident)))
    return data
