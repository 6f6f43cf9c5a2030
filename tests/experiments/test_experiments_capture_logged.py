"""What stages log while they run becomes part of the record."""

import hashlib
import json
import math
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from live_builders import log_file, log_params, log_steps
from run_builders import run_result, train_stage

from mlctl.experiments.capture import LOG_LIMIT, write_record
from mlctl.experiments.curves import Curve, load_curves
from mlctl.experiments.logged import fold
from mlctl.experiments.query import find_run, load_stages
from mlctl.pipeline.results import RunResult
from mlctl.pipeline.spec import Settings
from mlctl.records.run import RunHead
from mlctl.records.run_artifacts import Artifact, parse_artifacts
from mlctl.records.run_metrics import Series
from mlctl.records.run_thinning import LIMIT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder that DVC knows, without a repository."""
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("[core]\n    no_scm = True\n")
    return tmp_path


def written(root: Path, result: RunResult, **options: object) -> tuple[RunHead, Path]:
    folder = root / write_record(str(root), result, None, None, **options)
    return find_run(str(root), result.run_id), folder


def in_cache(root: Path, digest: str) -> Path:
    md5 = digest.removeprefix("md5:")
    return root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


def artifacts(folder: Path) -> tuple[Artifact, ...]:
    return parse_artifacts((folder / "artifacts.jsonl").read_text(), name="artifacts.jsonl")


def test_logged_metrics_are_in_the_record_and_gone_from_where_they_grew(project: Path) -> None:
    (project / "metrics.json").write_text('{"auc": 0.9}')
    result = run_result()
    rows = [(0, {"loss": 0.5, "auc": 0.1}), (1, {"loss": 0.2}), (2, {"loss": 0.3})]
    log_steps(project, result.run_id, rows, torn='{"step": 3, "time": 179547')
    head, folder = written(project, result)
    assert (folder / "metrics.jsonl").read_text() == (
        '{"metrics":{"auc":0.1,"loss":0.5},"stage":"train","step":0,"t":0.0}\n'
        '{"metrics":{"loss":0.2},"stage":"train","step":1,"t":1.0}\n'
        '{"metrics":{"loss":0.3},"stage":"train","step":2,"t":2.0}\n'
    )
    assert head.series["loss"] == Series(0.3, 0.2, 0.5, 1, 0, 3)
    assert head.metrics == {"auc": 0.9, "loss": 0.3}  # a metrics file's own number wins
    assert head.full is None
    assert not (project / ".mlctl/live" / result.run_id).exists()
    assert load_curves(str(project), head.id)["loss"] == Curve(
        (0, 1, 2), (0.0, 1.0, 2.0), (0.5, 0.2, 0.3)
    )


def test_stages_and_ranks_are_merged_in_the_order_of_time(project: Path) -> None:
    result = run_result(train_stage(), train_stage(name="tune"))
    log_steps(project, result.run_id, [(0, {"loss": 3.0}), (1, {"loss": 2.0})])
    log_steps(project, result.run_id, [(0, {"loss": 30.0}), (1, {"loss": 20.0})], rank=1)
    log_steps(project, result.run_id, [(5, {"loss": 7.0})], key="tune")
    head, folder = written(project, result)
    rows = [json.loads(row) for row in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["t"] for row in rows] == [0.0, 0.0, 0.0, 1.0, 1.0]
    assert {(row["stage"], row.get("rank", 0)) for row in rows} == {
        ("train", 0), ("train", 1), ("tune", 0),
    }  # fmt: skip
    curves = load_curves(str(project), head.id)
    assert {name: curve.values for name, curve in curves.items()} == {
        "train:loss": (3.0, 2.0), "tune:loss": (7.0,),
    }  # fmt: skip
    assert sorted(head.series) == sorted(curves)


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_a_run_that_did_not_end_well_keeps_what_it_logged(project: Path, status: str) -> None:
    outcome = "failed" if status == "failed" else "cancelled"
    result = run_result(train_stage(outcome=outcome), status=status)
    log_steps(project, result.run_id, [(0, {"loss": math.nan})])
    head, _ = written(project, result)
    assert head.status == status
    assert math.isnan(head.series["loss"].last)
    assert math.isnan(head.metrics["loss"])


def test_what_is_no_step_is_passed_over(project: Path) -> None:
    result = run_result()
    rows = [(0, {"loss": "high", "lr": 0.1}), (1, {}), (2, {"loss": "NaN"})]
    folder = log_steps(project, result.run_id, rows, torn='[]\n{"step": 1}\nx\n\xff\n')
    (folder / "notes.txt").write_text("not ours")
    (folder / "params.jsonl").write_text('{"params": 3}\nnull\n')
    (folder / "artifacts.jsonl").write_text('{"kind": "plot"}\n{"path": "no"}\n')
    (folder.parent / "stray.txt").write_text("not a folder")
    head, record = written(project, result)
    assert sorted(head.series) == ["loss", "lr"]
    assert sorted(os.listdir(record)) == ["metrics.jsonl", "run.json", "stages.jsonl"]


def test_a_long_log_is_thinned_in_git_and_whole_in_the_cache(project: Path) -> None:
    result = run_result()
    rows = [(step, {"loss": 1 / (1 + step), "lr": 0.1}) for step in range(9000)]
    rows[4321][1]["loss"] = -5.0
    log_steps(project, result.run_id, rows)
    head, folder = written(project, result)
    thin = (folder / "metrics.jsonl").read_bytes()
    assert len(thin) <= LIMIT
    assert head.series["loss"] == Series(rows[-1][1]["loss"], -5.0, 1.0, 4321, 0, 9000)
    curve = load_curves(str(project), head.id)["loss"]
    assert (curve.steps[0], curve.steps[-1]) == (0, 8999)
    assert -5.0 in curve.values
    assert head.full is not None
    whole = in_cache(project, head.full.digest)
    data = whole.read_bytes()
    assert len(data) == head.full.size
    assert "md5:" + hashlib.md5(data).hexdigest() == head.full.digest
    assert data.count(b"\n") == 9000
    assert stat.S_IMODE(whole.stat().st_mode) == 0o444


def test_logged_parameters_and_seeds_are_the_runs(project: Path, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    stage = replace(train_stage(), log=".mlctl/logs/x/train.log")
    result = run_result(stage)
    log_params(project, result.run_id, {"model": {"width": 64}, "train": {"lr": 0.1}})
    log_params(project, result.run_id, {"model": {"width": 128}, "data_seed": 3, "seed": 11})
    head, _ = written(project, result)
    assert head.params == {
        "train.lr": 0.1, "train.depth": 6, "model.width": 128, "data_seed": 3, "seed": 11,
    }  # fmt: skip
    assert head.seeds == {"seed": 11, "data_seed": 3, "PYTHONHASHSEED": 7}
    (line,) = load_stages(str(project), head.id)
    assert line.logged == {"model.width": 128, "data_seed": 3, "seed": 11}


def test_a_seed_of_hashes_is_told_by_stage_where_they_differ(project: Path, monkeypatch) -> None:
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    stages = [
        replace(
            it,
            stage=replace(it.stage, settings=Settings(env={"PYTHONHASHSEED": seed})),
            log=".mlctl/logs/x/x.log",
        )
        for it, seed in ((train_stage(), "0"), (train_stage(name="tune"), "1"))
    ]
    head, _ = written(project, run_result(*stages))
    assert head.seeds == {"train:PYTHONHASHSEED": 0, "tune:PYTHONHASHSEED": 1}


def test_no_secret_is_in_a_record(project: Path) -> None:
    stage = train_stage()
    locked = replace(
        stage.locked, params={"params.yaml": {"db": {"password": "hunter2"}, "max_tokens": 512}}
    )
    reason = replace(stage.reasons[0], name="db.password", old="hunter1", new="hunter2")
    result = run_result(replace(stage, locked=locked, reasons=(reason,)))
    result = replace(result, argv=("mlctl", "run", "-S", "db.password=hunter2"))
    log_params(project, result.run_id, {"hf_token": "hunter3", "pad_token": "[PAD]"})
    log_file(project, result.run_id, "artifact", "my.env", b"TOKEN=hunter4")
    head, folder = written(project, result)
    assert head.params == {
        "db.password": "***", "max_tokens": 512, "hf_token": "***", "pad_token": "[PAD]",
    }  # fmt: skip
    assert head.argv == ("mlctl", "run", "-S", "db.password=***")
    assert head.truncated == {"artifacts": 1}
    kept = [path for path in project.rglob("*") if path.is_file()]
    assert not [path for path in kept if b"hunter" in path.read_bytes()]
    assert not (folder / "artifacts.jsonl").exists()


def test_small_plots_go_into_git_and_the_rest_into_the_cache(project: Path) -> None:
    result = run_result()
    svg, large = b"<svg>1</svg>", b"<svg>" + b" " * 200_000 + b"</svg>"
    log_file(project, result.run_id, "plot", "roc.svg", svg)
    log_file(project, result.run_id, "plot", "large.svg", large)
    log_file(project, result.run_id, "image", "sample.png", b"\x89PNG", step=3)
    log_file(project, result.run_id, "artifact", "model.json", b"{}")
    _, folder = written(project, result)
    found = artifacts(folder)
    assert [(it.kind, it.name, it.path, it.size, it.step, it.stage) for it in found] == [
        ("plot", "roc.svg", "plots/roc.svg", 12, None, "train"),
        ("plot", "large.svg", None, len(large), None, "train"),
        ("image", "sample.png", None, 4, 3, "train"),
        ("artifact", "model.json", None, 2, None, "train"),
    ]
    assert (folder / "plots/roc.svg").read_bytes() == svg
    for it, data in zip(found, [svg, large, b"\x89PNG", b"{}"], strict=True):
        assert it.digest == "md5:" + hashlib.md5(data).hexdigest()
        if it.path is None:
            assert in_cache(project, it.digest).read_bytes() == data


def test_plots_of_one_name_do_not_overwrite_each_other(project: Path) -> None:
    result = run_result(train_stage(), train_stage(name="tune"))
    for key in ("train", "tune"):
        log_file(project, result.run_id, "plot", "roc.svg", key.encode(), key=key)
    _, folder = written(project, result)
    found = {it.stage: (folder / str(it.path)).read_text() for it in artifacts(folder)}
    assert found == {"train": "train", "tune": "tune"}


def test_too_many_plots_go_into_the_cache_the_oldest_first(project: Path) -> None:
    result = run_result()
    for step in range(8):
        data = bytes([65 + step]) * 180_000
        log_file(project, result.run_id, "plot", "p", data, path=f"files/{step}.svg", step=step)
    _, folder = written(project, result)
    assert [it.step for it in artifacts(folder) if it.path] == [3, 4, 5, 6, 7]


def test_a_logged_folder_is_kept_as_a_folder(project: Path) -> None:
    result = run_result()
    log_file(project, result.run_id, "artifact", "w", b"1", path="files/model/a.bin")
    live = project / ".mlctl/live" / result.run_id / "train"
    (live / "files/model/b.bin").write_bytes(b"22")
    (live / "artifacts.jsonl").write_text(
        '{"kind":"artifact","name":"model","path":"files/model","step":null}\n'
    )
    _, folder = written(project, result)
    (it,) = artifacts(folder)
    assert (it.digest[-4:], it.size) == (".dir", 3)
    listing = json.loads(in_cache(project, it.digest).read_text())
    assert [entry["relpath"] for entry in listing] == ["a.bin", "b.bin"]


def test_a_file_elsewhere_is_copied_and_stays(project: Path) -> None:
    result = run_result()
    (project / "model.bin").write_bytes(b"weights")
    log_steps(project, result.run_id, [(0, {"loss": 1.0})])
    live = project / ".mlctl/live" / result.run_id / "train"
    row = {"kind": "artifact", "name": "model", "path": str(project / "model.bin")}
    (live / "artifacts.jsonl").write_text(json.dumps(row) + "\n")
    _, folder = written(project, result)
    (it,) = artifacts(folder)
    assert in_cache(project, it.digest).read_bytes() == b"weights"
    assert (project / "model.bin").read_bytes() == b"weights"
    assert (project / "model.bin").stat().st_nlink == 1


def test_a_path_of_another_machine_means_nothing_here(project: Path) -> None:
    result = run_result(replace(train_stage(), executor="gpu1"))
    (project / "model.bin").write_bytes(b"somebody else's")
    log_file(project, result.run_id, "artifact", "small", b"weights")
    live = project / ".mlctl/live" / result.run_id / "train"
    row = {"kind": "artifact", "name": "model", "path": str(project / "model.bin")}
    with open(live / "artifacts.jsonl", "a") as log:
        log.write(json.dumps(row) + "\n")
    head, folder = written(project, result)
    assert [it.name for it in artifacts(folder)] == ["small"]
    assert head.truncated == {"artifacts": 1}


def test_without_dvc_large_files_are_kept_by_mlctl(tmp_path: Path) -> None:
    result = run_result()
    log_file(tmp_path, result.run_id, "artifact", "model", b"weights")
    _, folder = written(tmp_path, result)
    (it,) = artifacts(folder)
    md5 = it.digest.removeprefix("md5:")
    kept = tmp_path / ".mlctl/cache/files/md5" / md5[:2] / md5[2:]
    assert kept.read_bytes() == b"weights"
    assert not (tmp_path / ".dvc").exists()


def test_a_run_has_the_name_that_it_was_given(project: Path) -> None:
    head, _ = written(project, run_result(), name="wide, seed 3")
    assert head.name == "wide, seed 3"


def test_logs_are_kept_only_where_they_are_asked_for(project: Path, monkeypatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_abcdef")
    log = project / ".mlctl/logs/x/train.log"
    log.parent.mkdir(parents=True)
    log.write_text("first\n" + "x" * LOG_LIMIT + f"\nread {project}/a.csv with hf_abcdef\n")
    stage = replace(train_stage(), log=".mlctl/logs/x/train.log")
    _, folder = written(project, run_result(stage))
    assert not (folder / "logs").exists()
    _, folder = written(project, run_result(stage), logs=True)
    text = (folder / "logs/train.log").read_text()
    assert text.endswith("\nread ./a.csv with ***\n")
    assert "first" not in text


def test_how_a_stage_used_the_machine_is_in_its_line(project: Path) -> None:
    usage = {"cpu_mean": 1.5, "memory_peak": 10, "curve": {"seconds": [1.0], "cpu": [1.5]}}
    head, _ = written(project, run_result(replace(train_stage(), usage=usage)))
    (line,) = load_stages(str(project), head.id)
    assert line.usage == usage


def test_a_record_that_was_begun_and_never_published_is_made_again(project: Path) -> None:
    """As where the process was killed in between."""
    result = run_result()
    log_steps(project, result.run_id, [(step, {"loss": 1.0 / (1 + step)}) for step in range(9000)])
    log_file(project, result.run_id, "artifact", "model", b"weights")
    for number in ("first", "second"):
        (project / number).mkdir()
        fold(str(project), result.run_id, result.started, project / number)
    head, folder = written(project, result)
    assert (head.full is not None, head.series["loss"].n) == (True, 9000)
    for name in ("metrics.jsonl", "artifacts.jsonl"):
        texts = {(it / name).read_bytes() for it in (project / "first", project / "second", folder)}
        assert len(texts) == 1
