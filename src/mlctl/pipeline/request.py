"""What is asked of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for, with DVC's meaning of each."""

    force: bool = False
    keep_going: bool = False
    pull: bool = False
    allow_missing: bool = False
    commit: bool = True
    run_cache: bool = True
    wait: bool = True


@dataclass(frozen=True, slots=True)
class Where:
    """`on` is the host, or the label, of stages that name none; `hosts` the settings of each host
    that there is."""

    on: str | None = None
    hosts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """One call of `mlctl run`: which stages, how many at a time, where, and with which options."""

    run_id: str
    argv: tuple[str, ...]
    indices: tuple[int, ...]
    jobs: int
    options: Options = field(default_factory=Options)
    where: Where = field(default_factory=Where)
