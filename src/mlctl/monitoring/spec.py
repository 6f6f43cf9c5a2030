"""`monitors/<name>.yaml`: what is compared with what, and when that is drift.

The format is described in docs/formats/monitoring.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, NoReturn

from mlctl.adapters import yaml
from mlctl.errors import ConfigError, InvalidInput

SCHEMA = "mlctl.monitor/1"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
FailOn = Literal["never", "drift"]


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
    min_rows: int = 30
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
    reader = _Reader(text, monitor_file(name))
    data = yaml.load(text, name=reader.file)
    if not isinstance(data, dict):
        reader.fail("a mapping is expected here", ())
    known = ("schema", "reference", "current", "time", "columns", "thresholds", "min_rows")
    top = reader.mapping(data, (), (*known, "fail_on"))
    if top.get("schema") != SCHEMA:
        reader.schema(top.get("schema"))
    columns = reader.mapping(top.get("columns") or {}, ("columns",), ("include", "exclude"))
    return MonitorSpec(
        name=name,
        reference=reader.source(top, "reference"),
        current=reader.source(top, "current"),
        time=reader.text(top["time"], ("time",)) if top.get("time") is not None else None,
        include=reader.names(columns.get("include"), ("columns", "include")),
        exclude=reader.names(columns.get("exclude"), ("columns", "exclude")),
        thresholds=_thresholds(reader, top.get("thresholds") or {}),
        min_rows=reader.whole(top.get("min_rows", 30), ("min_rows",)),
        fail_on=_fail_on(reader, top.get("fail_on", "never")),
    )


def _thresholds(reader: _Reader, data: Any) -> Thresholds:
    given = reader.mapping(data, ("thresholds",), ("q", "effect", "missing", "share"))
    return Thresholds(
        **{key: reader.share(value, ("thresholds", key)) for key, value in given.items()}
    )


def _fail_on(reader: _Reader, value: Any) -> FailOn:
    if value not in {"never", "drift"}:
        reader.fail(f"{value!r} is not known", ("fail_on",), "one of: never, drift")
    return "drift" if value == "drift" else "never"


@dataclass(frozen=True, slots=True)
class _Reader:
    """The checks of single values, each with the place for its error."""

    source_text: str
    file: str

    def fail(self, message: str, path: tuple[str | int, ...], hint: str | None = None) -> NoReturn:
        raise ConfigError(
            message,
            file=self.file,
            where=".".join(str(step) for step in path) or None,
            line=yaml.line_of(self.source_text, path),
            hint=hint,
        )

    def schema(self, value: Any) -> NoReturn:
        newer = isinstance(value, str) and re.fullmatch(r"mlctl\.monitor/\d+", value)
        if newer and int(str(value).rsplit("/", 1)[1]) > 1:
            self.fail(f"{value} is newer than this mlctl knows", ("schema",), "update mlctl")
        said = "is missing" if value is None else f"is {value!r}"
        self.fail(f"the schema {said}", ("schema",), f"write `schema: {SCHEMA}`")

    def mapping(
        self, value: Any, path: tuple[str | int, ...], known: tuple[str, ...]
    ) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            self.fail("a mapping is expected here", path)
        for key in value:
            if key not in known:
                close = get_close_matches(str(key), known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
                self.fail(f"unknown key {key!r}", (*path, str(key)), hint)
        return value

    def source(self, top: Mapping[str, Any], side: str) -> str:
        if top.get(side) is None:
            self.fail(f"{side!r} is missing", (), f"write `{side}: {{path: data/….parquet}}`")
        path = self.mapping(top[side], (side,), ("path",)).get("path")
        if path is None:
            self.fail("'path' is missing", (side,))
        path = self.text(path, (side, "path"))
        if path.startswith(("/", "~")) or ".." in path.split("/"):
            self.fail(
                f"{path!r} lies outside of the repository",
                (side, "path"),
                "a path from the root of the repository is expected",
            )
        return path

    def text(self, value: Any, path: tuple[str | int, ...]) -> str:
        if not isinstance(value, str) or not value:
            self.fail(f"a text is expected, not {value!r}", path)
        return value

    def names(self, value: Any, path: tuple[str | int, ...]) -> tuple[str, ...]:
        if value is None:
            return ()
        if not isinstance(value, list):
            self.fail("a list of column names is expected", path)
        return tuple(self.text(item, (*path, at)) for at, item in enumerate(value))

    def whole(self, value: Any, path: tuple[str | int, ...]) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self.fail(f"a whole number from 1 on is expected, not {value!r}", path)
        return value

    def share(self, value: Any, path: tuple[str | int, ...]) -> float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 < value <= 1:
            self.fail(f"a number above 0 and up to 1 is expected, not {value!r}", path)
        return float(value)
