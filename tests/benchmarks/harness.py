"""What the benchmarks share: rows, timing by turns, and the page that shows them.

    python -m benchmarks             (in tests/) all rows; about a quarter of an hour
    python -m benchmarks --only noop rows whose name holds `noop`
    python -m benchmarks --write     also write docs/benchmarks.md; with --only just these rows

Every figure is the median wall time of whole processes, with warm caches, in seconds.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
MLCTL = [sys.executable, "-m", "mlctl"]
DVC = [sys.executable, "-m", "dvc"]
STAT = [sys.executable, "-c", """
import os, sys
pending = sys.argv[1:]
while pending:
    with os.scandir(pending.pop()) as scan:
        for entry in scan:
            entry.stat()
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
"""]  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One comparison; `ratio` is written so that the target reads as in the last column.

    `floor` says how far above the least that the work needs the figure is; see `above`.
    """

    what: str
    ours: float
    peer: str
    theirs: float | None
    ratio: str
    target: str
    floor: str = ""


@dataclass(frozen=True)
class Size:
    """How much is measured; the smoke test takes little."""

    stages: int = 500
    many: int = 5000
    others: int = 1000
    repeats: int = 7
    seconds: float = 1.0
    files: int = 50_000
    large: int = 2_000_000_000  # bytes
    rows: int = 1_000_000
    large_rows: int = 50_000_000
    runs: int = 10_000
    packed: int = 100_000
    peers: bool = True  # whether to install those that are large


Bench = Callable[[Path, Size], Row]


def forget_runs(folder: Path, *more: str) -> None:
    """As before the first run: no lock, no cache, no outs."""
    aside(folder, ".mlctl", ".dvc/cache", "out", "runs", "dvc.lock", *more)
    (folder / "out").mkdir()


def aside(folder: Path, *names: str) -> None:
    """Move files away, if they are there.

    They are not deleted: for five seconds ext4 searches around the inodes of files that were
    deleted (`recently_deleted`), which would slow down whoever makes files next.
    """
    away = Path(tempfile.mkdtemp(dir=folder.parent, prefix="old-"))
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            (folder / name).rename(away / Path(name).name)


def side_by_side(
    ours: Sequence[str],
    peer: Sequence[str],
    folder: Path,
    repeats: int,
    before: Callable[[], None] = lambda: None,
) -> tuple[float, float]:
    """The medians of both."""
    one, other = by_turns((ours, peer), folder, repeats, before)
    return one, other


def by_turns(
    commands: Sequence[Sequence[str]],
    folder: Path,
    repeats: int,
    before: Callable[[], None] = lambda: None,
) -> list[float]:
    """The medians, measured by turns so that what else the machine does hits all of them.

    The first turn does not count.
    """
    times: list[list[float]] = [[] for _ in commands]
    for _ in range(repeats + 1):
        for command, into in zip(commands, times, strict=True):
            before()
            into.append(timed(command, folder))
    return [statistics.median(each[1:]) for each in times]


def above(ours: float, floor: float, what: str) -> str:
    """How far a figure is above its floor: the bare calls that `what` names, in the same turns."""
    return f"{ours / floor:.1f} times {what} ({floor:.3f})"


def median(
    command: Sequence[str],
    folder: Path,
    repeats: int,
    before: Callable[[], None] = lambda: None,
) -> float:
    times = []
    for _ in range(repeats):
        before()
        times.append(timed(command, folder))
    return statistics.median(times)


def timed(command: Sequence[str], folder: Path) -> float:
    began = time.perf_counter()
    run(command, folder)
    return time.perf_counter() - began


def run(command: Sequence[str], folder: Path) -> str:
    """What the command printed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def ensure(package: str) -> None:
    """Install the peer beside mlctl, if it is not there."""
    if importlib.util.find_spec(package) is None:
        run([sys.executable, "-m", "pip", "install", "-q", package], Path.cwd())


def cells(row: Row) -> list[str]:
    theirs = "" if row.theirs is None else f"{row.theirs:.3f}"
    return [row.what, f"{row.ours:.3f}", row.peer, theirs, row.ratio, row.target, row.floor]


def page(rows: Sequence[Row], before: str = "") -> str:
    """docs/benchmarks.md; what the page said `before` of other rows stays, in its place."""
    import dvc

    lines = {(row.what, row.peer): f"| {' | '.join(cells(row))} |" for row in rows}
    found: dict[tuple[str, str], str] = {}
    for line in before.partition("|---|")[2].splitlines()[1:]:
        what, _, peer, *_ = (cell.strip() for cell in line.strip("|").split("|"))
        found[what, peer] = line
    table = "\n".join({**found, **lines}.values())
    return f"""\
# Benchmarks

Written by `cd tests && python -m benchmarks --write` on {time.strftime("%Y-%m-%d")}: Python
{platform.python_version()}, DVC {dvc.__version__}, {platform.system()} {platform.machine()},
{os.cpu_count()} processors. Medians of whole processes in seconds, measured by turns. The targets
are those that mlctl must reach; a row that misses its target says so by its figure. The floor is
the least that the work needs, measured by the same turns: a Python program that looks at every
file, or `cp -r` (for a commit with `sync`). With `--only` the other rows stay as they are.

| what | mlctl | peer | peer's time | ratio | target | above the floor |
|---|---|---|---|---|---|---|
{table}
"""
