"""Runs in which code, parameters and data come from two runs, each made once and remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mlctl.errors import InvalidInput, MlctlError, suggestion
from mlctl.experiments.again.attribution import Mixture, Part, attribute, mixtures, rest
from mlctl.experiments.again.building import programs_of
from mlctl.experiments.again.difference import changes, data_changes
from mlctl.experiments.again.memory import Key, Memory
from mlctl.experiments.again.reproducing import How, Recipe, reproduce
from mlctl.experiments.again.side import Side, environment_text, packages_in
from mlctl.experiments.again.verifying import code_that_differs
from mlctl.experiments.environment import environment
from mlctl.experiments.naming import flat
from mlctl.experiments.table import metric_names
from mlctl.pipeline.events import Emit

CODE, DATA, PARAMS, PACKAGES = "code", "data", "params", "packages"


class Interrupted(Exception):
    """A counterfactual run was ended by a signal."""

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.signal = signal


@dataclass(frozen=True, slots=True)
class Trial:
    """One mixture: its metric, None where there is none, for `reason`.

    `source` is `record` (it is one of the two runs), `remembered`, `run`, or `to run`.
    """

    mixture: Mixture
    source: str
    value: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """The answer: the metric in both runs, the parts of the change, and what is left.

    `rest` is what the factors do not explain: packages, the machine, and chance. It is None where
    both runs had the packages that are installed, or where a run gave no value. `other_packages`
    says that the two runs had different ones.
    """

    metric: str
    old: float
    new: float
    parts: tuple[Part, ...]
    rest: float | None
    other_packages: bool
    trials: tuple[Trial, ...]


def factors_of(root: str, a: Side, b: Side) -> tuple[str, ...]:
    """Which of code, data and parameters differ between two runs."""
    found = []
    commands = {s.address: s.cmd for s in a.commands} != {s.address: s.cmd for s in b.commands}
    params = bool(changes(_read(a), _read(b)))
    code = bool(code_that_differs(root, a, b))
    if code:
        found.append(CODE)
    if any(change.kind == DATA for change in data_changes(a, b)):
        found.append(DATA)
    if params or (commands and not code):  # a template puts parameters into commands
        found.append(PARAMS)
    return tuple(found)


def choose_metric(a: Side, b: Side, name: str | None) -> str:
    """The metric asked for, or the most telling one that differs.

    Raises InvalidInput where a run does not have it, or none differs.
    """
    both = [n for n in metric_names([a.head, b.head]) if n in a.metrics and n in b.metrics]
    both += sorted(a.metrics.keys() & b.metrics.keys() - set(both))
    if name is not None:
        if name not in both:
            raise InvalidInput(f"no metric {name!r} in both runs", hint=suggestion(name, both))
        return name
    differing = [n for n in both if changes({n: a.metrics[n]}, {n: b.metrics[n]})]
    if not differing:
        raise InvalidInput("no metric differs between the two runs", hint="see `mlctl exp diff`")
    return differing[0]


def explain(
    root: str,
    a: Side,
    b: Side,
    metric: str,
    how: How,
    emit: Emit,
    *,
    packages: bool = False,
    dry: bool = False,
) -> Why:
    """Attribute the change of `metric` from `a` to `b` to what differs between them.

    Makes the runs that it takes, or with `dry` only says which. With `packages` those of each run
    are installed and exchanged, too; else all runs have those that are installed. Raises NotAble
    where they cannot be installed, and Interrupted.
    """
    others = bool(changes(a.packages or {}, b.packages or {}))
    factors = factors_of(root, a, b)
    installed = environment()
    exchanged = packages and others
    if exchanged:
        factors = (*factors, PACKAGES)
    homes = _homes(root, a, b, dry) if exchanged else {}
    ask = _Trials(root, a, b, factors, metric, how, emit, installed, homes, dry)
    trials = ask.all() if factors else ()
    values: Mapping[Mixture, float | None] = {trial.mixture: trial.value for trial in trials}
    whole = b.metrics[metric] - a.metrics[metric]
    if not factors:
        left: float | None = whole
    else:
        known = exchanged or all(_has(side, installed) for side in (a, b))
        left = None if known else rest(values, factors, whole)
    parts = attribute(factors, values, whole)
    return Why(metric, a.metrics[metric], b.metrics[metric], parts, left, others, trials)


@dataclass(frozen=True, slots=True)
class _Home:
    """An environment that was made for runs: its folder of programs, and its packages."""

    programs: str
    text: str | None


def _homes(root: str, a: Side, b: Side, dry: bool) -> dict[str, _Home]:
    """The environment of each of the two runs, by the run's id."""
    return {
        side.head.id: _Home(
            "" if dry else programs_of(root, side.head), environment_text(root, side.head)
        )
        for side in (a, b)
    }


@dataclass(frozen=True, slots=True)
class _Trials:
    """The runs that an answer takes.

    They have the packages `installed` here, or where `homes` are made those of one of the two runs.
    """

    root: str
    a: Side
    b: Side
    factors: tuple[str, ...]
    metric: str
    how: How
    emit: Emit
    installed: str | None
    homes: Mapping[str, _Home]
    dry: bool

    def all(self) -> tuple[Trial, ...]:
        """One for each mixture of the factors."""
        return tuple(self._trial(mixture) for mixture in mixtures(self.factors))

    def _trial(self, mixture: Mixture) -> Trial:
        for side, whole in ((self.a, frozenset()), (self.b, frozenset(self.factors))):
            if mixture == whole and (self.homes or _has(side, self.installed)):
                return Trial(mixture, "record", side.metrics[self.metric])
        code, params, data, packages = (
            self.b if name in mixture else self.a for name in (CODE, PARAMS, DATA, PACKAGES)
        )
        home = self.homes.get(packages.head.id)
        memory = Memory(self.root, home.text if home else self.installed)
        key = Key(code.head.id, params.head.id, data.head.id)
        found = memory.recall(key)
        if found is not None:
            return self._outcome(mixture, "remembered", found)
        if self.dry:
            return Trial(mixture, "to run")
        recipe = Recipe(code, params, data, everything=True)
        how = replace(self.how, programs=home.programs) if home else self.how
        try:
            rerun = reproduce(self.root, recipe, how, self.emit)
        except MlctlError as error:
            return Trial(mixture, "run", None, error.message)
        if rerun.signal is not None:
            raise Interrupted(rerun.signal)
        if rerun.status != "finished":
            return Trial(mixture, "run", None, f"{', '.join(rerun.side.head.failed)} failed")
        memory.keep(key, rerun.side.metrics)
        return self._outcome(mixture, "run", rerun.side.metrics)

    def _outcome(self, mixture: Mixture, source: str, metrics: Mapping[str, float]) -> Trial:
        value = metrics.get(self.metric)
        reason = None if value is not None else f"it made no {self.metric}"
        return Trial(mixture, source, value, reason)


def _has(side: Side, packages: str | None) -> bool:
    """Whether the run had the packages that runs see now, as far as that is known."""
    now = packages_in(packages)
    return side.packages is None or now is None or side.packages == now


def _read(side: Side) -> dict[str, object]:
    """The parameters that stages declare, by stage, file and dotted name."""
    return {
        f"{stage.address} {file}:{name}": value
        for stage in side.stages
        for file, values in stage.params.items()
        for name, value in flat(values).items()
    }
