"""`monitors/<name>.yaml`: what is compared with what, and when that is drift.

The format is described in docs/formats/monitoring.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from mlctl.errors import InvalidInput
from mlctl.records.document import Document

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
FailOn = Literal["never", "drift"]

_FAIL_ON = ("never", "drift")
_THRESHOLDS = ("q", "effect", "missing", "share")
_KEYS = ("schema", "reference", "current", "time", "columns", "thresholds", "min_rows", "fail_on")
_MIN_ROWS = 30


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a column drifts, and (`share`) how many columns must for the data to have drifted.

    `q` bounds the false discovery rate, `effect` the distance of the distributions (0 to 1),
    `missing` the change in the share of missing values. No `share`: one column is enough.
    """

    q: float = 0.05
    effect: float = 0.1
    missing: float = 0.05
    share: float | None = None


@dataclass(frozen=True, slots=True)
class MonitorSpec:
    """One monitor. Paths are relative to the root and may be globs; column lists too."""

    name: str
    reference: str
    current: str
    time: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    thresholds: Thresholds = Thresholds()
    min_rows: int = _MIN_ROWS
    fail_on: FailOn = "never"


def monitor_file(name: str) -> str:
    """The key of a monitor's file. Raises InvalidInput for what cannot be a name."""
    if not NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} is no name of a monitor",
            hint="letters, digits, '.', '_' and '-' only, as in monitors/<name>.yaml",
        )
    return f"monitors/{name}.yaml"


def parse_monitor(text: str, *, name: str) -> MonitorSpec:
    """The monitor in `text`. Raises ConfigError that names file, YAML path and line."""
    document = Document.parse(text, file=monitor_file(name))
    document.check_schema("monitor", 1)
    document.keys(known=_KEYS)
    document.keys("columns", known=("include", "exclude"))
    return MonitorSpec(
        name=name,
        reference=_path(document, "reference"),
        current=_path(document, "current"),
        time=None if document.get("time") is None else document.text("time"),
        include=_names(document, "include"),
        exclude=_names(document, "exclude"),
        thresholds=_thresholds(document),
        min_rows=document.whole("min_rows", least=1) or _MIN_ROWS,
        fail_on=cast("FailOn", document.one_of("fail_on", known=_FAIL_ON, default="never")),
    )


def _path(document: Document, side: str) -> str:
    document.keys(side, known=("path",))
    if document.get(side) is None:
        hint = f"write `{side}: {{path: data/….parquet}}`"
        raise document.error((), f"{side!r} is missing", hint=hint)
    if document.get(side, "path") is None:
        raise document.error((side,), "'path' is missing")
    path = document.text(side, "path")
    if path.startswith(("/", "~")) or ".." in path.split("/"):
        raise document.error(
            (side, "path"),
            f"{path!r} lies outside of the repository",
            hint="a path from the root of the repository is expected",
        )
    return path


def _names(document: Document, key: str) -> tuple[str, ...]:
    names = document.items("columns", key, of="column names")
    return tuple(document.text("columns", key, index) for index in range(len(names)))


def _thresholds(document: Document) -> Thresholds:
    document.keys("thresholds", known=_THRESHOLDS)
    given = {key: document.share("thresholds", key, above=0) for key in _THRESHOLDS}
    return Thresholds(**{key: value for key, value in given.items() if value is not None})
