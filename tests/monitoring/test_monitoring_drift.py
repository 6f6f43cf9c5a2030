"""The drift metrics against scipy, against closed forms, and by their properties."""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special, stats
from scipy.spatial import distance

from mlctl import plugins
from mlctl.monitoring.drift import (
    Metric,
    _special,
    chi_square,
    hellinger,
    jensen_shannon,
    ks,
    l_infinity,
    missing_share,
    new_categories,
    psi,
    wasserstein,
)

METRICS: dict[str, Metric] = {
    "chi-square": chi_square,
    "hellinger": hellinger,
    "jensen-shannon": jensen_shannon,
    "ks": ks,
    "l-infinity": l_infinity,
    "missing-share": missing_share,
    "new-categories": new_categories,
    "psi": psi,
    "wasserstein": wasserstein,
}
SAMPLES = [module for module in METRICS.values() if module.INPUT == "samples"]
COUNTS = [module for module in METRICS.values() if module.INPUT == "counts"]
ARRAYS = [hnp.arrays(float, st.integers(1, 40), elements=st.integers(-50, 50).map(float))] * 2
ROWS = st.integers(2, 12).flatmap(
    lambda k: st.tuples(
        *[
            hnp.arrays(float, k, elements=st.integers(0, 90).map(float)).filter(
                lambda a: a.sum() > 0
            )
        ]
        * 2
    )
)


def test_every_metric_is_a_plugin_by_its_file_name() -> None:
    assert plugins.names("mlctl.monitoring.drift") == sorted(METRICS)
    loaded = plugins.load("mlctl.monitoring.drift", "jensen-shannon", kind="drift metric")
    assert isinstance(loaded, ModuleType)
    assert loaded is METRICS["jensen-shannon"]


@pytest.mark.parametrize("df", [1, 2, 3, 9, 30, 99])
@pytest.mark.parametrize("x", [0.0, 1e-3, 0.5, 1.0, 4.0, 20.0, 90.0, 400.0])
def test_chi_square_tail_is_scipys(x: float, df: int) -> None:
    assert _special.chi_square_sf(x, df) == pytest.approx(stats.chi2.sf(x, df), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("x", [0.05, 0.2, 0.5, 0.8, 0.999, 1.0, 1.36, 2.0, 5.0])
def test_kolmogorov_tail_is_scipys(x: float) -> None:
    assert _special.kolmogorov_sf(x) == pytest.approx(special.kolmogorov(x), rel=1e-9, abs=1e-14)


@pytest.mark.parametrize(("n", "m", "shift"), [(40, 60, 0), (300, 500, 0.2), (2000, 900, 0.05)])
def test_ks_is_scipys(n: int, m: int, shift: float) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=n), rng.normal(shift, size=m)
    expected = stats.ks_2samp(a, b, method="exact" if n < 1000 else "asymp")
    found = ks.compute(a, b)
    assert found.value == pytest.approx(expected.statistic, abs=1e-12)
    assert found.p == pytest.approx(expected.pvalue, abs=0.025)


def test_ks_with_ties_has_scipys_statistic_and_is_conservative() -> None:
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(300):
        a, b = (rng.integers(0, 6, 200).astype(float) for _ in range(2))
        found = ks.compute(a, b)
        assert found.value == pytest.approx(stats.ks_2samp(a, b).statistic, abs=1e-12)
        alarms += (found.p or 0) <= 0.05
    assert alarms / 300 <= 0.05


@given(*ARRAYS)
@settings(max_examples=60, deadline=None)
def test_wasserstein_is_scipys_over_the_deviation(a: np.ndarray, b: np.ndarray) -> None:
    found = wasserstein.compute(a, b).value
    if a.min() == a.max():
        assert math.isnan(found)
    else:
        assert found == pytest.approx(stats.wasserstein_distance(a, b) / a.std(), abs=1e-9)


def test_wasserstein_of_a_shift_is_the_shift_in_deviations() -> None:
    a = np.random.default_rng(0).normal(size=500)
    assert wasserstein.compute(a, a + 0.7).value == pytest.approx(0.7 / a.std())
    assert math.isnan(wasserstein.compute(np.full(9, 0.1 + 0.2), a).value)


