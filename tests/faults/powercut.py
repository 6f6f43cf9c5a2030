"""Power cuts by model: run mlctl under strace, rebuild what a cut may leave, and recover from it.

    PYTHONPATH=tests python -m faults.powercut --states 1000 --seed 1

Two runs are recorded: the first of a repository, and one after an edit (old locks, old objects).
For every state: `mlctl run` ends well and gives the very entries and outs of a run that nothing
disturbed, no trusted object is torn, and no stage that the lock on the disk has runs again; none at
all does where the run had ended before the cut.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from conformance.twins import run_mlctl
from e2e.sandbox import MLCTL, Sandbox, wait_until
from faults.cache import check_trusted
from faults.disk import SYSCALLS, Disk, Op, crash, read_trace, snapshot, write_out
from mlctl.pipeline import lockfile
from mlctl.pipeline.spec import LockedStage

# Each writes a folder with a file of its own and one that all share; `$OUTSIDE/ran` counts.
STAGE = (
    "echo {name} >> $FAULTS_DIR/ran; mkdir {name}.dir; cat {inputs} > {name}.dir/all.txt; "
    "seq 3000 > {name}.dir/same.txt"
)


class Recording:
    """One traced run: the disk before it, what was done, and what must come out of it."""

    def __init__(self, folder: Path) -> None:
        self.box = Sandbox(folder / "p")
        self.root = str(self.box.root)
        self.outside = folder / "outside"
        self.outside.mkdir()
        self.box.stages(pipeline())
        self.box.write("seed.txt", "1\n")
        self.box.commit()

    def record(self) -> None:
        """Run under strace, from what is there now."""
        watch = self.box.root / ".mlctl" / "watch"
        if watch.exists():  # an abandoned watch that the last recovery found is ended beside it
            wait_until(lambda: not list(watch.iterdir()))
        self.start = snapshot(self.root)
        trace = self.outside / "trace"
        done = subprocess.run(
            ["strace", "-f", "-qq", "-y", "-xx", "-s", "100000000", "-e", f"trace={SYSCALLS}",
             "-e", "signal=none", "-o", str(trace), *MLCTL, "run", "-j2"],
            cwd=self.root, env=self._env(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        self.ops = read_trace(trace.read_text(), self.start, self.root)
        self._check_model()
        self.locked = self._locked()
        self.outs = self._outs()

    def recover(self, disk: Disk, *, ended: bool) -> None:
        """Put `disk` there, run, and check everything; the run had `ended` before the cut."""
        self._clear()
        write_out(disk, self.root)
        known = self._known()
        (self.outside / "ran").unlink(missing_ok=True)
        os.environ.update(self._env())
        code, said = run_mlctl(self.box.root, "run", "-j2", "--quiet")
        assert code == 0, said
        ran = self._ran()
        assert not (ran and ended), f"the run had ended, and {ran} ran again"
        assert not ran & known, f"in the lock, and ran again: {ran & known}"
        assert self._locked() == self.locked, self.box.read("dvc.lock")
        outs = self._outs()
        wrong = [path for path in outs.keys() | self.outs if outs.get(path) != self.outs.get(path)]
        assert not wrong, f"not as they were: {wrong}"
        check_trusted(self.box.root)
        code, said = run_mlctl(self.box.root, "status", "--json")
        changed = [step["stage"] for step in json.loads(said)["steps"] if step["changed"]]
        assert not changed, changed

    def _check_model(self) -> None:
        """The model has seen everything: applied in full, it is what lies on the real disk."""
        disk = crash(self.start, [*self.ops, Op("sync")], strict=False, dice=random.Random(0))
        real = snapshot(self.root)
        for path in disk.names.keys() | real.names.keys():
            if ".mlctl/state.db" in path:  # SQLite maps a part of it into memory
                continue
            one, other = disk.names.get(path, -1), real.names.get(path, -1)
            assert (one is None) == (other is None), path
            if one is not None and other is not None:
                assert -1 not in (one, other), path
                assert disk.nodes[one].data == real.nodes[other].data, path
                assert disk.nodes[one].mode == real.nodes[other].mode, path

    def _known(self) -> set[str]:
        """The stages that the lock on the disk has as they will be in the end."""
        now = self._locked() if (self.box.root / "dvc.lock").exists() else {}
        return {name for name, entry in now.items() if self.locked[name] == entry}

    def _locked(self) -> dict[str, LockedStage]:
        return dict(lockfile.parse_text(self.box.read("dvc.lock"), name="dvc.lock").stages)

    def _outs(self) -> dict[str, bytes]:
        paths = sorted(self.box.root.glob("*.dir/*"))
        return {str(path.relative_to(self.box.root)): path.read_bytes() for path in paths}

    def _ran(self) -> set[str]:
        path = self.outside / "ran"
        return set(path.read_text().split()) if path.exists() else set()

    def _clear(self) -> None:
        for entry in list(self.box.root.iterdir()):
            if entry.name == ".git":
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def _env(self) -> dict[str, str]:
        return {**os.environ, "FAULTS_DIR": str(self.outside)}


def pipeline() -> dict[str, object]:
    """Two branches from `first`, and `last` of both."""
    needs = {"first": [], "a1": ["first"], "b1": ["first"], "a2": ["a1"], "last": ["a2", "b1"]}
    stages = {}
    for name, before in needs.items():
        inputs = ["seed.txt"] if name == "first" else [f"{n}.dir/all.txt" for n in before]
        stages[name] = {
            "cmd": STAGE.format(name=name, inputs=" ".join(inputs)),
            "deps": ["seed.txt"] if name == "first" else [f"{n}.dir" for n in before],
            "outs": [f"{name}.dir"],
        }
    return stages


def torture(folder: Path, states: int, seed: int) -> Counter[str]:
    """`states` states of the disk of two recorded runs, on both kinds of disk."""
    recording = Recording(folder)
    counts: Counter[str] = Counter()
    for run in ("first run", "second run"):
        recording.record()
        for number in range(states // 2):
            dice = random.Random(f"{seed} {run} {number}")
            strict = bool(number % 2)
            # Evenly over the run, so that a few states see all of it, and its end many times.
            upto = min(len(recording.ops) * number * 10 // (9 * states // 2), len(recording.ops))
            disk = crash(recording.start, recording.ops[:upto], strict=strict, dice=dice)
            try:
                recording.recover(disk, ended=upto == len(recording.ops))
            except Exception as error:
                raise AssertionError(f"{run}, state {number}, strict {strict}: {error}") from error
            counts[f"{run}, {'strict' if strict else 'journaling'}"] += 1
        counts[f"{run}, writes recorded"] = len(recording.ops)
        recording.box.write("seed.txt", "2\n")
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    os.environ["PATH"] = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as folder:
        counts = torture(Path(os.path.realpath(folder)), args.states, args.seed)
    print(f"seed {args.seed}: {dict(counts)}, every state was recovered from")


if __name__ == "__main__":
    main()
