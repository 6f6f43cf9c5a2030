"""What `exp run` says at its end: the table of what was tried, or JSON."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

from mlctl.adapters.clock import now
from mlctl.cli._output import print_json, say, styled
from mlctl.cli._text import count
from mlctl.cli.exp._table import STATUS, table_lines
from mlctl.experiments.search import Listing
from mlctl.experiments.sweep_run import heads_of
from mlctl.records.canonical import plain

if TYPE_CHECKING:
    from mlctl.experiments.commit import CommitResult
    from mlctl.experiments.sweep_run import Sweep, Tried


def begin(total: int, at_once: int, *, silent: bool) -> None:
    """That there is something to wait for."""
    if not silent:
        say(styled(f"{count(total, 'combination')}, {min(at_once, total)} at one time", "2"))
        sys.stdout.flush()


def one(number: int, tried: Tried, *, total: int, silent: bool) -> None:
    """A combination has ended; what went wrong is told on stderr, whatever is asked for."""
    mark, style = STATUS[tried.status]
    if not silent:
        place = styled(f"[{number + 1} of {total}]", "2")
        say(f"{styled(mark, style)} {place} {styled(tried.combination.name, '1')}")
        sys.stdout.flush()
    if tried.message:
        sys.stderr.write(tried.message + "\n")


def tell(root: str, done: Sweep, made: CommitResult | None, *, json: bool, quiet: bool) -> None:
    """The runs of the sweep, what was put back, and whether the records are committed."""
    for path in done.put_back:
        sys.stderr.write(
            f"note: a sweep was killed before; {path} was put back as it was before that one\n"
        )
    if json:
        print_json("exp.run", _as_json(root, done, made))
        return
    if quiet:
        return
    heads = heads_of(root, done)
    say()
    if heads:
        width = shutil.get_terminal_size((160, 24)).columns
        for line in table_lines(Listing(heads, total=len(heads)), now=now(), width=width):
            say(line)
    known = sum(not (tried.record or tried.message) for tried in done.tried)
    if known:
        say(f"{count(known, 'combination')} known from before: nothing ran (--force runs it).")
    if made is not None and made.reason is not None:
        say(f"The records are not committed: {made.reason}.")


def _as_json(root: str, done: Sweep, made: CommitResult | None) -> dict[str, Any]:
    """`runs` (each with `name`, `overrides`, `status`, and of its record `id` and `metrics`)."""
    metrics = {head.id: head.metrics for head in heads_of(root, done)}
    runs = []
    for tried in done.tried:
        run_id = os.path.basename(tried.record) if tried.record else None
        runs.append(
            {
                "name": tried.combination.name,
                "overrides": list(tried.combination.overrides),
                "status": tried.status,
                "id": run_id,
                "metrics": plain(metrics.get(run_id, {})) if run_id else None,
            }
        )
    return {
        "runs": runs,
        "commit": made.commit if made else None,
        "reason": made.reason if made else None,
    }