def test_chi_square_is_scipys_where_nothing_is_pooled() -> None:
    a, b = np.array([30.0, 50.0, 20.0, 40.0]), np.array([45.0, 35.0, 25.0, 15.0])
    expected = stats.chi2_contingency(np.vstack((a, b)), correction=False)
    found = chi_square.compute(a, b)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert chi_square.compute(a, a).p == 1.0


def test_chi_square_pools_rare_categories() -> None:
    a, b = np.array([500.0, 490.0, 2, 1, 3, 0]), np.array([520.0, 470.0, 1, 3, 2, 1])
    first, second = chi_square.pooled(a, b)
    assert first.tolist() == [500, 490, 6]
    assert second.tolist() == [520, 470, 7]
    # One new category in a thousand rows is no drift (a goodness-of-fit test says p = 0).
    found = chi_square.compute(np.array([500.0, 500.0, 0.0]), np.array([499.0, 500.0, 1.0]))
    assert found.p is not None
    assert found.p > 0.5


def test_chi_square_treats_both_rows_as_samples() -> None:
    rng = np.random.default_rng(1)
    p_values = [
        chi_square.compute(*(rng.multinomial(1000, [0.2] * 5).astype(float) for _ in range(2))).p
        for _ in range(400)
    ]
    share = np.mean([(p or 0) <= 0.05 for p in p_values])
    assert 0.02 < share < 0.08  # goodness of fit would reject a third


