"""How `mlctl exp why` shows what made a metric change."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict

from mlctl.cli._output import print_json, say
from mlctl.cli._text import count
from mlctl.cli._values import number, print_table
from mlctl.experiments.again.counterfactual import Why
from mlctl.experiments.again.side import Side
from mlctl.records.canonical import plain
from mlctl.records.ulid import short_form

_DIGITS = 5


def print_why(old: Side, new: Side, why: Why, *, json: bool, dry: bool) -> None:
    """The parts of the change; with `dry` the runs that are still to be made."""
    a, b = short_form(old.head.id), short_form(new.head.id)
    if json:
        trials = [{**asdict(trial), "mixture": sorted(trial.mixture)} for trial in why.trials]
        data = plain({**asdict(why), "trials": trials})
        print_json("exp.why", {"a": old.head.id, "b": new.head.id, **data})
        return
    if dry:
        _say_runs(a, b, why)
        return
    say(f"{why.metric}  {_text(why.old)} → {_text(why.new)}  ({why.new - why.old:+.{_DIGITS}g})")
    rows = [
        [part.factor, _text(part.alone), _signed(part.contribution), _percent(part.share)]
        for part in why.parts
    ]
    if why.rest is not None:
        name = "packages and the rest" if why.other_packages else "the rest"
        whole = why.new - why.old
        rows.append(
            [name, "not run", _signed(why.rest), _percent(why.rest / whole if whole else None)]
        )
    if rows:
        print_table(["From", f"Only that of {b}", "Part", "Share"], rows, right=(1, 2, 3))
    for trial in why.trials:
        if trial.reason is not None:
            say(f"no value for {_mixture(trial.mixture, a, b)}: {trial.reason}")
    if not why.parts:
        say("Code, data and parameters are the same: packages, the machine or chance made it.")


def _say_runs(a: str, b: str, why: Why) -> None:
    wanted = [trial for trial in why.trials if trial.source == "to run"]
    if not wanted:
        say("No run is needed.")
        return
    say(f"It takes {count(len(wanted), 'run')}:")
    for trial in wanted:
        say(f"  {_mixture(trial.mixture, a, b)}")


def _mixture(factors: Collection[str], a: str, b: str) -> str:
    """`K3F9QZ with the code and data of M2D4XX`."""
    if not factors:
        return f"{a} with the packages that are installed"
    return f"{a} with the {' and '.join(sorted(factors))} of {b}"


def _text(value: float | None) -> str:
    return number(value, _DIGITS)


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.{_DIGITS}g}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
