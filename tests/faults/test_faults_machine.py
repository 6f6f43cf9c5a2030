"""The machine fails: the disk is full, a file may not grow, the clock goes backwards."""

import json
import os
import subprocess
import sys
import time

import pytest
import yaml

from e2e.sandbox import Sandbox, stamp


@pytest.fixture
def small(tmp_path):
    """A sandbox on a disk of 3 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if sys.platform != "linux" or os.getuid() or subprocess.run(argv).returncode:
        pytest.skip("NOT RUN: mounting a file system needs root on Linux")
    yield Sandbox(folder / "p")
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(box, left):
    """Leave `left` bytes free on the disk; the file that fills it."""
    path = box.root.parent / "ballast"
    disk = os.statvfs(box.root)
    with open(path, "wb") as file:
        file.write(b"\0" * (disk.f_bavail * disk.f_frsize - left))
    return path


@pytest.mark.parametrize("left", [0, 4, 8, 16, 32, 64, 128, 256, 400, 600])
def test_a_full_disk_at_any_moment(left, small):
    """From no byte at all to nearly enough for all: it is said, and nothing is lost."""
    small.write("in", "1")
    small.stages(
        {
            "a": {"cmd": "seq 30000 > a.out", "deps": ["in"], "outs": ["a.out"]},
            "b": {"cmd": "seq 30001 > b.out", "deps": ["a.out"], "outs": ["b.out"]},
        }
    )
    before = small.read("dvc.yaml")
    ballast = fill(small, left * 1024)
    code, said = small.run("run")
    assert code in {1, 3}, said
    assert "No space left on device" in said
    assert "Traceback" not in said
    assert "Errno" not in said
    assert small.read("dvc.yaml") == before
    if (small.root / "dvc.lock").exists():
        assert set(yaml.safe_load(small.read("dvc.lock"))["stages"]) <= {"a"}
    ballast.unlink()
    code, said = small.run("run")
    assert code == 0, said
    assert small.locked() == {"a", "b"}
    assert small.dvc("status", "--json").stdout.strip() == "{}"


def test_a_file_that_may_not_grow(box):
    """`ulimit -f`: a stage may write its out, mlctl may not write the record of so many stages."""
    names = [f"s{number:03}" for number in range(60)]
    box.stages({name: {"cmd": f"touch {name}.out", "outs": [f"{name}.out"]} for name in names})
    limited = ["sh", "-c", 'ulimit -f 4; exec "$@"', "sh", sys.executable, "-m", "mlctl"]
    done = subprocess.run(
        [*limited, "run"], cwd=box.root, capture_output=True, text=True, timeout=60
    )
    assert done.returncode in {1, 3}, done.stdout + done.stderr
    assert "File too large" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not (box.root / "dvc.lock").exists() or box.locked() <= set(names)
    assert box.run("run")[0] == 0
    assert box.locked() == set(names)


@pytest.fixture
def yesterday(monkeypatch):
    """The clock of mlctl (not that of the file system) goes back by a day."""
    now, now_ns = time.time, time.time_ns
    monkeypatch.setattr(time, "time", lambda: now() - 86_400)
    monkeypatch.setattr(time, "time_ns", lambda: now_ns() - 86_400 * 10**9)


def test_a_clock_that_goes_backwards(box, request):
    box.write("in", "1")
    box.stages({"a": {"cmd": "cp in a.out", "deps": ["in"], "outs": ["a.out"]}, "b": stamp("b")})
    assert box.run("run")[0] == 0
    request.getfixturevalue("yesterday")
    assert box.run("run")[0] == 0
    assert box.ran() == ["b"]
    box.write("in", "2")
    assert box.run("run")[0] == 0
    assert box.read("a.out") == "2"
    assert box.ran() == ["b"]
    assert not any(step["changed"] for step in box.json("status")["steps"])
    assert box.dvc("status", "--json").stdout.strip() == "{}"


@pytest.mark.parametrize("days", [-400, 400])
def test_a_dep_of_another_time(box, days):
    """Same size and a time set by hand, as `cp -p`, `tar` and `touch -r` leave it."""
    box.write("in", "1")
    when = time.time() + days * 86_400
    os.utime(box.root / "in", (when, when))
    box.stages({"a": {"cmd": "cp in a.out", "deps": ["in"], "outs": ["a.out"]}})
    assert box.run("run")[0] == 0
    box.write("in", "2")
    os.utime(box.root / "in", (when, when))
    assert box.run("run")[0] == 0
    assert box.read("a.out") == "2"


def test_a_claim_table_torn_by_a_power_cut(box):
    """Whoever held something then is gone; one torn in this boot may hide somebody, and is told."""
    box.stages({"a": stamp("a")})
    box.write(".dvc/tmp/rwlock", '{"write": {"/x')
    code, said = box.run("run")
    assert code == 1
    assert "rwlock: is damaged" in said
    os.utime(box.root / ".dvc" / "tmp" / "rwlock", (1_500_000_000, 1_500_000_000))
    assert box.run("run")[0] == 0
    assert json.loads(box.read(".dvc/tmp/rwlock")) == {"write": {}, "read": {}}


def test_dead_readers_do_not_pile_up(box):
    box.write("in", "1")
    box.stages({"a": {"cmd": "cp in a.out", "deps": ["in"], "outs": ["a.out"]}})
    dead = subprocess.Popen(["true"])
    dead.wait()
    holders = [{"pid": dead.pid, "cmd": f"mlctl run {number}"} for number in range(3)]
    table = {"write": {}, "read": {str(box.root / "in"): holders}}
    box.write(".dvc/tmp/rwlock", json.dumps(table))
    assert box.run("run")[0] == 0
    assert json.loads(box.read(".dvc/tmp/rwlock")) == {"write": {}, "read": {}}
