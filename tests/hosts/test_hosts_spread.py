"""Stages over hosts that share a label."""

import os
import sys

import pytest

import sshd
from e2e.sandbox import wait_until
from hosts.test_hosts_run import counting, jobs, log_of, numbered
from mlctl.executors._spread import ranked


@pytest.fixture
def two(box, server, tmp_path, monkeypatch):
    """A second host beside `box`, both with the label `farm`."""
    env = {"PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"}
    env["MLCTL_LOCKS"] = str(tmp_path / "other-locks")
    with sshd.running(tmp_path / "other", "barn", env=env) as other:
        both = tmp_path / "both"
        both.write_text(server.config.read_text() + other.config.read_text())
        monkeypatch.setenv("MLCTL_SSH_CONFIG", str(both))
        box.write("mlctl.yaml", "hosts:\n  box: {labels: [farm]}\n  barn: {labels: [farm]}\n")
        yield other


def test_independent_stages_go_to_different_hosts(box, server, two):
    stage = {"meta": {"mlctl": {"on": "farm"}}}
    box.stages(
        {
            name: {"cmd": f"sleep 3; echo {name} > {name}.out", "outs": [f"{name}.out"], **stage}
            for name in "ab"
        }
    )
    done = box.mlctl("run", "-j2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(jobs(server)) == len(jobs(two)) == 1
    told = box.json("exp", "show", "last")
    assert {stage["executor"] for stage in told["stages"]} == {"box", "barn"}


def test_gpus_decide_which_host_will_do(box, server, two):
    box.stages({"a": {"cmd": "echo 1 > a.out", "outs": ["a.out"], "meta": {"mlctl": {"gpus": 1}}}})
    done = box.mlctl("run", "--on", "farm")
    assert done.returncode == 0, done.stdout
    assert (len(jobs(server)), len(jobs(two))) == (1, 0)  # the driver is only there
    box.stages({"a": {"cmd": "echo 1 > a.out", "outs": ["a.out"], "meta": {"mlctl": {"gpus": 5}}}})
    done = box.mlctl("run", "--on", "farm", "-f")
    assert done.returncode == 1
    assert "no host has more than 2" in done.stdout


def test_a_host_that_is_away_is_passed_over(box, server, two):
    server.stop()
    counting(box, 2, 0)
    done = box.mlctl("run", "--on", "farm")
    assert done.returncode == 0, done.stdout
    assert len(jobs(two)) == 1
    two.stop()
    done = box.mlctl("run", "--on", "farm", "-f")
    assert done.returncode == 1
    assert "none of box, barn answers" in done.stdout


def test_a_job_is_taken_up_on_the_host_that_has_it(box, server, two):
    counting(box, 60, 0.05)
    with box.started("run", "--on", "farm") as run:
        wait_until(lambda: "line 3" in log_of(box))
        run.kill()
        run.wait()
    done = box.mlctl("run", "--on", "farm")
    assert done.returncode == 0, done.stdout
    assert "taking up job" in done.stdout
    assert log_of(box) == numbered(60)
    assert len(jobs(server)) + len(jobs(two)) == 1


def host(gpus=(), cpus=4, load=0.0):
    found = [{"leased": leased, "users": []} for leased in gpus]
    return {"gpus": found, "cpus": cpus, "load": [load, 0, 0]}


@pytest.mark.parametrize(
    ("facts", "given", "gpus", "best"),
    [
        ({"a": host((True,)), "b": host((False,))}, {"a": 0, "b": 0}, 1, "b"),
        ({"a": host((False, False)), "b": host((False,))}, {"a": 1, "b": 1}, 1, "a"),
        ({"a": host(), "b": host()}, {"a": 1, "b": 0}, 0, "b"),
        ({"a": host(load=3.0), "b": host(load=1.0)}, {"a": 0, "b": 0}, 0, "b"),
        ({"a": host(cpus=64), "b": host(cpus=2)}, {"a": 2, "b": 1}, 0, "a"),
    ],
)
def test_the_best_is_the_one_that_begins_soonest(facts, given, gpus, best):
    assert ranked(facts, given, gpus)[0] == best
