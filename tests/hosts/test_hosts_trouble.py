"""Hosts that cannot be used, or break: one clear error, and nothing left behind."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

import sshd
from e2e.sandbox import wait_until
from hosts.test_hosts_run import counting, jobs, log_of, numbered, processes_of


def refused(box, *args):
    """What `mlctl ARGS` says when it ends with 3."""
    done = box.mlctl(*(args or ("run", "--on", "box")))
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert done.returncode in {1, 3}, said
    return said


@pytest.fixture
def simple(box):
    box.stages({"a": {"cmd": "echo 1 > a.out", "outs": ["a.out"]}})
    return box


def test_a_host_that_nobody_knows(simple, server):
    done = simple.mlctl("run", "--on", "bax")
    assert done.returncode == 2
    assert "no host and no label is called 'bax'" in done.stderr
    assert "did you mean 'box'?" in done.stderr


def test_a_name_that_resolves_to_nothing(simple, server):
    simple.write("mlctl.yaml", "hosts:\n  nowhere.invalid: {}\n")
    said = refused(simple, "run", "--on", "nowhere.invalid")
    assert "there is no host of this name" in said
    assert simple.mlctl("host", "check").returncode == 3


def test_refused_keys(simple, server):
    (server.folder / "authorized_keys").write_text("")
    said = refused(simple)
    assert "it refused our keys" in said
    assert "`ssh box` work without a password" in said


def test_a_changed_host_key(simple, server, tmp_path):
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True
    )
    server.write_client(tmp_path / "other.pub")
    assert "its host key is not the one that is known" in refused(simple)


def test_an_unknown_host_key_is_not_taken(simple, server):
    (server.folder / "known_hosts").write_text("")
    assert "its host key is not known" in refused(simple)


def test_nothing_listens(simple, server):
    server.stop()
    assert "nothing answers at its port" in refused(simple)


def test_no_python(simple, server):
    simple.write("mlctl.yaml", "hosts:\n  box: {python: /nowhere/python3}\n")
    said = refused(simple)
    assert "no python3 there" in said
    assert "Python 3.8" in said


def test_a_python_that_is_too_old(simple, server):
    old = server.folder / "python3"
    old.write_text(
        "#!/bin/sh\nshift; shift; shift; shift; shift\nexec python3 -I -S -c "
        "\"import sys; sys.version_info=(3,6,9); sys.version='3.6.9 x'\n$1\"\n"
    )
    old.chmod(0o755)
    simple.write("mlctl.yaml", f"hosts:\n  box: {{python: {old}}}\n")
    assert "Python 3.8 or later is needed here, this is 3.6.9" in refused(simple)


def test_a_home_that_is_read_only(simple, server, mount):
    folder = mount("size=10m,ro")
    simple.write("mlctl.yaml", f"hosts:\n  box: {{home: {folder}/x}}\n")
    assert "no folder for jobs" in refused(simple)


def test_a_full_disk_on_the_host(box, server, mount):
    folder = mount("size=3m")
    box.write("mlctl.yaml", f"hosts:\n  box: {{home: {folder}/x}}\n")
    box.stages({"a": {"cmd": "head -c 5000000 /dev/zero > a.out", "outs": ["a.out"]}})
    said = refused(box)
    assert "a.out" not in os.listdir(box.root)
    assert "exit code 1" in said or "No space left" in said
    (end,) = (json.loads(path.read_text()) for path in Path(folder).glob("x/jobs/*/exit.json"))
    assert end["reason"] in {"ended", "disk"}


def test_a_disk_that_is_too_small_for_what_is_sent(box, server, mount):
    folder = mount("size=3m")
    box.write("mlctl.yaml", f"hosts:\n  box: {{home: {folder}/x}}\n")
    (box.root / "big.out").write_bytes(os.urandom(5_000_000))
    box.stages({"a": {"cmd": "cp big.out a.out", "deps": ["big.out"], "outs": ["a.out"]}})
    assert "No space left on device" in refused(box)
    assert list(Path(folder).glob("x/tmp/*")) == []


def test_a_reboot_is_told_as_such(box, server):
    counting(box, 1000, 0.1)
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: "line 3" in log_of(box))
        run.kill()
        run.wait()
    (job,) = jobs(server)
    found = subprocess.run(["pgrep", "-f", f"supervise .*{job}"], capture_output=True, text=True)
    for pid in [*map(int, found.stdout.split()), *processes_of(job)]:
        os.kill(pid, 9)
    runner = subprocess.run(["pgrep", "-f", f" run .*{job}"], capture_output=True, text=True)
    for pid in map(int, runner.stdout.split()):
        os.kill(pid, 9)
    folder = server.home / ".mlctl-host" / "jobs" / job
    (folder / "rc.json").unlink(missing_ok=True)
    start = json.loads((folder / "start.json").read_text())
    (folder / "start.json").write_text(json.dumps({**start, "boot": "an earlier one"}))
    assert box.json("host", "jobs", "--all")["jobs"][0]["state"] in {"running", "exited"}
    counting(box, 1000, 0.1)
    with box.started("run", "--on", "box"):
        wait_until(lambda: jobs(server)[job] is not None)
    assert jobs(server)[job]["reason"] == "reboot"


def test_a_stage_that_is_killed_is_a_failed_stage(box, server):
    box.stages({"a": {"cmd": "kill -9 $$", "outs": ["a.out"]}})
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 1
    assert "killed by signal 9" in done.stdout


def test_secrets_go_along_and_stand_in_no_file(box, server):
    box.stages(
        {
            "a": {
                "cmd": "test $(printf %s $TOKEN | wc -c) = 9 && echo 1 > a.out",
                "outs": ["a.out"],
                "meta": {"mlctl": {"env_from": ["TOKEN"]}},
            }
        }
    )
    done = box.mlctl("run", "--on", "box", env={"TOKEN": "hush-hush"})
    assert done.returncode == 0, done.stdout
    for path in [*server.home.rglob("*"), *box.root.rglob("*")]:
        if path.is_file():
            assert b"hush-hush" not in path.read_bytes(), path


def test_what_a_stage_leaves_behind_is_ended(box, server):
    box.stages({"a": {"cmd": "setsid sleep 500 & echo 1 > a.out", "outs": ["a.out"]}})
    assert box.mlctl("run", "--on", "box").returncode == 0
    (job,) = jobs(server)
    assert processes_of(job) == []


def test_more_stages_than_the_host_has_sessions(box, tmp_path, monkeypatch):
    with sshd.running(tmp_path / "few", options=("MaxSessions 3",)) as server:
        monkeypatch.setenv("MLCTL_SSH_CONFIG", str(server.config))
        stages = {
            f"s{n}": {"cmd": f"sleep 0.2; echo {n} > {n}.out", "outs": [f"{n}.out"]}
            for n in range(12)
        }
        box.stages(stages)
        done = box.mlctl("run", "--on", "box", "-j12")
        assert done.returncode == 0, done.stdout + done.stderr
        log = (server.folder / "log").read_text()
        # One login for all: a session that the host refuses is waited for, not logged in for.
        assert log.count("Accepted publickey") <= 1


def test_gc_keeps_what_is_needed_and_lists_what_goes(box, server):
    counting(box, 2, 0)
    assert box.mlctl("run", "--on", "box").returncode == 0
    would = box.json("host", "gc", "box", "--days", "0", "--dry-run")
    assert len(would["jobs"]) == 1
    counting(box, 100, 0.05)
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: "line 3" in log_of(box))
        done = box.json("host", "gc", "box", "--days", "0")
        assert done["jobs"] == would["jobs"]
        assert run.wait(60) == 0
    assert log_of(box) == numbered(100)
    time.sleep(0.1)
    box.json("host", "gc", "box", "--days", "0")
    assert jobs(server) == {}
    assert [p for p in (server.home / ".mlctl-host/objects").rglob("*") if p.is_file()] == []
