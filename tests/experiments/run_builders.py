"""Results of runs, built by hand."""

import os

from mlctl.pipeline.plan import Reason
from mlctl.pipeline.results import RunResult, StageResult
from mlctl.pipeline.spec import Dep, Digest, LockedPath, LockedStage, Out, ParamsDep, Stage
from mlctl.records.ulid import new_ulid

START = 1_795_475_000.0  # 2026-11-23T23:03:20Z


def train_stage(
    lr: float = 0.1, outcome: str = "ran", name: str = "train", started: float = START
) -> StageResult:
    stage = Stage(
        file="dvc.yaml",
        name=name,
        cmd="python train.py",
        deps=(Dep("train.py", "train.py"), Dep("/data/big.csv", "/data/big.csv")),
        params=(ParamsDep("params.yaml", "params.yaml", ("train",)),),
        outs=(
            Out("model.txt", "model.txt"),
            Out("metrics.json", "metrics.json", kind="metric", cache=False),
        ),
    )
    locked = LockedStage(
        cmd="python train.py",
        deps=(
            LockedPath("train.py", Digest("a" * 32, size=9)),
            LockedPath("/data/big.csv", Digest("b" * 32, size=99)),
        ),
        params={"params.yaml": {"train": {"lr": lr, "depth": 6}}},
        outs=(
            LockedPath("model.txt", Digest("c" * 32, size=1000)),
            LockedPath("metrics.json", Digest("d" * 32, size=20)),
        ),
    )
    return StageResult(
        stage,
        outcome,
        reasons=(Reason("param", "params.yaml", "modified", "train.lr", 0.05, lr),),
        started=started,
        seconds=2.5,
        exit_code=0 if outcome == "ran" else 1,
        locked=locked,
        peak_memory=123_000_000,
        cpu_seconds=2.25,
    )


def run_result(
    *stages: StageResult, started: float = START, status: str = "finished", chance: bytes = b""
) -> RunResult:
    return RunResult(
        run_id=new_ulid(started, chance or os.urandom(10)),
        argv=("/home/ada/.venv/bin/mlctl", "run", "-j2"),
        started=started,
        seconds=3.0,
        jobs=2,
        status=status,
        stages=stages or (train_stage(started=started),),
    )
