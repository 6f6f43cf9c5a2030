"""Interrupted at awkward moments: while sending or fetching, with a damaged or a silent host."""

import os
import resource
import signal
import subprocess
import threading
import time

import pytest

from e2e.sandbox import is_alive, wait_until
from hosts.test_hosts_run import counting, jobs, log_of, numbered
from mlctl.adapters import ssh
from mlctl.adapters.files import is_locked
from mlctl.hosts.agent.objects import ENTRY
from mlctl.hosts.channel import Refused, open_channel
from mlctl.hosts.client import Host
from mlctl.store.hashing import file_md5


def interrupt(run, number=signal.SIGINT):
    os.kill(run.pid, number)
    return run.wait(60)


def test_ctrl_c_before_the_host_knows_of_the_job(box, server):
    """The job is named, and nothing was sent yet: the environment's lock file is being read."""
    tools = server.folder / "uv-here"
    tools.mkdir()
    (tools / "uv").write_text("#!/bin/sh\nsleep 2; echo\n")
    (tools / "uv").chmod(0o755)
    box.write("uv.lock", "version = 1\n")
    counting(box, 1000, 0.1)
    env = {"PATH": f"{tools}:{os.environ['PATH']}"}
    with box.started("run", "--on", "box", env=env) as run:
        wait_until(lambda: subprocess.run(["pgrep", "-f", f"{tools}/uv"],
                                          capture_output=True).returncode == 0)  # fmt: skip
        begin = time.monotonic()
        assert interrupt(run) == 130
        assert time.monotonic() - begin < 20
    assert None not in jobs(server).values()


def test_ctrl_c_while_the_host_is_being_sent_data(box, server):
    (box.root / "big.out").write_bytes(os.urandom(1_000_000) * 600)
    box.stages({"a": {"cmd": "echo 1 > a.out; sleep 60", "deps": ["big.out"], "outs": ["a.out"]}})
    box.mlctl("status")
    with box.started("run", "--on", "box") as run:
        tmp = server.home / ".mlctl-host" / "tmp"
        wait_until(lambda: tmp.exists() and any(p.stat().st_size > 1e6 for p in tmp.iterdir()), 60)
        begin = time.monotonic()
        assert interrupt(run) == 130
        assert time.monotonic() - begin < 15
    assert jobs(server) == {}


def test_ctrl_c_while_outs_are_fetched_and_the_next_run_fetches_them(box, server):
    cmd = (
        "for i in 1 2 3 4 5 6; do head -c 100000000 /dev/urandom > a.$i; done;"
        "mkdir a.out; mv a.? a.out"
    )
    box.stages({"a": {"cmd": cmd, "outs": ["a.out"]}})
    with box.started("run", "--on", "box") as run:
        cache = box.root / ".dvc" / "cache"
        wait_until(lambda: any(cache.rglob("*.tmp")), 120)
        assert interrupt(run) == 130
    assert not list(cache.rglob("*.tmp"))
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 0, done.stdout
    assert "taking up job" in done.stdout
    assert len(jobs(server)) == 1
    assert len(list((box.root / "a.out").iterdir())) == 6


def test_ctrl_c_twice_ends_although_the_host_is_silent(box, server):
    counting(box, 1000, 0.1)
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: "line 3" in log_of(box))
        for pid in server.connections():
            os.kill(pid, signal.SIGSTOP)  # as if the laptop's network were gone
        try:
            begin = time.monotonic()
            os.kill(run.pid, signal.SIGINT)
            time.sleep(1)
            os.kill(run.pid, signal.SIGINT)
            said, _ = run.communicate(timeout=40)
            assert time.monotonic() - begin < 20
        finally:
            for pid in server.connections():
                os.kill(pid, signal.SIGCONT)
    assert run.returncode == 130
    assert "the job goes on there" in said
    (job,) = jobs(server)
    box.mlctl("host", "cancel", job)
    assert jobs(server)[job]["reason"] == "cancelled"


def test_a_damaged_object_is_told_and_the_next_run_is_well(box, server):
    box.stages({"a": {"cmd": "sleep 1; echo good > a.out", "outs": ["a.out"]}})
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: jobs(server))
        run.kill()
        run.wait()
    (job,) = jobs(server)
    wait_until(lambda: jobs(server)[job] is not None)
    (outs,) = server.home.glob(".mlctl-host/jobs/*/outs.json")
    md5 = outs.read_text().partition('"md5": "')[2][:32]
    path = server.home / ".mlctl-host/objects/files/md5" / md5[:2] / md5[2:]
    when = path.stat().st_mtime_ns
    path.chmod(0o644)
    path.write_text("evil\n")  # by a failing disk: nothing tells of it
    os.utime(path, ns=(when, when))
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "came with other bytes" in done.stdout
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 0, done.stdout
    assert box.read("a.out") == "good\n"