@given(ROWS)
@settings(max_examples=60, deadline=None)
def test_jensen_shannon_is_scipys_squared(rows: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = rows
    expected = distance.jensenshannon(a, b, base=2)
    found = jensen_shannon.divergence(a, b)
    assert found == pytest.approx(0 if math.isnan(expected) else expected**2, abs=1e-9)


@pytest.mark.parametrize("categories", [5, 50, 400])
def test_jensen_shannon_of_chance_alone_stays_small(categories: int) -> None:
    rng = np.random.default_rng(2)
    shares = np.full(categories, 1 / categories)
    values = [
        jensen_shannon.divergence(*(rng.multinomial(4000, shares).astype(float) for _ in "ab"))
        for _ in range(30)
    ]
    by_chance = (categories - 1) * (2 / 4000) / (8 * math.log(2))
    assert np.mean(values) == pytest.approx(by_chance, rel=0.2)


def test_jensen_shannon_and_psi_closed_forms() -> None:
    apart = np.array([1e6, 0.0]), np.array([0.0, 1e6])
    assert jensen_shannon.compute(*apart).value == pytest.approx(1.0, abs=1e-5)
    # Two unit normals d apart: PSI = d^2 (the symmetrised Kullback-Leibler divergence).
    rng = np.random.default_rng(4)
    edges = np.linspace(-5, 6, 60)
    counts = [np.histogram(rng.normal(d, size=400_000), edges)[0].astype(float) for d in (0, 0.5)]
    assert psi.compute(*counts).value == pytest.approx(0.25, rel=0.05)
    # Shares (0.6, 0.4) against (0.5, 0.5) by hand.
    expected = 0.1 * math.log(0.6 / 0.5) - 0.1 * math.log(0.4 / 0.5)
    found = psi.raw(np.array([6e7, 4e7]), np.array([5e7, 5e7]))
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("n", [200, 500, 2000])
def test_psi_has_its_mean_without_drift_taken_off(n: int) -> None:
    rng = np.random.default_rng(n)
    draws = [[rng.multinomial(n, [0.1] * 10).astype(float) for _ in range(2)] for _ in range(300)]
    raw = np.mean([psi.raw(*pair) for pair in draws])
    assert raw == pytest.approx(9 * 2 / n, rel=0.12)
    assert np.mean([psi.compute(*pair).value for pair in draws]) < 0.4 * raw


def test_missing_share_is_the_corrected_contingency_test() -> None:
    a, b = np.array([950.0, 50.0]), np.array([880.0, 120.0])
    found = missing_share.compute(a, b)
    assert found.value == pytest.approx(0.07)
    assert found.p == pytest.approx(stats.chi2_contingency(np.vstack((a, b))).pvalue, rel=1e-9)
    assert missing_share.compute(np.array([9.0, 0.0]), np.array([7.0, 0.0])).p == 1.0


def test_new_categories_are_a_share() -> None:
    found = new_categories.compute(np.array([5.0, 0.0, 2.0]), np.array([6.0, 3.0, 1.0]))
    assert found.value == pytest.approx(0.3)
    exact = stats.fisher_exact([[7, 0], [7, 3]], alternative="greater").pvalue
    assert found.p == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("metric", SAMPLES)
@given(*ARRAYS)
@settings(max_examples=25, deadline=None)
def test_samples_permutation_and_identity(metric: Metric, a: np.ndarray, b: np.ndarray) -> None:
    before = a.copy(), b.copy()
    found = metric.compute(a, b)
    shuffled = metric.compute(a[::-1].copy(), np.sort(b))
    assert found == shuffled or (math.isnan(found.value) and math.isnan(shuffled.value))
    same = metric.compute(a, a)
    assert math.isnan(same.value) or same.value == 0
    assert same.p in (None, 1.0)
    assert (a == before[0]).all()
    assert (b == before[1]).all()


@pytest.mark.parametrize("metric", COUNTS)
@given(ROWS)
@settings(max_examples=25, deadline=None)
def test_counts_permutation_and_identity(
    metric: Metric, rows: tuple[np.ndarray, np.ndarray]
) -> None:
    a, b = rows
    found = metric.compute(a, b)
    assert found.value >= 0
    if metric is not missing_share:  # its bins are not interchangeable
        order = np.random.default_rng(0).permutation(a.size)
        turned = metric.compute(a[order], b[order])
        assert turned.value == pytest.approx(found.value, abs=1e-9)
    assert metric.compute(a, a).value == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("metric", SAMPLES)
def test_effect_grows_with_the_shift(metric: Metric) -> None:
    a = np.random.default_rng(8).normal(size=800)
    values = [metric.compute(a, a + shift).value for shift in (0, 0.1, 0.3, 0.9, 2.0)]
    assert values == sorted(values)
    assert values[0] == 0
    assert values[-1] > 0.5


@pytest.mark.parametrize("metric", [jensen_shannon, psi, chi_square])
def test_effect_grows_with_the_moved_share(metric: Metric) -> None:
    a = np.array([400.0, 300.0, 300.0])
    values = [metric.compute(a, a + np.array([m, -m, 0])).value for m in (0, 50, 100, 200, 300.0)]
    assert values == sorted(values)
    assert values[-1] > 0.15


@pytest.mark.parametrize("metric", METRICS.values())
def test_nothing_to_compare_is_an_error(metric: Metric) -> None:
    with pytest.raises(ValueError, match="no values in the current"):
        metric.compute(np.array([1.0, 2.0]), np.array([]))


@pytest.mark.parametrize(
    ("n", "m", "digits"), [(70_000, 90_000, 9), (70_000, 90_000, 1), (200_000, 66_000, 2)]
)
@pytest.mark.parametrize("shift", [0.0, 0.02, 0.5])
def test_ks_of_large_samples_is_exact(n: int, m: int, digits: int, shift: float) -> None:
    rng = np.random.default_rng(n + digits)
    a, b = rng.normal(size=n).round(digits), rng.normal(shift, size=m).round(digits)
    assert ks.compute(a, b).value == pytest.approx(stats.ks_2samp(a, b).statistic, abs=1e-12)


@pytest.mark.parametrize("shape", ["normal", "lognormal", "exponential", "integers"])
def test_wasserstein_of_large_samples_is_within_a_thousandth(shape: str) -> None:
    rng = np.random.default_rng(5)

    def draw(size: int) -> np.ndarray:
        if shape == "integers":
            return rng.integers(0, 20, size).astype(float)
        return np.asarray(getattr(rng, shape)(size=size))

    a, b = draw(180_000), draw(120_000) * 1.1
    exact = stats.wasserstein_distance(a, b) / a.std()
    assert wasserstein.compute(a, b).value == pytest.approx(exact, abs=1e-3)
