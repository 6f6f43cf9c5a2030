"""Baselines: a reference in at most 1 kB a column, without a row of it.

Edges of bins are rounded, counts in them are exact: they are taken after rounding. The format is
described in docs/formats/baseline.md.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlctl.adapters import files
from mlctl.errors import ConfigError, InvalidInput
from mlctl.monitoring.baseline_column import BaselineColumn, column_data, parse_column
from mlctl.monitoring.results import DataRef, Role
from mlctl.monitoring.spec import MonitorSpec
from mlctl.records.canonical import plain
from mlctl.records.schema import load_record

if TYPE_CHECKING:
    from mlctl.monitoring.cuts import Source

KIND, VERSION = "baseline", 1
SCHEMA = f"mlctl.{KIND}/{VERSION}"
FILE = "baseline.json"  # in a model's folder
StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A reference's columns, its data, and what its model's scores were (`performance`)."""

    ref: DataRef
    columns: Mapping[str, BaselineColumn]
    performance: Mapping[str, Any] | None = None
    season: str = ""
    file: str = field(default="", compare=False)


def default_path(name: str) -> str:
    """Where the baseline of the monitor `name` is kept."""
    return f"monitors/baselines/{name}.json"


def make(
    spec: MonitorSpec,
    columns: Sequence[tuple[str, Role]],
    source: Source,
    *,
    performance: Mapping[str, Any] | None = None,
) -> Baseline:
    """The baseline of all rows of `source`. Raises InvalidInput where there are none."""
    from mlctl.monitoring.baseline_making import season_rows, summarised

    if not source.ref.rows:
        raise InvalidInput(f"{source.ref.path}: the reference has no rows")
    seasons = season_rows(spec, source)
    found = {name: summarised(spec, source.read([name])[name], seasons) for name, _ in columns}
    return Baseline(source.ref, found, performance, spec.season or "")


def text(baseline: Baseline) -> str:
    """The baseline as it is committed: one line for each column."""
    ref = baseline.ref
    head: dict[str, Any] = {
        "schema": SCHEMA,
        "reference": {
            "path": ref.path, "files": ref.files, "rows": ref.rows, "digest": ref.digest,
        },
    }  # fmt: skip
    if baseline.season:
        head["season"] = baseline.season
    if baseline.performance:
        head["performance"] = baseline.performance
    lines = [f" {_compact(key)}: {_compact(value)}" for key, value in head.items()]
    columns = ",\n".join(f"  {_compact(column_data(c))}" for c in baseline.columns.values())
    lines.append(f' "columns": [\n{columns}\n ]' if columns else ' "columns": []')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def parse(text: str, *, name: str) -> Baseline:
    """The baseline in `text`; `name` is its file. Raises ConfigError for none, or a newer one."""
    data = load_record(text, kind=KIND, newest=VERSION, name=name)
    try:
        columns = [parse_column(column) for column in data["columns"]]
        return Baseline(
            DataRef(**data["reference"]),
            {column.name: column for column in columns},
            data.get("performance"),
            data.get("season", ""),
            name,
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ConfigError(
            f"not a baseline: {type(error).__name__}: {error}",
            file=name,
            hint=f"restore it from git: git checkout HEAD -- {name}, or make it anew",
        ) from None


def load(root: StrPath, spec: MonitorSpec) -> Baseline:
    """The baseline that the monitor is compared with.

    Raises InvalidInput where there is none, ConfigError where the file is none.
    """
    key = spec.reference.baseline or f"{spec.reference.model}/{FILE}"
    if not Path(root, key).is_file():
        what = f"the model {spec.reference.model} has no baseline"
        raise InvalidInput(
            what if spec.reference.model else f"{key}: no such file",
            hint=f"`mlctl monitor baseline {spec.name} --reference DATA -o {key}` makes it",
        )
    return parse(files.read_text(Path(root, key), name=key), name=key)


def _compact(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
