"""The agent's own promises: what is trusted, what is ended, what is kept, and by whom."""

import ast
import hashlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from e2e.sandbox import wait_until
from hosts.agent_home import Home, pids
from mlctl.hosts import bundle
from mlctl.hosts.agent import disk, follow, gc, leases, processes, wire
from mlctl.hosts.agent import home as homes
from mlctl.hosts.agent.jobs import Job
from mlctl.hosts.agent.objects import ENTRY, Damaged

AGENT = sorted(Path(bundle.AGENT).glob("*.py"))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MLCTL_LOCKS", str(tmp_path / "locks"))
    return Home(tmp_path / "home")


# What is trusted


def test_a_folder_with_a_damaged_file_is_asked_for_again(home):
    tree = home.put_folder({"a": b"as it was", "b": b"too"})
    dep = {"path": "in", "md5": tree}
    end = home.run(home.one, "chmod +w in/a; echo changed > in/a", deps=[dep])
    assert end["touched"] == ["in/a"]
    needed = home.requests.submit(home.two, home.spec("cat in/a", deps=[dep]), {})["need"]
    assert needed == [home.put(b"as it was")]
    job = home.submit(home.two, "cat in/a", deps=[dep])
    assert home.ended(job)["code"] == 0
    assert Path(job.path("log")).read_text() == "as it was"


def test_a_dep_that_was_written_to_is_found_although_the_supervisor_died(home):
    md5 = home.put(b"as it was")
    dep = {"path": "in", "md5": md5}
    job = home.submit(home.one, "chmod +w in; echo changed > in; sleep 3", deps=[dep])
    wait_until(lambda: Path(home.objects.path(md5)).read_bytes() == b"changed\n")
    for pid in pids(f"supervise {home.path}"):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not job.is_supervised())
    job.ensure()
    assert home.ended(job)["touched"] == ["in"]
    assert not home.objects.has(md5)


def test_a_dep_that_a_killed_job_wrote_to_is_not_used_again(home):
    md5 = home.put(b"as it was")
    dep = {"path": "in", "md5": md5}
    job = home.submit(home.one, "chmod +w in; echo changed > in; sleep 60", deps=[dep])
    wait_until(lambda: Path(home.objects.path(md5)).read_bytes() == b"changed\n")
    for pid in pids(f"agent.py run {home.path}"):
        os.kill(pid, signal.SIGKILL)
    assert home.ended(job)["reason"] == "killed"
    assert not home.objects.has(md5)


def test_an_object_that_was_only_touched_is_good(home):
    md5 = home.put(b"x")
    end = home.run(home.one, "touch in", deps=[{"path": "in", "md5": md5}])
    assert "touched" not in end
    assert home.objects.has(md5)


def test_an_object_that_was_not_brought_to_the_disk_is_hashed(home):
    md5 = home.put(b"whole")
    path = home.objects.path(md5)
    os.chmod(path, 0o644)
    Path(path).write_bytes(b"")  # as after a power cut
    assert home.objects.missing([md5]) == [md5]


def test_gc_that_was_cut_off_leaves_no_folder_that_seems_whole(home, monkeypatch):
    tree = home.put_folder({"a": b"1", "b": b"2"})
    assert home.objects.is_whole(tree)
    listing = set(home.objects.listing(tree))

    def cut(path):
        if "/objects/" in path:
            raise KeyboardInterrupt
        os.unlink(path)

    monkeypatch.setattr(disk, "remove", cut)
    with pytest.raises(KeyboardInterrupt):
        gc.collect(home.path, 0, dry=False)
    monkeypatch.undo()
    for _, md5 in listing:
        os.unlink(home.objects.path(md5))
    assert set(home.objects.missing([tree])) == {md5 for _, md5 in listing}


def test_an_out_that_lies_elsewhere_is_left_as_it_is(home, tmp_path):
    elsewhere = tmp_path / "model.bin"
    elsewhere.write_text("big")
    other = tmp_path / "linked.bin"
    other.write_text("linked")
    before = elsewhere.stat(), other.stat()
    end = home.run(home.one, f"ln -s {elsewhere} a.out; ln {other} b.out",
                   outs=[{"path": "a.out"}, {"path": "b.out"}])  # fmt: skip
    assert end["reason"] == "ended", end
    after = elsewhere.stat(), other.stat()
    for one, two in zip(before, after, strict=True):
        assert (one.st_mode, one.st_mtime_ns) == (two.st_mode, two.st_mtime_ns)
    elsewhere.write_text("changed")
    (md5, _) = (out["md5"] for out in home.requests.outs(home.one).values())
    assert Path(home.objects.path(md5)).read_text() == "big"


def test_a_pipe_in_an_out_is_refused(home):
    end = home.run(home.one, "mkdir d; mkfifo d/pipe", outs=[{"path": "d"}])
    assert end["reason"] == "unstable out"
    assert end["detail"] == "d/pipe is neither a file nor a folder"


def test_a_transfer_that_ends_in_the_middle_leaves_nothing(home):
    with pytest.raises(Damaged):
        _send_half(home)
    assert os.listdir(os.path.join(home.path, "tmp")) == []


