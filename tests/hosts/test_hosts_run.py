"""`mlctl run --on HOST` against a real sshd: what travels, what comes back, what is left."""

import json
import os
import signal
import subprocess
import time

from e2e.sandbox import wait_until

COUNT = """\
import sys, time
for number in range(int(sys.argv[1])):
    print("line", number, flush=True)
    time.sleep(float(sys.argv[2]))
open("count.out", "w").write(sys.argv[1])
"""


def counting(box, lines=40, pause=0.05, **more):
    """A stage that prints `lines` numbered lines."""
    box.write("count.py", COUNT)
    stage = {
        "cmd": f"python3 count.py {lines} {pause}",
        "deps": ["count.py"],
        "outs": ["count.out"],
    }
    box.stages({"count": {**stage, **more}})


def log_of(box, stage="count"):
    """The newest log of a stage."""
    logs = sorted(box.root.glob(f".mlctl/logs/*/{stage}.log"))
    return logs[-1].read_text() if logs else ""


def numbered(lines):
    return "".join(f"line {number}\n" for number in range(lines))


def jobs(server):
    """The ends of all jobs on the host, by name; None for one that has not ended."""
    found = {}
    for folder in sorted(server.home.glob(".mlctl-host/jobs/*")):
        end = folder / "exit.json"
        found[folder.name] = json.loads(end.read_text()) if end.exists() else None
    return found


def processes_of(job):
    """What of a job still lives."""
    mark = f"MLCTL_JOB={job}".encode()
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    found.append(int(name))
        except OSError:
            continue
    return found


def test_outs_come_back_and_dvc_agrees(box, server):
    (box.root / "data").mkdir()
    for number in range(30):
        box.write(f"data/{number}.txt", str(number))
    box.write(".gitignore", "/data\n")
    box.write(
        "sum.py",
        "import pathlib\nprint(sum(int(p.read_text()) for p in pathlib.Path('data').iterdir()))\n",
    )
    box.write("params.yaml", "factor: 2\n")
    box.stages(
        {
            "sum": {"cmd": "python3 sum.py > sum.out", "deps": ["data", "sum.py"],
                    "params": ["factor"], "outs": ["sum.out"]},
            "split": {"cmd": "mkdir -p parts/a && cp sum.out parts/a/x && cp sum.out 'parts/ü y'",
                      "deps": ["sum.out"], "outs": ["parts"]},
            "score": {"cmd": "echo '{\"n\": 1}' > score.json", "deps": ["parts"],
                      "metrics": [{"score.json": {"cache": False}}]},
        }
    )  # fmt: skip
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 0, done.stdout + done.stderr
    assert box.read("sum.out") == f"{sum(range(30))}\n"
    assert box.read("parts/ü y") == box.read("sum.out")
    lock = box.read("dvc.lock")
    assert box.dvc("status").stdout.strip() == "Data and pipelines are up to date."
    assert all(end["reason"] == "ended" for end in jobs(server).values())
    # The same, run here, gives the same lock.
    done = box.mlctl("run", "-f", "--no-run-cache")
    assert done.returncode == 0, done.stdout
    assert box.read("dvc.lock") == lock


def test_a_stage_names_its_host_itself(box, server):
    counting(box, 1, 0, meta={"mlctl": {"on": "box"}})
    assert box.mlctl("run").returncode == 0
    assert len(jobs(server)) == 1


def test_dirty_and_untracked_code_travels_and_secrets_do_not(box, server):
    box.write("a.py", "print('committed')\n")
    box.commit()
    box.write("a.py", "print(open('new.txt').read())\nimport os\nprint(sorted(os.listdir('.')))\n")
    box.write("new.txt", "untracked")
    box.write(".env", "TOKEN=1")
    box.write("ignored.out", "x")
    box.stages({"a": {"cmd": "python3 a.py", "deps": ["a.py"]}})
    assert box.mlctl("run", "--on", "box").returncode == 0
    said = log_of(box, "a")
    assert "untracked" in said
    assert "'.env'" not in said
    assert "ignored.out" not in said


def test_a_failed_stage_is_a_failed_stage(box, server):
    box.stages({"a": {"cmd": "echo out; echo err >&2; exit 3", "outs": ["a.out"]}})
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 1
    assert "exit code 3" in done.stdout
    assert log_of(box, "a") == "out\nerr\n"


def test_an_out_that_was_not_written_is_named(box, server):
    box.stages({"a": {"cmd": "true", "outs": ["a.out"]}})
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 1
    assert "'a.out' was not written" in done.stdout


def test_a_timeout_ends_the_whole_tree(box, server):
    box.stages(
        {
            "a": {
                "cmd": "sleep 300 & sleep 300",
                "outs": ["a.out"],
                "meta": {"mlctl": {"timeout": 1}},
            }
        }
    )
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 1
    assert "timed out after 1 s" in done.stdout
    (job,) = jobs(server)
    assert processes_of(job) == []


