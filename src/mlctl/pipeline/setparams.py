"""`-S key=value` of `dvc exp run`: Hydra's basic override grammar, applied to a params file.

`a.b=1` changes what is there, `+a=1` adds, `++a=1` does either, `~a` (or `~a=1`) deletes. Values
are numbers, booleans, `null`, strings (quoted or not), `[lists]` and `{dicts: …}`.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from mlctl.adapters import yaml
from mlctl.errors import ConfigError, InvalidInput, did_you_mean
from mlctl.pipeline.setpython import set_python
from mlctl.pipeline.setvalue import Override, parse


def set_params(text: str, suffix: str, overrides: Sequence[str]) -> str:
    """The params file in `text` (its `suffix` says which format) with `overrides` applied.

    Raises InvalidInput for a bad override or an unknown key.
    """
    parsed = [parse(override) for override in overrides]
    match suffix.lower():
        case ".py":
            return set_python(text, parsed)
        case ".json":
            return _set_json(text, parsed)
        case ".toml":
            return _set_toml(text, parsed)
    data = yaml.load_roundtrip(text, name="params file")
    data = {} if data is None else data
    return yaml.dump_roundtrip(_applied(data, parsed, "params file"))


def _set_json(text: str, overrides: Sequence[Override]) -> str:
    try:
        data = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise ConfigError(f"not valid JSON: {error}", file="params file") from None
    indent = re.search(r"[\[{]\n( +|\t+)", text)
    changed = json.dumps(
        _applied(data, overrides, "params file"), indent=indent[1] if indent else None
    )
    return changed + "\n" if text.endswith("\n") else changed


def _set_toml(text: str, overrides: Sequence[Override]) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        data = tomlkit.parse(text)
    except TOMLKitError as error:
        raise ConfigError(f"not valid TOML: {error}", file="params file") from None
    changed = _applied(data, overrides, "params file", plain=data.unwrap())
    return tomlkit.dumps(changed)


def _applied(data: Any, overrides: Sequence[Override], name: str, *, plain: Any = None) -> Any:
    if not isinstance(data, MutableMapping):
        raise ConfigError("is not a mapping of parameters", file=name)
    wanted = _plain(data) if plain is None else plain
    for override in overrides:
        apply(wanted, override)
    _merge(data, wanted)
    return data


def _plain(data: Any) -> Any:
    if isinstance(data, MutableMapping):
        return {key: _plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_plain(item) for item in data]
    return data


def _merge(data: Any, wanted: dict[Any, Any]) -> None:
    """Change `data`, which knows its comments and layout, where it differs from `wanted`."""
    for key in [key for key in data if key not in wanted]:
        del data[key]
    for key, value in wanted.items():
        if isinstance(value, dict) and isinstance(data.get(key), MutableMapping):
            _merge(data[key], value)
        elif key not in data or _differs(data[key], value):
            data[key] = value


def _differs(old: Any, new: Any) -> bool:
    # 1, 1.0 and True are equal in Python, but are not the same parameter
    kinds = (bool, int, float, str, list, dict, type(None))
    same = next((k for k in kinds if isinstance(old, k)), type(old)) is next(
        (k for k in kinds if isinstance(new, k)), type(new)
    )
    return not same or old != new


def apply(data: dict[Any, Any], override: Override) -> None:
    """Apply one override to plain data in place. Raises InvalidInput where the key does not fit."""
    parent = _parent(data, override)
    last: Any = _step(parent, override.key[-1], override)
    exists = last in parent if isinstance(parent, dict) else 0 <= last < len(parent)
    if override.kind == "~":
        _delete(parent, last, exists, override)
        return
    if not exists and override.kind == "":
        raise _unknown(parent, override.key[-1], override)
    old = parent[last] if exists else None
    value = copy.deepcopy(override.value)
    if override.kind == "+" and old is not None and not isinstance(value, (dict, list)):
        raise InvalidInput(
            f"-S {override.text}: {'.'.join(override.key)!r} is there already",
            hint=f"without the +: -S {override.text[1:]}",
        )
    if isinstance(old, dict) and isinstance(value, dict):
        _deepen(old, value, override)
    elif exists or isinstance(parent, dict):
        parent[last] = value
    else:
        raise _unknown(parent, override.key[-1], override)


def _deepen(old: dict[Any, Any], new: dict[Any, Any], override: Override) -> None:
    for key, value in new.items():
        if key not in old and override.kind == "":
            raise _unknown(old, key, override)
        if isinstance(old.get(key), dict) and isinstance(value, dict):
            _deepen(old[key], value, override)
        else:
            old[key] = value


def _delete(parent: Any, last: Any, exists: bool, override: Override) -> None:
    if not exists:
        raise _unknown(parent, override.key[-1], override)
    if override.has_value and parent[last] != override.value:
        raise InvalidInput(
            f"-S {override.text}: {'.'.join(override.key)!r} is {parent[last]!r}, so it stays"
        )
    del parent[last]


def _parent(data: dict[Any, Any], override: Override) -> Any:
    node: Any = data
    for name in override.key[:-1]:
        step = _step(node, name, override)
        missing = step not in node if isinstance(node, dict) else not 0 <= step < len(node)
        if missing or node[step] is None:
            if override.kind not in ("+", "++") or not isinstance(node, dict):
                raise _unknown(node, name, override)
            node[step] = {}
        node = node[step]
    return node


def _step(node: Any, name: str, override: Override) -> Any:
    if isinstance(node, list):
        if not name.lstrip("-").isdigit():
            raise InvalidInput(f"-S {override.text}: {name!r} is not a place in a list")
        return int(name)
    if not isinstance(node, dict):
        raise InvalidInput(f"-S {override.text}: there is a value, and nothing below it")
    if name not in node and name.isdigit() and int(name) in node:
        return int(name)
    return name


def _unknown(node: Any, name: Any, override: Override) -> InvalidInput:
    hint = did_you_mean(name, node if isinstance(node, dict) else ())
    if hint is None and override.kind == "":
        hint = f"to add it: -S +{override.text}"
    return InvalidInput(f"-S {override.text}: there is no parameter {name!r}", hint=hint)
