"""The engine against `dvc`, `click` and `ninja`."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from benchmarks.harness import (
    DVC,
    MLCTL,
    STAT,
    Bench,
    Row,
    Size,
    above,
    by_turns,
    ensure,
    forget_runs,
    median,
    run,
    side_by_side,
    timed,
)  # fmt: skip

CLICK = [sys.executable, "-c", "import click"]


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
    commands = ([*MLCTL, "run"], [*DVC, "repro"], [*STAT, "out"])
    ours, theirs, floor = by_turns(commands, folder, size.repeats)
    return Row(f"no-op run, {size.stages} stages", ours, "`dvc repro`", theirs,
               f"{theirs / ours:.1f} times faster", "at least 25 times faster",
               above(ours, floor, "`stat`"))  # fmt: skip


def noop_many(folder: Path, size: Size) -> Row:
    project(folder, size.many)
    run([*MLCTL, "run", "-q", "-j2"], folder)
    ours, floor = side_by_side([*MLCTL, "run"], [*STAT, "out"], folder, size.repeats)
    return Row(f"no-op run, {size.many} stages", ours, "", None, "", "under 1 s",
               above(ours, floor, "`stat`"))  # fmt: skip


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


def first_run_many(folder: Path, size: Size) -> Row:
    """Whether the time of a stage stays the same the more there are."""
    times: dict[int, list[float]] = {size.stages: [], size.many: []}
    for count in times:
        (folder / f"{count}").mkdir()
        project(folder / f"{count}", count)
    for count in [size.stages, size.many] * 3:
        forget_runs(folder / f"{count}")
        times[count].append(timed([*MLCTL, "run", "-q", "-j2"], folder / f"{count}"))
    few, many = (statistics.median(each) for each in times.values())
    ratio = many / size.many / (few / size.stages)
    return Row(f"first run of {size.many} trivial stages, `-j2`", many, f"{size.stages} stages",
               few, f"{ratio:.2f} times per stage", "at most 1.2 times per stage")  # fmt: skip


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


BENCHES: dict[str, Bench] = {
    "version": version,
    "status": status,
    "noop": noop,
    "noop many": noop_many,
    "first run": first_run,
    "first run by dvc": first_run_by_dvc,
    "first run of many": first_run_many,
    "parallel": parallel,
    "one target": one_target,
}
