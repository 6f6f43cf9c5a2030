"""The processes of a job: all that carry its mark in their environment, and what they started."""

from __future__ import annotations

import os
import signal
import time
from typing import Any, Iterable, Mapping

MARK = "MLCTL_JOB"
PATIENCE = 10.0  # seconds after which a process that SIGKILL does not end is given up
_PERIOD = 0.05


def boot_id() -> str:
    """What tells one run of the machine from another."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            real = file.read().strip()
    except OSError:
        real = "unknown"
    return os.environ.get("MLCTL_BOOT_ID", real)  # a test plays a reboot by it


def start_time(pid: int) -> int | None:
    """When the process started, in ticks since the boot; None where there is no such process."""
    status = _status(pid)
    return None if status is None else status[3]


def is_alive(start: Mapping[str, Any]) -> bool:
    """Whether the process lives whose number and start a job wrote down as `pid` and `born`."""
    return start["born"] is not None and start_time(start["pid"]) == start["born"]


def of_job(job: str) -> set[int]:
    """The living processes of a job, by mark, group, session and parents; of this user.

    Our own children count as the job's: to a supervisor come those that lost their parent.
    """
    places: dict[int, tuple[int, int, int]] = {}
    marked: set[int] = set()
    mark = "{}={}".format(MARK, job).encode()
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        status = _status(int(name))
        if status is None:
            continue
        places[int(name)] = status[:3]
        try:
            with open("/proc/{}/environ".format(name), "rb") as file:
                if mark in file.read().split(b"\0"):
                    marked.add(int(name))
        except OSError:  # it has just ended, or is another user's
            continue
    found = marked | {pid for pid, place in places.items() if place[0] == os.getpid()}
    grew = True
    while grew:  # what they started may have cleared its environment
        more = {
            pid
            for pid, (parent, group, session) in places.items()
            if pid not in found and (parent in found or group in marked or session in marked)
        }
        found |= more
        grew = bool(more)
    return found


def end(job: str, grace: float, keep: Iterable[int] = ()) -> set[int]:
    """Ask the job's processes to end, kill what is left after `grace` seconds; those that live on.

    Looks again until none is left: a process may start another while it is being ended.
    """
    begin = time.monotonic()
    asked: set[int] = set()
    while True:
        left = of_job(job) - set(keep)
        passed = time.monotonic() - begin
        if not left or passed > grace + PATIENCE:
            return left
        hard = passed >= grace
        for pid in left if hard else left - asked:
            try:
                os.kill(pid, signal.SIGKILL if hard else signal.SIGTERM)
            except OSError:
                continue
        asked |= left
        time.sleep(_PERIOD)


def adopt_orphans() -> None:
    """What the job leaves behind becomes our child, not init's (Linux: PR_SET_CHILD_SUBREAPER)."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        pass


def reap() -> None:
    """Take note of children that have ended, as a parent has to."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def oom_kills() -> int:
    """How many processes this machine has killed for lack of memory since it started."""
    try:
        with open("/proc/vmstat") as file:
            for line in file:
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def _status(pid: int) -> tuple[int, int, int, int] | None:
    """`(parent, group, session, start time)` of a process that is no zombie, else None."""
    try:
        with open("/proc/{}/stat".format(pid), "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    if fields[0] in (b"Z", b"X"):
        return None
    return int(fields[1]), int(fields[2]), int(fields[3]), int(fields[19])
