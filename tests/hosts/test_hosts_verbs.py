"""`mlctl host …`: adding, checking, and seeing to jobs."""

import os

import sshd
from e2e.sandbox import wait_until
from hosts.test_hosts_run import counting, jobs, log_of, numbered


def test_add_writes_the_host_down_and_keeps_comments(box, server):
    box.write("mlctl.yaml", "# ours\njobs: 2  # two\n")
    done = box.mlctl("host", "add", "box", "--python", "python3")
    assert done.returncode == 0, done.stderr
    assert "python" in done.stdout
    text = box.read("mlctl.yaml")
    assert text.startswith("# ours\njobs: 2  # two\n")
    assert "hosts:\n  box:\n    python: python3\n" in text
    assert [host["host"] for host in box.json("host", "ls")["hosts"]] == ["box"]


def test_add_of_a_host_that_cannot_be_used_writes_nothing(box, server):
    before = box.read("mlctl.yaml")
    done = box.mlctl("host", "add", "nowhere.invalid")
    assert done.returncode == 3
    assert box.read("mlctl.yaml") == before


def test_a_personal_host_stays_out_of_git(box, server):
    box.write("mlctl.yaml", "jobs: 2\n")
    assert box.mlctl("host", "add", "box", "--local").returncode == 0
    assert box.read("mlctl.yaml") == "jobs: 2\n"
    counting(box, 1, 0)
    assert box.mlctl("run", "--on", "box").returncode == 0
    assert box.mlctl("host", "rm", "box").returncode == 0
    assert box.mlctl("run", "--on", "box", "-f").returncode == 2


def test_check_tells_everything_at_once(box, server):
    box.write("mlctl.yaml", "hosts:\n  box: {}\n  nowhere.invalid: {}\n")
    done = box.mlctl("host", "check")
    assert done.returncode == 3
    assert "there is no host of this name" in done.stdout
    for word in ("python", "disk", "gpu 0", "gpu 1", "driver", "clock", "outlive"):
        assert word in done.stdout
    told = box.json("host", "check", "box")
    assert told["usable"] is True
    found = told["hosts"][0]["findings"]
    assert {f["what"] for f in found if f["level"] != "ok"} == {"sftp"}


def test_ls_shows_load_and_gpus(box, server):
    said = box.mlctl("host", "ls").stdout
    assert "2 of 2 GPUs free (Fake 0, Fake 1)" in said


def test_jobs_logs_and_cancel(box, server):
    counting(box, 1000, 0.05)
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: "line 5" in log_of(box))
        run.kill()
        run.wait()
    (job,) = box.json("host", "jobs")["jobs"]
    assert (job["stage"], job["state"], job["fetched"]) == ("count", "running", False)
    short = job["job"][-6:].lower()
    assert box.mlctl("host", "logs", short).stdout.startswith("line 0\nline 1\n")
    done = box.mlctl("host", "cancel", short)
    assert done.returncode == 0
    assert "cancelled" in done.stdout
    assert jobs(server)[job["job"]]["reason"] == "cancelled"
    # It has ended, and nobody has fetched it: it is still shown, and following it ends at once.
    assert box.mlctl("host", "logs", short, "-f").returncode == 0
    assert len(box.json("host", "jobs")["jobs"]) == 1


def test_logs_follow_to_the_end(box, server):
    counting(box, 30, 0.05)
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: "line 1" in log_of(box))
        (job,) = jobs(server)
        assert box.mlctl("host", "logs", job, "-f").stdout == numbered(30)
        assert run.wait(30) == 0
    assert box.mlctl("host", "jobs").stdout.startswith("no jobs")
    assert "done" in box.mlctl("host", "jobs", "--all").stdout


def test_an_unknown_job_is_said(box, server):
    done = box.mlctl("host", "logs", "ABCDEF")
    assert done.returncode == 2
    assert "no job ends in 'ABCDEF'" in done.stderr


def test_without_hosts_the_first_step_is_named(box, server):
    os.unlink(box.root / "mlctl.yaml")
    done = box.mlctl("host", "ls")
    assert done.returncode == 2
    assert "mlctl host add" in done.stderr


def test_attach_and_fetch(box, server):
    counting(box, 40, 0.05)
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: "line 3" in log_of(box))
        run.kill()
        run.wait()
    (job,) = jobs(server)
    assert box.mlctl("host", "fetch", job, "--to", "seen").returncode == 1  # it has not ended
    done = box.mlctl("host", "attach", job)
    assert done.returncode == 0
    assert done.stdout.startswith(numbered(40))
    assert done.stdout.endswith("done\n")
    assert box.mlctl("host", "fetch", job, "--to", "seen").returncode == 0
    assert box.read("seen/count.out") == "40"
    assert not (box.root / "count.out").exists()
    assert sorted(os.listdir(box.root / "seen")) == ["count.out"]
    assert box.mlctl("host", "fetch", job, "--to", "seen").returncode == 2
    assert box.mlctl("run", "--on", "box").returncode == 0
    assert box.read("count.out") == "40"


def test_attach_tells_of_a_failure(box, server):
    box.stages({"a": {"cmd": "sleep 2; exit 3", "outs": ["a.out"]}})
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: jobs(server))
        (job,) = jobs(server)
        done = box.mlctl("host", "attach", job)
        assert run.wait(30) == 1
    assert done.returncode == 1
    assert "exit code 3" in done.stdout


def test_top_shows_gpus_and_jobs(box, server):
    counting(box, 100, 0.1)
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: "line 1" in log_of(box))
        said = box.mlctl("host", "top").stdout
        assert "gpu 0" in said
        assert "running" in said
        assert "count" in said
        run.terminate()
        run.wait()


def test_check_says_whether_there_is_sftp(box, server, tmp_path, monkeypatch):
    def said():
        (host,) = box.json("host", "check", "box")["hosts"]
        (found,) = (finding for finding in host["findings"] if finding["what"] == "sftp")
        return found["level"], found["said"]

    assert said() == ("warning", "is not offered")
    with sshd.running(tmp_path / "other", options=("Subsystem sftp internal-sftp",)) as other:
        monkeypatch.setenv("MLCTL_SSH_CONFIG", str(other.config))
        assert said() == ("ok", "answers")
