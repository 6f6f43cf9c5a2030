"""Records of runs that logged curves, written as the recorder writes them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from run_builders import START

from mlctl.adapters.clock import iso
from mlctl.records.run import CodeState, Host, RunHead, head_text, run_folder
from mlctl.records.run_metrics import StepLine, series_of, steps_text, summaries
from mlctl.records.ulid import new_ulid


def write_run(
    root: Path,
    number: int,
    *,
    params: Mapping[str, Any] | None = None,
    metrics: Mapping[str, float] | None = None,
    curves: Mapping[str, Sequence[float]] | None = None,
    **fields: Any,
) -> str:
    """The record of the run that began `number` hours after START; its id.

    A curve has a value for each step from 0 on, two seconds apart.
    """
    (root / ".dvc").mkdir(parents=True, exist_ok=True)
    started = START + 3600 * number
    run_id = new_ulid(started, os.urandom(10))
    lines = _lines(curves or {})
    head = RunHead(
        id=run_id,
        started=iso(started),
        ended=iso(started + 90),
        params=dict(params or {}),
        metrics=dict(metrics or {}),
        series=series_of(summaries(lines)),
        **{**_HEAD, **fields},
    )
    folder = root / run_folder(run_id)
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(head_text(head))
    (folder / "stages.jsonl").write_text("")
    if lines:
        (folder / "metrics.jsonl").write_text(steps_text(lines))
    return run_id


_HEAD: dict[str, Any] = {
    "status": "finished",
    "seconds": 90.0,
    "argv": ("mlctl", "run"),
    "jobs": 1,
    "host": Host(8, "3.12", "linux"),
    "git": CodeState("c0ffee0" + "0" * 33, "main", None, dirty=False),
    "outcomes": {"ran": 1},
    "ran": ("train",),
}


def _lines(curves: Mapping[str, Sequence[float]]) -> list[StepLine]:
    steps = max(map(len, curves.values()), default=0)
    return [
        StepLine(
            {name: values[step] for name, values in curves.items() if step < len(values)},
            step,
            2.0 * step,
            "train",
        )
        for step in range(steps)
    ]