def _send_half(home):
    data = ENTRY.pack(hashlib.md5(b"x" * 100).hexdigest().encode(), b"", 100) + b"x" * 50
    stream = [data]

    def read(size):
        stream[0], found = stream[0][size:], stream[0][:size]
        return found

    home.objects.receive(read)


def test_gc_leaves_a_transfer_alone(home):
    half = Path(home.path, "tmp", "half")
    half.write_bytes(b"x")
    gc.collect(home.path, 0, dry=False)
    assert half.exists()
    old = time.time() - 7200
    os.utime(half, (old, old))
    assert gc.collect(home.path, 0, dry=False)["leftovers"] == 1


def test_gc_removes_what_is_read_only_and_environments_that_were_not_finished(home):
    job = home.submit(home.one, "mkdir -p a/b; touch a/b/c; chmod 500 a a/b")
    home.ended(job)
    home.requests.ack(home.one)
    half = Path(home.path, "envs", "half")
    half.mkdir()
    done = gc.collect(home.path, 0, dry=False)
    assert (done["jobs"], done["environments"]) == ([home.one], 1)
    assert not Path(job.folder).exists()
    assert not half.exists()


# What is ended


def test_what_cleared_its_environment_is_ended_too(home):
    end = home.run(home.one, "env -i setsid sleep 654 & sleep 0.3")
    assert end["code"] == 0
    assert pids("^sleep 654$") == []


def test_processes_that_lost_their_parent_are_reaped(home):
    job = home.submit(home.one, "for i in 1 2 3 4 5 6 7 8; do (setsid true &); done; sleep 2")
    time.sleep(1.2)
    (supervisor,) = pids(f"supervise {home.path}")
    children = subprocess.run(
        ["ps", "-o", "stat=", "--ppid", str(supervisor)], capture_output=True, text=True
    )
    assert "Z" not in children.stdout
    assert home.ended(job)["code"] == 0


def test_a_timeout_counts_for_a_command_that_is_about_to_start(home):
    # Many short commands: the timeout comes between two of them sooner or later.
    begin = time.monotonic()
    end = home.run(home.one, *["true"] * 40, "sleep 30", timeout=0.2)
    assert end["timed_out"]
    assert time.monotonic() - begin < 20


def test_making_an_environment_is_ended_with_its_job(home, tmp_path, monkeypatch):
    fake_uv(tmp_path, monkeypatch, "sleep 321")
    job = home.submit(home.one, "true", requirements=home.put(b"six\n"))
    wait_until(lambda: pids("^sleep 321$"))
    begin = time.monotonic()
    home.requests.cancel(home.one)
    assert home.ended(job)["reason"] == "cancelled"
    assert time.monotonic() - begin < 20
    assert pids("^sleep 321$") == []


