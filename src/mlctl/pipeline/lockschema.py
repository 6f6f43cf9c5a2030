"""The shape of one stage's entry in `dvc.lock` and in the run-cache, as DVC's schema has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Protocol


class Fail(Protocol):
    """Raises the error for a message and the YAML path that it is about."""

    def __call__(self, message: str, where: str, hint: str | None = None) -> NoReturn: ...


def check_stage(body: Any, where: str, fail: Fail) -> None:
    """Call `fail` unless `body` is an entry that DVC's lock schema accepts."""
    if not isinstance(body, Mapping):
        fail("must be a mapping with `cmd`, `deps`, `params` and `outs`", where)
    if "cmd" not in body:
        fail("`cmd` is missing", where)
    for key, value in body.items():
        check = _SECTIONS.get(key)
        if check is None:
            fail(f"unknown key; a lock entry has {', '.join(_SECTIONS)}", f"{where}.{key}")
        check(value, f"{where}.{key}", fail)


def _check_cmd(value: Any, where: str, fail: Fail) -> None:
    if not isinstance(value, (str, list)):
        fail("must be a command or a list of commands", where)


def _check_paths(value: Any, where: str, fail: Fail) -> None:
    if not isinstance(value, list):
        fail("must be a list", where)
    for number, item in enumerate(value):
        place = f"{where}.{number}"
        if not isinstance(item, Mapping):
            fail("must be a mapping with a `path`", place)
        if "path" not in item:
            fail("`path` is missing", place)
        for key, field in item.items():
            accepts = _FIELDS.get(key)
            if accepts is None:
                fail("unknown key", f"{place}.{key}")
            if not accepts(field):
                fail(f"invalid value {field!r}", f"{place}.{key}")


def _check_params(value: Any, where: str, fail: Fail) -> None:
    if not isinstance(value, Mapping):
        fail("must be a mapping of params files", where)
    for file, values in value.items():
        if not isinstance(file, str) or not isinstance(values, Mapping):
            fail("must be a mapping of parameters", f"{where}.{file}")
        for key in values:
            if not isinstance(key, str):
                fail("a parameter's name must be a string", f"{where}.{file}.{key}")


_SECTIONS: dict[str, Callable[[Any, str, Fail], None]] = {
    "cmd": _check_cmd,
    "deps": _check_paths,
    "params": _check_params,
    "outs": _check_paths,
}


def _is_str(value: Any) -> bool:
    return isinstance(value, str)


def _is_int(value: Any) -> bool:
    return isinstance(value, int)


def _is_digest(value: Any) -> bool:
    if value is None:
        return True
    text = str(value) if isinstance(value, (str, int)) else ""
    return value == "" or len(text) >= 3


_FIELDS: dict[str, Callable[[Any], bool]] = {
    "path": _is_str,
    "hash": _is_str,
    "md5": _is_digest,
    "etag": _is_digest,
    "checksum": _is_digest,
    "version_id": _is_str,
    "size": _is_int,
    "nfiles": _is_int,
    "isexec": lambda value: isinstance(value, bool),
    "cloud": lambda value: isinstance(value, Mapping),
    "files": lambda value: isinstance(value, list),
    "dataset": lambda value: isinstance(value, Mapping),
}
