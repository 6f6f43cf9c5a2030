"""Make the files beside this one with the tools that they come from.

    pip install mlflow wandb tensorboardX
    MLFLOW_ALLOW_FILE_STORE=true python make_foreign.py

What each run logs is `VALUES`: it is what the tests expect to read. Names of the machine and of its
folders are taken out of what is written.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
LOSS = [0.9, 0.5, 0.30000001192092896, 0.25]  # the third has no short form as a float32
VALUES = {"lr": 0.01, "depth": 6, "optimizer": "adam", "api_key": "not-for-git"}
TABLES = ("experiments", "runs", "metrics", "latest_metrics", "params", "tags", "alembic_version")


def mlflow_runs(uri: str) -> None:
    import mlflow

    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("churn")
    with mlflow.start_run(run_name="parent", tags={"team": "growth"}) as parent:
        mlflow.log_params(VALUES)
        mlflow.set_tag("mlflow.source.git.commit", "c0ffee" + "0" * 34)
        mlflow.set_tag("mlflow.note.content", "The first\none.")
        for step, loss in enumerate(LOSS):
            mlflow.log_metric("train/loss", loss, step=step)
        mlflow.log_metric("auc", 0.875)
        mlflow.log_text("hello\n", "notes/hello.txt")
        with mlflow.start_run(run_name="child", nested=True):
            mlflow.log_param("lr", "1e-05")
            mlflow.log_metric("auc", float("nan"))
    with contextlib.suppress(RuntimeError), mlflow.start_run(run_name="broken"):
        mlflow.log_metric("auc", 0.5)
        raise RuntimeError("on purpose")
    with mlflow.start_run(run_name="gone") as gone:
        mlflow.log_metric("auc", 0.1)
    mlflow.delete_run(gone.info.run_id)
    assert parent.info.status


def mlflow_files() -> None:
    with tempfile.TemporaryDirectory() as top:
        mlflow_runs(Path(top, "mlruns").as_uri())
        for path in Path(top, "mlruns").rglob("*"):
            if path.is_file():
                path.write_text(path.read_text().replace(top, "/home/ada"))
                if path.name in ("mlflow.user", "mlflow.source.name"):
                    path.unlink()
                elif path.name == "meta.yaml":
                    path.write_text(_without(path.read_text(), "user_id"))
        shutil.rmtree(HERE / "mlruns", ignore_errors=True)
        shutil.rmtree(Path(top, "mlruns", "models"), ignore_errors=True)
        shutil.copytree(Path(top, "mlruns"), HERE / "mlruns")


def _without(text: str, key: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join("user_id: ada\n" if line.startswith(f"{key}:") else line for line in lines)


def mlflow_sqlite() -> None:
    """The tables that hold runs, as SQL: a whole database is some hundred kB of empty tables."""
    with tempfile.TemporaryDirectory() as top:
        os.chdir(top)
        mlflow_runs(f"sqlite:///{top}/mlflow.db")
        database = sqlite3.connect(f"{top}/mlflow.db")
        lines = [
            line
            for line in database.iterdump()
            if any(f" {name} " in line[:40] or f'"{name}"' in line[:40] for name in TABLES)
        ]
        text = "\n".join(line for line in lines if "INDEX" not in line[:30]) + "\n"
        text = text.replace(top, "/home/ada").replace("'root'", "'ada'")
        (HERE / "mlflow.sql").write_text(text)
        os.chdir(HERE)


def tensorboard() -> None:
    from tensorboardX import SummaryWriter
    from tensorboardX.proto import event_pb2, summary_pb2, tensor_pb2

    folder = HERE / "tensorboard"
    shutil.rmtree(folder, ignore_errors=True)
    with SummaryWriter(str(folder / "run1" / "train")) as writer:
        for step, loss in enumerate(LOSS):
            writer.add_scalar("loss", loss, step, walltime=1_790_000_000.0 + step)
        writer.add_histogram("weights", [1.0, 2.0, 3.0], 0)
        # As TensorFlow 2 writes a scalar: a tensor of one float, its bytes or its values.
        for step, form in enumerate(("tensor_content", "float_val")):
            tensor = tensor_pb2.TensorProto(dtype=1)
            if form == "tensor_content":
                tensor.tensor_content = b"\x00\x00\x60\x3f"  # 0.875
            else:
                tensor.float_val.append(0.5)
            metadata = summary_pb2.SummaryMetadata(
                plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="scalars")
            )
            value = summary_pb2.Summary.Value(tag="accuracy", tensor=tensor, metadata=metadata)
            event = event_pb2.Event(
                step=step,
                wall_time=1_790_000_010.0 + step,
                summary=summary_pb2.Summary(value=[value]),
            )
            writer.file_writer.add_event(event, step, 1_790_000_010.0 + step)
    for path in folder.rglob("events*"):
        path.rename(path.with_name(path.name.replace(socket.gethostname(), "laptop")))


def wandb_offline() -> None:
    import wandb

    with tempfile.TemporaryDirectory() as top:
        settings = wandb.Settings(
            mode="offline", host="laptop", username="ada", x_disable_meta=True,
            x_disable_stats=True, root_dir=top, disable_git=True, save_code=False, silent=True,
            program="train.py", console="off",
        )  # fmt: skip
        run = wandb.init(
            project="churn", name="sunny-1", id="abcd1234", config=dict(VALUES, nested={"a": [1]}),
            tags=["baseline"], notes="By hand.", settings=settings, dir=top,
        )  # fmt: skip
        for step, loss in enumerate(LOSS):
            run.log({"train/loss": loss, "nested": {"acc": step / 4}, "epoch": step // 2})
        run.log({"text": "not a number", "nan": float("nan")})
        run.summary["best"] = 0.25
        run.finish()
        wandb.teardown()  # only then is the log whole
        (source,) = Path(top, "wandb").glob("offline-run-*")
        target = HERE / "wandb" / "offline-run-20260101_000000-abcd1234"
        shutil.rmtree(HERE / "wandb", ignore_errors=True)
        target.mkdir(parents=True)
        for path in source.glob("*.wandb"):
            shutil.copy(path, target)


if __name__ == "__main__":
    os.chdir(HERE)
    for make in (mlflow_files, mlflow_sqlite, tensorboard, wandb_offline):
        make()
    print(json.dumps(VALUES), sys.version)
