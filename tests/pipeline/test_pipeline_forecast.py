from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.pipeline.forecast import forecast, waves
from mlctl.pipeline.plan import Reason, Step
from mlctl.pipeline.spec import Settings, Stage


def step(
    name: str, *needs: str, seconds: float | None = 1.0, changed: bool = True, mutex: str = ""
) -> Step:
    made = Stage("dvc.yaml", name, settings=Settings(mutex=(mutex,) if mutex else ()))
    return Step(made, (Reason("forced"),) if changed else (), needs, seconds)


def names(steps: list[list[Step]]) -> list[list[str]]:
    return [[s.stage.address for s in wave] for wave in steps]


def test_waves_skip_what_is_unchanged() -> None:
    steps = [step("a", changed=False), step("b", "a"), step("c", "a"), step("d", "b", "c")]
    assert names(waves(steps)) == [["b", "c"], ["d"]]
    assert waves([steps[0]]) == []


def test_forecast_uses_the_jobs() -> None:
    steps = [
        step("a", seconds=3),
        step("b", seconds=2),
        step("c", seconds=2),
        step("d", "a", seconds=1),
    ]
    assert forecast(steps, 1).seconds == 8
    assert forecast(steps, 2).seconds == 4
    assert forecast(steps, 9).seconds == 4


def test_mutexes_keep_stages_apart() -> None:
    steps = [step("a", seconds=3, mutex="db"), step("b", seconds=3, mutex="db")]
    assert forecast(steps, 2).seconds == 6


def test_unknown_times_are_named() -> None:
    made = forecast([step("a", seconds=None), step("b", seconds=2)], 1)
    assert (made.seconds, made.unknown) == (2, ("a",))
    assert forecast([step("a", seconds=None)], 1).seconds is None
    assert forecast([step("a", changed=False)], 1).seconds == 0


@given(st.lists(st.sets(st.integers(0, 30), max_size=3), max_size=15), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_the_forecast_lies_between_the_longest_chain_and_the_sum(
    needs: list[set[int]], jobs: int
) -> None:
    steps = [
        step(f"s{i}", *(f"s{n}" for n in sorted(need) if n < i), seconds=i % 4 + 1)
        for i, need in enumerate(needs)
    ]
    finish: dict[str, float] = {}
    for one in steps:
        start = max((finish[n] for n in one.needs), default=0.0)
        finish[one.stage.address] = start + (one.expected or 0)
    total = sum(one.expected or 0 for one in steps)
    found = forecast(steps, jobs).seconds
    assert found is not None
    assert max([total / jobs, *finish.values()], default=0) <= found <= total
    placed = [a for wave in names(waves(steps)) for a in wave]
    assert sorted(placed) == sorted(one.stage.address for one in steps)
