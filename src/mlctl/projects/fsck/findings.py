"""What a check finds, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["object", "file", "run-cache", "temporary", "rwlock"]
Mended = Literal["workspace", "remote", "set aside", "removed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    `what` is an object's hash or a path; `outs` need the object, and `stages` make them. `damage`
    is what makes the answer no; the rest is only untidy. `mended` says what was done about it, and
    `hint` what a person can do.
    """

    kind: Kind
    problem: str
    what: str
    damage: bool = True
    detail: str = ""
    outs: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    mended: Mended | None = None
    aside: str | None = None
    hint: str | None = None

    @property
    def is_left(self) -> bool:
        """Whether it is damage, and still there."""
        return self.damage and self.mended is None


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, and what was found; `notes` are for the reader."""

    objects: int
    size: int
    entries: int
    files: int
    seconds: float
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def sound(self) -> bool:
        """Whether no damage is left."""
        return not any(finding.is_left for finding in self.findings)
