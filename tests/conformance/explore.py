"""Many random pipelines against stock DVC, with a log of every case and a result file.

    cd tests && python -m conformance.explore --cases 2000 --seed 1

takes up where an earlier call with the same log stopped. A case is known by SEED/NUMBER/EDITS;
`--shrink 1/17/4` makes a failing one small and prints it.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

from apart import CONSTANT, UNSET, make_home
from conformance.cases import Case, numbered
from conformance.drawn import FEATURES, features
from conformance.shrink import shrunk

HERE = Path(__file__).parent
RESULT = HERE / "explored.md"
_HEAD = """\
# Random pipelines compared with stock DVC

Written by `python -m conformance.explore` (see docs/dvc-compatibility.md); a line per seed and
state of the generator. A case is a pipeline of one to six entries and some edits, each followed
by `dvc repro` and `mlctl run`.

| generator | DVC | seed | cases | equal | different | verdict |
|---|---|---|---|---|---|---|
"""
_DRAWN = """
## What the last of them drew

| feature | cases |
|---|---|
"""


def main() -> int:
    options = _options()
    os.environ.update(CONSTANT)
    for name in UNSET:
        os.environ.pop(name, None)
    if options.shrink:
        return _shrink(options.shrink)
    log = options.log or Path(tempfile.gettempdir(), f"mlctl-explored-{options.seed}.log")
    known = _read(log)
    names = [f"{options.seed}/{n}/{options.edits}" for n in range(options.cases)]
    wanted = [name for name in names if known.get(name) != "equal"]
    # A process ends after some cases, since what DVC keeps in memory grows.
    with get_context("spawn").Pool(options.jobs, maxtasksperchild=50) as pool:
        for name, line, error in pool.imap_unordered(_explored, wanted):
            known[name] = "different" if error else "equal"
            with log.open("a") as file:
                file.write(f"{name} {known[name]} {line}\n")
            if error:
                number = name.split("/")[1]
                log.with_name(f"{log.stem}-{number}.txt").write_text(error)
    counts = Counter(known[name] for name in names)
    print(f"{counts['equal']} equal, {counts['different']} different; the log is {log}")
    if options.result:
        _write_result(names, counts)
    return 1 if counts["different"] else 0


def _explored(name: str) -> tuple[str, str, str]:
    """The case, the seconds that it took and its error in a line, and its error as text."""
    gc.disable()  # a case is short, and its garbage small
    began = time.monotonic()
    error = failure(_case(name))
    line = f"{time.monotonic() - began:.1f}s"
    if error is None:
        return name, line, ""
    short = "".join(traceback.format_exception_only(error)).splitlines()[0][:160]
    return name, f"{line} {short}", "".join(_told(error))


def _case(name: str) -> Case:
    """The case that the log calls SEED/NUMBER/EDITS."""
    seed, number, edits = map(int, name.split("/"))
    return numbered(seed, number, edits)


def failure(case: Case) -> BaseException | None:
    """How the case ends: an error, or nothing."""
    from conformance.walk import Walk

    with tempfile.TemporaryDirectory(prefix="mlctl-explore-") as folder:
        home = Path(folder, "home")
        home.mkdir()
        os.environ.update(make_home(home))
        try:
            Walk(case, Path(folder)).go()
        except Exception as error:  # noqa: BLE001 - whatever it is belongs into the log
            return error
        finally:
            gc.collect()
    return None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--edits", type=int, default=2, help="the most edits of a case")
    parser.add_argument("--log", type=Path, help="a line per case; what is equal there is not run")
    parser.add_argument("--jobs", type=int, default=1, help="processes at one time")
    parser.add_argument("--result", action="store_true", help=f"write {RESULT.name}")
    parser.add_argument("--shrink", metavar="SEED/NUMBER/EDITS", help="make this case small")
    return parser.parse_args()


def _shrink(name: str) -> int:
    case = _case(name)
    error = failure(case)
    if error is None:
        print("equal")
        return 0
    kind = _kind(error)

    def fails(smaller: Case) -> bool:
        found = failure(smaller)
        return found is not None and _kind(found) == kind

    case = shrunk(case, fails)
    error = failure(case)
    print(*_told(error) if error else (), f"\n{case!r}", sep="")
    return 1


def _kind(error: BaseException) -> tuple[str, int]:
    """Where it was raised: the innermost line of the tests' own."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if str(HERE) in f.filename]
    return type(error).__name__, frames[-1].lineno or 0


def _told(error: BaseException) -> list[str]:
    return traceback.format_exception(error)


def _read(log: Path) -> dict[str, str]:
    if not log.exists():
        return {}
    lines = [line.split() for line in log.read_text().splitlines()]
    return {words[0]: words[1] for words in lines}


def _write_result(names: list[str], counts: Counter[str]) -> None:
    sources = [HERE / f"{name}.py" for name in ("cases", "pipelines", "twins", "walk")]
    generator = hashlib.md5(b"".join(path.read_bytes() for path in sources)).hexdigest()[:8]
    seed = names[0].partition("/")[0]
    start = f"| {generator} | {version('dvc')} | {seed} |"
    before = RESULT.read_text().partition(_DRAWN)[0].splitlines() if RESULT.exists() else []
    rows = [line for line in before if line[:3] not in {"| g", "|--"} and line[:1] == "|"]
    verdict = "equal" if counts["equal"] == len(names) else "different"
    rows = [row for row in rows if not row.startswith(start)]
    rows.append(f"{start} {len(names)} | {counts['equal']} | {counts['different']} | {verdict} |")
    drawn = Counter(feature for name in names for feature in features(_case(name)))
    table = "".join(f"| {feature} | {drawn[feature]} |\n" for feature in FEATURES)
    RESULT.write_text(_HEAD + "\n".join(rows) + "\n" + _DRAWN + table)


if __name__ == "__main__":
    sys.exit(main())
