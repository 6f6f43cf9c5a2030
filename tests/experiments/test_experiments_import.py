"""Runs of other tools, from files that these wrote (foreign/make_foreign.py)."""

import json
import math
import shutil
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from mlctl.cli.main import run
from mlctl.experiments.curves import load_curves
from mlctl.experiments.importing import import_runs
from mlctl.experiments.query import list_runs, read_part
from mlctl.records.run import RunHead, run_folder
from mlctl.records.run_artifacts import parse_artifacts
from mlctl.records.run_events import fold, parse_event

FOREIGN = Path(__file__).parent / "foreign"
LOSS = (0.9, 0.5, 0.30000001192092896, 0.25)  # what every tool was given to log


@pytest.fixture
def project(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (repo / ".dvc").mkdir()
    monkeypatch.chdir(repo)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return repo


@pytest.fixture
def mlflow_db(tmp_path: Path) -> Path:
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as database:
        database.executescript((FOREIGN / "mlflow.sql").read_text())
    return path


def by_name(root: Path) -> dict[str | None, RunHead]:
    return {head.name: head for head in list_runs(str(root))}


def check_mlflow(root: Path) -> None:
    heads = by_name(root)
    assert set(heads) == {"parent", "child", "broken"}
    parent, child = heads["parent"], heads["child"]
    assert parent.params == {"lr": 0.01, "depth": 6, "optimizer": "adam", "api_key": "***"}
    assert parent.metrics == {"auc": 0.875, "train/loss": 0.25}
    assert (parent.status, heads["broken"].status) == ("finished", "failed")
    assert parent.git is not None
    assert parent.git.commit == "c0ffee" + "0" * 34
    curve = load_curves(str(root), parent.id)["train/loss"]
    assert (curve.steps, curve.values) == ((0, 1, 2, 3), LOSS)
    assert math.isnan(child.metrics["auc"])
    assert child.params == {"lr": 1e-05}
    assert parent.origin is not None
    assert child.origin is not None
    assert child.origin["parent"] == parent.origin["id"]
    assert read_part(str(root), parent.id, "notes.md") == b"The first\none.\n"
    events = (root / run_folder(parent.id) / "events").iterdir()
    facts = fold(parse_event(it.read_text(), event_id=it.stem, name=it.name) for it in events)
    assert facts.tags == ("experiment=churn", "team=growth")


def test_a_folder_of_mlflow(project: Path) -> None:
    done = import_runs(str(project), str(FOREIGN / "mlruns"))
    assert (done.source, len(done.records), len(done.skipped)) == ("mlflow", 3, 1)
    assert done.skipped[0].reason == "deleted in MLflow"
    check_mlflow(project)


def test_a_database_of_mlflow(project: Path, mlflow_db: Path) -> None:
    done = import_runs(str(project), str(mlflow_db))
    assert (done.source, len(done.records), len(done.skipped)) == ("mlflow", 3, 1)
    check_mlflow(project)


def test_a_run_of_wandb(project: Path) -> None:
    done = import_runs(str(project), str(FOREIGN / "wandb"))
    assert (done.source, len(done.records)) == ("wandb", 1)
    (head,) = list_runs(str(project))
    assert (head.name, head.status) == ("sunny-1", "finished")
    assert head.origin == {"kind": "import", "source": "wandb", "id": "churn/abcd1234"}
    assert {key: head.params[key] for key in ("lr", "depth", "optimizer", "api_key")} == {
        "lr": 0.01, "depth": 6, "optimizer": "adam", "api_key": "***",
    }  # fmt: skip
    assert head.params["nested.a"] == [1]
    assert head.metrics["best"] == 0.25
    curves = load_curves(str(project), head.id)
    assert (curves["train/loss"].steps, curves["train/loss"].values) == ((0, 1, 2, 3), LOSS)
    assert curves["nested.acc"].values == (0, 0.25, 0.5, 0.75)
    assert math.isnan(curves["nan"].values[0])
    assert "text" not in curves
    assert read_part(str(project), head.id, "notes.md") == b"By hand.\n"
    assert "laptop" not in "".join(
        path.read_text() for path in (project / "runs").rglob("*") if path.is_file()
    )


def test_runs_of_tensorboard(project: Path) -> None:
    done = import_runs(str(project), str(FOREIGN / "tensorboard"))
    assert (done.source, len(done.records)) == ("tensorboard", 1)
    (head,) = list_runs(str(project))
    assert (head.name, head.started) == ("run1/train", "2026-09-21T14:13:20.000Z")
    assert head.seconds == 11.0
    curves = load_curves(str(project), head.id)
    # The file has 32 bits: 0.3 and 0.30000001192092896 are one number there.
    assert (curves["loss"].steps, curves["loss"].values) == ((0, 1, 2, 3), (0.9, 0.5, 0.3, 0.25))
    assert curves["loss"].times == (0.0, 1.0, 2.0, 3.0)
    assert curves["accuracy"].values == (0.875, 0.5)  # tensors, as TensorFlow 2 writes scalars
    assert set(curves) == {"loss", "accuracy"}


LIGHTNING = """\
epoch,step,train_loss,val_acc
0,9,0.75,
0,9,,0.5
1,19,0.25,
1,19,,0.875
"""
ULTRALYTICS = """\
                  epoch,      time,         train/box_loss,     metrics/mAP50(B)
                      1,    12.5,                0.75,                 0.25
                      2,    25.0,                0.5,                  0.5
"""


def test_the_csv_of_lightning(project: Path) -> None:
    folder = project / "lightning_logs" / "version_0"
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_text(LIGHTNING)
    (folder / "hparams.yaml").write_text("lr: 0.01\nnet: !!python/object:net.Net {}\n")
    assert len(import_runs(str(project), str(project / "lightning_logs")).records) == 1
    (head,) = list_runs(str(project))
    assert (head.name, dict(head.params)) == ("version_0", {"lr": 0.01})
    curves = load_curves(str(project), head.id)
    assert (curves["train_loss"].steps, curves["train_loss"].values) == ((9, 19), (0.75, 0.25))
    assert curves["val_acc"].values == (0.5, 0.875)
    assert curves["epoch"].values == (0, 0, 1, 1)


def test_the_csv_of_ultralytics(project: Path, git) -> None:
    folder = project / "runs" / "detect" / "train"
    folder.mkdir(parents=True)
    (folder / "results.csv").write_text(ULTRALYTICS)
    (folder / "args.yaml").write_text("epochs: 2\nmodel: yolo.pt\nproject: /home/ada/x\nseed: 0\n")
    git("add", "-A")
    git("commit", "-q", "-m", "results", "--date", "2026-01-01T00:00:00Z")
    committed = float(git("log", "-1", "--format=%ct"))
    assert len(import_runs(str(project), str(folder)).records) == 1
    (head,) = list_runs(str(project))
    assert dict(head.params) == {"epochs": 2, "model": "yolo.pt", "seed": 0}
    assert (dict(head.seeds), head.seconds) == ({"seed": 0}, 25.0)
    curve = load_curves(str(project), head.id)["metrics/mAP50(B)"]
    assert (curve.steps, curve.times, curve.values) == ((1, 2), (12.5, 25.0), (0.25, 0.5))
    assert f"{committed:.0f}" == f"{_seconds(head.ended):.0f}"


def _seconds(moment: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(moment).timestamp()


def test_importing_again_adds_nothing(project: Path) -> None:
    path = str(FOREIGN / "mlruns")
    first = import_runs(str(project), path)
    shutil.copytree(project / "runs", project.parent / "as-it-was")
    again = import_runs(str(project), path)
    assert (again.records, sorted(again.present)) == ([], sorted(_ids(project)))
    shutil.rmtree(project / "runs")
    assert import_runs(str(project), path).records == first.records  # on any machine, byte by byte
    old, new = project.parent / "as-it-was", project / "runs"
    files = sorted(path.relative_to(old) for path in old.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(new) for path in new.rglob("*") if path.is_file())
    assert all((old / file).read_bytes() == (new / file).read_bytes() for file in files)


def _ids(root: Path) -> list[str]:
    return [head.origin["id"] for head in list_runs(str(root)) if head.origin]


def test_two_branches_that_import_the_same_merge(project: Path, git) -> None:
    for branch, paths in (("one", ["mlruns", "wandb"]), ("two", ["mlruns", "tensorboard"])):
        git("checkout", "-q", "-b", branch, "main")
        for path in paths:
            assert run(["exp", "import", str(FOREIGN / path), "--commit"]) == 0
    git("checkout", "-q", "one")
    git("merge", "-q", "-m", "both", "two")
    assert len(list_runs(str(project))) == 5


def test_files_are_kept_when_asked_for(project: Path) -> None:
    import_runs(str(project), str(FOREIGN / "mlruns"), artifacts=True)
    head = by_name(project)["parent"]
    data = read_part(str(project), head.id, "artifacts.jsonl")
    assert data is not None
    (artifact,) = parse_artifacts(data.decode(), name="artifacts.jsonl")
    md5 = artifact.digest.removeprefix("md5:")
    kept = project / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
    assert (artifact.name, kept.read_text()) == ("notes/hello.txt", "hello\n")
    assert "artifacts" not in head.truncated


def test_files_that_are_not_kept_are_counted(project: Path) -> None:
    import_runs(str(project), str(FOREIGN / "mlruns"))
    head = by_name(project)["parent"]
    assert head.truncated["artifacts"] == 1
    assert read_part(str(project), head.id, "artifacts.jsonl") is None


def test_a_long_curve_is_thinned_and_kept_whole(project: Path) -> None:
    folder = project / "lightning_logs" / "version_0"
    folder.mkdir(parents=True)
    rows = "".join(f"{step},{0.5 if step != 7777 else 99.0}\n" for step in range(12_000))
    (folder / "metrics.csv").write_text("step,loss\n" + rows)
    import_runs(str(project), str(folder))
    (head,) = list_runs(str(project))
    assert head.full is not None
    assert (head.series["loss"].n, head.series["loss"].max_step) == (12_000, 7777)
    written = read_part(str(project), head.id, "metrics.jsonl")
    assert written is not None
    assert len(written) <= 256 * 1024
    assert 99.0 in load_curves(str(project), head.id)["loss"].values
    md5 = head.full.digest.removeprefix("md5:")
    whole = project / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
    assert whole.read_text().count("\n") == 12_000


@pytest.mark.parametrize("name", ["wandb", "tensorboard"])
def test_a_log_that_a_killed_process_left_is_read_as_far_as_it_goes(
    project: Path, tmp_path: Path, name: str
) -> None:
    shutil.copytree(FOREIGN / name, tmp_path / name)
    (log,) = (path for path in (tmp_path / name).rglob("*") if path.is_file())
    whole = log.read_bytes()
    for size in range(len(whole) - 1, 0, -37):
        log.write_bytes(whole[:size])
        try:
            done = import_runs(str(project), str(log), name, dry=True)
        except Exception as error:
            raise AssertionError(f"{size} of {len(whole)} bytes") from error
        assert not done.damaged or size < 20, (size, done.damaged)


@pytest.mark.parametrize("name", ["wandb", "tensorboard"])
def test_a_damaged_log_is_named_and_nothing_of_it_is_written(
    project: Path, tmp_path: Path, capsys, name: str
) -> None:
    shutil.copytree(FOREIGN / name, tmp_path / name)
    (log,) = (path for path in (tmp_path / name).rglob("*") if path.is_file())
    data = bytearray(log.read_bytes())
    data[len(data) // 2] ^= 0xFF
    log.write_bytes(data)
    assert run(["exp", "import", str(log.parent), "--from", name]) == 1
    said = capsys.readouterr().out
    assert log.name in said
    assert "checksum" in said
    assert list_runs(str(project)) == []
    assert not list((project / ".mlctl" / "tmp").glob("run-*"))


def test_one_damaged_run_does_not_keep_the_others_out(
    project: Path, tmp_path: Path, capsys
) -> None:
    shutil.copytree(FOREIGN / "mlruns", tmp_path / "mlruns")
    (metric,) = (tmp_path / "mlruns").rglob("metrics/train/loss")
    metric.write_text(metric.read_text() + "1790000000000 much 4\n")
    assert run(["exp", "import", str(tmp_path / "mlruns"), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["found"], len(said["records"]), len(said["skipped"])) == (4, 2, 1)
    (damaged,) = said["damaged"]
    assert f"{metric}:5" in damaged["reason"]
    assert "much" in damaged["reason"]
    assert set(by_name(project)) == {"child", "broken"}
    metric.write_text("\n".join(metric.read_text().splitlines()[:4]) + "\n")
    assert run(["exp", "import", str(tmp_path / "mlruns")]) == 0  # mended: the rest comes in
    assert "1 imported, 2 there already, 1 left out" in capsys.readouterr().out


def test_a_dry_run_writes_nothing(project: Path, capsys) -> None:
    assert run(["exp", "import", str(FOREIGN / "mlruns"), "--dry"]) == 0
    assert "3 would be imported, 1 left out" in capsys.readouterr().out
    assert not (project / "runs").exists()


def test_what_is_no_run_is_refused(project: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    (tmp_path / "other.db").write_bytes(b"SQLite format 3\x00" + bytes(100))
    assert run(["exp", "import", str(tmp_path / "data.csv")]) == 2
    assert "does not look like runs of another tool" in capsys.readouterr().err
    assert run(["exp", "import", str(tmp_path / "missing")]) == 2
    assert run(["exp", "import"]) == 2
    assert run(["exp", "import", str(FOREIGN / "mlruns"), "--from", "wandb"]) == 2
    assert run(["exp", "import", str(tmp_path / "other.db")]) == 1
    assert "other.db" in capsys.readouterr().out


def test_infinities_and_long_names(project: Path, tmp_path: Path) -> None:
    shutil.copytree(FOREIGN / "mlruns", tmp_path / "mlruns")
    (metric,) = (tmp_path / "mlruns").rglob("metrics/train/loss")
    metric.write_text("1790000000000 inf 0\n1790000000001 -inf 1\n")
    import_runs(str(project), str(tmp_path / "mlruns"))
    head = by_name(project)["parent"]
    assert load_curves(str(project), head.id)["train/loss"].values == (math.inf, -math.inf)


def test_an_event_of_four_bytes_is_no_event(tmp_path: Path, project: Path) -> None:
    from mlctl.experiments.importers._wire import masked_crc32c

    size = struct.pack("<Q", 4)
    body = b"\x0b\x0b\x0b\x0b"  # a group, which no event has
    record = size + struct.pack("<I", masked_crc32c(size)) + body
    (tmp_path / "events.out.tfevents.1").write_bytes(
        record + struct.pack("<I", masked_crc32c(body))
    )
    done = import_runs(str(project), str(tmp_path), "tensorboard")
    assert (done.records, len(done.damaged)) == ([], 1)


def test_experiments_of_dvc(project: Path, git) -> None:
    """Real ones: `dvc exp run` keeps each as a commit below refs/exps."""
    shutil.rmtree(project / ".dvc")
    dvc(project, "init", "-q")
    (project / "params.yaml").write_text("train:\n  lr: 0.1\n  depth: 6\n")
    (project / "train.py").write_text(
        "import json, yaml\n"
        "lr = yaml.safe_load(open('params.yaml'))['train']['lr']\n"
        "json.dump({'test': {'auc': 1 - lr}}, open('metrics.json', 'w'))\n"
    )
    (project / "dvc.yaml").write_text(
        f"stages:\n  train:\n    cmd: {sys.executable} train.py\n    deps: [train.py]\n"
        "    params: [train.lr]\n    metrics:\n    - metrics.json:\n        cache: false\n"
    )
    git("add", "-A")
    git("commit", "-q", "-m", "pipeline")
    baseline = git("rev-parse", "HEAD")
    for lr in ("0.25", "0.5"):
        dvc(project, "exp", "run", "-q", "-n", f"lr-{lr}", "-S", f"train.lr={lr}")
    done = import_runs(str(project), str(project), "dvc")
    assert (len(done.records), done.skipped, done.damaged) == (2, [], [])
    heads = by_name(project)
    assert heads["lr-0.25"].params == {"train.lr": 0.25, "train.depth": 6}
    assert heads["lr-0.25"].metrics == {"test.auc": 0.75}
    assert heads["lr-0.5"].metrics == {"test.auc": 0.5}
    assert {head.git.commit for head in heads.values() if head.git} == {baseline}
    assert import_runs(str(project), str(project), "dvc").records == []


def dvc(root: Path, *args: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *args], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
