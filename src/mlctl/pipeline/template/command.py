"""Interpolated values as text; a mapping in `cmd` becomes command-line arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mlctl.pipeline.template.problem import TemplateError


@dataclass(frozen=True, slots=True)
class Parsing:
    """The `parsing.bool` and `parsing.list` settings of DVC's config."""

    booleans: Literal["store_true", "boolean_optional"] = "store_true"
    lists: Literal["nargs", "append"] = "nargs"


def to_text(value: Any, parsing: Parsing) -> str:
    """How a value reads inside a longer string: `true`, `0.1`, `--lr 0.1 --seed 1`."""
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, dict):
        return " ".join(arguments(value, parsing))
    return str(value)


def arguments(options: Mapping[str, Any], parsing: Parsing) -> Iterator[str]:
    """The command-line arguments of a mapping, nested names joined by dots, strings quoted.

    Raises TemplateError for a list inside a list.
    """
    seen: set[str] = set()
    for name, value in _flat(options, ""):
        if name in seen:
            raise TemplateError(f"'{name}' comes twice in the mapping")
        seen.add(name)
        if isinstance(value, bool):
            if value:
                yield f"--{name}"
            elif parsing.booleans == "boolean_optional":
                yield f"--no-{name}"
        elif isinstance(value, list):
            yield from _list_arguments(name, value, parsing)
        else:
            yield f"--{name} {_quoted(value)}"


def _list_arguments(name: str, values: list[Any], parsing: Parsing) -> Iterator[str]:
    for index, value in enumerate(values):
        if isinstance(value, list | dict):
            raise TemplateError(f"cannot write a list inside the list '{name}' as arguments")
        first = index == 0 or parsing.lists == "append"
        yield f"--{name} {_quoted(value)}" if first else _quoted(value)


def _quoted(value: Any) -> str:
    if not isinstance(value, str):
        return str(value)
    import shlex

    return shlex.quote(value)


def _flat(options: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
