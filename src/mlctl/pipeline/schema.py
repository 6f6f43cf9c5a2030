"""The shape of `dvc.yaml` and `.dvc` files, checked before anything else reads them.

Pure: the parsed data comes in, and what cannot be raises ConfigError with file, YAML path and line.
The rules are DVC 3.67's (dvc/schema.py, dvc/output.py, dvc/annotations.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlctl.errors import suggestion
from mlctl.records.source import Source, YamlPath, kind_of

Check = Callable[[Source, Any, YamlPath], None]


def check_pipeline(data: Any, source: Source) -> None:
    """Raise ConfigError where the parsed `dvc.yaml` is not one that DVC takes."""
    _PIPELINE(source, data, ())


def check_dvc_file(data: Any, source: Source) -> None:
    """Raise ConfigError where the parsed `.dvc` file is not one that DVC takes."""
    _DVC_FILE(source, data, ())


def _fail(source: Source, path: YamlPath, wanted: str, value: Any) -> None:
    hint = None
    if isinstance(value, str) and wanted.startswith("a list"):
        hint = "write it as a list, also where it is one item: `- item`"
    elif isinstance(value, bool | int | float) and wanted == "a string":
        hint = f'put it in quotes: "{str(value).lower() if isinstance(value, bool) else value}"'
    raise source.error(path, f"expected {wanted}, got {kind_of(value)}", hint=hint)


def _is(wanted: str, *types: type) -> Check:
    def check(source: Source, value: Any, path: YamlPath) -> None:
        if not isinstance(value, types):
            _fail(source, path, wanted, value)

    return check


def _anything(_source: Source, _value: Any, _path: YamlPath) -> None:
    pass


def _list_of(item: Check) -> Check:
    def check(source: Source, value: Any, path: YamlPath) -> None:
        if not isinstance(value, list):
            _fail(source, path, "a list", value)
        for index, entry in enumerate(value):
            item(source, entry, (*path, index))

    return check


def _mapping_of(item: Check) -> Check:
    """A mapping of names that the user chooses."""

    def check(source: Source, value: Any, path: YamlPath) -> None:
        _need_mapping(source, value, path)
        for key, entry in value.items():
            item(source, entry, (*path, key))

    return check


def _keys(known: Mapping[str, Check], required: tuple[str, ...] = ()) -> Check:
    """A mapping of known keys only."""

    def check(source: Source, value: Any, path: YamlPath) -> None:
        _need_mapping(source, value, path)
        for key, entry in value.items():
            if key not in known:
                raise source.error(
                    (*path, key), f"unknown key '{key}'", hint=suggestion(key, known)
                )
            known[key](source, entry, (*path, key))
        for key in required:
            if key not in value:
                raise source.error(path, f"'{key}' is missing", hint=f"add `{key}: ...` here")

    return check


def _need_mapping(source: Source, value: Any, path: YamlPath) -> None:
    if not isinstance(value, dict):
        _fail(source, path, "a mapping", value)
    for key in value:
        if not isinstance(key, str):
            raise source.error(
                path, f"the key {key!r} is not a string", hint=f'put it in quotes: "{key}"'
            )


def _str_or(other: Check, *types: type, wanted: str) -> Check:
    """A string, or what `other` takes."""

    def check(source: Source, value: Any, path: YamlPath) -> None:
        if isinstance(value, str):
            return
        if not isinstance(value, types):
            _fail(source, path, f"a string or {wanted}", value)
        other(source, value, path)

    return check


def _or_nothing(other: Check) -> Check:
    def check(source: Source, value: Any, path: YamlPath) -> None:
        if value is not None:
            other(source, value, path)

    return check


def _stage(source: Source, value: Any, path: YamlPath) -> None:
    if isinstance(value, dict) and ("foreach" in value or "do" in value):
        _foreach(source, value, path)
    else:
        _STAGE(source, value, path)


def _foreach(source: Source, value: dict[Any, Any], path: YamlPath) -> None:
    for key in value:
        if key not in _FOREACH:
            raise source.error(
                (*path, key), f"'{key}' cannot stand beside 'foreach'", hint="move it under `do`"
            )
    _keys(_FOREACH, required=("foreach", "do"))(source, value, path)


def _plot(source: Source, value: Any, path: YamlPath) -> None:
    if not value:
        _fail(source, path, "a mapping of one plot", value)
    _mapping_of(_or_nothing(_keys(_PLOT)))(source, value, path)


def _checksum(source: Source, value: Any, path: YamlPath) -> None:
    if value is None or value == "":
        return
    if not isinstance(value, str) or len(value) < 3:
        hint = "put it in quotes" if isinstance(value, int) else "restore the file from git"
        raise source.error(path, f"{value!r} is not a checksum", hint=hint)


def _cloud(source: Source, value: Any, path: YamlPath) -> None:
    _mapping_of(_keys({**_META, **_CHECKSUMS}))(source, value, path)
    if len(value) > 1:
        raise source.error(path, "expected one remote, got several")


_str = _is("a string", str)
_bool = _is("true or false", bool)
_int = _is("a whole number", int)
_dict = _is("a mapping", dict)

_ANNOTATIONS: dict[str, Check] = {
    "desc": _str,
    "type": _str,
    "labels": _list_of(_str),
    "meta": _anything,
}
_OUT_OPTIONS: dict[str, Check] = {
    **_ANNOTATIONS,
    "cache": _bool,
    "persist": _bool,
    "checkpoint": _bool,
    "remote": _str,
    "push": _bool,
}
_PLOT_OPTIONS: dict[str, Check] = {
    **_OUT_OPTIONS,
    **dict.fromkeys(("template", "x", "y", "x_label", "y_label", "title"), _str),
    "header": _bool,
}
_OUTS = _list_of(_str_or(_mapping_of(_keys(_OUT_OPTIONS)), dict, wanted="a mapping"))
_VARS = _list_of(_is("a string or a mapping", str, dict))

STAGE_KEYS: dict[str, Check] = {
    "cmd": _is("a string or a list", str, list),
    "wdir": _str,
    "deps": _list_of(_str),
    "params": _list_of(_is("a string or a mapping", str, dict)),
    "outs": _OUTS,
    "metrics": _OUTS,
    "plots": _list_of(_str_or(_mapping_of(_keys(_PLOT_OPTIONS)), dict, wanted="a mapping")),
    "frozen": _bool,
    "always_changed": _bool,
    "desc": _str,
    "meta": _anything,
    "vars": _VARS,
    "matrix": _mapping_of(_is("a string or a list", str, list)),
}
_STAGE = _keys(STAGE_KEYS, required=("cmd",))
_FOREACH: dict[str, Check] = {
    "foreach": _is("a list, a mapping or a string", dict, list, str),
    "do": _STAGE,
}
_PLOT: dict[str, Check] = {
    "x": _str_or(_mapping_of(_str), dict, wanted="a mapping"),
    "y": _is("a string, a list or a mapping", str, list, dict),
    **dict.fromkeys(("x_label", "y_label", "title", "template"), _str),
}
_PIPELINE = _keys(
    {
        "stages": _mapping_of(_stage),
        "vars": _VARS,
        "params": _list_of(_str),
        "metrics": _list_of(_str),
        "plots": _list_of(_str_or(_plot, dict, wanted="a mapping")),
        "artifacts": _mapping_of(_keys({"path": _str, **_ANNOTATIONS}, required=("path",))),
        "datasets": _list_of(_anything),
    }
)

_CHECKSUMS: dict[str, Check] = dict.fromkeys(("md5", "etag", "checksum"), _checksum)
_META: dict[str, Check] = {"size": _int, "nfiles": _int, "isexec": _bool, "version_id": _str}
_ENTRY: dict[str, Check] = {
    **_CHECKSUMS,
    **_META,
    "path": _str,
    "persist": _bool,
    "cloud": _cloud,
    "hash": _str,
    "files": _list_of(
        _keys({**_CHECKSUMS, **_META, "relpath": _str, "cloud": _cloud}, required=("relpath",))
    ),
    "fs_config": _dict,
}
_REPO: dict[str, Check] = {
    "url": _str,
    "rev": _str,
    "rev_lock": _str,
    "config": _is("a string or a mapping", str, dict),
    "remote": _is("a string or a mapping", str, dict),
}
_DB: dict[str, Check] = dict.fromkeys(("query", "connection", "file_format", "table"), _str)
_DVC_FILE = _keys(
    {
        "outs": _or_nothing(
            _list_of(
                _keys(
                    {**_ENTRY, **_ANNOTATIONS, "cache": _bool, "remote": _str, "push": _bool},
                    required=("path",),
                )
            )
        ),
        "deps": _or_nothing(
            _list_of(_keys({**_ENTRY, "repo": _keys(_REPO, required=("url",)), "db": _keys(_DB)}))
        ),
        "wdir": _or_nothing(_str),
        "md5": _checksum,
        "frozen": _bool,
        "locked": _bool,
        "always_changed": _bool,
        "desc": _str,
        "meta": _anything,
    }
)
