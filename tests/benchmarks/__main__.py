"""All benchmarks: see `harness`."""

from __future__ import annotations

import argparse
import compileall
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import mlctl
from benchmarks import (
    checks,
    data,
    engine,
    experiments,
    files,
    gate,
    hosts,
    monitoring,
    profile,
    tracking,
)
from benchmarks.harness import PAGE, Row, Size, cells, page

MODULES = (
    engine, files, data, checks, gate, profile, hosts, tracking, experiments, monitoring
)  # fmt: skip
BENCHES = {name: bench for module in MODULES for name, bench in module.BENCHES.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--only", default="", metavar="WORD")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    rows = list(measure(Size(), only=asked.only))
    if asked.write:
        PAGE.write_text(page(rows, PAGE.read_text() if asked.only else ""))


def measure(size: Size, *, only: str = "") -> Iterator[Row]:
    """Each row as it comes, printed; in a temporary folder, with a home of its own."""
    os.environ.update({"DVC_NO_ANALYTICS": "1", "SHELL": "/bin/sh"})
    # pip compiles what it installs, peers included; an editable installation may not be compiled.
    compileall.compile_dir(str(Path(mlctl.__file__).parent), quiet=1)
    for name, bench in BENCHES.items():
        if only not in name:
            continue
        with tempfile.TemporaryDirectory(prefix="mlctl-bench-") as folder:
            os.environ.update({"HOME": folder, "DVC_SITE_CACHE_DIR": f"{folder}/site"})
            place = Path(folder) / "project"
            place.mkdir()
            row = bench(place, size)
        print(" | ".join(cells(row)), flush=True)
        yield row


if __name__ == "__main__":
    main()
