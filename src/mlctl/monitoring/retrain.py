"""What is done about an alarm: train anew, compare, and propose; nothing is promoted by itself.

Each retraining leaves `reports/monitoring/<name>/retrain/<since>.json` and `.md`, which are
committed: cool-down and budget are judged by them, on any machine (docs/formats/incident.md).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from mlctl.adapters import files, yaml
from mlctl.errors import ConfigError, InvalidInput
from mlctl.monitoring import incidents
from mlctl.monitoring.parse import monitor_file
from mlctl.monitoring.period_names import last_day
from mlctl.monitoring.report.committed import FOLDER, latest
from mlctl.monitoring.spec import MonitorSpec, RetrainSpec
from mlctl.records.canonical import pretty
from mlctl.records.schema import load_record
from mlctl.reports import markdown
from mlctl.reports.scales import short

StrPath = str | os.PathLike[str]
KIND, VERSION = "retraining", 1
_WINDOW = 30  # days that a budget is for


@dataclass(frozen=True, slots=True)
class Due:
    """Whether to train anew, for the incident that began in `since`; `why` says so in words."""

    due: bool
    why: str
    since: str = ""
    day: str = ""


@dataclass(frozen=True, slots=True)
class Retraining:
    """What came of one. `promote` is None where there is no metric to judge by."""

    monitor: str
    since: str
    day: str
    stages: tuple[str, ...]
    metric: str
    before: float | None
    after: float | None
    promote: bool | None

    @property
    def key(self) -> str:
        """Its file."""
        return f"{FOLDER}/{self.monitor}/retrain/{self.since}.json"


def judge(root: StrPath, spec: MonitorSpec) -> Due:
    """Whether the policy asks for training now. Days are those of periods: no clock is asked.

    Raises InvalidInput for a monitor without a policy.
    """
    policy = spec.retrain
    if policy is None:
        raise InvalidInput(
            f"{monitor_file(spec.name)} has no `retrain`",
            hint="retrain: {run: [train], metrics: metrics.json, metric: auc}",
        )
    newest = latest(root, spec.name, 1)
    if not newest or newest[-1].alarm.state != "raised":
        return Due(False, "no alarm is raised")
    report = newest[-1]
    going = [it for it in incidents.update(root, spec.name) if not it.closed]
    since = going[-1].since if going else report.alarm.since
    day = last_day(report.period)
    done = _done(root, spec.name)
    if any(it.since == since for it in done):
        return Due(False, f"the incident since {since} was answered already", since, day)
    ages = [_days(it.day, day) for it in done]
    if any(age * 86_400 < policy.cooldown for age in ages):
        return Due(False, f"the last was {min(ages)} days ago: it cools down", since, day)
    if sum(age < _WINDOW for age in ages) >= policy.budget:
        return Due(False, f"{policy.budget} in {_WINDOW} days is the budget", since, day)
    return Due(True, f"alarm since {since}", since, day)


def metric_of(root: StrPath, policy: RetrainSpec) -> float | None:
    """The policy's metric as the metrics file has it now, None where none is named or there."""
    if not policy.metrics or not policy.metric or not Path(root, policy.metrics).is_file():
        return None
    text = files.read_text(Path(root, policy.metrics), name=policy.metrics)
    value: Any = yaml.load(text, name=policy.metrics)
    for step in policy.metric.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{policy.metric} is no number", file=policy.metrics)
    return float(value)


def conclude(
    root: StrPath, spec: MonitorSpec, due: Due, before: float | None, after: float | None
) -> Retraining:
    """Write what came of it, and the proposal."""
    policy = spec.retrain
    assert policy is not None  # noqa: S101 - `judge` has asked
    promote = None
    if before is not None and after is not None:
        promote = after > before if policy.better == "higher" else after < before
    done = Retraining(
        spec.name, due.since, due.day, policy.run, policy.metric, before, after, promote
    )
    text = pretty({"schema": f"mlctl.{KIND}/{VERSION}", **asdict(done)})
    files.write_text(Path(root, done.key.removesuffix(".json") + ".md"), proposal(done))
    files.write_text(Path(root, done.key), text)
    return done


def proposal(done: Retraining) -> str:
    """The proposal for a pull request."""
    verdicts = {
        True: "**Promote** the new model: it is better on the same metric.",
        False: "**Keep** the present model: the new one is not better.",
        None: "There is no metric to judge by: compare the two models yourself.",
    }
    rows = [[done.metric or "–", short(done.before, 4), short(done.after, 4)]]
    lines = [
        f"# {markdown.escape(done.monitor)}: trained anew for the incident since {done.since}\n",
        f"{verdicts[done.promote]}\n",
        markdown.table(["metric", "before", "after"], rows, right=" rr"),
        "Nothing was promoted. To look at it:\n",
        "```console\n$ mlctl exp ls\n$ mlctl exp diff last~1 last\n```\n",
    ]
    return "\n".join(lines)


def _done(root: StrPath, name: str) -> list[Retraining]:
    folder = Path(root, FOLDER, name, "retrain")
    found = []
    for path in sorted(folder.glob("*.json")):
        key = f"{FOLDER}/{name}/retrain/{path.name}"
        data = dict(
            load_record(files.read_text(path, name=key), kind=KIND, newest=VERSION, name=key)
        )
        data.pop("schema")
        try:
            found.append(Retraining(**{**data, "stages": tuple(data["stages"])}))
        except (KeyError, TypeError) as error:
            hint = f"restore it from git: git checkout HEAD -- {key}"
            raise ConfigError(f"not a retraining: {error}", file=key, hint=hint) from None
    return found


def _days(then: str, now: str) -> int:
    try:
        return (date.fromisoformat(now) - date.fromisoformat(then)).days
    except ValueError:
        return 0  # undated periods: as if it were today


def as_json(done: Retraining) -> dict[str, Any]:
    """For `--json`."""
    data: dict[str, Any] = json.loads(json.dumps(asdict(done)))
    return data
