"""A run's record on disk: what it says, that it is whole, that branches merge."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run_builders import START, run_result, train_stage

from mlctl.errors import InvalidInput
from mlctl.experiments.capture import write_record
from mlctl.experiments.code import code_state
from mlctl.experiments.environment import environment, environment_digest
from mlctl.experiments.metrics import read_metrics
from mlctl.experiments.query import find_run, load_stages
from mlctl.pipeline.results import RunResult, StageResult
from mlctl.pipeline.spec import Dep, Digest, LockedPath, LockedStage, Out, Stage
from mlctl.records.ulid import new_ulid

ENV = "# CPython 3.11.2\n# Linux x86_64\nnumpy==2.0.0\n"


def write(root: Path, result: RunResult, **options: object) -> Path:
    values = {"code": None, "environment": None, **options}
    return root / write_record(str(root), result, **values)


def metric_stage(name: str, *files: str, outcome: str = "ran") -> StageResult:
    outs = tuple(Out(file, file, kind="metric", cache=False) for file in files)
    return StageResult(Stage("dvc.yaml", name, outs=outs), outcome)


def test_a_record_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text('{"auc": 0.91, "valid": {"loss": NaN}}')
    result = run_result()
    folder = write(tmp_path, result, environment=ENV)
    assert folder == tmp_path / "runs/20261123" / result.run_id
    assert sorted(os.listdir(folder)) == ["run.json", "stages.jsonl"]
    head = find_run(str(tmp_path), "last")
    assert (head.id, head.status, head.started) == (
        result.run_id,
        "finished",
        "2026-11-23T23:03:20.000Z",
    )
    assert head.params == {"train.lr": 0.1, "train.depth": 6}
    assert head.metrics["auc"] == 0.91
    assert math.isnan(head.metrics["valid.loss"])
    assert (head.outcomes, head.ran, head.failed) == ({"ran": 1}, ("train",), ())
    assert (head.host.python, head.host.platform) == ("CPython 3.11.2", "Linux x86_64")
    assert head.env == f"sha256:{environment_digest(ENV)}"
    assert (tmp_path / f"runs/_env/{environment_digest(ENV)}.txt").read_text() == ENV
    (stage,) = load_stages(str(tmp_path), head.id)
    assert [(d.path, d.digest, d.size) for d in stage.deps] == [
        ("train.py", "md5:" + "a" * 32, 9),
        ("external:big.csv", "md5:" + "b" * 32, 99),
    ]
    assert stage.metrics["metrics.json"]["auc"] == 0.91
    assert stage.reasons[0]["name"] == "train.lr"
    assert (stage.exit_code, stage.peak_memory, stage.seconds) == (0, 123_000_000, 2.5)


def test_nothing_of_this_machine_is_in_a_record(repo: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    stage = Stage(
        "sub/dvc.yaml",
        "fetch",
        wdir="sub",
        cmd=f"python {repo}/get.py --cache=/home/ada/.cache",
        deps=(
            Dep("../../outside.csv", "../outside.csv"),
            Dep("https://me:pass@host/x?token=1", "https://me:pass@host/x?token=1"),
        ),
    )
    locked = LockedStage(
        stage.cmd,
        deps=(
            LockedPath("../../outside.csv", Digest("a" * 32)),
            LockedPath("https://me:pass@host/x?token=1", Digest("", extra={"etag": "e1"})),
            LockedPath("../up.csv", Digest("b" * 32 + ".dir", nfiles=3)),
            LockedPath("old.csv", Digest("c" * 32, legacy=True)),
        ),
    )
    failed = StageResult(stage, "failed", locked=locked, message=f"no file {repo}/x.csv")
    argv = (f"{repo}/bin/mlctl", "-C", str(repo), "run", "/etc/x", "--cd=/srv/y", "-S", "a=/b")
    result = RunResult(new_ulid(START, bytes(10)), argv, START, 1.0, 1, "failed", (failed,))
    (repo / "train.py").write_text("print(2)\n")
    folder = write(repo, result, code=code_state(str(repo)), environment=environment())
    text = "".join(path.read_text() for path in (repo / "runs").rglob("*") if path.is_file())
    for private in (str(repo), "/home/ada", "me:pass", "token=1", os.uname().nodename):
        assert private not in text
    head = json.loads((folder / "run.json").read_text())
    assert head["argv"] == [
        "mlctl", "-C", ".", "run", "external:x", "--cd=external:y", "-S", "a=/b"
    ]  # fmt: skip
    (line,) = load_stages(str(repo), result.run_id)
    assert [(d.path, d.digest) for d in line.deps] == [
        ("external:outside.csv", "md5:" + "a" * 32),
        ("https://host/x", "etag:e1"),
        ("up.csv", "md5:" + "b" * 32 + ".dir"),
        ("sub/old.csv", "md5-dos2unix:" + "c" * 32),
    ]
    assert line.message == "no file ./x.csv"
    assert line.cmd == "python ./get.py --cache=~/.cache"


def test_a_dirty_tree_is_recorded_with_its_snapshot_and_patch(repo: Path, git) -> None:
    (repo / "train.py").write_text("print(2)\n")
    code = code_state(str(repo))
    result = run_result()
    folder = write(repo, result, code=code)
    head = json.loads((folder / "run.json").read_text())
    assert head["git"]["dirty"] is True
    assert git("rev-parse", f"refs/mlctl/snapshots/{result.run_id}") == head["git"]["snapshot"]
    assert "+print(2)" in (folder / "code.patch").read_text()
    assert not code_state(str(repo)).omitted


def test_a_clean_tree_has_no_snapshot(repo: Path, git) -> None:
    folder = write(repo, run_result(), code=code_state(str(repo)))
    assert not (folder / "code.patch").exists()
    assert git("for-each-ref", "refs/mlctl") == ""


def test_a_record_is_never_written_twice(tmp_path: Path) -> None:
    result = run_result()
    folder = write(tmp_path, result)
    before = (folder / "run.json").read_bytes()
    with pytest.raises(InvalidInput, match="exists already"):
        write(tmp_path, run_result(train_stage(lr=9.0), chance=b"x" * 10).__class__(
            result.run_id, (), START, 9.0, 1, "failed", ()))  # fmt: skip
    assert (folder / "run.json").read_bytes() == before
    with pytest.raises(InvalidInput, match="must be a ULID"):
        write(tmp_path, RunResult("../../etc", (), START, 9.0, 1, "failed", ()))


def test_local_state_is_ignored_by_git(repo: Path, git) -> None:
    write(repo, run_result())
    assert git("status", "--porcelain") == "?? runs/"


def test_metrics_by_file_where_names_collide(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"auc": 1, "only_a": 2, "text": "x", "ok": true, "l": [1]}')
    (tmp_path / "b.yaml").write_text("auc: 0.5\nnested:\n  deep: 1e-3\n")
    (tmp_path / "c.toml").write_text("[valid]\nloss = inf\n")
    (tmp_path / "d.json").write_text("{broken")
    (tmp_path / "stale.json").write_text('{"stale": 1}')
    result = run_result(
        metric_stage("one", "a.json", "missing.json", "d.json"),
        metric_stage("two", "b.yaml", outcome="unchanged"),
        metric_stage("three", "stale.json", outcome="failed"),
    )
    assert read_metrics(str(tmp_path), result, files=["c.toml", "a.json"]) == {
        "a.json:auc": 1,
        "b.yaml:auc": 0.5,
        "only_a": 2,
        "nested.deep": 0.001,
        "valid.loss": math.inf,
    }


def test_what_gives_way_in_the_head_stands_in_the_stages(tmp_path: Path) -> None:
    many = {f"metric_{i:04}": i / 7 for i in range(1000)}
    (tmp_path / "metrics.json").write_text(json.dumps(many))
    write(tmp_path, run_result())
    head = find_run(str(tmp_path), "last")
    assert head.truncated["metrics"] == 1000 - len(head.metrics) > 0
    (stage,) = load_stages(str(tmp_path), head.id)
    assert stage.metrics["metrics.json"] == many
    assert stage.params == {"params.yaml": {"train": {"lr": 0.1, "depth": 6}}}


def test_the_environment_is_the_one_that_stages_see(tmp_path: Path, monkeypatch) -> None:
    ours = environment(sys.executable)
    lines = ours.splitlines()
    assert lines[0].startswith("# CPython 3.")
    assert any(line.startswith("pytest==") for line in lines)
    names = [line.split("==")[0] for line in lines[2:]]
    assert names == sorted(set(names))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    monkeypatch.setenv("PATH", f"{tmp_path / 'venv/bin'}{os.pathsep}{os.environ['PATH']}")
    theirs = environment()
    assert theirs.splitlines() == lines[:2]  # a bare one: nothing but Python itself
    assert environment("no-such-python") is None


def test_an_environment_is_stored_once(tmp_path: Path) -> None:
    write(tmp_path, run_result(), environment=ENV)
    stored = next((tmp_path / "runs/_env").iterdir())
    before = stored.stat().st_mtime_ns
    write(tmp_path, run_result(), environment=ENV)
    assert [p.stat().st_mtime_ns for p in (tmp_path / "runs/_env").iterdir()] == [before]


WRITER = """
import os, sys, time
sys.path.insert(0, {tests!r})
from run_builders import run_result, train_stage
from mlctl.experiments.capture import write_record
print("ready", flush=True)
while True:
    stages = [train_stage(name=f"s{{i}}") for i in range(40)]
    write_record({root!r}, run_result(*stages), None, "# P\\n# M\\n")
