"""The parameters of the stage, as mlctl hands them over, or as the project's file has them."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Dict, Mapping

from ._place import PARAMS, STAGE, project_root

FILES = ("params.json", "params.yaml")


def stage_params() -> Dict[str, Any]:
    """Nested parameters by name. Raises FileNotFoundError and ImportError that say what to do."""
    handed = os.environ.get(PARAMS)
    if handed and STAGE in os.environ:
        merged: Dict[str, Any] = {}
        for values in json.loads(handed).values():
            for name, value in values.items():
                _put(merged, name, value)
        return merged
    return _of_file()


def as_mapping(values: Any) -> Mapping[str, Any]:
    """A mapping, or the attributes of what `argparse` and dataclasses make. Raises TypeError."""
    if isinstance(values, Mapping):
        return values
    argparse = sys.modules.get("argparse")  # costs a start what it takes to import it
    namespace = argparse is not None and isinstance(values, argparse.Namespace)
    if namespace or hasattr(values, "__dataclass_fields__"):
        found: Dict[str, Any] = vars(values)
        return found
    raise TypeError(f"parameters are a mapping, not {type(values).__name__}")


def _put(into: Dict[str, Any], name: str, value: Any) -> None:
    """Set the value of a dotted name; groups of several files become one."""
    *groups, last = name.split(".")
    for group in groups:
        inner = into.setdefault(group, {})
        if not isinstance(inner, dict):
            inner = into[group] = {}
        into = inner
    there = into.get(last)
    if isinstance(there, dict) and isinstance(value, dict):
        for key, each in value.items():
            _put(there, key, each)
    else:
        into[last] = value


def _of_file() -> Dict[str, Any]:
    root = project_root()
    for name in FILES:
        path = os.path.join(root, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            return json.loads(text) if name.endswith(".json") else _of_yaml(text, name)
    raise FileNotFoundError(f"neither {' nor '.join(FILES)} in {root}")


def _of_yaml(text: str, name: str) -> Dict[str, Any]:
    try:
        import yaml
    except ImportError:
        raise ImportError(
            f"{name} needs PyYAML outside of a stage: pip install pyyaml, or write params.json"
        ) from None
    return yaml.safe_load(text) or {}
