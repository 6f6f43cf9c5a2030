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
from pathlib import Path

from apart import CONSTANT, UNSET, make_home
from conformance.cases import Case, numbered
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


def main() -> int:
    options = _options()
    os.environ.update(CONSTANT)
    for name in UNSET:
        os.environ.pop(name, None)
    if options.shrink:
        return _shrink(options.shrink)
    log = options.log or Path(tempfile.gettempdir(), f"mlctl-explored-{options.seed}.log")
    known = _read(log)
    gc.disable()  # a case is short, and its garbage small
    for number in range(options.cases):
        name = f"{options.seed}/{number}/{options.edits}"
        if known.get(name) == "equal":
            continue
        began = time.monotonic()
        error = failure(numbered(options.seed, number, options.edits))
        known[name] = "different" if error else "equal"
        with log.open("a") as file:
            file.write(f"{name} {known[name]} {time.monotonic() - began:.1f}s{_line(error)}\n")
        if error:
            log.with_name(f"{log.stem}-{number}.txt").write_text("".join(_told(error)))
    names = [f"{options.seed}/{n}/{options.edits}" for n in range(options.cases)]
    counts = Counter(known[name] for name in names)
    print(f"{counts['equal']} equal, {counts['different']} different; the log is {log}")
    if options.result:
        _write_result(options.seed, options.cases, counts)
    return 1 if counts["different"] else 0


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
    parser.add_argument("--result", action="store_true", help=f"write {RESULT.name}")
    parser.add_argument("--shrink", metavar="SEED/NUMBER/EDITS", help="make this case small")
    return parser.parse_args()


def _shrink(name: str) -> int:
    seed, number, edits = map(int, name.split("/"))
    case = numbered(seed, number, edits)
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


def _line(error: BaseException | None) -> str:
    if error is None:
        return ""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f" {type(error).__name__} {Path(where.filename).name}:{where.lineno} {str(error)[:120]!r}"
    )


def _read(log: Path) -> dict[str, str]:
    if not log.exists():
        return {}
    lines = [line.split() for line in log.read_text().splitlines()]
    return {words[0]: words[1] for words in lines}


def _write_result(seed: int, cases: int, counts: Counter[str]) -> None:
    sources = [HERE / f"{name}.py" for name in ("cases", "pipelines", "twins", "walk")]
    generator = hashlib.md5(b"".join(path.read_bytes() for path in sources)).hexdigest()[:8]
    before = RESULT.read_text().splitlines() if RESULT.exists() else []
    start = f"| {generator} | {version('dvc')} | {seed} |"
    rows = [line for line in before if line[:3] not in {"| g", "|--"} and line[:1] == "|"]
    verdict = "equal" if counts["equal"] == cases else "different"
    rows = [row for row in rows if not row.startswith(start)]
    rows.append(f"{start} {cases} | {counts['equal']} | {counts['different']} | {verdict} |")
    RESULT.write_text(_HEAD + "\n".join(rows) + "\n")


if __name__ == "__main__":
    sys.exit(main())
