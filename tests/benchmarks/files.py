"""Data against `dvc`, and against the bare tools: many small files, and a large one."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.engine import project
from benchmarks.harness import (
    DVC,
    MLCTL,
    STAT,
    Bench,
    Row,
    Size,
    above,
    aside,
    by_turns,
    run,
    side_by_side,
    timed,
)  # fmt: skip

FILE = 2000  # bytes
MEMORY = 300e6  # bytes


def add_many(folder: Path, size: Size) -> Row:
    repository(folder)
    many(folder / "data", size.files)

    def afresh() -> None:
        aside(folder, ".dvc/cache", ".mlctl", "data.dvc", ".gitignore", "copy")

    commands = (
        [*MLCTL, "data", "add", "-q", "data"],
        [*DVC, "add", "-q", "data"],
        ["sh", "-c", "cp -r data copy && sync -f copy"],
    )
    ours, theirs, floor = by_turns(commands, folder, 3, before=afresh)
    return Row(f"commit of {size.files:,} files of 2 kB", ours, "`dvc add`", theirs,
               f"{theirs / ours:.1f} times faster", "at least 3 times faster",
               above(ours, floor, "`cp -r`, `sync`"))  # fmt: skip


def status_many(folder: Path, size: Size) -> Row:
    made(folder, size)
    run([*DVC, "status", "-q"], folder)
    commands = ([*MLCTL, "status"], [*DVC, "status", "-q"], [*STAT, "data"])
    ours, theirs, floor = by_turns(commands, folder, size.repeats)
    return Row(f"no-op check of {size.files:,} files", ours, "`dvc status`", theirs,
               f"{theirs / ours:.1f} times faster", "at least 5 times faster",
               above(ours, floor, "`stat`"))  # fmt: skip


def checkout_many(folder: Path, size: Size) -> Row:
    made(folder, size)
    commands = ([*MLCTL, "run", "-q"], [*DVC, "checkout", "-q"], ["cp", "-r", "source", "data"])
    ours, theirs, floor = by_turns(commands, folder, 3, before=lambda: aside(folder, "data"))
    return Row(f"checkout of {size.files:,} files", ours, "`dvc checkout`", theirs,
               f"{theirs / ours:.1f} times faster", "at least 3 times faster",
               above(ours, floor, "`cp -r`"))  # fmt: skip


def push_many(folder: Path, size: Size) -> Row:
    """To a folder: copied, hashed and synced, against `dvc push`, which only copies."""
    filled_remote(folder, size)
    ours, theirs = side_by_side(
        [*MLCTL, "data", "push", "-q"], [*DVC, "push", "-q"], folder, 3,
        before=lambda: aside(folder.parent, "store"),
    )  # fmt: skip
    return Row(f"push of {size.files:,} files to a folder", ours, "`dvc push`", theirs,
               f"{theirs / ours:.1f} times faster", "not slower, verified")  # fmt: skip


def verify_push(folder: Path, size: Size) -> Row:
    """What verifying costs: hashing all that a push sends, as a part of the push."""
    filled_remote(folder, size)
    code = (
        "import pathlib, time; from mlctl.store.hashing import file_md5\n"
        "began = time.perf_counter()\n"
        "for path in pathlib.Path('.dvc/cache/files/md5').glob('??/*'): file_md5(str(path))\n"
        "print(time.perf_counter() - began)"
    )
    hashing, pushes = [], []
    for _ in range(3):
        aside(folder.parent, "store")
        hashing.append(float(run([sys.executable, "-c", code], folder)))
        pushes.append(timed([*MLCTL, "data", "push", "-q"], folder))
    ours, theirs = statistics.median(hashing), statistics.median(pushes)
    return Row(f"hashing the objects of {size.files:,} files", ours, "the whole push",
               theirs, f"{ours / theirs:.0%} of it", "at most a third")  # fmt: skip


def filled_remote(folder: Path, size: Size) -> None:
    """Many files in the cache, and a folder remote that has none of them."""
    repository(folder)
    many(folder / "data", size.files)
    run([*MLCTL, "data", "add", "-q", "data"], folder)
    run([*DVC, "remote", "add", "-q", "-d", "store", str(folder.parent / "store")], folder)


def add_large(folder: Path, size: Size) -> Row:
    repository(folder)
    block = os.urandom(1_000_000)
    with (folder / "large").open("wb") as file:
        for _ in range(max(1, size.large // len(block))):
            file.write(block)

    def afresh() -> None:
        aside(folder, ".dvc/cache", ".mlctl", "large.dvc", ".gitignore")
        (folder / "copy").unlink(missing_ok=True)
        os.sync()

    bare = ["sh", "-c", "md5sum large && cp large copy && sync copy"]
    ours, theirs = side_by_side(
        [*MLCTL, "data", "add", "-q", "large"], bare, folder, 3, before=afresh
    )
    return Row(f"commit of a file of {size.large / 1e9:g} GB", ours, "`md5sum`, `cp`, `sync`",
               theirs, f"{ours / theirs:.2f} times", "at most 1.3 times")  # fmt: skip


def memory(folder: Path, size: Size) -> Row:
    """The peak of a run of all stages and of a status of all files, in GB rather than seconds."""
    project(folder, size.many)
    many(folder / "data", 2 * size.files)
    (folder / "dvc.yaml").open("a").write("  all:\n    cmd: echo\n    deps: [data]\n")
    peak = max(peak_memory([*MLCTL, verb], folder) for verb in ("run", "status", "run"))
    return Row(f"memory, {size.many:,} stages and {2 * size.files:,} files (GB)", peak / 1e9, "",
               None, f"{peak / 1e6:.0f} MB", f"under {MEMORY / 1e6:.0f} MB")  # fmt: skip


def peak_memory(command: list[str], folder: Path) -> float:
    """Bytes of the largest process; measured in a child, whose own children are all that it had."""
    code = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
    code += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    said = subprocess.check_output([sys.executable, "-c", code, *command], cwd=folder, text=True)
    return int(said.split()[-1]) * (1 if sys.platform == "darwin" else 1024)


def repository(folder: Path) -> None:
    run(["git", "init", "-q"], folder)
    run([*DVC, "init", "-q"], folder)


def made(folder: Path, size: Size) -> None:
    """A stage that makes many files, run once."""
    repository(folder)
    many(folder / "source", size.files)
    (folder / ".gitignore").write_text("/source\n")
    (folder / "dvc.yaml").write_text(
        "stages:\n  make: {cmd: cp -r source data, deps: [word], outs: [data]}\n"
    )
    (folder / "word").write_text("x\n")
    run([*MLCTL, "run", "-q"], folder)


def many(folder: Path, count: int) -> None:
    """So many different files, in a hundred folders."""
    for number in range(count):
        place = folder / f"{number % 100:02}"
        if number < 100:
            place.mkdir(parents=True)
        (place / f"{number}.bin").write_bytes(os.urandom(20) * (FILE // 20))


BENCHES: dict[str, Bench] = {
    "add many": add_many,
    "status many": status_many,
    "checkout many": checkout_many,
    "push many": push_many,
    "verify push": verify_push,
    "add large": add_large,
    "memory": memory,
}
