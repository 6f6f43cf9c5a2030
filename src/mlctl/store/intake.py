"""Many small files, hashed and put into the cache in one pass, by several processes at once.

What a small file costs is the kernel's work to open, make and name it. Threads do not share that,
since each call hands the interpreter's lock on; processes do. The files go in slices to processes
that run this module as a script, and one slice is done here.

    stdin of such a process   a JSON line [path, mtime, ctime, size, inode] for each file
    its stdout                a line for each: its MD5, with a `+` if the object was made anew;
                              an empty line where the file is left to others
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, NamedTuple

from mlctl.store.links import replacing
from mlctl.store.state import Signature, signature

LARGEST = 256 * 1024  # bytes of a file that is small
WORTH_IT = 2000  # files: to start a process takes as long as some hundred of them
_MOST = 4  # processes: more would wait for the file system's own locks


class File(NamedTuple):
    """A file to take in, `LARGEST` at most, as it was seen."""

    path: str
    signature: Signature


class Taken(NamedTuple):
    """What a file is in the cache; `is_new` where its object was made by the intake."""

    md5: str
    is_new: bool


def take_in(files: Sequence[File], folder: str) -> list[Taken | None]:
    """Hash the files and put them into the cache at `folder`.

    None for a file that is no longer as it was seen, or could not be taken in: the caller hashes
    it, and commits it, by itself. New objects are not synced, and so not marked as trusted.
    """
    count = min(_MOST, os.cpu_count() or 1, 1 + len(files) // WORTH_IT)
    taken: list[Taken | None] = [None] * len(files)
    with ExitStack() as stack:
        others = [stack.enter_context(_process(files[n::count], folder)) for n in range(1, count)]
        taken[::count] = [take(file, folder) for file in files[::count]]
        for n, (process, answers) in enumerate(others, start=1):
            process.wait()
            answers.seek(0)
            said = [_parse(line) for line in answers.read().splitlines()]
            taken[n::count] = said + [None] * (len(files[n::count]) - len(said))
    return taken


def take(file: File, folder: str) -> Taken | None:
    """Take one file in; see `take_in`."""
    try:
        handle = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.read(handle, LARGEST + 1)
            if signature(os.fstat(handle)) != file.signature or len(data) != file.signature.size:
                return None
        finally:
            os.close(handle)
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        target = f"{folder}/{md5[:2]}/{md5[2:]}"
        if os.path.exists(target):  # whether it is sound is asked when it is needed
            return Taken(md5, False)
        _write(data, target)
    except OSError:
        return None
    return Taken(md5, True)


def _write(data: bytes, target: str) -> None:
    try:
        with replacing(target) as temporary:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            try:
                while data:
                    data = data[os.write(handle, data) :]
            finally:
                os.close(handle)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        _write(data, target)


@contextmanager
def _process(files: Sequence[File], folder: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """A process that takes the files in, and where its answers will be; it ends with the block."""
    import tempfile  # slow to import, and seldom needed

    with tempfile.TemporaryFile("w+") as questions, tempfile.TemporaryFile("w+") as answers:
        questions.writelines(json.dumps([path, *seen]) + "\n" for path, seen in files)
        questions.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, folder],
            stdin=questions,
            stdout=answers,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
        try:
            yield process, answers
        finally:
            process.kill()
            process.wait()


def _parse(line: str) -> Taken | None:
    return Taken(line[:32], line.endswith("+")) if line else None


def main() -> None:
    """Answer stdin's files on stdout."""
    for line in sys.stdin:
        path, *seen = json.loads(line)
        taken = take(File(path, Signature(*seen)), sys.argv[1])
        sys.stdout.write("\n" if taken is None else f"{taken.md5}{'+' if taken.is_new else ''}\n")


if __name__ == "__main__":
    main()
