"""The event stream for machines: one JSON object on a line, flushed at once."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

from mlctl.pipeline.events import Event, to_dict
from mlctl.records import canonical


class JsonLines:
    """Writes each event as one line of `mlctl.event/1`; an `Emit`."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout

    def __call__(self, event: Event) -> None:
        self._stream.write(json_line({"schema": "mlctl.event/1", **to_dict(event)}) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing is held back, so there is nothing to do."""


def json_line(data: dict[str, Any]) -> str:
    """`data` on one line of pure ASCII, whatever the terminal's encoding and a stage's output."""
    return json.dumps(canonical.plain(data))