def test_ctrl_c_ends_the_job(box, server):
    counting(box, 1000, 0.1)
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: "line 3" in log_of(box))
        os.kill(run.pid, signal.SIGINT)
        assert run.wait(30) == 130
    (job,) = jobs(server)
    wait_until(lambda: jobs(server)[job] is not None)
    assert jobs(server)[job]["reason"] == "cancelled"
    assert processes_of(job) == []


def test_a_killed_mlctl_is_taken_up_where_it_was(box, server):
    counting(box, 60, 0.05)
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: "line 3" in log_of(box))
        run.kill()
        run.wait()
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "taking up job" in done.stdout
    assert len(jobs(server)) == 1
    assert log_of(box) == numbered(60)
    assert box.read("count.out") == "60"
    assert not list(box.root.glob(".mlctl/jobs/*.json"))


def test_a_cut_connection_is_no_failure(box, server):
    counting(box, 60, 0.05)
    with box.started("run", "--on", "box") as run:
        for line in (3, 20, 35):
            wait_until(lambda line=line: f"line {line}\n" in log_of(box))
            server.cut()
        assert run.wait(60) == 0
    assert len(jobs(server)) == 1
    assert log_of(box) == numbered(60)


def test_a_host_that_is_away_is_waited_for(box, server):
    counting(box, 60, 0.05)
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: "line 3" in log_of(box))
        server.stop()
        time.sleep(4)
        server.start()
        said, _ = run.communicate(timeout=60)
    assert run.returncode == 0, said
    assert "no contact with box" in said
    assert log_of(box) == numbered(60)


def test_a_killed_supervisor_is_replaced(box, server):
    counting(box, 60, 0.05)
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: "line 3" in log_of(box))
        (job,) = jobs(server)
        found = subprocess.run(
            ["pgrep", "-f", f"supervise .*{job}"], capture_output=True, text=True
        )
        for pid in found.stdout.split():
            os.kill(int(pid), signal.SIGKILL)
        assert run.wait(60) == 0
    assert log_of(box) == numbered(60)
    assert box.read("count.out") == "60"


def test_the_same_job_is_not_begun_twice_but_a_changed_one_is(box, server):
    counting(box, 100, 0.1)
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: "line 3" in log_of(box))
        run.kill()
        run.wait()
    counting(box, 2, 0.1)
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 0, done.stdout
    assert "is out of date: ending it" in done.stdout
    first, second = jobs(server)
    wait_until(lambda: jobs(server)[first] is not None)
    assert jobs(server)[first]["reason"] == "cancelled"
    assert jobs(server)[second]["code"] == 0


def test_unchanged_data_travels_once(box, server):
    box.write("big.out", "x" * 100_000)
    box.stages({"a": {"cmd": "wc -c < big.out > a.out", "deps": ["big.out"], "outs": ["a.out"]}})
    assert box.mlctl("run", "--on", "box").returncode == 0
    objects = set(server.home.glob(".mlctl-host/objects/files/md5/*/*"))
    assert box.mlctl("run", "--on", "box", "-f").returncode == 0
    assert set(server.home.glob(".mlctl-host/objects/files/md5/*/*")) == objects


def test_a_stage_that_writes_into_its_dep_does_not_spoil_it(box, server):
    box.write("in.out", "as it was")
    cmd = "chmod +w in.out; echo changed > in.out; cp in.out a.out"
    box.stages({"a": {"cmd": cmd, "deps": ["in.out"], "outs": ["a.out"]}})
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 0, done.stdout
    assert "wrote into its dep" in done.stdout
    assert box.read("in.out") == "as it was"
    box.stages({"a": {"cmd": "cp in.out b.out", "deps": ["in.out"], "outs": ["b.out"]}})
    assert box.mlctl("run", "--on", "box").returncode == 0
    assert box.read("b.out") == "as it was"


def test_what_a_login_shell_prints_is_no_answer(box, server):
    shell = server.folder / "shell"
    shell.write_text('#!/bin/sh\necho "Welcome!"; printf "E\\0\\0\\0\\1"\nexec /bin/sh "$@"\n')
    shell.chmod(0o755)
    config = server.folder / "sshd_config"
    config.write_text(config.read_text() + f'ForceCommand {shell} -c "$SSH_ORIGINAL_COMMAND"\n')
    server.stop()
    server.start()
    counting(box, 2, 0)
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 0, done.stdout + done.stderr
    assert log_of(box) == numbered(2)


def test_a_closed_terminal_leaves_the_job_alone(box, server):
    counting(box, 60, 0.05)
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: "line 3" in log_of(box))
        os.kill(run.pid, signal.SIGHUP)
        assert run.wait(30) == 128 + signal.SIGHUP
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "taking up job" in done.stdout
    assert len(jobs(server)) == 1
    assert log_of(box) == numbered(60)


def test_a_parameter_of_another_stage_makes_no_other_job(box, server):
    counting(box, 60, 0.05, params=["mine"])
    box.write("params.yaml", "mine: 1\nother: 1\n")
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: "line 3" in log_of(box))
        run.kill()
        run.wait()
    box.write("params.yaml", "mine: 1\nother: 2\n")
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "taking up job" in done.stdout
    assert len(jobs(server)) == 1
