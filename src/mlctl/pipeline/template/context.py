"""The values that templates see: params.yaml and `vars`, merged, never overwritten."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlctl.pipeline.template.problem import TemplateError

DEFAULT_PARAMS = "params.yaml"
ReadParams = Callable[[str], Mapping[Any, Any] | None]
"""The mapping in a params file, by key; None where the file does not exist."""


@dataclass(frozen=True, slots=True)
class Context:
    """Merged values. `imports` says what was taken from each file: all (None) or some keys.

    `layers` are what was merged, each with its source, so that a conflict can name both sides.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    imports: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    layers: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    def with_layer(
        self, source: str, data: Mapping[Any, Any], reserved: tuple[str, ...] = ()
    ) -> Context:
        """This context and `data`; raises TemplateError where a value would be redefined."""
        taken = [name for name in reserved if name in data]
        if taken:
            raise TemplateError(
                f"'{source}' sets {' and '.join(taken)}, which foreach and matrix set themselves",
                hint="rename it in your vars",
            )
        clean = cleaned(data, source)
        values = self._merged(self.values, clean, source, ())
        return Context(values, self.imports, (*self.layers, (source, clean)))

    def with_vars(
        self,
        entries: list[Any],
        directory: str,
        read: ReadParams,
        *,
        label: str = "vars",
        reserved: tuple[str, ...] = (),
    ) -> Context:
        """This context and a `vars` section, its files relative to `directory`.

        Raises TemplateError, whose path leads to the entry.
        """
        context = self
        for index, entry in enumerate(entries):
            try:
                if isinstance(entry, str):
                    context = context.with_file(entry, directory, read, reserved)
                else:
                    context = context.with_layer(f"{label}[{index}]", entry, reserved)
            except TemplateError as error:
                error.path = (index, *error.path)
                raise
        return context

    def with_file(
        self, item: str, directory: str, read: ReadParams, reserved: tuple[str, ...] = ()
    ) -> Context:
        """This context and `file` or `file:key,key`."""
        name, _, chosen = item.partition(":")
        path = posixpath.normpath(posixpath.join(directory, name))
        keys = tuple(filter(None, chosen.split(",")))
        if path in self.imports and self._already(path, item, keys):
            return self
        data = read(path)
        if data is None:
            raise TemplateError(f"'{path}' does not exist", hint="create it, or correct `vars`")
        for key in keys:
            if key not in data:
                raise TemplateError(f"could not find '{key}' in '{path}'")
        part = {key: data[key] for key in keys} if keys else data
        merged = self.with_layer(path, part, reserved)
        before = self.imports.get(path) or ()
        imports = {**self.imports, path: (*before, *keys) if keys else None}
        return Context(merged.values, imports, merged.layers)

    def _already(self, path: str, item: str, keys: tuple[str, ...]) -> bool:
        """Whether there is nothing left to load; a part beside the whole is an error."""
        imported = self.imports[path]
        if imported is None and not keys:
            return True
        if imported is None:
            raise TemplateError(f"cannot load a part of '{item}': the whole file is loaded already")
        if not keys or set(keys) & set(imported):
            raise TemplateError(f"cannot load '{item}': a part of the file is loaded already")
        return False

    def _merged(
        self,
        into: Mapping[str, Any],
        update: Mapping[str, Any],
        source: str,
        path: tuple[str, ...],
    ) -> dict[str, Any]:
        result = dict(into)
        for name, value in update.items():
            old = result.get(name)
            if isinstance(old, dict) and isinstance(value, dict):
                result[name] = self._merged(old, value, source, (*path, name))
            elif name in result:
                raise self._conflict((*path, name), source)
            else:
                result[name] = value
        return result

    def _conflict(self, path: tuple[str, ...], source: str) -> TemplateError:
        before = next((label for label, data in self.layers if _has(data, path)), "vars")
        return TemplateError(
            f"'{'.'.join(path)}' of '{source}' is defined already in '{before}'",
            hint="a value can be defined once: rename one of the two",
        )


def cleaned(data: Any, source: str, path: tuple[str, ...] = ()) -> Any:
    """A copy of YAML data as templates see it: entries whose key is not a string are left out."""
    if isinstance(data, dict):
        return {
            key: cleaned(value, source, (*path, key))
            for key, value in data.items()
            if isinstance(key, str)
        }
    if isinstance(data, list):
        return [cleaned(value, source, (*path, str(i))) for i, value in enumerate(data)]
    if data is None or isinstance(data, str | int | float | bytes):
        return data
    raise TemplateError(
        f"'{'.'.join(path)}' of '{source}' is a {type(data).__name__}, which templates cannot use",
        hint="write it as a quoted string",
    )


def _has(data: Any, path: tuple[str, ...]) -> bool:
    for name in path:
        if not isinstance(data, dict) or name not in data:
            return False
        data = data[name]
    return True
