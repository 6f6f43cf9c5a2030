"""`meta.mlctl` of a stage: how it is scheduled. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mlctl.errors import suggestion
from mlctl.pipeline.keys import can_be_passed
from mlctl.pipeline.spec import Each, Settings
from mlctl.records.source import Source, YamlPath, kind_of

_DEFAULT = Settings()
_MEMORY = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmgtKMGT]i?B?|B)?")
_POWERS = {"": 0, "B": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_SPAN = re.compile(r"(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+(?:\.[0-9]+)?)s)?")
_SECONDS = (86400, 3600, 60, 1)
_EACH_OPTIONS = {"over": "images", "out": "thumbs", "name": "'{stem}.png'"}
_EACH_EXAMPLE = "as in `each: {jobs: 4, keep_going: true}`"
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class _Wrong(Exception):
    """A value that cannot be: what was expected, and an example."""

    def __init__(self, expected: str, example: str, step: str | int | None = None) -> None:
        super().__init__(expected)
        self.expected = expected
        self.example = example
        self.step = step


def parse(meta: Any, source: Source, path: YamlPath) -> Settings:
    """The settings in a stage's `meta`, which stands at `path`; defaults where there are none.

    Raises ConfigError for an unknown key or a value that cannot be.
    """
    if not isinstance(meta, dict) or "mlctl" not in meta:
        return _DEFAULT
    given, path = meta["mlctl"], (*path, "mlctl")
    if not isinstance(given, dict):
        raise source.error(path, f"expected a mapping, got {kind_of(given)}")
    values: dict[str, Any] = {}
    for key, value in given.items():
        here = (*path, key)
        if key == "each":
            values[key] = _each(value, source, here)
            continue
        if key not in _READERS:
            known = [*_READERS, "each"]
            raise source.error(here, f"unknown key '{key}'", hint=suggestion(key, known))
        try:
            values[key] = _READERS[key](value)
        except _Wrong as wrong:
            place = here if wrong.step is None else (*here, wrong.step)
            raise source.error(
                place,
                f"expected {wrong.expected}, got {_shown(value)}",
                hint=f"as in {wrong.example}",
            ) from None
    return Settings(**values)


def memory_bytes(value: Any) -> int:
    """Bytes of `16G` and `512MiB` (powers of 1024), `2GB` (powers of 1000), or a plain number."""
    wrong = _Wrong("an amount of memory", "16G or 512MiB")
    if isinstance(value, int) and not isinstance(value, bool):
        number, unit = float(value), ""
    else:
        found = _MEMORY.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise wrong
        number, unit = float(found[1]), found[2] or ""
    base = 1000 if len(unit) == 2 and unit[1] == "B" else 1024
    amount = int(number * base ** _POWERS[unit[:1].upper()])
    if amount <= 0:
        raise wrong
    return amount


def seconds(value: Any) -> float:
    """Seconds of `2h`, `90s`, `1h30m`, `1d`, or a number of seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        total = float(value)
    else:
        found = _SPAN.fullmatch(value.replace(" ", "")) if isinstance(value, str) else None
        parts = found.groups() if found else ()
        total = sum(float(part or 0) * unit for part, unit in zip(parts, _SECONDS, strict=False))
    if not 0 < total < float("inf"):
        raise _Wrong("a span of time above zero", "90s, 1h30m or 2h")
    return total


def _each(given: Any, source: Source, path: YamlPath) -> Each:
    """How `mlctl each` goes about its items; what decides an out is not a setting."""
    if not isinstance(given, dict):
        raise source.error(path, f"expected a mapping, got {kind_of(given)}", hint=_EACH_EXAMPLE)
    for key, value in given.items():
        here = (*path, str(key))
        if key in _EACH_OPTIONS:
            raise source.error(
                here,
                f"'{key}' decides what is written, so it stands in the stage's cmd",
                hint=f"as in `cmd: mlctl each --{key} {_EACH_OPTIONS[key]} …`; DVC does not see "
                "`meta`, and would take old results for new ones",
            )
        if key not in ("jobs", "keep_going"):
            raise source.error(
                here, f"unknown key '{key}'", hint=suggestion(key, ("jobs", "keep_going"))
            )
        if key == "keep_going" and not isinstance(value, bool):
            message = f"expected true or false, got {_shown(value)}"
            raise source.error(here, message, hint=_EACH_EXAMPLE)
        if key == "jobs" and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            message = f"expected a whole number of at least 1, got {_shown(value)}"
            raise source.error(here, message, hint=_EACH_EXAMPLE)
    return Each(**given)


def _at_least(least: int, example: str) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise _Wrong(f"a whole number of at least {least}", example)
        return value

    return read


def _host(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise _Wrong("the name of a host", "`on: gpu`")
    return value


def _names(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    for index, name in enumerate(values):
        if not isinstance(name, str) or not name:
            step = index if isinstance(value, list) else None
            raise _Wrong("a name or a list of names", "`db` or `[db, disk]`", step)
    return tuple(dict.fromkeys(values))


def _env_names(value: Any) -> tuple[str, ...]:
    names = _names(value)
    for name in names:
        _check_env_name(name)
    return names


def _environment(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise _Wrong("a mapping of names to values", "`env: {OMP_NUM_THREADS: 4}`")
    environment = {}
    for name, item in value.items():
        _check_env_name(name)
        if not isinstance(item, str | int | float):
            raise _Wrong("strings and numbers", "`env: {OMP_NUM_THREADS: 4}`", name)
        if not can_be_passed(str(item)):
            raise _Wrong("text that a program can be given", "`env: {MODE: fast}`", name)
        environment[name] = str(item).lower() if isinstance(item, bool) else str(item)
    return environment


def _check_env_name(name: Any) -> None:
    if not isinstance(name, str) or not _ENV_NAME.fullmatch(name):
        raise _Wrong("names of letters, digits and '_'", "OMP_NUM_THREADS", str(name))


def _shown(value: Any) -> str:
    """A short value as it stands there; of others only what kind they are."""
    if isinstance(value, str):
        return f"'{value}'"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else kind_of(value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "on": _host,
    "cpus": _at_least(1, "`cpus: 4`"),
    "gpus": _at_least(0, "`gpus: 1`"),
    "memory": memory_bytes,
    "timeout": seconds,
    "retries": _at_least(0, "`retries: 2`"),
    "mutex": _names,
    "env": _environment,
    "env_from": _env_names,
}
