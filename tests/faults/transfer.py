"""Interrupts pushes and fetches at random moments, and looks at both ends each time.

    PYTHONPATH=tests python -m faults.transfer --files 10000 --interruptions 20 --seed 1
    PYTHONPATH=tests python -m faults.transfer --remote ssh

A folder of small files is pushed to a folder remote or an SSH one, and the push is ended by SIGKILL
or SIGINT again and again; then a clone fetches it in the same way. After every interruption: each
object that has its name has its bytes, no listing is there without its files, what was there
before is the same file still (the same inode and time: it was not sent again), and no more files
are under way than objects are moved at one time; after SIGINT, none. At the end nothing is missing,
nothing is under way, and stock `dvc` agrees.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from data.ssh_remote import serving
from e2e.sandbox import MLCTL, Sandbox, call

JOBS = 4
_SAMPLE = 16  # folders of a cache, of 256
Seen = dict[str, tuple[int, int]]  # object -> inode and time


class Harness:
    """A repository, a remote, and a clone; `counts` says how the interruptions went."""

    def __init__(self, folder: Path, files: int, seed: int, url: Callable[[Path], str]) -> None:
        self.random = random.Random(seed)
        self.files = files
        self.store = folder / "store"
        self.store.mkdir()
        self.url = url(self.store)
        self.box = Sandbox(folder / "p")
        self.clone = folder / "clone"
        self.counts: Counter[str] = Counter()

    def prepare(self, keyfile: Path | None) -> None:
        for number in range(self.files):
            size = self.random.randint(10, 4000)
            self.box.write(f"data/{number % 50}/{number}.bin", f"{number} " * (1 + size // 6))
        self._expect(self.box.root, "data", "add", "data")
        self.box.dvc("remote", "add", "-d", "store", self.url)
        self.box.commit()
        self.box.git("clone", "-q", ".", str(self.clone))
        for root in (self.box.root, self.clone):
            if keyfile is not None:
                call(["dvc", "remote", "modify", "--local", "store", "keyfile", str(keyfile)], root)

    def push(self, interruptions: int) -> None:
        """Push until all is there, interrupted so many times."""
        self._interrupt("push", self.box.root, self.store, self.store, interruptions)
        status = self.box.dvc("status", "-c", timeout=600)
        assert "in sync" in status.stdout, status.stdout + status.stderr

    def fetch(self, interruptions: int) -> None:
        """The same in a clone, into its cache; then the workspace."""
        cache = self.clone / ".dvc" / "cache"
        self._interrupt("fetch", self.clone, cache, cache, interruptions)
        self._expect(self.clone, "data", "pull")
        status = call(["dvc", "status"], self.clone, timeout=600)
        assert "up to date" in status.stdout, status.stdout + status.stderr
        found = sum(1 for path in (self.clone / "data").rglob("*") if path.is_file())
        assert found == self.files, found

    def _interrupt(self, verb: str, root: Path, top: Path, place: Path, times: int) -> None:
        seen = look(top)
        for number in range(times):
            share = (self.files - len(seen)) / (times - number + 1)
            goal = about(top) + max(1, self.random.uniform(0, 2 * share))
            how = self.random.choice([signal.SIGKILL, signal.SIGINT])
            code = self._run_until(verb, root, top, goal, how)
            self.counts[f"{verb} ended before" if code == 0 else f"{verb} {how.name}"] += 1
            assert code in {0, -signal.SIGKILL, -signal.SIGINT, 130}, (verb, how, code)
            seen = self._check(seen, top)
            under_way = temporaries(place)
            assert len(under_way) <= JOBS, under_way
            if how is signal.SIGINT or code == 0:
                assert not under_way, under_way
            self.counts[f"{verb} in flight"] += len(under_way)
        self._expect(root, "data", verb, "-j", str(JOBS))
        seen = self._check(seen, top)
        names = {line["md5"] for line in listing(top, seen)}
        assert len(seen) == len(names) + 1, (len(seen), len(names))
        assert not temporaries(place)
        assert not list(place.rglob(".mlctl-tmp"))

    def _run_until(self, verb: str, root: Path, top: Path, goal: float, how: signal.Signals) -> int:
        process = subprocess.Popen(
            [*MLCTL, "data", verb, "-q", "-j", str(JOBS)],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_hear_interrupts,
        )
        while process.poll() is None and about(top) < goal:
            time.sleep(0.002)
        time.sleep(self.random.uniform(0, 0.02))
        process.send_signal(how)
        said, _ = process.communicate(timeout=300)
        assert "Traceback" not in said, said
        assert "bug in mlctl" not in said, said
        return process.returncode

    def _check(self, before: Seen, top: Path) -> Seen:
        now = look(top)
        again = [name for name, what in before.items() if now.get(name) != what]
        assert not again, f"moved again: {again}"
        for name in now.keys() - before.keys():
            data = object_path(top, name).read_bytes()
            assert hashlib.md5(data).hexdigest() == name.removesuffix(".dir"), name
        missing = [line for line in listing(top, now) if line["md5"] not in now]
        assert not missing, missing
        return now

    @staticmethod
    def _expect(root: Path, *args: str) -> None:
        done = call([*MLCTL, *args], root, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr


def _hear_interrupts() -> None:
    """The harness itself may run in the background, whose deafness a child would inherit."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def look(top: Path) -> Seen:
    """The objects of a cache or a folder remote."""
    found = {}
    for path in (top / "files" / "md5").glob("??/*"):
        if not path.name.endswith(".tmp"):
            status = path.stat()
            found[path.parent.name + path.name] = (status.st_ino, status.st_mtime_ns)
    return found


def about(top: Path) -> int:
    """About how many objects there are, at the cost of looking at a few of the folders."""
    found = 0
    for number in range(0, 256, 256 // _SAMPLE):
        with contextlib.suppress(FileNotFoundError):
            found += len(os.listdir(top / "files" / "md5" / f"{number:02x}"))
    return found * 256 // _SAMPLE


def object_path(top: Path, name: str) -> Path:
    return top / "files" / "md5" / name[:2] / name[2:]


def listing(top: Path, seen: Seen) -> list[dict[str, str]]:
    """What all listings that are there name."""
    return [
        line
        for name in seen
        if name.endswith(".dir")
        for line in json.loads(object_path(top, name).read_bytes())
    ]


def temporaries(top: Path) -> set[Path]:
    """Files under way, of any name."""
    found = {*top.rglob("*.tmp"), *top.glob(".mlctl-tmp/*/*")}
    return {path for path in found if path.is_file()}


@contextlib.contextmanager
def remote(kind: str, folder: Path) -> Iterator[tuple[Callable[[Path], str], Path | None]]:
    """How the URL of a folder is made, and the key that it needs."""
    if kind == "folder":
        yield str, None
        return
    with serving(folder / "sshd") as server:
        yield server.url, server.key


def run(folder: Path, kind: str, files: int, interruptions: int, seed: int) -> Counter[str]:
    """All of it; what happened how often."""
    with remote(kind, folder) as (url, keyfile):
        harness = Harness(folder, files, seed, url)
        harness.prepare(keyfile)
        harness.push(interruptions)
        harness.fetch(interruptions)
    return harness.counts


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m faults.transfer")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--interruptions", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--remote", choices=("folder", "ssh"), default="folder")
    asked = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mlctl-faults-") as folder:
        counts = run(Path(folder), asked.remote, asked.files, asked.interruptions, asked.seed)
    seconds = time.monotonic() - began
    print(f"{asked.remote}, seed {asked.seed}: {dict(sorted(counts.items()))}, {seconds:.0f} s")


if __name__ == "__main__":
    main()
