"""Metrics and parameters as data: parsed, cut to what is asked, flattened and compared.

Pure. The meaning follows `dvc metrics` and `dvc params` of DVC 3.67 (dvc/repo/metrics/show.py,
dvc/utils/diff.py), but that NaN equals NaN and that a
yes or no has no difference.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from mlctl.errors import ConfigError
from mlctl.pipeline import params


@dataclass(frozen=True, slots=True)
class FileValues:
    """What one file holds, or why it could not be read; `path` is a key."""

    path: str
    data: Any = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One value in two revisions, None where it is not there; `diff` for two numbers."""

    path: str
    name: str
    old: Any
    new: Any

    @property
    def changed(self) -> bool:
        return not _same(self.old, self.new)

    @property
    def diff(self) -> float | None:
        if not _is_number(self.old) or not _is_number(self.new):
            return None
        return self.new - self.old  # type: ignore[no-any-return]


def parse(text: str, key: str, load_yaml: params.LoadYaml) -> Any:
    """The data in a file, by its ending: JSON, TOML, constants of a Python module, else YAML.

    Raises ConfigError where it does not parse.
    """
    suffix = PurePosixPath(key).suffix.lower()
    if suffix in {".toml", ".py"}:
        return params.parse(text, suffix, key, load_yaml=load_yaml)
    if suffix != ".json":
        return load_yaml(text, name=key)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"not valid JSON: {error.msg}", file=key, line=error.lineno) from None
    except RecursionError:
        raise ConfigError("not valid JSON: nested too deeply", file=key) from None


def metrics_only(data: Any) -> Any:
    """Numbers, words and tables of them; lists, nulls and what is then empty fall away."""
    kept = _metrics(data)
    return {} if kept is None else kept


def named(data: Any, names: Sequence[str]) -> Any:
    """The part of `data` under the dotted `names`, nested as it was; all of it without names."""
    if not names:
        return data
    result: dict[str, Any] = {}
    for name in names:
        found = _find(data, name)
        if found is not None:
            _insert(result, *found)
        elif isinstance(data, dict):  # a pattern, or an item of a list
            result.update(params.select(data, [name]))
    return result


def flatten(data: Any) -> dict[str, Any]:
    """Dotted name -> value; lists become text, as DVC compares them, and empty tables vanish."""
    if not isinstance(data, dict):
        return {"": data}
    return dict(_flat(data, ""))


def compare(
    old: Sequence[FileValues], new: Sequence[FileValues], *, unchanged: bool = False
) -> list[Change]:
    """Every value that differs (with `unchanged` all of them), by file and name."""
    before = {file.path: flatten(file.data) for file in old if file.data not in (None, {})}
    after = {file.path: flatten(file.data) for file in new if file.data not in (None, {})}
    changes = [
        Change(path, name, before.get(path, {}).get(name), after.get(path, {}).get(name))
        for path in dict.fromkeys((*before, *after))
        for name in sorted({*before.get(path, {}), *after.get(path, {})})
    ]
    return [change for change in changes if unchanged or change.changed]


def _is_number(value: Any) -> bool:
    """Whether a difference says something; True - False does not, nor does NaN."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _metrics(data: Any) -> Any:
    if isinstance(data, int | float | str):
        return data
    if not isinstance(data, dict):
        return None
    kept = {key: _metrics(value) for key, value in data.items()}
    return {key: value for key, value in kept.items() if value is not None and value != {}}


def _find(data: Any, name: str) -> tuple[tuple[str, ...], Any] | None:
    """The keys of a dotted name and its value; a key may itself hold dots."""
    if not isinstance(data, dict):
        return None
    for key, value in data.items():
        if str(key) == name:
            return (str(key),), value
        if name.startswith(f"{key}.") and (rest := _find(value, name[len(str(key)) + 1 :])):
            return (str(key), *rest[0]), rest[1]
    return None


def _insert(table: dict[str, Any], keys: tuple[str, ...], value: Any) -> None:
    *parents, last = keys
    for key in parents:
        inner = table.get(key)
        table[key] = dict(inner) if isinstance(inner, dict) else {}
        table = table[key]
    table[last] = value


def _flat(data: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value) if isinstance(value, list | tuple) else value


def _same(old: Any, new: Any) -> bool:
    return bool(old == new or (old != old and new != new))
