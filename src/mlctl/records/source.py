"""Where parsed data came from, and how messages speak of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mlctl.errors import ConfigError

YamlPath = tuple[str | int, ...]
Locate = Callable[[YamlPath], int | None]


def nowhere(_path: YamlPath) -> int | None:
    """A Locate for data that has no text."""
    return None


@dataclass(frozen=True, slots=True)
class Source:
    """The file that data came from: its name for messages, and the line of a YAML path."""

    file: str
    locate: Locate = nowhere

    def error(self, path: YamlPath, message: str, *, hint: str | None = None) -> ConfigError:
        return ConfigError(
            message, file=self.file, where=dotted(path) or None, line=self.locate(path), hint=hint
        )


def dotted(path: YamlPath) -> str:
    """`stages.train.deps[0]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


def kind_of(value: Any) -> str:
    """What users call the type of a YAML value."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case Mapping():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case _:
            return f"a {type(value).__name__}"