"""


def test_a_killed_writer_leaves_whole_records_or_none(tmp_path: Path) -> None:
    script = WRITER.format(root=str(tmp_path), tests=str(Path(__file__).parent))
    for delay in (0.01, 0.033, 0.05, 0.071):
        writer = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(delay)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
    folders = list((tmp_path / "runs").glob("2*/*"))
    assert folders
    for folder in folders:
        assert len(load_stages(str(tmp_path), find_run(str(tmp_path), folder.name).id)) == 40


@pytest.fixture(scope="module")
def merging(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("merging")


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 2)), min_size=1, max_size=4),
    st.lists(st.tuples(st.booleans(), st.integers(0, 2)), min_size=1, max_size=4),
)
@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_runs_of_two_branches_merge_without_conflict(
    merging: Path, ours: list[tuple[bool, int]], theirs: list[tuple[bool, int]]
) -> None:
    root = merging / new_ulid(START, os.urandom(10))
    root.mkdir()

    def git(*args: str) -> str:
        identity = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
        done = subprocess.run(["git", *identity, *args], cwd=root, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    git("init", "-q", "-b", "main")
    git("commit", "-q", "--allow-empty", "-m", "first")
    for branch, runs in (("ours", ours), ("theirs", theirs)):
        git("checkout", "-q", "-b", branch, "main")
        for dirty, packages in runs:
            text = ENV + "".join(f"p{i}==1\n" for i in range(packages))
            write(root, run_result(train_stage(lr=packages)), environment=text)
            if dirty:  # the same moment on both sides: only chance tells the ids apart
                write(root, run_result(status="failed"), environment=text)
            git("add", "runs")
            git("commit", "-q", "-m", "record")
    git("merge", "-q", "-m", "merge", "ours")
    expected = sum(1 + dirty for dirty, _ in (*ours, *theirs))
    listed = git("ls-tree", "-r", "--name-only", "HEAD").split()
    assert sum(name.endswith("/run.json") for name in listed) == expected
    assert len([name for name in listed if "_env" in name]) == len(
        {packages for _, packages in (*ours, *theirs)}
    )


def test_locked_is_none_for_a_stage_that_did_not_get_that_far(tmp_path: Path) -> None:
    write(tmp_path, run_result(StageResult(Stage("dvc.yaml", "s", cmd=("a", "b")), "skipped")))
    (stage,) = load_stages(str(tmp_path), find_run(str(tmp_path), "last").id)
    assert (stage.cmd, stage.deps, stage.outcome) == (("a", "b"), (), "skipped")
