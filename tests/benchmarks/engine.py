"""The engine against its peers, side by side on this machine.

    python tests/benchmarks/engine.py                 the usual rows, about five minutes
    python tests/benchmarks/engine.py --only noop     rows whose name holds `noop`
    python tests/benchmarks/engine.py --slow          also the first run of 500 stages by DVC
    python tests/benchmarks/engine.py --write         also write docs/benchmarks.md

Peers: `dvc` (a dependency of mlctl), `click` and `ninja`, installed beside it by pip if missing.
Every figure is the median wall time of whole processes, with warm caches, in seconds.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import importlib.util
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import mlctl

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
MLCTL = [sys.executable, "-m", "mlctl"]
DVC = [sys.executable, "-m", "dvc"]
CLICK = [sys.executable, "-c", "import click"]


@dataclass(frozen=True)
class Row:
    """One comparison; `ratio` is written so that the target reads as in the last column."""

    what: str
    ours: float
    peer: str
    theirs: float | None
    ratio: str
    target: str


@dataclass(frozen=True)
class Size:
    """How much is measured; the smoke test takes little."""

    stages: int = 500
    many: int = 5000
    others: int = 1000
    repeats: int = 7
    seconds: float = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="WORD")
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    rows = list(measure(Size(), only=asked.only, slow=asked.slow))
    if asked.write:
        PAGE.write_text(page(rows))


def measure(size: Size, *, only: str = "", slow: bool = False) -> Iterator[Row]:
    """Each row as it comes, printed; in a temporary folder, with a home of its own."""
    benches: dict[str, Callable[[Path, Size], Row]] = {
        "version": version,
        "status": status,
        "noop": noop,
        "noop many": noop_many,
        "first run": first_run,
        "parallel": parallel,
        "one target": one_target,
    }
    if slow:
        benches["first run by dvc"] = first_run_by_dvc
    os.environ.update({"DVC_NO_ANALYTICS": "1", "SHELL": "/bin/sh"})
    # pip compiles what it installs, peers included; an editable installation may not be compiled.
    compileall.compile_dir(str(Path(mlctl.__file__).parent), quiet=1)
    for name, bench in benches.items():
        if only not in name:
            continue
        with tempfile.TemporaryDirectory(prefix="mlctl-bench-") as folder:
            os.environ.update({"HOME": folder, "DVC_SITE_CACHE_DIR": f"{folder}/site"})
            place = Path(folder) / "project"
            place.mkdir()
            row = bench(place, size)
        print(" | ".join(cells(row)), flush=True)
        yield row


def version(folder: Path, size: Size) -> Row:
    ensure("click")
    ours, theirs = side_by_side([*MLCTL, "--version"], CLICK, folder, size.repeats * 2)
    return Row("`mlctl --version`", ours, "`python -c 'import click'`", theirs,
               f"{ours / theirs:.2f} times", "at most 2 times")  # fmt: skip


def status(folder: Path, size: Size) -> Row:
    project(folder, 10)
    run([*MLCTL, "run", "-q"], folder)
    ours, theirs = side_by_side([*MLCTL, "status"], CLICK, folder, size.repeats * 2)
    return Row("`mlctl status`, 10 stages", ours, "`python -c 'import click'`", theirs,
               f"{ours / theirs:.2f} times", "at most 3.5 times")  # fmt: skip


def noop(folder: Path, size: Size) -> Row:
    project(folder, size.stages)
    run([*MLCTL, "run", "-q", "-j2"], folder)
    run([*DVC, "repro", "-q"], folder)
    ours, theirs = side_by_side([*MLCTL, "run"], [*DVC, "repro"], folder, size.repeats)
    return Row(f"no-op run, {size.stages} stages", ours, "`dvc repro`", theirs,
               f"{theirs / ours:.1f} times faster", "at least 25 times faster")  # fmt: skip


def noop_many(folder: Path, size: Size) -> Row:
    project(folder, size.many)
    run([*MLCTL, "run", "-q", "-j2"], folder)
    ours = median([*MLCTL, "run"], folder, size.repeats)
    return Row(f"no-op run, {size.many} stages", ours, "", None, "", "under 1 s")


def first_run(folder: Path, size: Size) -> Row:
    ninja = [sys.executable, "-m", "ninja", "-j2", "--quiet"]
    ensure("ninja")
    project(folder, size.stages)
    lines = ["rule make", "  command = echo $name > $out"]
    for n in range(size.stages):
        lines += [f"build built/{n}.txt: make data.txt", f"  name = {n}"]
    (folder / "build.ninja").write_text("\n".join(lines) + "\n")

    def afresh() -> None:
        forget_runs(folder, "built", ".ninja_log")

    ours, theirs = side_by_side([*MLCTL, "run", "-q", "-j2"], ninja, folder, 3, before=afresh)
    return Row(f"first run of {size.stages} trivial stages, `-j2`", ours, "`ninja -j2`", theirs,
               f"{ours / theirs:.1f} times", "within 4 times")  # fmt: skip


def first_run_by_dvc(folder: Path, size: Size) -> Row:
    project(folder, size.stages)
    ours = median([*MLCTL, "run", "-q", "-j2"], folder, 3, before=lambda: forget_runs(folder))
    forget_runs(folder)
    theirs = median([*DVC, "repro", "-q"], folder, 1)
    return Row(f"first run of {size.stages} trivial stages, `-j2`", ours, "`dvc repro`", theirs,
               f"{theirs / ours:.0f} times faster", "at least 100 times faster")  # fmt: skip


def parallel(folder: Path, size: Size) -> Row:
    project(folder, 6, cmd=f"sleep {size.seconds} && ")
    two, one = side_by_side(
        [*MLCTL, "run", "-q", "-j2"], [*MLCTL, "run", "-q", "-j1"], folder, 3,
        before=lambda: forget_runs(folder),
    )  # fmt: skip
    return Row(f"6 independent stages of {size.seconds:g} s, `-j2`", two, "`-j1`", one,
               f"{one / two:.2f} times faster", "at least 1.9 times faster")  # fmt: skip


def one_target(folder: Path, size: Size) -> Row:
    alone, among = folder / "alone", folder / "among"
    for place, others in ((alone, 0), (among, size.others)):
        place.mkdir()
        project(place, 10)
        for n in range(others):
            (place / f"other{n}").mkdir()
            (place / f"other{n}" / "dvc.yaml").write_text(
                f"stages:\n  s:\n    cmd: echo {n} > out\n    outs: [out]\n"
            )
        run([*MLCTL, "run", "-q"], place)
    command = [*MLCTL, "run", "s@1"]
    times = {alone: [], among: []}
    for place in [alone, among] * (size.repeats + 1):
        times[place].append(timed(command, place))
    ours, theirs = (statistics.median(times[place][1:]) for place in (among, alone))
    return Row(f"one target among {size.others} other `dvc.yaml`", ours, "the same alone", theirs,
               f"{ours / theirs:.2f} times", "no slower than 1.5 times")  # fmt: skip


def project(folder: Path, stages: int, cmd: str = "") -> None:
    """A repository with so many independent stages, each of one dep and one out."""
    run(["git", "init", "-q"], folder)
    run([*DVC, "init", "-q"], folder)
    (folder / "out").mkdir()
    (folder / "data.txt").write_text("data\n")
    (folder / "params.yaml").write_text("names:\n" + "".join(f"  - {n}\n" for n in range(stages)))
    (folder / "dvc.yaml").write_text(f"""\
