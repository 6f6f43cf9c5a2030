"""Runs of scripts outside of a pipeline become records, whoever looks first."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from live_builders import end_script_run, log_file, log_params, log_steps, start_script_run
from run_builders import START, run_result

from mlctl.errors import InvalidInput
from mlctl.experiments.adopting import adopt, capture
from mlctl.experiments.capture import write_record
from mlctl.experiments.curves import load_curves
from mlctl.experiments.live import live_runs, project_root
from mlctl.experiments.query import all_params, find_run, list_runs, load_stages
from mlctl.records.run import CodeState
from mlctl.records.ulid import new_ulid

MLCTL = [sys.executable, "-m", "mlctl"]
HOLD = """
import fcntl, sys, time
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(120)
"""


@pytest.fixture
def run_id() -> str:
    return new_ulid(START, os.urandom(10))


def test_a_script_that_has_ended_leaves_a_record(tmp_path: Path, run_id: str) -> None:
    argv = [f"{tmp_path}/train.py", "--lr=0.1", "--api-key=abc", f"{tmp_path}/data.csv"]
    folder = start_script_run(tmp_path, run_id, name="first", argv=argv, params={"lr": 0.1})
    log_steps(tmp_path, run_id, [(0, {"loss": 2.0}), (1, {"loss": 1.0})], key="main")
    log_params(tmp_path, run_id, {"seed": 5, "api": {"password": "x"}}, key="main")
    log_file(tmp_path, run_id, "plot", "roc.svg", b"<svg/>", key="main")
    end_script_run(folder)
    assert adopt(str(tmp_path)) == [f"runs/20261123/{run_id}"]
    head = find_run(str(tmp_path), "last")
    assert (head.id, head.name, head.status) == (run_id, "first", "finished")
    assert (head.started, head.seconds) == ("2026-11-23T23:03:20.000Z", 60.0)
    assert head.argv == ("train.py", "--lr=0.1", "--api-key=***", "./data.csv")
    assert head.params == {"lr": 0.1, "seed": 5, "api.password": "***"}
    assert (head.metrics, head.seeds) == ({"loss": 1.0}, {"seed": 5})
    assert (head.origin, head.git, head.outcomes) == ({"kind": "python"}, None, {})
    assert load_stages(str(tmp_path), run_id) == ()
    assert load_curves(str(tmp_path), run_id)["loss"].values == (2.0, 1.0)
    record = tmp_path / "runs/20261123" / run_id
    assert sorted(os.listdir(record)) == [
        "artifacts.jsonl", "metrics.jsonl", "params.json", "plots", "run.json", "stages.jsonl",
    ]  # fmt: skip
    assert json.loads((record / "params.json").read_text()) == head.params
    assert live_runs(str(tmp_path)) == []
    assert adopt(str(tmp_path)) == []


def test_a_script_that_failed_says_why(tmp_path: Path, run_id: str) -> None:
    folder = start_script_run(tmp_path, run_id)
    end_script_run(folder, "failed", exception=f"OSError: {tmp_path}/a.csv is missing")
    adopt(str(tmp_path))
    head = find_run(str(tmp_path), "last")
    assert head.status == "failed"
    assert head.origin == {"kind": "python", "exception": "OSError: ./a.csv is missing"}


def test_a_script_goes_on_as_long_as_its_process_holds_the_lock(
    tmp_path: Path, run_id: str
) -> None:
    folder = start_script_run(tmp_path, run_id)
    log = log_steps(tmp_path, run_id, [(0, {"loss": 2.0})], key="main") / "metrics.jsonl"
    os.utime(log, (START + 30, START + 30))
    os.utime(folder / "start.json", (START, START))
    argv = [sys.executable, "-c", HOLD, str(folder / "lock")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert adopt(str(tmp_path)) == []
        assert live_runs(str(tmp_path)) == [run_id]
        process.kill()
    assert adopt(str(tmp_path)) == [f"runs/20261123/{run_id}"]
    head = find_run(str(tmp_path), "last")
    assert (head.status, head.seconds, head.metrics) == ("interrupted", 30.0, {"loss": 2.0})


def test_one_that_is_about_to_take_its_lock_is_waited_for(tmp_path: Path, run_id: str) -> None:
    folder = start_script_run(tmp_path, run_id)
    (folder / "lock").unlink()
    assert adopt(str(tmp_path)) == []
    os.utime(folder / "start.json", (START, START))
    assert adopt(str(tmp_path)) == [f"runs/20261123/{run_id}"]


def test_a_record_that_is_there_already_is_not_written_again(tmp_path: Path) -> None:
    """As where a process was killed between the record and the removal of what was logged."""
    result = run_result()
    record = tmp_path / write_record(str(tmp_path), result, None, None)
    before = (record / "run.json").read_bytes()
    end_script_run(start_script_run(tmp_path, result.run_id))
    adopt(str(tmp_path))
    assert (record / "run.json").read_bytes() == before
    assert live_runs(str(tmp_path)) == []


def test_several_processes_adopt_each_run_once(tmp_path: Path) -> None:
    ids = [new_ulid(START + number, os.urandom(10)) for number in range(30)]
    for run in ids:
        folder = start_script_run(tmp_path, run)
        log_steps(tmp_path, run, [(0, {"loss": 2.0})], key="main")
        end_script_run(folder)
    code = "import sys\nfrom mlctl.experiments.adopting import adopt\nadopt('.', strict=True)"
    processes = [
        subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [process.communicate()[1] for process in processes]
    assert said == [b""] * 3
    assert sorted(head.id for head in list_runs(str(tmp_path))) == ids
    assert live_runs(str(tmp_path)) == []
    assert all(head.metrics == {"loss": 2.0} for head in list_runs(str(tmp_path)))


def test_what_a_killed_pipeline_left_goes_when_nobody_writes_to_it(tmp_path: Path) -> None:
    old, young = (new_ulid(START + number, os.urandom(10)) for number in (0, 1))
    for run in (old, young):
        log_steps(tmp_path, run, [(0, {"loss": 2.0})])
    for path in [tmp_path / ".mlctl/live" / old, *(tmp_path / ".mlctl/live" / old).rglob("*")]:
        os.utime(path, (time.time() - 3600,) * 2)
    assert adopt(str(tmp_path)) == []
    assert live_runs(str(tmp_path)) == [young]


def test_a_damaged_start_is_still_a_run(tmp_path: Path, run_id: str) -> None:
    folder = start_script_run(tmp_path, run_id)
    (folder / "start.json").write_text('{"started": ')
    end_script_run(folder, "what?", ended="2026-11-23T23:04:20Z")
    assert adopt(str(tmp_path), strict=True) == [f"runs/20261123/{run_id}"]
    head = find_run(str(tmp_path), "last")
    assert (head.status, head.started, head.seconds) == (
        "finished", "2026-11-23T23:03:20.000Z", 60.0,
    )  # fmt: skip


def test_the_code_is_that_of_the_start(repo: Path, git, run_id: str) -> None:
    (repo / "train.py").write_text("print(2)\n")
    folder = start_script_run(repo, run_id, argv=["train.py"], capture=True)
    capture(str(repo), run_id)
    (repo / "train.py").write_text("print(3)\n")
    end_script_run(folder)
    adopt(str(repo))
    head = find_run(str(repo), "last")
    assert head.git is not None
    assert (head.git.dirty, head.git.commit) == (True, git("rev-parse", "HEAD"))
    assert git("show", f"{head.git.snapshot}:train.py") == "print(2)"
    assert git("rev-parse", f"refs/mlctl/snapshots/{run_id}") == head.git.snapshot
    assert "+print(2)" in (repo / "runs/20261123" / run_id / "code.patch").read_text()
    assert head.env is not None
    text = (repo / f"runs/_env/{head.env.removeprefix('sha256:')}.txt").read_text()
    assert text.startswith(f"# {head.host.python}\n")


def test_a_capture_that_has_begun_is_waited_for(tmp_path: Path, run_id: str) -> None:
    folder = start_script_run(tmp_path, run_id, capture=True, started=time.time())
    end_script_run(folder)
    assert adopt(str(tmp_path)) == []
    capture(str(tmp_path), run_id)
    assert len(adopt(str(tmp_path))) == 1
    assert find_run(str(tmp_path), "last").git is None  # there is no repository


def test_what_the_script_itself_knows_of_its_code_is_better_than_nothing(
    tmp_path: Path, run_id: str
) -> None:
    git = {"commit": "a" * 40, "branch": "main", "dirty": True}
    end_script_run(start_script_run(tmp_path, run_id, git=git))
    adopt(str(tmp_path))
    assert find_run(str(tmp_path), "last").git == CodeState("a" * 40, "main", None, True)


def test_the_project_is_the_nearest_that_marks_itself(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    assert project_root(str(tmp_path / "a/b")) == str(tmp_path / "a/b")
    (tmp_path / ".git").mkdir()
    assert project_root(str(tmp_path / "a/b")) == str(tmp_path)
    (tmp_path / "a/mlctl.yaml").touch()
    assert project_root(str(tmp_path / "a/b")) == str(tmp_path / "a")


def test_the_verbs_capture_and_commit(repo: Path, git, run_id: str) -> None:
    folder = start_script_run(repo, run_id, argv=["train.py"])
    (repo / "staged.txt").write_text("x\n")
    git("add", "staged.txt")
    subprocess.run(
        [*MLCTL, "exp", "capture", run_id, "--python", sys.executable], cwd=repo, check=True
    )
    end_script_run(folder)
    said = subprocess.run(
        [*MLCTL, "exp", "adopt", "--commit", "--json"], cwd=repo, check=True, capture_output=True
    )
    told = json.loads(said.stdout)
    assert (told["schema"], told["records"]) == ("mlctl.exp.adopt/1", [f"runs/20261123/{run_id}"])
    assert told["commit"] == git("rev-parse", "HEAD")
    assert git("status", "--porcelain") == "A  staged.txt"
    head = find_run(str(repo), "last")
    assert head.git is not None
    assert (head.git.dirty, head.env is not None) == (True, True)
    assert git("ls-files", "runs").count("run.json") == 1


def test_a_run_that_is_named_wrongly_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [*MLCTL, "exp", "capture", "../../x"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, "must be a ULID" in done.stderr) == (InvalidInput.exit_code, True)


def test_whoever_looks_at_runs_makes_the_records(tmp_path: Path, run_id: str) -> None:
    end_script_run(start_script_run(tmp_path, run_id))
    assert [head.id for head in list_runs(str(tmp_path))] == [run_id]
    other = new_ulid(START + 1, os.urandom(10))
    end_script_run(start_script_run(tmp_path, other))
    assert find_run(str(tmp_path), "last").id == other


def test_no_parameter_is_lost_where_a_head_has_no_room(tmp_path: Path, run_id: str) -> None:
    params = {f"layer{number}": {"name": "x" * 40, "width": number} for number in range(200)}
    end_script_run(start_script_run(tmp_path, run_id, params=params))
    head = find_run(str(tmp_path), "last")
    assert head.truncated["params"] > 0
    whole = all_params(head, (), str(tmp_path))
    assert (len(whole), whole["layer199.width"]) == (400, 199)


def test_a_run_that_another_process_has_taken_away_is_left_alone(tmp_path):
    from mlctl.experiments import live

    (tmp_path / ".mlctl/live/01M85ADD1RVKC728RR8WSM7XY9").mkdir(parents=True)
    assert not live.has_ended(str(tmp_path), "01M85ADD1RVKC728RR8WSM7XY9")
