"""What can be wrong with a template, before its place in the file is known."""

from __future__ import annotations

from mlctl.records.source import YamlPath


class TemplateError(Exception):
    """A template that cannot be resolved; `path` leads from the rendered value to the place."""

    def __init__(self, message: str, *, hint: str | None = None, path: YamlPath = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.path = path
