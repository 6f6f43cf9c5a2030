"""How stages of this machine use it: real processes; the driver's tool tells fixed numbers."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.executors import Exit, Job
from mlctl.executors._usage import POINTS, Sample, thinned, use_of
from mlctl.executors.local import Executor

ON_LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
DRIVER = Path(__file__).parents[1] / "hosts" / "nvidia_smi.py"
MEGABYTE = 1_000_000

# Holds memory, and lets a child work for some seconds.
WORK = """
import subprocess, sys
held = bytearray(b"x") * 150_000_000
burn = "import time; end = time.time() + 4\\nwhile time.time() < end: pass"
subprocess.run([sys.executable, "-c", burn], check=True)
"""


def run(folder: Path, *commands: str, env: dict[str, str] | None = None) -> Exit:
    executor = Executor()
    try:
        log = str(folder / "stage.log")
        return executor.run(Job("train", commands, str(folder), env or {}, log))
    finally:
        executor.close()


@ON_LINUX
def test_a_stage_of_some_seconds_has_curves_of_its_processes_and_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(DRIVER, tmp_path / "nvidia-smi")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "work.py").write_text(WORK)
    end = run(tmp_path, f"{sys.executable} work.py", env={"CUDA_VISIBLE_DEVICES": "1"})
    assert end.code == 0
    usage = end.usage
    assert usage is not None
    curve = usage["curve"]
    assert 1 <= len(curve["seconds"]) == len(curve["cpu"]) == len(curve["memory"]) <= POINTS
    assert curve["seconds"] == sorted(curve["seconds"])
    assert 0 < usage["cpu_mean"] < 3
    assert max(curve["cpu"]) > 0  # the child worked, and the stage's own process did not
    assert 150 * MEGABYTE < max(curve["memory"]) <= usage["memory_peak"] < 2000 * MEGABYTE
    (gpu,) = usage["gpus"]
    assert (gpu["name"], gpu["busy"], gpu["memory"]) == ("Fake 1", 7.0, 0.0)


def test_a_short_stage_has_none(tmp_path: Path) -> None:
    assert run(tmp_path, "true").usage is None


@ON_LINUX
def test_what_a_stage_starts_counts_in_whatever_session_it_is() -> None:
    script = "import time; held = bytearray(b'x') * 60_000_000; print('ready', flush=True)\n"
    leader = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {script + "time.sleep(60)"!r}],
                         start_new_session=True)
child.wait()
"""
    argv = [sys.executable, "-c", leader]
    with subprocess.Popen(argv, start_new_session=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        used = use_of([process.pid])[process.pid]
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
            (child,) = file.read().split()
        os.kill(int(child), signal.SIGKILL)
    assert used.memory > 60 * MEGABYTE
    assert used.cpu > 0


@ON_LINUX
def test_a_session_that_is_over_uses_nothing() -> None:
    done = subprocess.Popen(["true"], start_new_session=True)
    done.wait()
    assert use_of([done.pid]) == {done.pid: (0.0, 0)}


@ON_LINUX
def test_a_thread_that_has_nothing_to_look_at_sleeps(tmp_path: Path) -> None:
    executor = Executor()
    log = str(tmp_path / "stage.log")
    for _ in range(3):
        assert executor.run(Job("train", ("true",), str(tmp_path), {}, log)).code == 0
    before = time.thread_time(), time.process_time()
    time.sleep(2.5)
    assert time.process_time() - before[1] < 0.5
    executor.close()


SPANS = st.lists(
    st.tuples(st.floats(0.01, 1000), st.floats(0, 64), st.integers(0, 10**12)), max_size=400
)


@given(SPANS, st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_fewer_points_have_the_same_work_and_peak(
    spans: list[tuple[float, float, int]], points: int
) -> None:
    samples, now = [], 0.0
    for length, cpu, memory in spans:
        samples.append(Sample(now, now + length, cpu, memory))
        now += length
    fewer = thinned(samples, points)
    assert len(fewer) <= points
    assert work(fewer) == pytest.approx(work(samples))
    assert max((it.memory for it in fewer), default=0) == max(
        (it.memory for it in samples), default=0
    )
    assert [it.until for it in fewer] == sorted(it.until for it in fewer)


def work(samples: list[Sample]) -> float:
    return sum(it.cpu * (it.until - it.since) for it in samples)
