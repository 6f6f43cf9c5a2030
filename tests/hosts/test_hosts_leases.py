"""GPUs by lease, among real processes: never one to two, in order, freed by death."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mlctl.hosts.agent.leases import Leases, NotEnough

FAKE = Path(__file__).with_name("nvidia_smi.py")

# Takes its place in the queue, says so, waits for its GPUs, and holds them for a while. What it
# holds is written to a journal that one can be checked against: `+uuid job` and `-uuid job`.
CLIENT = """\
import os, sys, time
from mlctl.hosts.agent.leases import Leases, wait_for
import mlctl.hosts.agent.leases as module
module.PERIOD = 0.02
job, count, hold, journal, order = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:]
def note(path, text):
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(handle, text.encode() + b"\\n")
leases = Leases()
ticket = leases.enter(job, count, "me")
note(order, "in " + ticket.name)
lease = wait_for(leases, ticket, lambda: False)
note(order, "got " + ticket.name)
for uuid in lease.uuids:
    note(journal, "+" + uuid + " " + job)
ticket.leave()
time.sleep(hold)
for uuid in lease.uuids:
    note(journal, "-" + uuid + " " + job)
lease.release()
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A host with two GPUs."""
    tools = tmp_path / "tools"
    tools.mkdir()
    shutil.copy(FAKE, tools / "nvidia-smi")
    (tools / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("MLCTL_LOCKS", str(tmp_path / "locks"))
    monkeypatch.setenv("FAKE_GPUS", "2")
    monkeypatch.setenv("FAKE_GPU_USERS", str(tmp_path / "users"))
    return tmp_path


def client(place, job, count=1, hold=0.0):
    program = [sys.executable, "-c", CLIENT, job, str(count), str(hold)]
    return subprocess.Popen([*program, str(place / "journal"), str(place / "order")])


def check_journal(place):
    """No GPU is given to two jobs at once; the number of leases that were had."""
    holders, leases = {}, 0
    for line in (place / "journal").read_text().splitlines():
        uuid, job = line[1:].split()
        if line[0] == "+":
            assert uuid not in holders, f"{uuid} is {holders[uuid]}'s and {job}'s"
            holders[uuid] = job
            leases += 1
        else:
            assert holders.pop(uuid) == job
    return leases


@pytest.mark.parametrize("jobs", [24])
def test_jobs_of_eight_clients_take_turns(place, jobs):
    # The long form is `mlctl`'s benchmark of leases: 200 jobs (tests/benchmarks/hosts.py).
    running, made = [], 0
    while made < jobs or running:
        running = [process for process in running if process.poll() is None]
        while made < jobs and len(running) < 8:
            running.append(client(place, f"job{made:05d}", 1 + made % 2, 0.02))
            made += 1
        time.sleep(0.01)
    check_journal(place)
    lines = [line.split() for line in (place / "order").read_text().splitlines()]
    came = sorted(name for word, name in lines if word == "in")
    got = [name for word, name in lines if word == "got"]
    assert len(got) == jobs
    # Tickets are numbered as they come; two whose turn is the same may say so in either order.
    assert all(abs(came.index(name) - place_) <= 2 for place_, name in enumerate(got))


def test_a_ticket_that_is_given_back_while_others_look(place):
    leases = Leases()
    ticket = leases.enter("waiter1", 1, "me")
    over = threading.Event()

    def come_and_go():
        while not over.is_set():
            leases.enter("waiter2", 1, "me").leave()

    other = threading.Thread(target=come_and_go)
    other.start()
    try:
        for _ in range(2000):
            assert len(leases.waiting()) in {1, 2}
    finally:
        over.set()
        other.join()
    ticket.leave()


def test_a_dead_holder_holds_nothing(place):
    holder = client(place, "holder1", 2, 60)
    journal = place / "journal"
    _until(lambda: journal.exists() and len(journal.read_text().splitlines()) == 2)
    leases = Leases()
    ticket = leases.enter("waiter1", 1, "me")
    assert leases.try_take(ticket) is None
    assert leases.holders() == {"GPU-0000", "GPU-0001"}
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    lease = leases.try_take(ticket)
    assert lease is not None
    assert len(lease.uuids) == 1
    ticket.leave()
    lease.release()
    assert leases.holders() == set()


def test_a_dead_waiter_is_passed_over(place):
    holder = client(place, "holder1", 2, 60)
    journal = place / "journal"
    _until(lambda: journal.exists() and len(journal.read_text().splitlines()) == 2)
    waiter = client(place, "waiter1", 2, 60)
    leases = Leases()
    _until(lambda: len(leases.waiting()) == 1)
    ticket = leases.enter("waiter2", 2, "me")
    assert [entry["job"] for _, entry in leases.waiting()] == ["waiter1", "waiter2"]
    for process in (waiter, holder):
        process.kill()
        process.wait()
    lease = leases.try_take(ticket)
    assert lease is not None
    assert len(lease.uuids) == 2
    ticket.leave()
    assert os.listdir(leases.queue) == []
    lease.release()


def test_who_came_first_goes_first_even_if_less_would_fit(place):
    leases = Leases()
    first = leases.enter("first01", 1, "me")
    one = leases.try_take(first)
    first.leave()
    big, small = leases.enter("second2", 2, "me"), leases.enter("third03", 1, "me")
    assert leases.try_take(big) is None
    assert leases.try_take(small) is None  # the free one is the big one's, as soon as there is more
    one.release()
    both = leases.try_take(big)
    assert len(both.uuids) == 2
    big.leave()
    both.release()
    last = leases.try_take(small)
    assert len(last.uuids) == 1
    small.leave()
    last.release()


def test_a_gpu_that_others_use_is_left_alone(place):
    (place / "users").write_text(f"GPU-0000 {os.getpid()}\n")
    leases = Leases()
    ticket = leases.enter("job0001", 1, "me")
    lease = leases.try_take(ticket)
    assert lease.uuids == ["GPU-0001"]
    lease.release()
    ticket.leave()
    ticket = leases.enter("job0002", 2, "me")
    assert leases.try_take(ticket) is None
    (place / "users").write_text("")
    assert len(leases.try_take(ticket).uuids) == 2
    ticket.leave()


def test_more_than_there_are_is_said(place):
    leases = Leases()
    ticket = leases.enter("job0001", 3, "me")
    with pytest.raises(NotEnough, match="3 GPUs are asked for, and this host has 2"):
        leases.try_take(ticket)
    ticket.leave()


def test_a_killed_supervisor_finds_its_place_again(place):
    leases = Leases()
    holder = leases.enter("holder1", 2, "me")
    lease = leases.try_take(holder)
    holder.leave()
    waiter = client(place, "waiter1", 1, 0)
    _until(lambda: len(leases.waiting()) == 1)
    later = leases.enter("waiter2", 2, "me")
    waiter.kill()
    waiter.wait()
    again = leases.enter("waiter1", 1, "me")
    assert [entry["job"] for _, entry in leases.waiting()] == ["waiter1", "waiter2"]
    lease.release()
    assert leases.try_take(later) is None
    assert leases.try_take(again) is not None
    for ticket in (again, later):
        ticket.leave()


def test_the_lock_files_of_another_user_can_be_locked(place):
    if os.getuid():
        pytest.skip("NOT RUN: playing another user needs root")
    leases = Leases()
    ticket = leases.enter("job0001", 2, "me")
    lease = leases.try_take(ticket)  # root's files now
    ticket.leave()
    lease.release()
    for folder in (place, *place.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o755)
    code = (
        "import os\n"
        "from mlctl.hosts.agent.leases import Leases\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "leases = Leases(); ticket = leases.enter('other01', 2, 'other')\n"
        "lease = leases.try_take(ticket); print(len(lease.uuids)); ticket.leave()\n"
    )
    env = {**os.environ, "PATH": f"{place / 'tools'}:/usr/bin:/bin"}  # a Python that others may run
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.stdout.strip() == "2", done.stderr
    assert json.dumps(sorted(leases.holders())) == "[]"


def _until(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.02)