stages:
  s:
    foreach: ${{names}}
    do:
      cmd: {cmd}echo ${{item}} > out/${{item}}.txt
      deps: [data.txt]
      outs:
        - out/${{item}}.txt
""")


def forget_runs(folder: Path, *more: str) -> None:
    """As before the first run: no lock, no cache, no outs.

    They are moved away and not deleted: for five seconds ext4 searches around the inodes of files
    that were deleted (`recently_deleted`), which would slow down whoever makes files next.
    """
    away = Path(tempfile.mkdtemp(dir=folder.parent, prefix="mlctl-bench-old-"))
    for name in (".mlctl", ".dvc/cache", "out", "runs", "dvc.lock", *more):
        with contextlib.suppress(FileNotFoundError):
            (folder / name).rename(away / Path(name).name)
    (folder / "out").mkdir()


def side_by_side(
    ours: Sequence[str],
    peer: Sequence[str],
    folder: Path,
    repeats: int,
    before: Callable[[], None] = lambda: None,
) -> tuple[float, float]:
    """The medians of both, measured by turns so that what else the machine does hits both."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats + 1):
        for command, into in zip((ours, peer), times, strict=True):
            before()
            into.append(timed(command, folder))
    return statistics.median(times[0][1:]), statistics.median(times[1][1:])


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


def run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def ensure(package: str) -> None:
    """Install the peer beside mlctl, if it is not there."""
    if importlib.util.find_spec(package) is None:
        run([sys.executable, "-m", "pip", "install", "-q", package], Path.cwd())


def cells(row: Row) -> list[str]:
    theirs = "" if row.theirs is None else f"{row.theirs:.3f}"
    return [row.what, f"{row.ours:.3f}", row.peer, theirs, row.ratio, row.target]


def page(rows: Sequence[Row]) -> str:
    """docs/benchmarks.md."""
    import dvc

    table = "\n".join(f"| {' | '.join(cells(row))} |" for row in rows)
    return f"""\
# Benchmarks

Written by `python tests/benchmarks/engine.py --write` on {time.strftime("%Y-%m-%d")}: Python
{platform.python_version()}, DVC {dvc.__version__}, {platform.system()} {platform.machine()},
{os.cpu_count()} processors. Medians of whole processes in seconds, measured by turns. The targets
are those that the engine must reach; a row that misses its target says so by its figure.

| what | mlctl | peer | peer's time | ratio | target |
|---|---|---|---|---|---|
{table}
"""


if __name__ == "__main__":
    main()
