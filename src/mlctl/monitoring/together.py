"""The joint tests of one period."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from mlctl import plugins
from mlctl.monitoring.cuts import PeriodCut, Rows, Source
from mlctl.monitoring.joint import _encoding
from mlctl.monitoring.joint._outcome import Array
from mlctl.monitoring.results import JointTest, Role
from mlctl.monitoring.spec import Kind, MonitorSpec
from mlctl.monitoring.summaries.kinds import kind_of

_ROWS = 20_000  # of each side, evenly spread
_UNAVAILABLE = "unavailable: needs the rows"
_ALONE = ("domain_classifier", "mmd")  # the tests of a text or an embedding


def run(
    spec: MonitorSpec,
    columns: Sequence[tuple[str, Role]],
    reference: Source | None,
    current: Source,
    cut: PeriodCut,
) -> tuple[JointTest, ...]:
    """The tests that `spec.joint` names, on the features; texts and embeddings each on its own.

    A baseline has no rows: what needs them is `unavailable`, without a p-value.
    """
    names = [name for name, role in columns if role == "feature" and name in current.schema]
    single = _single(spec, names, reference, current)
    if not spec.joint and not single:
        return ()
    if reference is None:
        tests = [(test, "") for test in spec.joint] + [(t, n) for n in single for t in _ALONE]
        return tuple(
            JointTest(_called(test, column), None, None, _limit(test), note=_UNAVAILABLE)
            for test, column in tests
        )
    found: list[JointTest] = []
    here = _rows(cut.rows, cut.ref.rows)
    there = _rows(cut.reference_rows, reference.ref.rows)
    if spec.joint:
        shared = [name for name in names if name in reference.schema and name not in single]
        sides = (reference.read(shared)[there], current.read(shared)[here])
        a, b, groups = _encoding.encoded(*sides, shared)
        found += [_tested(spec, test, a, b, groups, "") for test in spec.joint]
    for name, kind in single.items():
        a, b = _alone(kind, reference.read([name])[name][there], current.read([name])[name][here])
        groups = (name,) * a.shape[1]
        found += [_tested(spec, test, a, b, groups, name) for test in _ALONE]
    return tuple(found)


def _single(
    spec: MonitorSpec, names: Sequence[str], reference: Source | None, current: Source
) -> dict[str, Kind]:
    """The columns that are texts or embeddings, told from the types where that can be."""
    found: dict[str, Kind] = {}
    for name in names:
        kind = spec.kinds.get(name)
        source = reference or current
        dtype = source.schema.get(name)
        if kind is None and dtype is not None and _may_be(dtype):
            kind = kind_of(source.read([name])[name].head(_ROWS))
        if kind in {"text", "embedding"}:
            found[name] = kind
    return found


def _may_be(dtype: pl.DataType) -> bool:
    return dtype == pl.String or isinstance(dtype, (pl.List, pl.Array))


def _alone(kind: Kind, reference: pl.Series, current: pl.Series) -> tuple[Array, Array]:
    if kind == "text":
        return _encoding.texts(reference), _encoding.texts(current)
    width = _encoding.width_of(reference)
    return _encoding.embeddings(reference, width), _encoding.embeddings(current, width)


def _tested(
    spec: MonitorSpec,
    name: str,
    reference: Array,
    current: Array,
    groups: tuple[str, ...],
    column: str,
) -> JointTest:
    """The test `name`, of all columns or of the one `column`."""
    module = _module(name)
    name, columns = _called(name, column), (column,) if column else ()
    least = min(reference.shape[0], current.shape[0])
    if least < spec.min_rows:
        note = f"{least} rows, {spec.min_rows} are needed"
        return JointTest(name, None, None, module.LIMIT, columns, note)
    try:
        found = module.test(reference, current, groups)
    except (ValueError, np.linalg.LinAlgError) as error:
        return JointTest(name, None, None, module.LIMIT, columns, str(error))
    if not np.isfinite(found.value):
        return JointTest(name, None, None, module.LIMIT, columns, "the values are too large")
    return JointTest(name, found.value, found.p, module.LIMIT, columns or found.columns, found.note)


def _called(test: str, column: str) -> str:
    """What a report calls the test: `mmd`, or `mmd of comment`."""
    return f"{test} of {column}" if column else test


def _limit(name: str) -> float:
    return float(_module(name).LIMIT)


def _module(name: str) -> Any:
    return plugins.load("mlctl.monitoring.joint", name, kind="joint test", extra="monitor")


def _rows(rows: Rows | None, count: int) -> Rows:
    """At most `_ROWS` of them, evenly spread."""
    total = count if rows is None else int(rows.size)
    places = np.unique(np.linspace(0, max(0, total - 1), min(total, _ROWS)).astype(np.int64))
    return places if rows is None else rows[places]
