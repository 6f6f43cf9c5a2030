"""What is told of an incident."""

from __future__ import annotations

from dataclasses import dataclass

from mlctl.errors import MlctlError


class NotSent(MlctlError):
    """A message could not be sent; the next run tries again."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Message:
    """`title` is one line, `lines` what to do and where to look; `said` is `opened` or `closed`."""

    monitor: str
    said: str
    since: str
    period: str
    verdict: str
    title: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Title and lines, as plain text."""
        return "\n".join((self.title, "", *self.lines)) + "\n"
