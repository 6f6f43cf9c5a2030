"""Stages that ask for GPUs of a host, and what `mlctl host queue` shows; the driver is a fake."""

import os
import signal

from e2e.sandbox import overlap, stamp, wait_until
from hosts.test_hosts_run import jobs


def show_gpus(*names, gpus=1, seconds=0.3):
    return {
        name: {
            "cmd": f"echo $CUDA_VISIBLE_DEVICES > {name}.out; sleep {seconds}",
            "outs": [f"{name}.out"],
            "meta": {"mlctl": {"gpus": gpus, "on": "box"}},
        }
        for name in names
    }


def test_each_job_gets_gpus_of_its_own(box, server):
    box.stages(show_gpus("a", "b", "c", seconds=1) | show_gpus("d", gpus=2))
    done = box.mlctl("run", "-j4")
    assert done.returncode == 0, done.stdout + done.stderr
    given = [box.read(f"{name}.out").strip() for name in "abc"]
    assert set(given) <= {"GPU-0000", "GPU-0001"}
    assert len(set(given)) == 2
    assert box.read("d.out").strip() == "GPU-0000,GPU-0001"
    stages = {stage["address"]: stage for stage in box.json("exp", "show", "last")["stages"]}
    assert [gpu["name"] for gpu in stages["d"]["host"]["gpus"]] == ["Fake 0", "Fake 1"]
    assert stages["d"]["host"]["driver"] == "550.1"
    assert stages["a"]["host"]["gpus"][0]["busy"] == 7.0


def test_more_gpus_than_the_host_has_is_said(box, server):
    box.stages(show_gpus("a", gpus=3))
    done = box.mlctl("run")
    assert done.returncode == 1
    assert "3 GPUs are asked for, and this host has 2" in done.stdout


def test_the_queue_shows_who_has_and_who_waits(box, server):
    box.stages(show_gpus("a", "b", gpus=2, seconds=60))
    with box.started("run", "-j2") as run:
        wait_until(lambda: box.json("host", "queue", "box")["waiting"] != [])
        told = box.json("host", "queue", "box")
        assert [gpu["leased"] for gpu in told["gpus"]] == [True, True]
        (waiting,) = told["waiting"]
        assert waiting["gpus"] == 2
        states = {job["state"] for job in box.json("host", "jobs")["jobs"]}
        assert states == {"running", "waiting"}
        # The one that waits is cancelled: it leaves the queue, and has run nothing.
        box.mlctl("host", "cancel", waiting["job"])
        wait_until(lambda: box.json("host", "queue", "box")["waiting"] == [])
        assert jobs(server)[waiting["job"]]["reason"] == "cancelled"
        os.kill(run.pid, signal.SIGINT)
        run.wait(30)
    assert not any(gpu["leased"] for gpu in box.json("host", "queue", "box")["gpus"])


def test_local_and_remote_stages_run_side_by_side(box, server):
    box.stages(
        {
            "here": stamp("here", 5.0),
            "there": {
                "cmd": "date +%s.%N > begin.out; sleep 3; date +%s.%N > end.out",
                "outs": ["begin.out", "end.out"],
                "meta": {"mlctl": {"on": "box"}},
            },
        }
    )
    assert box.mlctl("run", "-j2").returncode == 0
    there = (float(box.read("begin.out")), float(box.read("end.out")))
    assert overlap(box.spans()["here"], there)
