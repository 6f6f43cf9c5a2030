"""The literals of a Python params file: `lr = 0.1`, and classes as mappings. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from mlctl.errors import ConfigError


def parse(text: str, name: str) -> dict[str, Any]:
    """The literals assigned at the top; a class is a mapping of its own, with what its `__init__`
    sets on `self`.

    What is not a literal is left out. Raises ConfigError for text that is not Python.
    """
    try:
        tree = ast.parse(text, filename=name)
    except (SyntaxError, ValueError) as error:
        raise ConfigError(
            f"not valid Python: {getattr(error, 'msg', None) or error}",
            file=name,
            line=getattr(error, "lineno", None),
        ) from None
    return _constants(tree.body)


def _constants(body: Iterable[ast.stmt], *, of_self: bool = False) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for statement in body:
        match statement:
            case ast.ClassDef():
                values[statement.name] = _constants(statement.body)
            case ast.FunctionDef(name="__init__"):
                values.update(_constants(statement.body, of_self=True))
            case (
                ast.Assign(targets=[target], value=value)
                | ast.AnnAssign(target=target, value=ast.expr() as value)
            ):
                name = _assigned_name(target, of_self)
                if name is not None:
                    try:
                        values[name] = ast.literal_eval(value)
                    except (ValueError, TypeError, MemoryError, RecursionError):
                        continue
            case _:
                continue
    return values


def _assigned_name(target: ast.expr, of_self: bool) -> str | None:
    match target:
        case ast.Name(id=name):
            return None if of_self else name
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
        case _:
            return None
