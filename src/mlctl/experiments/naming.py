"""Parameters and metrics of several files under one dotted name each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mlctl.records.run_stages import StageRecord


def merged(by_file: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Values of several files under one name each; the file is named where names collide."""
    names: dict[str, int] = {}
    for values in by_file.values():
        for name in values:
            names[name] = names.get(name, 0) + 1
    return {
        name if names[name] == 1 else f"{file}:{name}": value
        for file, values in by_file.items()
        for name, value in values.items()
    }


def params_of(stages: Iterable[StageRecord]) -> dict[str, Any]:
    """All parameters that stages read or logged, by dotted name."""
    by_file: dict[str, dict[str, Any]] = {}
    for stage in stages:
        for file, values in stage.params.items():
            by_file.setdefault(file, {}).update(flat(values))
        if stage.logged:
            by_file[stage.address] = dict(stage.logged)
    return merged(by_file)


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted name."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            found.update(flat(value, f"{prefix}{name}."))
        else:
            found[f"{prefix}{name}"] = value
    return found
