"""One run with all that a comparison needs of it, read once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlctl.adapters.files import decoded, read_text
from mlctl.adapters.git import committed
from mlctl.errors import NotAble
from mlctl.experiments.again.revision import file_at
from mlctl.experiments.query import all_metrics, all_params, find_run, load_stages
from mlctl.records.refs import RUNS
from mlctl.records.run import RunHead
from mlctl.records.run_stages import StageRecord

_RAN = ("ran", "restored", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Side:
    """A run: its record, and `packages` by name (None where they were not recorded).

    `tracked` are the keys of the files in the code that it read; empty where that is not here.
    """

    head: RunHead
    stages: tuple[StageRecord, ...]
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    packages: Mapping[str, str] | None = None
    tracked: frozenset[str] = frozenset()

    @property
    def repeated(self) -> tuple[StageRecord, ...]:
        """The stages that this run really ran, or took from the run-cache."""
        return tuple(s for s in self.stages if s.cmd and s.outcome in _RAN)

    @property
    def commands(self) -> tuple[StageRecord, ...]:
        """The stages that have a command, also those that were up to date."""
        return tuple(s for s in self.stages if s.cmd)


def load_side(root: str, name: str) -> Side:
    """The run that `name` names. Raises as `find_run` and `load_stages` do."""
    return side_of(root, find_run(root, name))


def side_of(root: str, head: RunHead) -> Side:
    """The run of a head. Raises InvalidInput where its stages are missing."""
    stages = load_stages(root, head.id)
    return Side(
        head,
        stages,
        all_params(head, stages, root),
        all_metrics(head, stages),
        packages_in(environment_text(root, head)),
        _tracked(root, head),
    )


def environment_text(root: str, head: RunHead) -> str | None:
    """The requirements file that the run had, or None."""
    if head.env is None:
        return None
    name = f"runs/_env/{head.env.removeprefix('sha256:')}.txt"
    try:
        return read_text(os.path.join(root, name), name=name)
    except (FileNotFoundError, NotADirectoryError):
        pass
    try:  # records may have a branch of their own
        data = file_at(root, RUNS, name)
    except NotAble:  # no git here
        return None
    return None if data is None else decoded(data, name=name)


def packages_in(text: str | None) -> dict[str, str] | None:
    """Name -> version of each package, with `python` for the interpreter."""
    if text is None:
        return None
    first, _, *lines = text.splitlines()
    pairs = (line.partition("==") for line in lines if "==" in line)
    return {"python": first.removeprefix("# "), **{name: version for name, _, version in pairs}}


def _tracked(root: str, head: RunHead) -> frozenset[str]:
    if head.git is None or head.git.tree is None:
        return frozenset()
    try:
        return frozenset(blob.path for blob in committed(root, head.git.tree))
    except NotAble:  # no git here
        return frozenset()
