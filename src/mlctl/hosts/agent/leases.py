"""GPUs are taken by lease: a lock on a file for each, in a folder that all users share.

There is no server: who waits holds a lock on a ticket of the queue, and whoever holds the `mutex`
may look at it and take what is free. A dead holder holds nothing, because its locks died with it.
Order is that of arrival: a job takes GPUs only when all before it in the queue could have theirs,
too, out of those that are free now.

The folder is like `/tmp`: anybody may add, nobody may remove what is another's. Files there are
made once, without a mode to write for others, and opened for reading, which is enough to lock them
(and all that a kernel with `fs.protected_regular` allows).
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from typing import Any, Callable, Sequence

from mlctl.hosts.agent import disk, gpus

PLACES = ("/run/lock/mlctl", "/dev/shm/mlctl", "/var/tmp/mlctl-locks")
PERIOD = 0.5  # seconds between two looks of one who waits


class NotEnough(Exception):
    """More GPUs are asked for than this host has."""


class Leases:
    """The leases and the queue of this host."""

    def __init__(self, folder: str | None = None) -> None:
        self.folder = folder or os.environ.get("MLCTL_LOCKS") or _first_usable()
        self.queue = os.path.join(self.folder, "queue")
        for path in (self.folder, self.queue):
            _make_shared(path)

    def enter(self, job: str, count: int, who: str) -> Ticket:
        """A place in the queue, held until `leave`.

        It is lost with its holder, unless the job comes again before others look.
        """
        with disk.Locked(self._file("mutex")):
            for _, name in self._tickets():
                if name.partition("-")[2] == job:  # its supervisor died: it keeps its place
                    handle = os.open(os.path.join(self.queue, name), os.O_RDONLY | os.O_CLOEXEC)
                    break
            else:
                number = 1 + max([n for n, _ in self._tickets()] or [0])
                name = "{:012d}-{}".format(number, job)
                handle = _create(os.path.join(self.queue, name))
                os.write(handle, json.dumps({"job": job, "gpus": count, "user": who}).encode())
            fcntl.flock(handle, fcntl.LOCK_EX)
        return Ticket(self, name, handle, count)

    def try_take(self, ticket: Ticket) -> Lease | None:
        """The lease of the ticket's GPUs if it is their turn and they are free, else None.

        Raises NotEnough. The driver, which takes its time, is asked only where locks are free.
        """
        if ticket.known is None:
            ticket.known = list(gpus.seen())
        if ticket.count > len(ticket.known):
            raise NotEnough(
                "{} GPUs are asked for, and this host has {}".format(
                    ticket.count, len(ticket.known)
                )
            )
        with disk.Locked(self._file("mutex")):
            ahead = 0
            for _, entry in self.waiting(prune=True):
                if entry["ticket"] == ticket.name:
                    break
                ahead += entry["gpus"]
            taken: dict[str, int] = {}
            for uuid in ticket.known:
                handle = disk.hold(self._file("gpu-" + uuid), create=False)
                if handle is not None:
                    taken[uuid] = handle
            mine: Sequence[str] = ()
            if len(taken) >= ahead + ticket.count:
                now = gpus.seen()  # a process that mlctl knows nothing of may use one
                free = [uuid for uuid in taken if uuid in now and not now[uuid].users]
                mine = free[ahead : ahead + ticket.count]
            enough = len(mine) == ticket.count
            for uuid, handle in taken.items():
                if not enough or uuid not in mine:
                    os.close(handle)
            return Lease(mine, [taken[uuid] for uuid in mine]) if enough else None

    def waiting(self, *, prune: bool = False) -> list[tuple[int, dict[str, Any]]]:
        """`(number, {ticket, job, gpus, user})` of those who wait, first come first.

        With the mutex held, `prune` removes the tickets that nobody holds any more.
        """
        found = []
        for number, name in self._tickets():
            path = os.path.join(self.queue, name)
            try:
                handle = disk.hold(path, create=False)
            except FileNotFoundError:  # who waited has just left
                continue
            if handle is not None:  # nobody holds it: its owner died
                os.close(handle)
                if prune:
                    _remove(path)
                continue
            try:
                with open(path) as file:
                    entry = json.loads(file.read())
            except (OSError, ValueError):
                continue
            found.append((number, dict(entry, ticket=name)))
        return found

    def holders(self) -> set[str]:
        """The UUIDs of the GPUs that are leased now."""
        names = [name for name in os.listdir(self.folder) if name.startswith("gpu-")]
        held = [name for name in names if disk.is_held(os.path.join(self.folder, name))]
        return {name[len("gpu-") :] for name in held}

    def _tickets(self) -> list[tuple[int, str]]:
        found = []
        for name in os.listdir(self.queue):
            number = name.partition("-")[0]
            if number.isdigit():
                found.append((int(number), name))
        return sorted(found)

    def _file(self, name: str) -> str:
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            try:
                os.close(_create(path))
            except FileExistsError:
                pass
        return path


class Ticket:
    """A place in the queue."""

    def __init__(self, leases: Leases, name: str, handle: int, count: int) -> None:
        self._leases = leases
        self.name = name
        self.count = count
        self.known: list[str] | None = None  # the host's GPUs, once they were asked for
        self._handle = handle

    def leave(self) -> None:
        _remove(os.path.join(self._leases.queue, self.name))
        os.close(self._handle)


class Lease:
    """GPUs that are ours until every copy of `handles` is closed, in whatever process."""

    def __init__(self, uuids: Sequence[str], handles: Sequence[int]) -> None:
        self.uuids = list(uuids)
        self.handles = list(handles)

    def release(self) -> None:
        for handle in self.handles:
            os.close(handle)
        self.handles = []


def wait_for(leases: Leases, ticket: Ticket, give_up: Callable[[], bool]) -> Lease | None:
    """The lease, as soon as it is to be had; None where `give_up()` became true before."""
    while not give_up():
        lease = leases.try_take(ticket)
        if lease is not None:
            return lease
        time.sleep(PERIOD)
    return None


def _create(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:  # it is another user's, who will remove it
        pass


def _make_shared(path: str) -> None:
    try:
        os.mkdir(path)
    except FileExistsError:
        pass
    status = os.stat(path)
    if status.st_uid == os.getuid() and stat.S_IMODE(status.st_mode) != 0o1777:
        os.chmod(path, 0o1777)  # perhaps whoever made it was killed before this


def _first_usable() -> str:
    """The first place that every user can use: all must come to the same one."""
    for place in PLACES:
        parent = os.path.dirname(place)
        if os.path.isdir(parent) and os.stat(parent).st_mode & 0o1007 == 0o1007:
            return place
    raise OSError("no folder for locks: tried {}".format(", ".join(PLACES)))
