"""Overrides of a Python params file: the text of a literal is replaced, all else stays."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from mlctl.errors import ConfigError, InvalidInput
from mlctl.pipeline.setvalue import Override


def set_python(text: str, overrides: Sequence[Override]) -> str:
    """`text` with module and class variables set. Raises InvalidInput for what is not there."""
    for override in overrides:
        if override.kind in ("+", "~"):
            raise InvalidInput(
                f"-S {override.text}: parameters of a Python file can be changed, not added or "
                "deleted"
            )
        node = _find(_parse(text), override)
        text = _replace(text, node, repr(override.value))
        _parse(text)
    return text


def _parse(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise ConfigError(
            f"not valid Python: {error.msg}", file="params file", line=error.lineno
        ) from None


def _find(tree: ast.Module, override: Override) -> ast.expr:
    node: Any = tree
    for name in override.key:
        found = _entries(node)
        if name not in found:
            raise InvalidInput(
                f"-S {override.text}: there is no parameter {name!r}",
                hint=f"known here: {', '.join(sorted(found))}" if found else None,
            )
        node = found[name]
    if not isinstance(node, ast.expr):
        raise InvalidInput(f"-S {override.text}: is a class; name one of its variables")
    return node


def _entries(node: Any) -> dict[str, Any]:
    """The named values directly in a module, a class (and its `__init__`) or a dict."""
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {str(key.value): value for key, value in pairs if isinstance(key, ast.Constant)}
    found: dict[str, Any] = {}
    for item in getattr(node, "body", []):
        if isinstance(item, ast.ClassDef):
            found[item.name] = item
        elif isinstance(item, ast.FunctionDef) and item.name == "__init__":
            found |= _assignments(item.body, of_self=True)
        else:
            found |= _assignments([item], of_self=False)
    return found


def _assignments(body: Sequence[ast.stmt], *, of_self: bool) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for item in body:
        if isinstance(item, ast.Assign) and len(item.targets) == 1:
            target, value = item.targets[0], item.value
        elif isinstance(item, ast.AnnAssign) and item.value is not None:
            target, value = item.target, item.value
        else:
            continue
        if isinstance(target, ast.Name) and not of_self:
            found[target.id] = value
        elif of_self and isinstance(target, ast.Attribute):
            found[target.attr] = value
    return found


def _replace(text: str, node: ast.expr, new: str) -> str:
    lines = text.splitlines(keepends=True)
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
    head = lines[node.lineno - 1].encode()[: node.col_offset].decode()
    tail = lines[end_line - 1].encode()[end_column:].decode()
    return "".join([*lines[: node.lineno - 1], head + new + tail, *lines[end_line:]])
