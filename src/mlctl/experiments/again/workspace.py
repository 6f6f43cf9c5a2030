"""The workspace as one side of a comparison: what a run would be recorded to read now."""

from __future__ import annotations

import os

from mlctl.adapters import clock
from mlctl.adapters.clock import iso
from mlctl.experiments.again.side import Side, packages_in
from mlctl.experiments.capture import machine_scrubber
from mlctl.experiments.code import code_state
from mlctl.experiments.describe import seeds_in, stage_of
from mlctl.experiments.environment import described, environment, machine
from mlctl.experiments.metrics import metrics_keys, read_metrics_file
from mlctl.experiments.naming import merged, params_of
from mlctl.pipeline.observer import Observer
from mlctl.pipeline.project import Project, open_workspace
from mlctl.pipeline.results import StageResult
from mlctl.pipeline.spec import LockedPath, LockedStage, Stage
from mlctl.records.run import Host, RunHead
from mlctl.records.run_stages import StageRecord
from mlctl.records.ulid import new_ulid

WORKSPACE = "workspace"


def workspace_side(root: str) -> Side:
    """The files of the project at `root` as they are; nothing is written but git objects."""
    project = Project.open(root)
    with open_workspace(project) as workspace:
        observer = Observer(project, workspace)
        stages = tuple(_stage(root, project.stages[i], observer) for i in project.graph.order())
    project.save_state()
    text = environment()
    python, platform = described(text) if text else machine()
    params = params_of(stages)
    by_file = {file: values for stage in stages for file, values in stage.metrics.items()}
    now = clock.now()
    head = RunHead(
        id=new_ulid(now, os.urandom(10)),
        status="finished",
        started=iso(now),
        ended=iso(now),
        seconds=0.0,
        argv=(),
        jobs=1,
        host=Host(os.cpu_count(), python, platform),
        git=code_state(
            root, products={out.key for s in project.stages for out in s.outs if not out.cache}
        ),
        params=params,
        seeds=seeds_in(params),
    )
    return Side(head, stages, params, merged(by_file), packages_in(text))


def _stage(root: str, stage: Stage, observer: Observer) -> StageRecord:
    seen = observer.seen(stage, observer.project.locked(stage), ask_cache=False)
    now = LockedStage(
        stage.cmd,
        tuple(LockedPath(dep.path, seen.deps.get(dep.key)) for dep in stage.deps),
        {dep.path: dict(seen.params.get(dep.key) or {}) for dep in stage.params},
        tuple(LockedPath(out.path, seen.outs.get(out.key)) for out in stage.outs),
    )
    keys = metrics_keys("unchanged", stage.outs)
    metrics = {key: read_metrics_file(root, key) for key in keys}
    return stage_of(StageResult(stage, "unchanged", locked=now), metrics, machine_scrubber(root))
