"""JSON Lines: a line for each run, with all that it logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from mlctl.adapters.files import write_text
from mlctl.experiments.exported import ExportedRun
from mlctl.records.canonical import line


def write(runs: Sequence[ExportedRun], target: str, *, project: str) -> list[str]:
    """One file. Lines are as `mlctl exp show --json` has a head, with `steps`, `tags`, `notes`."""
    del project
    write_text(target, "".join(line(_data(run)) for run in runs))
    return [target]


def _data(run: ExportedRun) -> dict[str, object]:
    return {
        **asdict(run.head),
        "name": run.name,
        "params": run.params,
        "metrics": run.metrics,
        "tags": run.facts.tags,
        "notes": run.notes,
        "steps": [asdict(it) for it in run.steps],
    }