def test_an_environment_is_not_begun_while_a_dead_supervisors_installer_lives(
    home, tmp_path, monkeypatch
):
    fake_uv(tmp_path, monkeypatch, f"echo begin >> {tmp_path}/said; sleep 2; "
            f"echo end >> {tmp_path}/said")  # fmt: skip
    job = home.submit(home.one, "true", requirements=home.put(b"six\n"))
    said = tmp_path / "said"
    wait_until(said.exists)
    for pid in pids(f"supervise {home.path}"):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not job.is_supervised())
    job.ensure()
    end = home.ended(job)
    assert end["reason"] == "ended", end
    words = said.read_text().split()
    assert words == ["begin", "end"] * (len(words) // 2)


def fake_uv(folder, monkeypatch, script):
    tools = folder / "bin"
    tools.mkdir()
    program = tools / "uv"
    program.write_text(
        f'#!/bin/sh\nfor last; do :; done\n{script}\n[ "$1" != venv ] || mkdir "$last"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")


# Who watches


def test_who_asks_whether_a_job_is_watched_keeps_no_supervisor_away(home):
    job = Job(home.path, home.one)
    job.create(home.spec("sleep 0.5"), bundle.source())
    Path(job.path("claim")).touch()
    over = threading.Event()

    def ask():
        while not over.is_set():
            job.is_supervised()

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        for _ in range(5):
            job.supervise()
            if job.end() or disk.read(job.path("start.json")) or pids(f"supervise {home.path}"):
                break
        else:
            raise AssertionError("nobody watches")
        wait_until(lambda: job.end() is not None)
    finally:
        over.set()
        asker.join()
    assert job.end()["code"] == 0


def test_a_runner_that_never_got_the_word_is_replaced(home):
    """The supervisor was killed between its intent and the word; the runner is slow to notice."""
    job = Job(home.path, home.one)
    job.create(home.spec("echo once"), bundle.source())
    runner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1.5)"])
    start = {"pid": runner.pid, "born": processes.start_time(runner.pid)}
    disk.write(job.path("start.json"),
               {**start, "boot": processes.boot_id(), "gpus": [], "time": 0})  # fmt: skip
    job.ensure()
    runner.wait()
    assert home.ended(job)["reason"] == "ended"
    assert Path(job.path("log")).read_text() == "once\n"


def test_a_runner_that_ended_before_it_was_looked_at_is_no_riddle(home):
    job = Job(home.path, home.one)
    job.create(home.spec("echo once"), bundle.source())
    start = {"pid": 2**22 - 1, "born": None, "boot": processes.boot_id(), "gpus": [], "time": 0}
    disk.write(job.path("start.json"), start)
    job.ensure()
    assert home.ended(job)["code"] == 0


def test_jobs_tell_the_truth_after_everything_was_killed(home):
    home.submit(home.one, "sleep 60")
    wait_until(lambda: Path(home.path, "jobs", home.one, "begun").exists())
    for pid in [*pids(f"supervise {home.path}"), *pids(f"agent.py run {home.path}")]:
        os.kill(pid, signal.SIGKILL)

    def ended():
        (job,) = home.requests.jobs()["jobs"]
        return job["state"] == "exited" and job["reason"] == "killed"

    wait_until(ended)


def test_a_log_comes_whole_and_in_parts_between_which_others_are_heard(home):
    job = home.submit(home.one, "true")
    home.ended(job)
    data = os.urandom(1 << 20) * 20 + b"end"
    Path(job.path("log")).write_bytes(data)
    follower = follow.Follower(job, 0)
    got, rounds = b"", 0
    while not follower.over:
        rounds += 1
        frames = list(follower.news())
        assert len(frames) <= follow.MOST + 1
        got += b"".join(payload for kind, payload in frames if kind == wire.DATA)
        assert frames[-1][0] == wire.END or follower.behind
    assert got == data
    assert rounds == -(-len(data) // (follow.MOST * wire.CHUNK))


# Places


@pytest.mark.skipif(os.getuid() != 0, reason="NOT RUN: only root can mount")
def test_a_mount_with_odd_characters_is_recognised(tmp_path):
    place = tmp_path / "dönnées x"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(place)], capture_output=True)
    if done.returncode:
        pytest.skip("NOT RUN: no mounts here")
    try:
        assert homes.file_system(str(place)) == "tmpfs"
        (place / "x").mkdir()
        assert homes.file_system(str(place / "x")) == "tmpfs"
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_all_users_come_to_the_same_folder_of_locks(tmp_path, monkeypatch):
    """What only root may write to is no place for locks, also when it is root who asks."""
    private, shared = tmp_path / "private", tmp_path / "shared"
    private.mkdir(mode=0o755)
    shared.mkdir()
    shared.chmod(0o1777)
    monkeypatch.setattr(leases, "PLACES", (str(private / "mlctl"), str(shared / "mlctl")))
    monkeypatch.delenv("MLCTL_LOCKS", raising=False)
    assert leases.Leases().folder == str(shared / "mlctl")
    (shared / "mlctl").chmod(0o755)  # whoever made it was killed before it was everybody's
    leases.Leases()
    assert (shared / "mlctl").stat().st_mode & 0o7777 == 0o1777


# Old Pythons


@pytest.mark.parametrize("path", AGENT, ids=lambda path: path.stem)
def test_syntax_of_the_oldest_python(path):
    ast.parse(path.read_text(), feature_version=bundle.OLDEST_PYTHON)


def oldest_python():
    """A real Python of the oldest version, if there is one."""
    version = ".".join(map(str, bundle.OLDEST_PYTHON))
    named = shutil.which(f"python{version}")
    ours = sorted(
        Path(pwd.getpwuid(os.getuid()).pw_dir).glob(f".pyenv/versions/{version}.*/bin/python")
    )
    for python in [*map(str, ours), *filter(None, [named])]:
        if subprocess.run([python, "-c", ""], capture_output=True).returncode == 0:
            return python
    return None


def test_a_job_under_the_oldest_python(home, tmp_path):
    python = oldest_python()
    if python is None:
        pytest.skip("NOT RUN: no Python 3.8")
    tree = home.put_folder({"a": b"1", "b": b"2"})
    spec = home.spec("cat in/a in/b > a.out; mkdir d; cp a.out d/x", requirements=None,
                     deps=[{"path": "in", "md5": tree}],
                     outs=[{"path": "a.out"}, {"path": "d"}])  # fmt: skip
    program = tmp_path / "asks.py"
    program.write_bytes(
        b"import json, sys\nargv, sys.argv = sys.argv, sys.argv[:1]\n"
        b"AGENT = " + repr(bundle.source()).encode() + b"\nexec(AGENT)\nsys.argv = argv\n"
        b"from mlctl.hosts.agent import serve, wire\n"
        b"requests = serve.Requests(sys.argv[1], AGENT)\n"
        b"print(json.dumps(requests.submit(sys.argv[3], json.loads(sys.argv[2]), {})))\n"
        b"requests.facts(); requests.jobs(); requests.queue()\n"
        b"print(requests.gc(1.0, True))\n"
    )
    argv = [python, "-I", "-S", "-X", "utf8", str(program), home.path, json.dumps(spec), home.one]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert home.ended(Job(home.path, home.one))["reason"] == "ended"
    outs = home.requests.outs(home.one)
    assert (outs["a.out"]["size"], outs["d"]["nfiles"]) == (2, 1)
