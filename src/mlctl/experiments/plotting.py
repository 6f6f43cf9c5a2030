"""The curves of some runs, chosen by name, and the drawing of them as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mlctl.errors import InvalidInput, suggestion
from mlctl.experiments.comparing import choose, curves_by_metric
from mlctl.experiments.curve_forms import smoothed
from mlctl.experiments.curves import Curve, load_curves
from mlctl.experiments.query import short_ids
from mlctl.experiments.search import Search
from mlctl.records.run import RunHead
from mlctl.reports import html
from mlctl.reports.markup import Html
from mlctl.reports.plots import Series, lines, stacked

_MINUTES, _HOURS = 600.0, 4 * 3600.0  # seconds from which on an axis counts in these


@dataclass(frozen=True, slots=True)
class Plotted:
    """The runs, what each is called, and of each metric the curve of every run, or None."""

    heads: tuple[RunHead, ...]
    names: tuple[str, ...]
    curves: Mapping[str, tuple[Curve | None, ...]]


def plotted(
    root: str, runs: Sequence[str], metrics: Sequence[str] = (), weight: float = 0.0
) -> Plotted:
    """The curves of the runs that `runs` name, smoothed where `weight` is not 0.

    `metrics` are names or patterns; without any it is all. Raises InvalidInput for a run that is
    not there, for a metric that none of them logged, and where they logged nothing.
    """
    chosen = choose(root, runs, Search())
    heads = tuple(chosen.heads)
    short = short_ids([head.id for head in heads])
    names = tuple(
        f"{short[head.id]} {head.name}" if head.name else short[head.id] for head in heads
    )
    curves = curves_by_metric([load_curves(root, head.id) for head in heads])
    if not curves:
        them = "the run" if len(heads) == 1 else "the runs"
        raise InvalidInput(
            f"{them} logged no metrics over steps ({', '.join(names)})",
            hint="a stage logs them by mlctl.log(loss=0.3, step=1); the last values are in "
            "`mlctl exp show`",
        )
    wanted = chosen_metrics(list(curves), metrics)
    return Plotted(heads, names, {name: _smoothed(curves[name], weight) for name in wanted})


def chosen_metrics(known: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The names that `wanted` (names or patterns) mean, in their order; all where it is empty."""
    for pattern in wanted:
        if not matching(known, [pattern]):
            raise InvalidInput(f"no metric {pattern!r} is logged", hint=suggestion(pattern, known))
    return matching(known, wanted) if wanted else list(known)


def matching(known: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The names in `known` that are, or match, one of `wanted`; in the order of these."""
    return list(
        dict.fromkeys(
            name
            for pattern in wanted
            for name in known
            if name == pattern or fnmatchcase(name, pattern)
        )
    )


def drawing(it: Plotted, axis: str) -> str:
    """An SVG file of one chart for each metric, below one another."""
    return str(stacked([(name, chart) for name, chart in _charts(it, axis, width=720)]))


def drawing_page(it: Plotted, axis: str) -> str:
    """An HTML page of one chart for each metric, beside one another where there is room."""
    figures = [html.figure(chart, name) for name, chart in _charts(it, axis, width=500)]
    subtitle = ", ".join(it.names)
    return html.page("Curves", subtitle, [html.Section("Metrics", html.grid(figures))])


def _charts(it: Plotted, axis: str, width: int) -> list[tuple[str, Html]]:
    unit, size = _unit(it) if axis == "time" else ("step", 1.0)
    return [
        (
            metric,
            lines(
                [
                    Series(name, [x / size for x in across(curve, axis)], list(curve.values))
                    for name, curve in zip(it.names, curves, strict=True)
                    if curve
                ],
                x_label=unit,
                title=metric,
                width=width,
            ),
        )
        for metric, curves in it.curves.items()
    ]


def across(curve: Curve, axis: str) -> tuple[float, ...]:
    """What runs along the axis `step` or `time`, in steps or seconds."""
    return curve.times if axis == "time" else curve.steps


def _unit(it: Plotted) -> tuple[str, float]:
    longest = max(curve.times[-1] for of in it.curves.values() for curve in of if curve)
    if longest < _MINUTES:
        return "seconds", 1.0
    return ("minutes", 60.0) if longest < _HOURS else ("hours", 3600.0)


def _smoothed(curves: Sequence[Curve | None], weight: float) -> tuple[Curve | None, ...]:
    return tuple(smoothed(curve, weight) if curve and weight else curve for curve in curves)
