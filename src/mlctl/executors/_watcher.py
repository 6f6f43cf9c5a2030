"""The watcher of a run: a small process that ends what is left of the run when mlctl is killed.

`python -I -S _watcher.py RUN_ID LOCK` with a pipe as standard input whose other end only mlctl has:
the system closes it however mlctl ends. mlctl writes `+GROUP` when a process group begins, `-GROUP`
when its leader has ended, and at the end `.` where the run ended well, so that what its stages left
behind is left alone, else `!`.
Descriptor 3 is the open file LOCK under flock: until the watcher ends, others can see that
something of the run may still be at work (`mlctl.store.alive`).

Processes are known by their group or session, and on Linux by `MLCTL_RUN_ID` in their environment
or by printing to a log of the run, which finds those that left their session, too. What a stage's
own `mlctl run` has started carries another id, and is ended by the watcher of that run. Nothing of
mlctl is imported here: this file is run alone, and starts in a few milliseconds.
"""

from __future__ import annotations

import os
import signal
import sys
import time

GRACE = 2.0  # seconds from SIGTERM to SIGKILL
_PATIENCE = 10.0  # seconds after which a process that not even SIGKILL ends is given up
_PERIOD = 0.05  # seconds between two looks


def main() -> None:
    run_id, lock = sys.argv[1:]
    if os.getpid() != os.getsid(0):
        os.setsid()  # neither Ctrl-C nor a closed terminal is meant for us
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    os.chdir("/")
    groups, word = _listen()
    if word != b".":
        looks = 1 if word else 2  # a killed mlctl may have been about to start a process
        _end(run_id, groups, looks)
    try:
        os.unlink(lock)
    except OSError:  # mlctl did it itself
        return


def _listen() -> tuple[set[int], bytes]:
    """The groups that are there when mlctl has ended, and its last word, if it had one."""
    groups: set[int] = set()
    word = b""
    rest = b""
    while data := os.read(0, 4096):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            if line[:1] == b"+":
                groups.add(int(line[1:]))
            elif line[:1] == b"-":
                groups.discard(int(line[1:]))
            else:
                word = line
    return groups, word


def _end(run_id: str, groups: set[int], looks: int) -> None:
    """Ask every process of the run to end, kill those that do not, until `looks` looks see none."""
    begin = time.monotonic()
    asked: set[int] = set()
    clear = 0
    while time.monotonic() - begin < _PATIENCE:
        left = _left(run_id, groups)
        clear = 0 if left else clear + 1
        if clear == looks:
            return
        kill = time.monotonic() - begin > GRACE
        for pid in left if kill else left - asked:
            _signal(pid, signal.SIGKILL if kill else signal.SIGTERM)
        asked |= left
        time.sleep(_PERIOD)


def _left(run_id: str, groups: set[int]) -> set[int]:
    """The living processes of the run; a group as a negative number where there is no /proc."""
    if not os.path.isdir("/proc/self"):
        return {-group for group in groups if _signal(-group, 0)}
    places: dict[int, tuple[int, int]] = {}
    marked: set[int] = set()
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    state, _, group, session = file.read().rpartition(b")")[2].split()[:4]
                if state in (b"Z", b"X"):
                    continue
                places[int(name)] = (int(group), int(session))
                if _is_marked(f"/proc/{name}", run_id):
                    marked.add(int(name))
            except OSError:  # it has just ended, or is another user's
                continue
    # Only sessions that the run made: their leader is one of its processes.
    ours = groups | marked
    return marked | {pid for pid, place in places.items() if not ours.isdisjoint(place)}


def _is_marked(process: str, run_id: str) -> bool:
    with open(f"{process}/environ", "rb") as file:
        if b"MLCTL_RUN_ID=" + run_id.encode() in file.read().split(b"\0"):
            return True
    for number in (1, 2):
        try:
            if f"/{run_id}/" in os.readlink(f"{process}/fd/{number}"):
                return True
        except OSError:  # it is closed
            continue
    return False


def _signal(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
