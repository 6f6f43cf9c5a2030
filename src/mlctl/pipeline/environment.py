"""What a stage's command finds in its environment."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence

from mlctl.executors import LOCAL, _devices
from mlctl.pipeline.context import Context, live_path
from mlctl.pipeline.reading import Params
from mlctl.pipeline.spec import Stage

_LONGEST = 100_000  # characters of the parameters: Linux takes 128 KiB for one variable


def stage_environment(
    context: Context, stage: Stage, gpus: Sequence[str], params: Params
) -> Mapping[str, str]:
    """The variables to set, over those of mlctl's own environment where the stage runs here."""
    env = {
        "DVC_STAGE": stage.address,
        "MLCTL_RUN_ID": context.run_id,
        # A stage writes to a file: without this its last lines would come late.
        "PYTHONUNBUFFERED": os.environ.get("PYTHONUNBUFFERED", "1"),
    }
    env.update(_to_log(context, stage, params))
    if context.place(stage) != LOCAL:
        return {**env, **stage.settings.env}  # a host has a root and a PATH of its own
    env["DVC_ROOT"] = os.environ.get("DVC_ROOT", context.project.root)
    env["MLCTL_RUN_DIR"] = context.project.path(live_path(context.run_id, stage.address))
    env.update(stage.settings.env)
    path = env.get("PATH", os.environ.get("PATH"))
    if path:
        env["PATH"] = context.reach(path)
    python_path = env.get("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    env["PYTHONPATH"] = context.reach_python(python_path)
    if gpus:
        env.update(_devices.visible(gpus))
    return env


def _to_log(context: Context, stage: Stage, params: Params) -> dict[str, str]:
    """What `import mlctl` goes by in the stage (`mlctl.tracking`)."""
    said = json.dumps(params, default=str)
    return {
        "MLCTL_RUN": context.run_id,
        "MLCTL_STAGE": stage.address,
        "MLCTL_PARAMS": said if len(said) <= _LONGEST else "",
    }
