"""Comparing a rerun with its record: what git says of the code is asked here, the rest is pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlctl.errors import InvalidInput, suggestion
from mlctl.experiments.again import verdict
from mlctl.experiments.again.difference import Change, changes
from mlctl.experiments.again.kinds import is_code
from mlctl.experiments.again.reproducing import Rerun, params_files
from mlctl.experiments.again.revision import code_changes, first_lines, prefix_of
from mlctl.experiments.again.side import Side, packages_in
from mlctl.experiments.environment import environment


def verify(
    root: str, record: Side, rerun: Rerun, tolerances: Mapping[str, float]
) -> verdict.Verification:
    """The verdict on each stage of the rerun, and the causes of what differs."""
    return verdict.verify(
        record,
        rerun.side,
        tolerances,
        altered=rerun.altered,
        code=code_that_differs(root, record, rerun.side),
    )


def code_that_differs(root: str, a: Side, b: Side) -> dict[str, int | None]:
    """The code files in which two runs differ, from the DVC root, with the first line in `b`.

    Parameters files and data are no code.
    """
    old, new = (side.head.git.tree if side.head.git else None for side in (a, b))
    if old is None or new is None or old == new:
        return {}
    prefix, params = prefix_of(root), set(params_files(a, b))
    products = {out.path for side in (a, b) for stage in side.stages for out in stage.outs}
    lines = first_lines(root, old, new)
    return {
        key: lines.get(change.path)
        for change in code_changes(root, old, new)
        if is_code(change.path)
        and (key := change.path.removeprefix(prefix)) not in params
        and key not in products
    }


def parse_tolerances(texts: Iterable[str], metrics: Iterable[str]) -> dict[str, float]:
    """`NAME=NUMBER` each; `metrics.` before a name may be left out.

    Raises InvalidInput for another form, and for a name that no metric of the run has.
    """
    known = sorted(metrics)
    found = {}
    for text in texts:
        name, _, value = text.partition("=")
        name = name.removeprefix("metrics.")
        try:
            limit = float(value)
        except ValueError:
            limit = -1.0
        if not name or not limit >= 0:
            raise InvalidInput(f"--tolerance {text}: expected METRIC=NUMBER, such as auc=0.001")
        if not any(verdict.tolerance_of(metric, {name: 1.0}) for metric in known):
            hint = suggestion(name, known) or "the run has no metrics"
            raise InvalidInput(f"--tolerance {text}: the run has no metric {name!r}", hint=hint)
        found[name] = limit
    return found


def environment_changes(record: Side) -> tuple[Change, ...] | None:
    """What the `python` on PATH has otherwise than the run had; None where that is unknown."""
    now = packages_in(environment())
    if record.packages is None or now is None:
        return None
    return changes(record.packages, now)
