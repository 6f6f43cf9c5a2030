"""Both sides of a column, measured by every metric that suits its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from mlctl import plugins
from mlctl.monitoring.results import Distribution, Role
from mlctl.monitoring.spec import Kind, MonitorSpec

if TYPE_CHECKING:
    from mlctl.monitoring.drift import Array, Measure, Metric
    from mlctl.monitoring.summaries.categorical import Categorical
    from mlctl.monitoring.summaries.numeric import Numeric

DEFAULT = ("ks", "wasserstein", "psi", "jensen_shannon", "chi_square")
_PRIMARY = {"numeric": ("ks",), "categorical": ("jensen_shannon", "chi_square")}
_WHY_NOT = {
    "identifier": "nearly every value is another one",
    "time": "moments are not compared",
    "text": "compared as a whole, see the joint tests",
    "embedding": "compared as a whole, see the joint tests",
}


@dataclass(frozen=True, slots=True)
class Tested:
    """A column of both sides, measured. `gone` and `rows` are counts, (reference, current).

    `p` is None where the distribution could not be tested, and `note` then says why. `learned` is
    the least effect that is unusual within the reference, None where that is not known.
    `constant` is set where the current data have one value only, and the reference several.
    """

    name: str
    kind: Kind
    role: Role
    rows: tuple[int, int]
    gone: tuple[int, int]
    metrics: Mapping[str, Measure] = field(default_factory=dict)
    effect: float | None = None
    p: float | None = None
    error: float = 0.0
    missing: Measure | None = None
    new: Measure | None = None
    note: str = ""
    distribution: Distribution | None = None
    learned: float | None = None
    constant: bool = False

    @property
    def missing_shares(self) -> tuple[float, float]:
        """The shares of rows without a value."""
        first, second = (g / r if r else 0.0 for g, r in zip(self.gone, self.rows, strict=True))
        return first, second


def unmeasured(
    name: str, kind: Kind, role: Role, rows: tuple[int, int], gone: tuple[int, int], note: str = ""
) -> Tested:
    """A column whose values are not compared; the share of missing ones still is."""
    return Tested(name, kind, role, rows, gone, note=note or _WHY_NOT.get(kind, "not compared"))


def numeric(
    spec: MonitorSpec, name: str, role: Role, reference: Numeric, current: Numeric
) -> Tested:
    """Measure numbers; on bins where the values of a side are not known."""
    from mlctl.monitoring.drift import ks
    from mlctl.monitoring.summaries.numeric import coarse, plot_bins

    tested = _base(spec, name, "numeric", role, reference, current)
    if tested.note:
        return tested
    counts = (coarse(reference.counts, reference.counts), coarse(current.counts, reference.counts))
    samples, error = None, 0.0
    if reference.values is not None and current.values is not None:
        samples = (reference.values, current.values)
        main = ks.compute(*samples)
    else:
        main, error = ks.of_counts(reference.counts, current.counts)
    metrics = {"ks": main, **_measured(spec, "numeric", samples, counts)}
    first, second, ends = plot_bins(reference, current)
    note = "the reference is constant" if reference.low == reference.high else ""
    if error:
        note = note or "compared on the baseline's bins"
    shares = _shares(first, second, (), ends)
    done = _with(tested, metrics, main.value, main.p, error, note, shares)
    return replace(done, constant=current.low == current.high and reference.low < reference.high)


def categorical(
    spec: MonitorSpec,
    name: str,
    role: Role,
    reference: Categorical,
    current: Categorical,
    frame: Sequence[str],
) -> Tested:
    """Measure categories; `frame` are those of the reference that are told apart."""
    import numpy as np

    from mlctl.monitoring.drift import chi_square, jensen_shannon, new_categories
    from mlctl.monitoring.summaries.categorical import PLOTTED, rows_of_counts

    tested = _base(spec, name, "categorical", role, reference, current)
    if tested.note:
        return tested
    first, second, _ = rows_of_counts(reference, current, frame)
    main = jensen_shannon.compute(first, second)
    test = chi_square.compute(first, second)
    metrics = {
        "jensen_shannon": main,
        "chi_square": test,
        **_measured(spec, "categorical", None, (first, second)),
    }
    new = None
    if current.new is not None:
        here = [current.present - current.new, current.new]
        new = new_categories.compute(np.array([reference.present, 0.0]), np.array(here, float))
    a, b, labels = rows_of_counts(reference, current, frame[:PLOTTED])
    done = _with(tested, metrics, main.value, test.p, 0.0, "", _shares(a, b, labels, None))
    return replace(done, new=new, constant=_values(second) == 1 < _values(first))


def _base(
    spec: MonitorSpec,
    name: str,
    kind: Kind,
    role: Role,
    reference: Numeric | Categorical,
    current: Numeric | Categorical,
) -> Tested:
    """What is told of any column; `note` is set where its values cannot be compared."""
    least = min(reference.present, current.present)
    rows, gone = (reference.rows, current.rows), (reference.missing, current.missing)
    note = "" if least >= spec.min_rows else f"{least} values, {spec.min_rows} are needed"
    return Tested(
        name,
        kind,
        role,
        rows,
        gone,
        missing=missing_of_counts(spec, rows, gone),
        note=note,
    )


def missing_of_counts(
    spec: MonitorSpec, rows: Sequence[int], gone: Sequence[int]
) -> Measure | None:
    """The change of the share of missing values, None for too few rows."""
    import numpy as np

    from mlctl.monitoring.drift import missing_share

    if min(rows) < spec.min_rows:
        return None
    sides = [np.array([r - g, g], dtype=float) for r, g in zip(rows, gone, strict=True)]
    return missing_share.compute(sides[0], sides[1])


def _measured(
    spec: MonitorSpec,
    kind: str,
    samples: tuple[Array, Array] | None,
    counts: tuple[Array, Array],
) -> dict[str, Measure]:
    """The metrics that are asked for and suit; those of the verdict are taken anyway."""
    wanted = dict.fromkeys((*(spec.metrics or DEFAULT), *spec.thresholds.metrics))
    found: dict[str, Measure] = {}
    for name in wanted:
        if name in _PRIMARY["numeric"] + _PRIMARY["categorical"]:
            continue
        if name in {"missing_share", "new_categories"}:
            continue
        module = plugins.load("mlctl.monitoring.drift", name, kind="drift metric", extra="monitor")
        metric = cast("Metric", module)
        if metric.INPUT == "samples":
            if samples is not None and kind == "numeric":
                found[name] = metric.compute(*samples)
        else:
            found[name] = metric.compute(*counts)
    return found


def _with(
    tested: Tested,
    metrics: Mapping[str, Measure],
    effect: float,
    p: float | None,
    error: float,
    note: str,
    distribution: Distribution,
) -> Tested:
    return replace(
        tested,
        metrics=metrics,
        effect=effect,
        p=1.0 if p is None else p,
        error=error,
        note=note,
        distribution=distribution,
    )


def _values(counts: Array) -> int:
    return int((counts > 0).sum())


def _shares(
    first: Array, second: Array, labels: tuple[str, ...], ends: tuple[float, float] | None
) -> Distribution:
    return Distribution(
        tuple((first / first.sum()).tolist()), tuple((second / second.sum()).tolist()), labels, ends
    )
