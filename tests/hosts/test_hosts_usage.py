"""What is said of a job's GPUs."""

import pytest

from mlctl.hosts.agent.usage import POINTS, summary


def sample(time, busy, power, used=100.0):
    return {"time": time, "gpus": [{"name": "H100", "busy": busy, "power": power, "used": used}]}


def test_energy_is_the_integral_of_power():
    (gpu,) = summary([sample(10, 0, 100.0), sample(20, 50, 300.0), sample(40, 100, 300.0)])
    assert gpu["energy"] == pytest.approx((10 * 200 + 20 * 300) / 3600, abs=1e-3)
    assert gpu["busy"] == 50.0
    assert gpu["curve"]["seconds"] == [0, 10, 30]


def test_what_the_driver_does_not_tell_is_not_made_up():
    (gpu,) = summary([sample(0, None, None, None), sample(1, None, None, None)])
    assert (gpu["busy"], gpu["memory"], gpu["energy"]) == (None, None, None)


@pytest.mark.parametrize("count", [1, POINTS, POINTS + 1, 10_000])
def test_a_curve_is_short(count):
    (gpu,) = summary([sample(second, 50, 100.0) for second in range(count)])
    assert 1 <= len(gpu["curve"]["seconds"]) <= POINTS
    assert gpu["energy"] == pytest.approx((count - 1) * 100 / 3600, abs=1e-3)


def test_no_samples_say_nothing():
    assert summary([]) == []
