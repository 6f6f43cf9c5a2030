"""`mlctl exp watch`: a run that goes on, looked at from another process."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from live_builders import end_script_run, log_steps, start_script_run
from record_builders import write_run

from e2e.sandbox import MLCTL, Sandbox, wait_until
from mlctl.adapters import clock
from mlctl.cli.exp._watching import Look, board_lines
from mlctl.cli.main import run
from mlctl.experiments.live_view import Ending, Progress, Tails, running
from mlctl.records.run_metrics import StepLine
from mlctl.records.ulid import new_ulid

# Logs a step every 20 ms until the file `stop` is there.
TRAIN = """\
import os, time
import mlctl
step = 0
while not os.path.exists("stop"):
    mlctl.log(loss=1 / (step + 1), acc=step / (step + 10), step=step)
    step += 1
    time.sleep(0.02)
open("model.txt", "w").write("x")
"""


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable), prepend=os.pathsep)
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    box = Sandbox(tmp_path / "repo")
    box.write("train.py", TRAIN)
    box.stages({"train": {"cmd": "python train.py", "deps": ["train.py"], "outs": ["model.txt"]}})
    return box


@contextmanager
def training(box: Sandbox) -> Iterator[subprocess.Popen[str]]:
    """`mlctl run`, whose stage has logged something."""
    with box.started("run") as process:
        wait_until(lambda: any(box.root.glob(".mlctl/live/*/train/metrics.jsonl")), 60)
        yield process


def until(process: subprocess.Popen[str], what: Callable[[str], bool]) -> str:
    """The first line of the process for which `what` holds."""
    assert process.stdout
    for line in process.stdout:
        if what(line):
            return line
    raise AssertionError("it ended before")


def test_lines_of_a_run_of_the_pipeline_until_it_ends(sandbox: Sandbox) -> None:
    with training(sandbox) as trained, sandbox.started("exp", "watch") as watched:
        first = until(watched, lambda line: line.startswith("train"))
        assert re.match(r"train  step \d+  acc [\d.]+  loss [\d.e-]+", first)
        later = until(watched, lambda line: "steps/s" in line)
        assert re.search(r"step (\d+)", later)[1] != re.search(r"step (\d+)", first)[1]
        sandbox.write("stop", "")
        assert until(watched, lambda line: line == "finished\n")
        assert watched.wait(60) == 0
        assert trained.wait(60) == 0
    code, said = sandbox.run("exp", "watch", sandbox.records()[0]["id"])
    assert code == 2
    assert "is over: finished" in said


def test_every_step_as_json(sandbox: Sandbox) -> None:
    with training(sandbox) as trained, sandbox.started("exp", "watch", "--json") as watched:
        until(watched, lambda line: '"step":20' in line)
        sandbox.write("stop", "")
        assert trained.wait(60) == 0
        rest = watched.stdout.read().splitlines()
        assert watched.wait(60) == 0
    rows = [json.loads(line) for line in rest]
    assert {row["schema"] for row in rows} == {"mlctl.exp.watch/1"}
    assert rows[-1]["status"] == "finished"
    last = sandbox.records()[0]["series"]["loss"]["n"]
    steps = [row["step"] for row in rows[:-1]]
    assert steps == list(range(21, last))  # none is missing, not even the last


def test_a_killed_run_ends_the_watching(sandbox: Sandbox) -> None:
    with training(sandbox) as trained, sandbox.started("exp", "watch") as watched:
        until(watched, lambda line: line.startswith("train"))
        os.kill(trained.pid, signal.SIGKILL)
        assert until(watched, lambda line: line == "gone\n")
        assert watched.wait(60) == 0


def test_ctrl_c_ends_only_the_watching(sandbox: Sandbox) -> None:
    with training(sandbox) as trained, sandbox.started("exp", "watch") as watched:
        until(watched, lambda line: line.startswith("train"))
        watched.send_signal(signal.SIGINT)
        assert watched.wait(60) == 0
        assert trained.poll() is None
        sandbox.write("stop", "")
        assert trained.wait(60) == 0


def test_it_waits_for_a_run_where_asked(sandbox: Sandbox) -> None:
    code, said = sandbox.run("exp", "watch")
    assert code == 2
    assert "no run is logging right now" in said
    with sandbox.started("exp", "watch", "--wait") as watched:
        until(watched, lambda line: "waiting for a run" in line)
        with training(sandbox):
            assert until(watched, lambda line: line.startswith("train"))


def test_charts_move_on_a_terminal(sandbox: Sandbox) -> None:
    with training(sandbox) as trained:
        ours, theirs = pty.openpty()
        watched = subprocess.Popen(
            [*MLCTL, "exp", "watch", "-m", "loss"],
            cwd=sandbox.root,
            env={**os.environ, "COLUMNS": "90", "LINES": "30", "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        text = ""
        stopped = False
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if not select.select([ours], [], [], 1)[0]:
                continue
            try:
                data = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            text += data.decode("utf-8", "replace")
            if text.count("steps/s") > 2 and not stopped:
                stopped = True
                sandbox.write("stop", "")
        os.close(ours)
        assert watched.wait(60) == trained.wait(60) == 0
    assert re.search("[⠁-⣿]", text)
    assert "\033[36m" in text
    assert "last " in text
    assert "acc\033" not in text
    assert text.rstrip().endswith("The run has ended: finished.")
    assert text.rfind("\033[?25h") > text.rfind("\033[?25l")  # the cursor is shown again


def test_of_growing_files_only_whole_lines_are_read(tmp_path: Path) -> None:
    run_id = new_ulid(clock.now(), os.urandom(10))
    folder = log_steps(tmp_path, run_id, [(0, {"loss": 1.0})], torn='{"step": 1, "ti')
    tails = Tails(str(tmp_path), run_id)
    assert [(stage, [it.step for it in lines]) for stage, lines in tails.more()] == [("train", [0])]
    assert list(tails.more()) == []
    with open(folder / "metrics.jsonl", "a") as file:
        file.write(f'me": {clock.now()}, "metrics": {{"loss": 0.5}}}}\nnonsense\n')
    assert [[it.metrics for it in lines] for _, lines in tails.more()] == [[{"loss": 0.5}]]
    log_steps(tmp_path, run_id, [(2, {"loss": 0.1})], rank=1)
    log_steps(tmp_path, run_id, [(7, {"auc": 0.9})], key="sub%2Fdvc.yaml%3Aeval")
    found = {stage: [(it.step, it.rank) for it in lines] for stage, lines in tails.more()}
    assert found == {"train": [(2, 1)], "sub/dvc.yaml:eval": [(7, 0)]}


def test_which_runs_go_on(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path, 0)
    now = clock.now()
    old, script, pipeline = (new_ulid(now - ago, os.urandom(10)) for ago in (30, 20, 10))
    folder = start_script_run(tmp_path, script)
    log_steps(tmp_path, script, [(0, {"loss": 1.0})], key="main")
    log_steps(tmp_path, pipeline, [(0, {"loss": 1.0})])
    log_steps(tmp_path, old, [(0, {"loss": 1.0})])
    long_ago = now - 3600
    for path in [*(tmp_path / ".mlctl/live" / old).rglob("*"), tmp_path / ".mlctl/live" / old]:
        os.utime(path, (long_ago, long_ago))
    assert running(str(tmp_path)) == [pipeline]  # nobody holds the lock of the script
    with open(folder / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert running(str(tmp_path)) == [script, pipeline]
        end_script_run(folder)
        assert running(str(tmp_path)) == [pipeline]
    assert Ending(str(tmp_path), new_ulid(now, bytes(10))).is_over()
    assert run(["exp", "watch", "nope"]) == 2
    assert "no run is called 'nope'" in capsys.readouterr().err


def lines_of(stage: str, name: str, count: int) -> list[StepLine]:
    return [StepLine({name: step / 7}, step, step / 4, stage) for step in range(count)]


@pytest.mark.parametrize(("width", "rows"), [(80, 24), (40, 12), (160, 50), (200, 20)])
def test_the_board_fits_the_terminal(monkeypatch, width: int, rows: int) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    progress = Progress()
    for stage in ("prepare", "train"):
        for number in range(9):
            progress.add(stage, lines_of(stage, f"metric/{stage}/{number}", 50))
    look = Look([], "step", 0.5)
    run_id = new_ulid(clock.now(), os.urandom(10))
    lines = board_lines(run_id, progress, look, width=width, rows=rows)
    assert len(lines) <= rows
    assert max(map(len, lines)) <= width
    assert "18 more metrics" not in lines[-1]
    assert "more metric" in lines[-1]
    assert lines[1].startswith("prepare  step 49")
    few = board_lines(run_id, progress, Look(["*train/3"], "time", 0), width=width, rows=rows)
    assert any(line.startswith("metric/train/3") for line in few)
    none = board_lines(run_id, progress, Look(["val/*"], "step", 0), width=width, rows=rows)
    assert none[-1] == "not logged yet: val/*"
    assert progress.states()[0].rate == pytest.approx(4.0)
