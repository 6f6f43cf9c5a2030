"""What a check of the records finds, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be. `where` is a file or folder, from the DVC root (those
    of the branch of records are `mlctl/runs:…`), and `hint` what to do. What is no `damage` can be
    had elsewhere, or is in nobody's way.
    """

    problem: str
    where: str
    run: str | None = None
    detail: str = ""
    hint: str = ""
    damage: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """How many records were looked at, and what was found; the worst of each record first."""

    records: int
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether there is no damage."""
        return not any(finding.damage for finding in self.findings)
