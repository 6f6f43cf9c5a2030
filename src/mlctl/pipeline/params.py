"""Parameters files: parsing each format, and looking up dotted names, as DVC does. Pure.

A name is dotted (`train.lr`, `layers.0`); each part may be a shell pattern, which must then match
one value only (DVC looks names up with dpath).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Protocol

from mlctl.errors import ConfigError, InvalidInput
from mlctl.records.source import kind_of


class LoadYaml(Protocol):
    """A YAML 1.2 reader, such as `adapters.yaml.load`."""

    def __call__(self, text: str, *, name: str) -> Any: ...


def parse(text: str, suffix: str, name: str, *, load_yaml: LoadYaml) -> dict[Any, Any]:
    """The mapping in a params file; `suffix` (`.toml`) picks the format, YAML where it is unknown.

    Raises ConfigError with `name` and the line for text that cannot be read or is no mapping.
    """
    data = _parser(suffix.lower(), load_yaml)(text, name)
    if not data:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(
            f"expected a mapping of parameters, got {kind_of(data)}",
            file=name,
            hint="write `name: value` pairs",
        )
    return data


def select(data: Mapping[Any, Any], names: Sequence[str]) -> dict[Any, Any]:
    """`{name: value}` of the names that exist, in the order given; all of `data` without names.

    Raises InvalidInput where a pattern matches more than one value.
    """
    if not names:
        return dict(data)
    found = {}
    for name in dict.fromkeys(names):
        values = list(_lookup(data, name))
        if len(values) > 1:
            raise InvalidInput(
                f"the parameter '{name}' stands for {len(values)} values", hint="name one of them"
            )
        if values:
            found[name] = values[0]
    return found


def dotted_names(data: Mapping[Any, Any], prefix: str = "") -> Iterator[str]:
    """The names of all values in nested mappings, as `params` of a stage would name them."""
    for name, value in data.items():
        yield f"{prefix}{name}"
        if isinstance(value, dict):
            yield from dotted_names(value, f"{prefix}{name}.")


def missing(data: Mapping[Any, Any], names: Sequence[str]) -> tuple[str, ...]:
    """The names that do not exist, in the order given."""
    found = select(data, names)
    return tuple(name for name in dict.fromkeys(names) if name not in found)


def same_value(actual: Any, locked: Any) -> bool:
    """Whether a value equals what the lock holds: a tuple of a Python file is a list there."""
    if isinstance(actual, tuple):
        return bool(actual == locked or list(actual) == locked)
    return bool(actual == locked)


def in_lock_order(values: Mapping[str, Mapping[Any, Any]]) -> dict[str, dict[Any, Any]]:
    """Params files and names in the order that `dvc.lock` has: sorted, `params.yaml` first.

    Values keep their own order, as in DVC (stage/serialize.py).
    """
    files = sorted(values, key=lambda file: (file != "params.yaml", file))
    return {file: {name: values[file][name] for name in sorted(values[file])} for file in files}


def _parser(suffix: str, load_yaml: LoadYaml) -> Callable[[str, str], Any]:
    match suffix:
        case ".json":
            return _parse_json
        case ".toml":
            return _parse_toml
        case ".py":
            return _parse_python
        case _:
            return lambda text, name: load_yaml(text, name=name)


def _parse_json(text: str, name: str) -> Any:
    import json

    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"not valid JSON: {error.msg}", file=name, line=error.lineno) from None
    except RecursionError:
        raise ConfigError("not valid JSON: nested too deeply", file=name) from None


def _parse_toml(text: str, name: str) -> Any:
    import re
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r" \(at line (\d+), .*\)$", str(error))
        message = str(error)[: at.start()] if at else str(error)
        raise ConfigError(
            f"not valid TOML: {message}", file=name, line=int(at[1]) if at else None
        ) from None


def _parse_python(text: str, name: str) -> Any:
    from mlctl.pipeline import python_params

    return python_params.parse(text, name)


def _lookup(data: Any, name: str) -> Iterator[Any]:
    if name in ("", "/"):
        yield data
        return
    parts = name.lstrip(".").split(".")
    if parts == ["**"]:
        for _, child in _children(data):
            yield from _matching(child, parts)
    else:
        yield from _matching(data, parts)


def _matching(node: Any, parts: list[str]) -> Iterator[Any]:
    if not parts:
        yield node
        return
    part, rest = parts[0], parts[1:]
    if part == "**":
        yield from _matching(node, rest)
        for _, child in _children(node):
            yield from _matching(child, parts)
    elif isinstance(node, dict) and part in node and not set(part) & set("*?[0123456789"):
        yield from _matching(node[part], rest)
    else:
        size = 0 if isinstance(node, dict) else _length(node)
        for step, child in _children(node):
            if _matches(step, part, size):
                yield from _matching(child, rest)


def _children(node: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(node, dict):
        yield from node.items()
    elif isinstance(node, list | tuple | set):
        yield from enumerate(node)


def _length(node: Any) -> int:
    return len(node) if isinstance(node, list | tuple | set) else 0


def _matches(step: Any, part: str, size: int) -> bool:
    """Whether a key or an index is named by `part`; an index may count from the end."""
    if isinstance(step, str):
        return fnmatchcase(step, part)
    if not isinstance(step, int):
        return False
    try:
        wanted = int(part)
    except ValueError:
        return fnmatchcase(str(step), part)
    return step in (wanted, wanted + size)
