"""What a monitor declares in `monitors/<name>.yaml`, checked and with its defaults.

The file is described in docs/formats/monitoring.md and read by `monitoring.parse`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["numeric", "categorical", "identifier", "time", "text", "embedding", "other"]
Task = Literal["classification", "regression"]
Unit = Literal["hour", "day", "week", "month"]
Season = Literal["hour", "weekday", "month"]
FailOn = Literal["never", "drift", "degraded", "alarm"]

MIN_ROWS = 100
SCORES: Mapping[Task, tuple[str, ...]] = {
    "classification": (
        "accuracy", "precision", "recall", "f1", "roc_auc", "average_precision", "log_loss",
        "brier",
    ),
    "regression": ("mae", "mse", "rmse", "mape", "r2", "bias"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Where:
    """A table: the file or glob of files at `path`, or what the query `sql` gives at `url`.

    `path` is relative to the root; with `rev`, it is the version of that revision of git, which DVC
    fetches. `url` is as `mlctl data import` takes it. `log` marks a
    prediction log: columns `id`, `at`, the features, `prediction` and `p_<class>`.
    """

    path: str = ""
    sql: str = ""
    url: str = ""
    log: bool = False
    rev: str = ""

    @property
    def label(self) -> str:
        """What messages and reports call the table."""
        return (f"{self.path}@{self.rev}" if self.rev else self.path) or self.sql


@dataclass(frozen=True, slots=True)
class ReferenceSpec:
    """What current data is compared with: exactly one of the fields is set.

    `baseline` is a baseline's file, `model` a model's folder that holds one (`baseline.json`),
    `before` the number of periods before the current one, taken together.
    """

    where: Where | None = None
    baseline: str = ""
    model: str = ""
    before: int = 0


@dataclass(frozen=True, slots=True)
class Every:
    """How current data is cut into periods: by a unit of time, or `rows` at a time.

    Neither: all of it is one period.
    """

    unit: Unit | None = None
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """When one column drifts; None stands for what the whole monitor says."""

    effect: float | None = None
    missing: float | None = None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a column drifts, and (`share`) how many columns must for the data to have drifted.

    `q` bounds the false discovery rate, `effect` the distance of the distributions (0 to 1),
    `missing` the change in the share of missing values, `new` the share of values in categories
    that the reference lacks. `metrics` are further limits, by a drift metric's name. With
    `learned`, the baseline's own limits take the place of `effect`. No `share`: one column is
    enough.
    """

    q: float = 0.005
    effect: float = 0.1
    missing: float = 0.05
    new: float = 0.05
    share: float | None = None
    learned: bool = False
    metrics: Mapping[str, float] = field(default_factory=dict)
    columns: Mapping[str, Limits] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SliceSpec:
    """Rows that are also looked at on their own: each frequent value of `column`, or `rule`.

    `rule` is an expression of the language of contracts (`age >= 60`), called `name`.
    """

    column: str = ""
    name: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Predictions:
    """The columns of a model's output in the current data.

    `value` is the predicted class or number, `scores` the column of each class's probability.
    """

    value: str = ""
    scores: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Labels:
    """What came true: `column` of the table at `where`, joined to current rows by `key`.

    `time` is the column that tells when a label became known; a period's numbers are final once
    `wait` seconds have passed since its end, or all of its labels are there. `where` is None where
    the labels stand in the current data itself, empty until they are known.
    """

    column: str
    where: Where | None = None
    key: str = ""
    time: str = ""
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class ScoreLimit:
    """A metric is degraded under `least`, over `most`, or worse by `drop` than in the reference."""

    least: float | None = None
    most: float | None = None
    drop: float | None = None


@dataclass(frozen=True, slots=True)
class PerformanceSpec:
    """How good the model is: `metrics` of `task`, before labels by estimate."""

    task: Task
    metrics: tuple[str, ...]
    estimate: bool = True
    limits: Mapping[str, ScoreLimit] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SkewSpec:
    """Training-serving skew, row by row: features of the table at `where` under the same `key`."""

    where: Where
    key: str
    tolerance: float = 1e-6
    limit: float = 0.01


@dataclass(frozen=True, slots=True)
class FeedbackSpec:
    """Where model output would come back: `target` of the training table at `training`."""

    training: Where
    target: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """An alarm is raised where at least `after` of the last `of` periods are bad."""

    after: int = 1
    of: int = 1


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to tell people: `kind` is a module of `monitoring.alerts` (webhook, slack, mail).

    `url_env` names the environment variable that holds the address; secrets are never written.
    """

    kind: str
    url_env: str = ""
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RetrainSpec:
    """What is done about an alarm: the stages in `run`, at most `budget` times in 30 days.

    `cooldown` are the seconds that must lie between two of them. `promote` is the metrics file,
    metric and direction by which the new model must win before a promotion is proposed.
    """

    run: tuple[str, ...]
    cooldown: float = 7 * 86_400.0
    budget: int = 4
    metrics: str = ""
    metric: str = ""
    better: Literal["higher", "lower"] = "higher"


@dataclass(frozen=True, slots=True)
class MonitorSpec:
    """One monitor. Column lists may hold globs; `zone` is a name of the IANA time zones.

    `id` is the column that names a row, `joint` the tests of all columns together (modules of
    `monitoring.joint`), `season` the key by which like is compared with like.
    """

    name: str
    current: Where
    reference: ReferenceSpec
    time: str | None = None
    every: Every = Every()
    zone: str = "UTC"
    id: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    slices: tuple[SliceSpec, ...] = ()
    metrics: tuple[str, ...] = ()
    joint: tuple[str, ...] = ()
    thresholds: Thresholds = Thresholds()
    min_rows: int = MIN_ROWS
    season: Season | None = None
    predictions: Predictions = Predictions()
    labels: Labels | None = None
    performance: PerformanceSpec | None = None
    skew: SkewSpec | None = None
    feedback: FeedbackSpec | None = None
    alarm: AlarmRule = AlarmRule()
    fail_on: FailOn = "never"
    alerts: tuple[Channel, ...] = ()
    retrain: RetrainSpec | None = None
    compat: Literal["evidently", "nannyml"] | None = None
