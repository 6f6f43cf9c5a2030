"""A YAML file that people write, with checked values: every error names file, YAML path and line.

A value is asked for by its path, `document.text("current", "path")`. What is left empty counts as
not there. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from mlctl.adapters import yaml
from mlctl.errors import ConfigError, suggestion
from mlctl.records.schema import version_of
from mlctl.records.source import Source, YamlPath, kind_of

Step = str | int


@dataclass(frozen=True, slots=True)
class Document:
    """The parsed file: its `source`, for messages, and its top-level mapping."""

    source: Source
    data: Mapping[str, Any]

    @classmethod
    def parse(cls, text: str, *, file: str, empty: bool = False) -> Document:
        """The document in `text`; with `empty` it may be empty, too.

        Raises ConfigError for what is not YAML and where the top is not a mapping.
        """
        source = Source(file, partial(yaml.line_of, text))
        data = yaml.load(text, name=file)
        if data is None and empty:
            data = {}
        if not isinstance(data, Mapping):
            raise source.error((), f"expected a mapping, got {kind_of(data)}")
        return cls(source, data)

    def error(self, path: YamlPath, message: str, *, hint: str | None = None) -> ConfigError:
        """The error for what stands at `path`."""
        return self.source.error(path, message, hint=hint)

    def get(self, *path: Step) -> Any:
        """The value at `path`, None where there is none."""
        value: Any = self.data
        for step in path:
            if isinstance(value, Mapping):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int):
                value = value[step]
            else:
                return None
        return value

    def check_schema(self, kind: str, version: int) -> None:
        """Raise ConfigError where `schema` is not `mlctl.<kind>/<version>`."""
        schema, wanted = self.get("schema"), f"mlctl.{kind}/{version}"
        if schema == wanted:
            return
        if (version_of(schema, kind) or 0) > version:
            raise self.error(
                ("schema",),
                f"{schema} is newer than this mlctl, which reads {wanted!r}",
                hint="update mlctl",
            )
        said = "is missing" if schema is None else f"is {schema!r}"
        raise self.error(("schema",), f"the schema {said}", hint=f"write `schema: {wanted}`")

    def keys(self, *path: Step, known: tuple[str, ...]) -> None:
        """Raise ConfigError where the mapping at `path` has other keys than those `known`."""
        for key in self.mapping(*path):
            if key not in known:
                raise self.error(
                    (*path, str(key)), f"unknown key {str(key)!r}", hint=suggestion(key, known)
                )

    def mapping(self, *path: Step) -> Mapping[Any, Any]:
        """The mapping at `path`, an empty one where there is none."""
        value = self.get(*path)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self.wrong(path, "a mapping")
        return value

    def items(self, *path: Step, of: str) -> list[Any]:
        """The list at `path`, an empty one where there is none; `of` names it in messages."""
        value = self.get(*path)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(path, f"a list of {of}")
        return value

    def text(self, *path: Step) -> str:
        """The text at `path`, which must be there and not empty."""
        value = self.get(*path)
        if not isinstance(value, str) or not value:
            raise self.wrong(path, "a text")
        return value

    def one_of(self, *path: Step, known: tuple[str, ...], default: str | None = None) -> str:
        """The word at `path`, one of `known`; it must be there unless there is a `default`."""
        value = self.get(*path)
        if value is None and default is not None:
            return default
        if value not in known:
            raise self.wrong(path, f"one of {', '.join(known)}")
        return str(value)

    def flag(self, *path: Step, default: bool) -> bool:
        """The `true` or `false` at `path`."""
        value = self.get(*path)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(path, "true or false")
        return value

    def whole(self, *path: Step, least: int) -> int | None:
        """The whole number at `path`, at least `least`; None where there is none."""
        value = self.get(*path)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.wrong(path, f"a whole number from {least}")
        return value

    def share(self, *path: Step, above: float | None = None) -> float | None:
        """The number from 0 to 1 at `path` (greater than `above`); None where there is none."""
        value = self.get(*path)
        if value is None:
            return None
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 <= value <= 1 or (above is not None and value <= above):
            wanted = "from 0 to 1" if above is None else f"above {above:g} and up to 1"
            raise self.wrong(path, f"a number {wanted}")
        return float(value)

    def wrong(self, path: YamlPath, wanted: str, *, hint: str | None = None) -> ConfigError:
        """The error `expected …, got …` for the value at `path`."""
        value = self.get(*path)
        shown = repr(value) if isinstance(value, str | int | float) else kind_of(value)
        return self.error(path, f"expected {wanted}, got {shown}", hint=hint)
