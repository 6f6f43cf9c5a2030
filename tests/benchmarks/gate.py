"""The gate before a commit, where nothing changed: ten data sets with a contract each."""

from __future__ import annotations

from pathlib import Path

from benchmarks.harness import DVC, MLCTL, Bench, Row, Size, run, side_by_side

HOOK = ["env", "PRE_COMMIT=1", *MLCTL]
PEER = "`dvc status`, DVC's hook"
DATASETS = 10


def validate(folder: Path, size: Size) -> Row:
    committed(folder, size.others)
    run([*HOOK, "validate"], folder)
    ours, theirs = side_by_side([*HOOK, "validate"], [*DVC, "status", "-q"], folder, size.repeats)
    return Row(f"hook `mlctl validate`, {DATASETS} data sets unchanged", ours,
               PEER, theirs, f"{1000 * ours:.0f} ms", "under 150 ms")  # fmt: skip


def pointers(folder: Path, size: Size) -> Row:
    committed(folder, size.others)
    names = [f"data/{number}.csv.dvc" for number in range(DATASETS)]
    check = [*HOOK, "data", "check-pointers", *names]
    ours, theirs = side_by_side(check, [*DVC, "status", "-q"], folder, size.repeats)
    return Row(f"hook `mlctl data check-pointers`, {DATASETS} pointers", ours,
               PEER, theirs, f"{1000 * ours:.0f} ms", "under 250 ms")  # fmt: skip


def committed(folder: Path, rows: int) -> None:
    """Tables under DVC with contracts, all in the index."""
    run(["git", "init", "-q"], folder)
    run([*DVC, "init", "-q"], folder)
    for name in ("data", "contracts"):
        (folder / name).mkdir()
    columns = [f"c{number}" for number in range(20)]
    for number in range(DATASETS):
        lines = [",".join(str(number + row + at) for at in range(20)) for row in range(rows)]
        table = "\n".join([",".join(columns), *lines, ""])
        (folder / "data" / f"{number}.csv").write_text(table)
        said = "".join(f"  {name}: {{type: int, min: 0, max: 1000000}}\n" for name in columns)
        (folder / "contracts" / f"set{number}.yaml").write_text(
            f"schema: mlctl.contract/1\ndata: data/{number}.csv\ncolumns:\n{said}"
        )
    run(
        [*MLCTL, "data", "add", "-q", *(f"data/{number}.csv" for number in range(DATASETS))], folder
    )
    run(["git", "add", "-A"], folder)


BENCHES: dict[str, Bench] = {"gate validate": validate, "gate pointers": pointers}
