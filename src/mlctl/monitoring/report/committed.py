"""The reports in `reports/monitoring/<name>/`: found, read and written."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from mlctl.adapters import files
from mlctl.errors import InvalidInput
from mlctl.monitoring.parse import monitor_file
from mlctl.monitoring.report.record import parse_report, report_text, sealed
from mlctl.monitoring.results import MonitorReport

StrPath = str | os.PathLike[str]
FOLDER = "reports/monitoring"
_SORTS = re.compile(r"[0-9]{4}-|rows-")
_NAME = re.compile(r"(?P<period>.+)\.(?P<digest>[0-9a-f]{8})\.json")


@dataclass(frozen=True, slots=True)
class Written:
    """A report as it is committed; `changed` is off where all of its files were there as is."""

    report: MonitorReport
    paths: tuple[str, ...]
    changed: bool


def newest(root: StrPath, name: str) -> list[MonitorReport]:
    """The newest revision of each period, ascending. Raises ConfigError for a damaged file."""
    found: dict[str, MonitorReport] = {}
    for key in _keys(root, name):
        report = _read(root, key)
        known = found.get(report.period)
        if known is None or _rank(known) < _rank(report):
            found[report.period] = report
    return sorted(found.values(), key=lambda r: (r.end, r.start, r.period))


def revisions(root: StrPath, name: str, period: str) -> list[MonitorReport]:
    """All reports on a period, the oldest first."""
    keys = [key for key in _keys(root, name) if _period(key) == period]
    return sorted((_read(root, key) for key in keys), key=_rank)


def latest(root: StrPath, name: str, count: int) -> list[MonitorReport]:
    """The newest revisions of the last `count` periods, ascending; reads little more than these."""
    # Names of times and of row numbers sort; those of digests, of undated data, come before.
    known = {_period(key) for key in _keys(root, name)}
    names = sorted(known, key=lambda n: (_SORTS.match(n) is not None, n.rpartition("_")[2], n))
    return [revisions(root, name, period)[-1] for period in names[-count:]]


def count(root: StrPath, name: str) -> int:
    """How many periods have a report."""
    return len({_period(key) for key in _keys(root, name)})


def find(root: StrPath, name: str, period: str | None = None) -> MonitorReport:
    """The report on `period` (its newest revision, or a report's file name), None for the latest.

    Raises InvalidInput where there is none.
    """
    monitor_file(name)
    keys = _keys(root, name)
    if not keys:
        raise InvalidInput(
            f"no report of {name!r} is there", hint=f"run `mlctl monitor run {name}`"
        )
    if period is None:
        return latest(root, name, 1)[-1]
    if stems := [key for key in keys if Path(key).stem == period]:
        return _read(root, stems[0])
    if found := revisions(root, name, period):
        return found[-1]
    periods = sorted({_period(key) for key in keys})
    raise InvalidInput(
        f"{name!r} has no report of {period!r}", hint=f"latest: {', '.join(periods[-8:])}"
    )


def write(root: StrPath, report: MonitorReport) -> Written:
    """Write the report as JSON, Markdown and HTML, as a new revision where its content is new.

    What is there already is left as it is. The JSON is written last: who sees it finds the others.
    """
    known = revisions(root, report.monitor, report.period)
    last = known[-1] if known else None
    done = sealed(replace(report, revision=last.revision if last else 1))
    if last is not None and done.digest != last.digest:
        done = sealed(replace(report, revision=last.revision + 1))
    from mlctl.monitoring.report.markdown import to_markdown
    from mlctl.monitoring.report.page import to_html

    text = report_text(done)
    shown = parse_report(text, name="")  # so that the others are drawn from what is committed
    base = f"{FOLDER}/{done.monitor}/{done.stem}"
    texts = {
        f"{base}.md": to_markdown(shown),
        f"{base}.html": to_html(shown),
        f"{base}.json": text,
    }
    changed = [key for key in texts if not _holds(Path(root, key), texts[key])]
    for key in changed:
        files.write_text(Path(root, key), texts[key])
    return Written(shown, tuple(sorted(texts)), bool(changed))


def _rank(report: MonitorReport) -> tuple[int, int, str]:
    """The higher counts: of two branches' revisions the one that knows more labels."""
    return report.revision, report.labels.known if report.labels else 0, report.digest


def _keys(root: StrPath, name: str) -> list[str]:
    try:
        names = os.listdir(Path(root, FOLDER, name))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(f"{FOLDER}/{name}/{file}" for file in names if _NAME.fullmatch(file))


def _period(key: str) -> str:
    found = _NAME.fullmatch(key.rpartition("/")[2])
    return found["period"] if found else ""


def _read(root: StrPath, key: str) -> MonitorReport:
    return parse_report(files.read_text(Path(root, key), name=key), name=key)


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode("utf-8")
    except FileNotFoundError:
        return False
