"""What a monitor finds in one period: the parts of its report, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mlctl.monitoring.spec import Thresholds

State = Literal["drift", "ok", "insufficient"]
Verdict = Literal["degraded", "drift", "ok", "insufficient"]
Mark = Literal["estimated", "partial", "final"]
Role = Literal["feature", "prediction", "target"]
STATES: tuple[State, ...] = ("drift", "insufficient", "ok")


@dataclass(frozen=True, slots=True)
class DataRef:
    """One side's data: its path or name, its files, rows and digest (`md5:…`), empty if unknown.

    One file has its own digest, as DVC has it; more have that of the list of theirs. A period that
    is cut out of a file has no digest of its own.
    """

    path: str
    files: int
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with the data itself, or with what could be checked of it.

    `code` is a stable word (`new_column`, `duplicate_ids`, `unreadable_file`, …), `text` a sentence
    for people. `severity` is `error` where something could not be checked because of it.
    """

    code: str
    text: str
    column: str = ""
    severity: Literal["info", "warning", "error"] = "warning"


@dataclass(frozen=True, slots=True)
class Distribution:
    """Shares of both sides in the same bins, for plots; `labels` for categories only.

    `ends` are the values at the left and right end of a numeric axis of equal bins; what lies
    beyond them is counted in the outer bins.
    """

    reference: tuple[float, ...]
    current: tuple[float, ...]
    labels: tuple[str, ...] = ()
    ends: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """The verdict on one column.

    `effect` is KS's D of a numeric column, the Jensen-Shannon distance of a categorical one, and
    `error` by how much it may be too small where it was taken on bins; `q` is the corrected p-value
    of its distribution, `missing_q` that of its missing values. None stands for what could not be
    tested. `missing` are shares, (reference, current). `reasons` are of `distribution`, `missing`,
    `new_categories` and the names of metrics over their own limits.
    """

    name: str
    kind: str
    state: State
    role: Role = "feature"
    reasons: tuple[str, ...] = ()
    effect: float | None = None
    error: float = 0.0
    q: float | None = None
    missing: tuple[float, float] = (0.0, 0.0)
    missing_q: float | None = None
    new_categories: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    distribution: Distribution | None = None


@dataclass(frozen=True, slots=True)
class SliceReport:
    """A slice of the period: how many columns are in each state, and those that drifted there.

    `drifted` are (column, effect, q), the worst first; `scores` are realised or estimated metrics.
    """

    name: str
    rows: int
    state: State
    counts: Mapping[State, int]
    drifted: tuple[tuple[str, float, float], ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class JointTest:
    """A test of many columns together (or of one text or embedding), before correction.

    `value` is what `metric` measures (an AUC, an error), `limit` the least that counts as large.
    `p` is None where it could not be tested, and `note` then says why. `columns` are those that
    speak most for a difference, the first most of all.
    """

    metric: str
    value: float | None
    p: float | None
    limit: float
    columns: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class JointReport:
    """The verdict on a `JointTest`: drift where its value reaches the limit and q is small."""

    metric: str
    state: State
    value: float | None
    limit: float
    q: float | None
    columns: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class LabelState:
    """How many of a period's rows have their label, and what its numbers therefore are."""

    mark: Mark
    known: int
    rows: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What was expected before labels came; `error` is how far off it was, None until then."""

    value: float
    low: float
    high: float
    method: str
    assumption: str
    valid: bool
    check: str
    error: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of the model over one period, with its 95 % interval.

    `value` is realised where `mark` is `partial` or `final`, else it is the estimate's.
    `reference` is the metric on the reference, None where that has no labels.
    """

    metric: str
    mark: Mark
    value: float | None
    low: float | None
    high: float | None
    rows: int
    state: Literal["degraded", "ok", "insufficient"]
    limit: float | None = None
    reference: float | None = None
    estimate: Estimate | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """A column or a slice that explains a part of the drop or of the drift, the greatest first.

    `share` is the part of the whole that it explains, between 0 and 1.
    """

    kind: Literal["column", "slice"]
    name: str
    share: float
    text: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """Whether people are to be told. `since` is the first period of this spell of bad ones."""

    state: Literal["raised", "quiet", "muted"]
    since: str = ""
    bad: int = 0
    of: int = 1
    reason: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class CompatColumn:
    """What another tool would say of a column: its method, number, limit and verdict."""

    name: str
    method: str
    value: float | None
    limit: float | None
    drift: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Compat:
    """The numbers of another tool (`evidently`, `nannyml`), to compare while moving over."""

    tool: str
    drift: bool
    columns: tuple[CompatColumn, ...]


@dataclass(frozen=True, slots=True)
class MonitorReport:
    """What a monitor found in one period. `digest` is that of the rest of the report.

    `start` and `end` are ISO 8601 in UTC, empty for undated data. `revision` counts the reports of
    the same period from 1: late labels and mended data make a new one. `counts` has the number of
    columns in each state, and `omitted` how many columns are left out for size.
    `versus` is what the reference is: `data`, `baseline` or `periods` (those before).
    """

    monitor: str
    period: str
    verdict: Verdict
    alarm: Alarm
    reference: DataRef
    current: DataRef
    thresholds: Thresholds
    min_rows: int
    counts: Mapping[State, int]
    columns: tuple[ColumnReport, ...]
    start: str = ""
    end: str = ""
    revision: int = 1
    digest: str = ""
    versus: Literal["data", "baseline", "periods"] = "data"
    season: str = ""
    labels: LabelState | None = None
    scores: tuple[Score, ...] = ()
    slices: tuple[SliceReport, ...] = ()
    joint: tuple[JointReport, ...] = ()
    causes: tuple[Cause, ...] = ()
    findings: tuple[Finding, ...] = ()
    compat: Compat | None = None
    omitted: int = 0

    @property
    def stem(self) -> str:
        """The report's file name without its ending."""
        return f"{self.period}.{self.digest.rsplit(':', 1)[-1][:8]}"
