"""Kills mlctl, its stages, or both at random moments, and looks at what is left each time.

    PYTHONPATH=tests python -m faults.kill --kills 500 --seed 1

Two parallel branches of stages with folders as outs and with grandchildren that leave their group.
After every kill: nothing of the run lives on, every lock is whole and has its objects, every
read-only object of the cache has its hash, no stage started beside a living orphan, and nothing
that was told as finished runs again. In between and at the end a run ends well, and `dvc status`
is clean.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from e2e.sandbox import MLCTL, Sandbox
from faults.processes import of_run
from mlctl.pipeline import lockfile

GONE_WITHIN = 8.0  # seconds
DONE = {"ran", "restored", "unchanged"}
TARGETS = ("mlctl", "mlctl", "stage", "both")
# Argument: the stage, its inputs. Writes NAME.dir/, half of it before a pause and half after it.
WORK = """\
import hashlib, os, pathlib, subprocess, sys, time
name, inputs = sys.argv[1], sys.argv[2:]
outside = pathlib.Path(os.environ["FAULTS_DIR"])
def note(file, text):
    handle = os.open(outside / file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(handle, f"{text}\\n".encode())
    os.close(handle)
def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
def content(path):
    path = pathlib.Path(path)
    return b"".join(p.read_bytes() for p in (sorted(path.iterdir()) if path.is_dir() else [path]))
mine = outside / f"{name}.pid"
if mine.exists() and alive(int(mine.read_text() or 0)):
    note("beside", name)
mine.write_text(str(os.getpid()))
note("ran", name)
child = subprocess.Popen(["sleep", "60"], start_new_session="1" in name)
seed = hashlib.md5(b"".join(map(content, inputs))).hexdigest()
out = pathlib.Path(f"{name}.dir")
out.mkdir()
for number in range(12):
    (out / f"{number}.txt").write_text(f"{name} {number} {seed}\\n" * (1 + 400 * number))
    time.sleep(0.004)
child.kill()
child.wait()
mine.unlink()
"""


class Harness:
    """One repository, killed again and again; `counts` says of what kind the kills were."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.box = Sandbox(folder / "p")
        self.outside = folder / "outside"
        self.outside.mkdir()
        self.mark = f"FAULTS_DIR={self.outside}"
        self.counts: Counter[str] = Counter()
        self.version = 0
        self.finished: set[str] = set()  # told as finished with the inputs of now
        self._looked: set[tuple[str, int, int]] = set()
        self.box.write("work.py", WORK)
        self.box.stages(pipeline())
        self.box.commit()
        self.change()

    def change(self) -> None:
        """New content, so that every stage must run."""
        self.version += 1
        self.box.write("seed.txt", f"{self.version}\n")
        self.finished.clear()

    def round(self) -> None:
        """One run that is killed, unless it ends before that, and every check."""
        before = self.ran()
        expected = set(self.finished)
        target = self.random.choice(TARGETS)
        moment = self.random.uniform(0.05, 1.1)
        with self._started() as run:
            killed = self._kill(run, target, moment)
            said = run.communicate(timeout=60)[0]
        self.counts[killed or "ended before"] += 1
        self._take_events(said)
        self.check_ran(before, expected)
        if self.random.random() < 0.5:  # else the next run comes while there may be orphans
            self.wait_until_gone()
        self.check_files()
        if not killed and run.returncode == 0:
            self.change()

    def complete(self) -> None:
        """A run that is left alone ends well, and runs nothing again."""
        before, expected = self.ran(), set(self.finished)
        with self._started() as run:
            said = run.communicate(timeout=120)[0]
        assert run.returncode == 0, said
        self._take_events(said)
        self.check_ran(before, expected)
        self.wait_until_gone()
        self.check_files()
        assert self.finished == set(pipeline()), self.finished
        told = self.box.dvc("status", "--json")
        assert told.stdout.strip() == "{}", told
        for folder in ("journal", "watch"):
            assert not list((self.box.root / ".mlctl" / folder).iterdir())
        self.change()

    def undisturbed(self) -> None:
        """A run of everything that nobody is killed before or in leaves no claim at all.

        One that finds everything done claims nothing, and so leaves the claims of the dead.
        """
        self.complete()
        table = json.loads(self.box.read(".dvc/tmp/rwlock"))
        assert not any(table.values()), table

    def ran(self) -> list[str]:
        path = self.outside / "ran"
        return path.read_text().split() if path.exists() else []

    def check_ran(self, before: list[str], finished: set[str]) -> None:
        again = set(self.ran()[len(before) :]) & finished
        assert not again, f"ran again though finished: {again}"
        assert not (self.outside / "beside").exists(), "started beside a living orphan"

    def wait_until_gone(self) -> None:
        end = time.monotonic() + GONE_WITHIN
        while left := of_run(self.mark):
            assert time.monotonic() < end, f"outlived its run: {left}"
            time.sleep(0.02)

    def check_files(self) -> None:
        """Locks are whole and have their objects; what is read-only in the cache is what it says.

        The journal is not asked: what it has is not in the lock yet.
        """
        cache = self.box.root / ".dvc" / "cache" / "files" / "md5"
        lock = self.box.root / "dvc.lock"
        if lock.exists():
            parsed = lockfile.parse_text(lock.read_text(), name="dvc.lock")
            for name, entry in parsed.stages.items():
                assert len(entry.outs) == 1, name
                for out in entry.outs:
                    md5 = out.digest.md5 if out.digest else ""
                    listing = json.loads((cache / md5[:2] / md5[2:]).read_bytes())
                    assert len(listing) == 12
                    for item in listing:
                        object_ = cache / item["md5"][:2] / item["md5"][2:]
                        assert _md5(object_) == item["md5"], f"{name}: torn object"
        for path in cache.glob("??/[!.]*"):
            status = path.stat()
            sign = (str(path), status.st_mtime_ns, status.st_ctime_ns)
            if status.st_mode & 0o777 == 0o444 and sign not in self._looked:
                wanted = path.parent.name + path.name.removesuffix(".dir")
                assert _md5(path) == wanted, f"a trusted object is torn: {path}"
                self._looked.add(sign)

    def _started(self) -> subprocess.Popen[str]:
        keep_going = ["--keep-going"] if self.random.random() < 0.5 else []
        return subprocess.Popen(
            [*MLCTL, "run", "-j2", "--json", *keep_going],
            cwd=self.box.root,
            env={**os.environ, "FAULTS_DIR": str(self.outside)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _kill(self, run: subprocess.Popen[str], target: str, moment: float) -> str | None:
        """What was killed, None if the run ended before."""
        try:
            run.wait(moment)
        except subprocess.TimeoutExpired:
            pass
        else:
            return None
        pids = []
        if target != "mlctl":
            stages = self._stages()
            while not stages and run.poll() is None:  # none runs at this moment
                time.sleep(0.01)
                stages = self._stages()
            pids += self.random.sample(stages, min(1, len(stages)))
        if target != "stage":
            pids.append(run.pid)
        if run.poll() is not None:
            return None
        self.random.shuffle(pids)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return target

    def _stages(self) -> list[int]:
        return [pid for pid, cmd in of_run(self.mark).items() if "work.py" in cmd]

    def _take_events(self, said: str) -> None:
        for line in said.splitlines():
            try:
                event: dict[str, Any] = json.loads(line)
            except ValueError:
                continue  # a line that the kill cut short
            if event.get("event") == "stage_finished" and event["outcome"] in DONE:
                self.finished.add(event["stage"])


def pipeline() -> dict[str, Any]:
    """`prepare`, then two branches of three stages, then `join`."""
    stages = {"prepare": _stage("prepare")}
    for branch in ("left", "right"):
        before = "prepare"
        for number in (1, 2, 3):
            name = f"{branch}{number}"
            stages[name] = _stage(name, before)
            before = name
    stages["join"] = _stage("join", "left3", "right3")
    return stages


def _stage(name: str, *needs: str) -> dict[str, Any]:
    inputs = ["seed.txt", *(f"{need}.dir" for need in needs)]
    return {
        "cmd": f"python work.py {name} {' '.join(inputs)}",
        "deps": ["work.py", *inputs],
        "outs": [f"{name}.dir"],
    }


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def torture(folder: Path, kills: int, seed: int, *, every: int = 10, tell: Any = None) -> Counter:
    """`kills` kills and all checks; a run that is left alone after each `every` of them."""
    harness = Harness(folder, seed)
    done = 0
    while done < kills:
        harness.round()
        done = sum(n for what, n in harness.counts.items() if what != "ended before")
        if sum(harness.counts.values()) % every == 0:
            harness.complete()
            harness.undisturbed()
            if tell:
                tell(f"{done} kills: {dict(harness.counts)}")
    harness.complete()
    harness.undisturbed()
    return harness.counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    os.environ["PATH"] = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    os.environ["DVC_NO_ANALYTICS"] = "1"
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        counts = torture(
            Path(folder), args.kills, args.seed, tell=lambda text: print(text, flush=True)
        )
    seconds = time.monotonic() - began
    print(f"seed {args.seed}: {dict(sorted(counts.items()))}, every check held, {seconds:.0f} s")


if __name__ == "__main__":
    main()
