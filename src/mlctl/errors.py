"""The errors that mlctl raises on purpose.

    MlctlError
    ├── AnswerNo         1  the work was done and the answer is no (a stage failed, data is invalid)
    ├── InvalidInput     2  wrong usage or configuration
    │   └── ConfigError     ... of a file: names file, YAML path and line
    │       └── Unmerged    ... in which git left conflict markers
    ├── NotAble          3  the environment is not able (missing extra or tool, host unreachable)
    │   └── MissingExtra
    └── Busy             4  another process holds the lock, or a conflict

Only the error boundary of `cli` turns them into words. Anything else that reaches it is a bug of
ours (exit code 70).
"""

from __future__ import annotations

from collections.abc import Iterable


class MlctlError(Exception):
    """An error that a user can act on: what happened, and `hint`, what to do about it."""

    exit_code = 70

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class AnswerNo(MlctlError):
    """The work was done, and the answer is no."""

    exit_code = 1


class InvalidInput(MlctlError):
    """Wrong usage or configuration."""

    exit_code = 2


class ConfigError(InvalidInput):
    """A file says something that cannot be: `file`, `where` (a YAML path) and `line` (from 1)."""

    def __init__(
        self,
        message: str,
        *,
        file: str,
        where: str | None = None,
        line: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.file = file
        self.where = where
        self.line = line

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return (
            f"{place}: {self.where}: {self.message}" if self.where else f"{place}: {self.message}"
        )


class Unmerged(ConfigError):
    """A file holds git's conflict markers."""


class NotAble(MlctlError):
    """The environment is not able: a tool or an extra is missing, a host cannot be reached."""

    exit_code = 3


class MissingExtra(NotAble):
    """A capability whose libraries are not installed."""


class Busy(MlctlError):
    """Another process holds what this command needs, or two sides disagree."""

    exit_code = 4


def refused(error: OSError) -> NotAble:
    """What the machine refused, as an error of ours: the file and why."""
    return NotAble(f"{error.filename or 'disk'}: {error.strerror or error}")


def did_you_mean(name: object, known: Iterable[object]) -> str | None:
    """The hint `did you mean 'x'?`, or None where no name of `known` is like `name`."""
    from difflib import get_close_matches

    close = get_close_matches(str(name), [str(item) for item in known], n=1)
    return f"did you mean {close[0]!r}?" if close else None


def suggestion(name: object, known: Iterable[object], *, most: int = 20) -> str | None:
    """The hint for an unknown name: the one that it is like, or the names that there are."""
    names = [str(item) for item in known]
    more = ", …" if len(names) > most else ""
    everything = f"known: {', '.join(names[:most])}{more}" if names else None
    return did_you_mean(name, names) or everything
