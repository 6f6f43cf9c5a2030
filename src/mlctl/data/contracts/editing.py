"""Changing single values in a YAML file that people wrote: all else stays as it is, to the byte.

Places are found with ruamel's marks and spliced into the text, so comments, order and layout are
kept. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Path = tuple[str | int, ...]


class CannotEdit(ValueError):
    """The text is written in a way that this module does not change; the message says how."""


class Editor:
    """Edits of one text; `text()` is the text with all of them. Each place is edited once."""

    def __init__(self, text: str) -> None:
        from ruamel.yaml import YAML

        self._text = text
        self._root = YAML().compose(text)
        self._splices: list[tuple[int, int, str]] = []

    def text(self) -> str:
        """The text with every edit so far."""
        parts, at = [], 0
        for start, end, new in sorted(self._splices, key=lambda splice: splice[:2]):
            parts += [self._text[at:start], new]
            at = end
        return "".join([*parts, self._text[at:]])

    def set(self, path: Path, value: str) -> None:
        """Write `value` (YAML in flow style) at `path`; the mapping that holds it must be there."""
        *above, key = path
        parent = self._node(tuple(above))
        node = _entry(parent, key)
        if node is None:
            self.insert(tuple(above), str(key), value)
            return
        self._within(node, parent)
        self._splices.append((node.start_mark.index, _end(self._text, node), value))

    def insert(self, path: Path, key: str, value: str, *, note: str = "") -> None:
        """Add `key: value` (both YAML) at the end of the mapping at `path`.

        `note` is a comment, which finds room only where each entry has a line of its own.
        """
        node = self._node(path)
        if node.id != "mapping":
            raise CannotEdit(f"{_dotted(path)} is not a mapping")
        if not node.value:
            self._splices.append((_end(self._text, node) - 1,) * 2 + (f"{key}: {value}",))
            return
        last = _end(self._text, node.value[-1][1])
        if node.flow_style:
            self._splices.append((last, last, f", {key}: {value}"))
        else:
            indent = " " * node.value[0][0].start_mark.column
            self._line_after(last, f"{indent}{key}: {value}{note}")

    def append(self, path: Path, values: Sequence[str]) -> None:
        """Add `values` (YAML) to the list at `path`, which is not empty."""
        node = self._node(path)
        if node.id != "sequence" or not node.value:
            raise CannotEdit(f"{_dotted(path)} is not a list with values")
        last = _end(self._text, node.value[-1])
        if node.flow_style:
            self._splices.append((last, last, "".join(f", {value}" for value in values)))
        else:
            indent = " " * (node.value[0].start_mark.column - 2)
            self._line_after(last, "\n".join(f"{indent}- {value}" for value in values))

    def _line_after(self, index: int, line: str) -> None:
        end = self._text.find("\n", index)
        if end < 0:
            self._splices.append((len(self._text),) * 2 + (f"\n{line}",))
        else:
            self._splices.append((end, end, f"\n{line}"))

    def _node(self, path: Path) -> Any:
        node = self._root
        for step in path:
            found = _entry(node, step)
            if found is None:
                raise CannotEdit(f"{_dotted(path)} is not there")
            self._within(found, node)
            node = found
        return node

    def _within(self, node: Any, parent: Any) -> None:
        """An alias stands where its anchor does: to change it would change that place too."""
        if not parent.start_mark.index <= node.start_mark.index or node.anchor:
            raise CannotEdit("the file uses anchors and aliases there")


def _entry(node: Any, step: str | int) -> Any:
    if node is not None and node.id == "sequence" and isinstance(step, int):
        return node.value[step] if 0 <= step < len(node.value) else None
    if node is not None and node.id == "mapping":
        return next((value for key, value in node.value if key.value == str(step)), None)
    return None


def _end(text: str, node: Any) -> int:
    """Where what is written of `node` ends: marks of block collections lie far behind that."""
    if node.id != "scalar" and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if node.id == "mapping" else last)
    end = int(node.end_mark.index)
    if node.id == "scalar" and node.style in {"|", ">"}:
        return len(text[:end].rstrip())
    return end


def _dotted(path: Path) -> str:
    return ".".join(map(str, path)) or "the file"