def test_failed_and_ended_jobs_are_removed_by_gc(box, server):
    box.stages({"a": {"cmd": "exit 1", "outs": ["a.out"]}})
    assert box.mlctl("run", "--on", "box").returncode == 1
    assert box.json("host", "jobs")["jobs"] == []
    counting(box, 1000, 0.1)
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: "line 1" in log_of(box))
        run.kill()
        run.wait()
    counting(box, 1, 0)
    assert box.mlctl("run", "--on", "box").returncode == 0
    wait_until(lambda: None not in jobs(server).values())
    time.sleep(0.1)
    assert len(box.json("host", "gc", "box", "--days", "0")["jobs"]) == 3
    assert jobs(server) == {}


def test_a_host_that_was_never_met_is_not_waited_for(box, server):
    shell = server.folder / "shell"
    shell.write_text("#!/bin/sh\n[ \"$SSH_ORIGINAL_COMMAND\" = 'exit 0' ] && exit\n"
                     "echo This account is currently not available.\nexit 1\n")  # fmt: skip
    shell.chmod(0o755)
    config = server.folder / "sshd_config"
    config.write_text(config.read_text() + f"ForceCommand {shell}\n")
    server.stop()
    server.start()
    counting(box, 1, 0)
    begin = time.monotonic()
    done = box.mlctl("run", "--on", "box")
    assert done.returncode == 1
    assert "no answer" in done.stdout
    assert time.monotonic() - begin < 25


def test_a_log_that_still_grows_counts_as_live(box, server):
    """Else `mlctl run` beside it would delete it with the logs of old runs."""
    counting(box, 100, 0.1)
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: "line 3" in log_of(box))
        (log,) = box.root.glob(".mlctl/logs/*/count.log")
        assert is_locked(log)
        interrupt(run)


def test_log_bytes_that_are_no_text_and_many_of_them(box, server):
    cmd = "head -c 30000000 /dev/urandom; printf '\\377\\376\\0 end'; echo 1 > a.out"
    box.stages({"a": {"cmd": cmd, "outs": ["a.out"]}})
    done = box.mlctl("run", "--on", "box", "-q")
    assert done.returncode == 0, done.stderr[-1000:]
    (there,) = server.home.glob(".mlctl-host/jobs/*/log")
    (here,) = box.root.glob(".mlctl/logs/*/a.log")
    assert here.read_bytes() == there.read_bytes()
    assert here.stat().st_size == 30_000_007


def test_what_comes_faster_than_it_is_taken_waits_on_the_host(box, server):
    """A fetch holds some frames in memory, and not a whole object."""
    big = server.folder / "big"
    big.touch()
    os.truncate(big, 400_000_000)
    host = Host("box", {})
    md5 = file_md5(big)
    host.put([md5], {md5: str(big)})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    target = server.folder / "fetched"
    first = True

    def place(_md5):
        nonlocal first
        if first:
            first = False
            time.sleep(4)
        return str(target)

    assert list(host.get([md5], place)) == [md5]
    host.close()
    assert target.stat().st_size == 400_000_000
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100_000, grown  # KiB


def test_a_transfer_that_the_host_refuses_is_not_sent_to_its_end(box, server, mount):
    folder = mount("size=3m")
    pieces, sent = [b"\0" * (1 << 18)] * 4000, []

    def counted():
        yield ENTRY.pack(b"0" * 32, b"", 10**9)
        for piece in pieces:
            sent.append(piece)
            yield piece

    home = {"home": f"{folder}/x"}
    with (
        open_channel(ssh.Ssh("box"), home, threading.Event()) as channel,
        pytest.raises(Refused, match="No space left"),
    ):
        list(channel.stream("put", data=counted()))
    assert len(sent) < 1000


def test_nothing_of_ours_is_left_after_a_run(box, server):
    counting(box, 2, 0)
    assert box.mlctl("run", "--on", "box").returncode == 0
    wait_until(lambda: not list(_of(server.home)))


def _of(home):
    found = subprocess.run(["pgrep", "-f", f"agent.py (supervise|run) {home}"],
                           capture_output=True, text=True)  # fmt: skip
    return [pid for pid in map(int, found.stdout.split()) if is_alive(pid)]


def test_a_laptop_that_sleeps_and_wakes(box, server):
    """All that is ours here stops, the job goes on, and the connection may be gone meanwhile."""
    counting(box, 60, 0.05)
    with box.started("run", "--on", "box") as run:
        wait_until(lambda: "line 5\n" in log_of(box))
        listed = subprocess.run(["pgrep", "-P", str(run.pid)], capture_output=True, text=True)
        asleep = [run.pid, *map(int, listed.stdout.split())]
        for pid in asleep:
            os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: None not in jobs(server).values())  # it has ended by itself
        server.cut()
        for pid in asleep:
            os.kill(pid, signal.SIGCONT)
        said, _ = run.communicate(timeout=120)
    assert run.returncode == 0, said
    assert log_of(box) == numbered(60)
