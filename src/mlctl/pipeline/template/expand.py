"""The items of `foreach` and `matrix`: the name of each generated stage, and what it adds to scope.

Names follow DVC to the letter, also where it is odd: a boolean written in `dvc.yaml` names its
stage `true`, one that comes from a params file names it `True`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from mlctl.pipeline.template.command import Parsing, to_text
from mlctl.pipeline.template.context import cleaned
from mlctl.pipeline.template.interpolate import Reference, Scope, compiled, render, select
from mlctl.pipeline.template.problem import TemplateError
from mlctl.records.source import kind_of

Items = dict[str, Mapping[str, Any]]
_Named = tuple[str, Any]  # how a value reads in a name, and the value


def foreach_items(data: Any, scope: Scope) -> Items:
    """`{key: {"item": …}}` of a list, `{key: {"item": …, "key": …}}` of a mapping.

    A list with any list or mapping in it is keyed by index, another by its values. Raises
    TemplateError for what is neither list nor mapping.
    """
    if isinstance(data, str):
        data = _referenced(data, scope)
        if not isinstance(data, list | dict):
            raise TemplateError(f"expected a list or a mapping, got {kind_of(data)}")
        named = [(str(value), value) for value in data] if isinstance(data, list) else []
    elif isinstance(data, dict):
        data = _rendered(data, scope)
        named = []
    else:
        named = _named_values(data, scope)
    if isinstance(data, dict):
        return {
            (key := to_text(name, Parsing())): {"item": value, "key": key}
            for name, value in data.items()
        }
    if any(isinstance(value, list | dict) for _, value in named):
        return {str(index): {"item": value} for index, (_, value) in enumerate(named)}
    return {name: {"item": value} for name, value in named}


def matrix_items(data: Mapping[str, Any], scope: Scope) -> Items:
    """`{key: {"item": {axis: value}, "key": …}}`, the last axis turning fastest."""
    axes = {
        render(axis, scope, "anything"): _axis(axis, values, scope) for axis, values in data.items()
    }
    items: Items = {}
    for combination in product(*(enumerate(values) for values in axes.values())):
        item = {axis: value for axis, (_, (_, value)) in zip(axes, combination, strict=True)}
        key = "-".join(
            f"{axis}{index}" if isinstance(value, list | dict) else name
            for axis, (index, (name, value)) in zip(axes, combination, strict=True)
        )
        items[key] = {"item": item, "key": key}
    return items


def _axis(axis: str, values: Any, scope: Scope) -> list[_Named]:
    try:
        if isinstance(values, list):
            return _named_values(values, scope)
        data = _referenced(values, scope)
        if isinstance(data, list):
            return [(str(value), value) for value in data]
    except TemplateError as error:
        error.path = (axis, *error.path)
        raise
    if isinstance(data, dict) or not isinstance(compiled(values), Reference):
        return [(name, name) for name in data]  # DVC iterates keys and letters
    raise TemplateError(f"expected a list, got {kind_of(data)}", path=(axis,))


def _referenced(text: str, scope: Scope) -> Any:
    template = compiled(text)
    if isinstance(template, Reference):
        return select(template, scope)
    return render(text, scope, "anything")


def _named_values(values: list[Any], scope: Scope) -> list[_Named]:
    rendered = _rendered(values, scope)
    return [
        (
            str(value)
            if isinstance(raw, str) and isinstance(compiled(raw), Reference)
            else to_text(value, Parsing()),
            value,
        )
        for raw, value in zip(values, rendered, strict=True)
    ]


def _rendered(data: Any, scope: Scope) -> Any:
    """Rendered and cleaned, keeping the keys of the outermost mapping, which only name stages."""
    rendered = render(data, scope, "anything")
    if isinstance(rendered, dict):
        return {key: cleaned(value, "foreach", (str(key),)) for key, value in rendered.items()}
    return cleaned(rendered, "foreach")
