"""Thinned metrics: what a curve is known by survives, and the size holds."""

import math
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.records.run_metrics import StepLine, parse_steps, series_of, steps_text, summaries
from mlctl.records.run_thinning import LIMIT, thinned

VALUES = st.sampled_from([0.0, 1.0, -1.0, 0.25, 3.5, -7.25, math.nan, math.inf, -math.inf])
LINES = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(["loss", "auc", "lr"]), VALUES, min_size=1),
        st.sampled_from([None, "train", "evaluate"]),
        st.integers(0, 1),
    ),
    max_size=300,
).map(
    lambda rows: [
        StepLine(metrics, step, step * 0.5, stage, rank)
        for step, (metrics, stage, rank) in enumerate(rows)
    ]
)


def counts(lines: list[StepLine]) -> dict[object, int]:
    return {key: found.count for key, found in summaries(lines).items()}


def said(lines: list[StepLine]) -> dict[object, str]:
    """What a series is known by, but for how many points it has; NaN is itself."""
    found = {}
    for key, summary in summaries(lines).items():
        it = summary.series()
        found[key] = repr((it.last, it.min, it.max, it.min_step, it.max_step))
    return found


def firsts(lines: list[StepLine]) -> dict[object, str]:
    found: dict[object, str] = {}
    for it in lines:
        for metric, value in it.metrics.items():
            found.setdefault((it.stage, it.rank, metric), repr((it.step, it.t, value)))
    return found


@given(LINES, st.integers(8_000, 14_000))
@settings(max_examples=80, deadline=None)
def test_ends_and_extremes_survive_in_their_order_and_the_size_holds(
    lines: list[StepLine], limit: int
) -> None:
    text = thinned(lines, counts(lines), limit)
    kept = list(parse_steps(text, name="metrics.jsonl"))
    assert len(text.encode()) <= limit
    assert (said(kept), firsts(kept)) == (said(lines), firsts(lines))
    steps = [it.step for it in kept]
    assert steps == sorted(set(steps))
    whole = {it.step: it for it in lines}
    for it in kept:
        assert (it.t, it.stage, it.rank) == (
            whole[it.step].t, whole[it.step].stage, whole[it.step].rank,
        )  # fmt: skip
        assert all(
            repr(value) == repr(whole[it.step].metrics[n]) for n, value in it.metrics.items()
        )


@given(LINES)
@settings(max_examples=20, deadline=None)
def test_what_is_small_enough_stays_whole(lines: list[StepLine]) -> None:
    assert thinned(lines, counts(lines)) == steps_text(lines)


def test_a_long_curve_keeps_its_shape_and_uses_its_room() -> None:
    lines = [
        StepLine({"loss": math.sin(step / 5000) + step % 7 / 100, "lr": 0.1}, step, step / 10)
        for step in range(60_000)
    ]
    lines[31_234] = StepLine({"loss": 99.0, "lr": 0.1}, 31_234, 3123.4)
    text = thinned(iter(lines), counts(lines))
    kept = parse_steps(text, name="metrics.jsonl")
    assert LIMIT / 3 < len(text.encode()) <= LIMIT
    loss = [(it.step, it.metrics["loss"]) for it in kept if "loss" in it.metrics]
    assert (31_234, 99.0) in loss
    gaps = [later[0] - step for (step, _), later in pairwise(loss)]
    assert max(gaps) < 500


def test_of_too_many_series_the_first_by_name_are_kept() -> None:
    lines = [
        StepLine({f"m{number:04}": float(step)}, step, 0.0)
        for number in range(500)
        for step in range(3)
    ]
    text = thinned(lines, counts(lines), 20_000)
    kept = series_of(summaries(parse_steps(text, name="metrics.jsonl")))
    assert 15_000 < len(text.encode()) <= 20_000
    assert list(kept) == [f"m{number:04}" for number in range(len(kept))]


def test_nothing_makes_nothing() -> None:
    assert thinned([], {}) == ""
