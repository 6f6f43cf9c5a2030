"""Copies of files into the cache, many small ones by several processes at once.

What a small file costs is the kernel's work to make and to name it. Threads do not share that,
since each call hands the interpreter's lock on; processes do. A large batch goes in slices to
processes that run this module as a script, and one slice is copied here.

    stdin of such a process   a JSON line [source, target, mtime, ctime, size, inode] for each file
    its stdout                the numbers of the lines whose files it did not copy
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from mlctl.errors import Busy
from mlctl.store.links import copy_file, replacing
from mlctl.store.state import Signature, signature

_WORTH_A_PROCESS = 2000  # files: to start one takes as long as some hundred copies
_MOST = 4  # processes: more wait for the file system's own locks


class Copy(NamedTuple):
    """A copy to make, of a `source` that is as `expected` says."""

    source: str
    target: str
    expected: Signature


def copy(item: Copy) -> None:
    """Make one copy, whole or not at all. Raises Busy where the source is no longer as expected."""
    with replacing(item.target) as temporary:
        after = signature(copy_file(item.source, temporary))
        refuse_changed(item.source, after, item.expected)


def refuse_changed(path: str, now: Signature, expected: Signature) -> None:
    """Raise Busy where the file is no longer as it was when it was hashed."""
    if now != expected:
        raise Busy(
            f"{path}: changed while it was put into the cache",
            hint="wait until nothing writes to it, and try again",
        )


def copy_all(items: Sequence[Copy]) -> None:
    """Make the copies. Raises what `copy` raises of the first that cannot be made."""
    processes = min(_MOST, os.cpu_count() or 1, 1 + len(items) // _WORTH_A_PROCESS)
    ours, *others = (items[n::processes] for n in range(processes))
    failed: list[Copy] = []
    with _started(others) as workers:
        for item in ours:
            copy(item)
        for worker, theirs in zip(workers, others, strict=True):
            said, _ = worker.communicate()
            failed += [theirs[int(number)] for number in said.split()]
            if worker.returncode:  # killed: whatever it was at
                failed += theirs
    for item in failed:
        if not os.path.exists(item.target):
            copy(item)


@contextmanager
def _started(slices: Sequence[Sequence[Copy]]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A process for each slice; they are ended with the block."""
    workers: list[subprocess.Popen[bytes]] = []
    try:
        for items in slices:
            with tempfile.TemporaryFile("w+") as lines:
                for source, target, expected in items:
                    lines.write(json.dumps([source, target, *expected]) + "\n")
                lines.seek(0)
                workers.append(
                    subprocess.Popen(
                        [sys.executable, "-P", "-m", __name__],
                        stdin=lines,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.DEVNULL,
                        start_new_session=True,
                    )
                )
        yield workers
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def main() -> None:
    """Make the copies that stdin names, and say which could not be made."""
    for number, line in enumerate(sys.stdin):
        source, target, *expected = json.loads(line)
        try:
            copy(Copy(source, target, Signature(*expected)))
        except (Busy, OSError):
            sys.stdout.write(f"{number}\n")


if __name__ == "__main__":
    main()
