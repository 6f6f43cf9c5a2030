"""Joint tests: they see what single columns hide, keep their false alarms, and name columns."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mlctl.monitoring.cuts import Period, PeriodCut
from mlctl.monitoring.joint import domain_classifier, mmd, pca
from mlctl.monitoring.joint._encoding import encoded, texts
from mlctl.monitoring.together import run
from monitoring.frames import Frame, spec

WORDS = (
    "the parcel came late and the box was broken but support was kind",
    "invoice payment refund card bank transfer failed twice please help",
)
TESTS = {"pca": pca, "domain_classifier": domain_classifier, "mmd": mmd}


def correlated(rows: int, seed: int, rho: float, width: int = 6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    covariance = np.full((width, width), rho) + np.eye(width) * (1 - rho)
    return rng.multivariate_normal(np.zeros(width), covariance, rows)


@pytest.mark.parametrize("name", TESTS)
def test_without_drift_p_values_are_those_of_chance(name: str):
    groups = tuple("abcdef")
    p = [
        TESTS[name].test(correlated(400, 2 * n, 0.5), correlated(300, 2 * n + 1, 0.5), groups).p
        for n in range(120)
    ]
    assert np.mean(np.array(p) <= 0.05) <= 0.125  # expected 6 of 120
    assert np.mean(np.array(p) <= 0.005) <= 0.025
    assert 0.35 < np.mean(p) < 0.65


@pytest.mark.parametrize("name", ["pca", "mmd"])
def test_broken_correlations_are_seen(name: str):
    found = TESTS[name].test(correlated(2000, 0, 0.8), correlated(1500, 1, 0.0), tuple("abcdef"))
    assert found.p < 1e-6
    assert found.value >= TESTS[name].LIMIT


@pytest.mark.parametrize("name", ["domain_classifier", "mmd"])
def test_a_shift_is_seen_and_the_column_named(name: str):
    a, b = correlated(2000, 0, 0.2), correlated(1500, 1, 0.2)
    b[:, 3] += 0.8
    found = TESTS[name].test(a, b, tuple("abcdef"))
    assert found.p < 1e-6
    assert found.value >= TESTS[name].LIMIT
    if name == "domain_classifier":
        assert found.columns[0] == "d"


def test_the_classifier_sees_a_changed_spread():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2000, 3)), rng.normal(size=(2000, 3))
    b[:, 1] *= 2.5
    found = domain_classifier.test(a, b, ("x", "y", "z"))
    assert found.value > 0.6
    assert found.columns[0] == "y"


def test_mmd_is_the_unbiased_statistic():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(30, 2)), rng.normal(1, 1, size=(20, 2))
    kernel = mmd._kernel(np.vstack((a, b)))
    xx, yy, xy = kernel[:30, :30], kernel[30:, 30:], kernel[:30, 30:]
    expected = xx.sum() / (30 * 29) + yy.sum() / (20 * 19) - 2 * xy.mean()
    assert mmd.unbiased(kernel, 30) == pytest.approx(expected, abs=1e-12)


def test_rows_become_numbers_whatever_they_hold():
    table = pl.DataFrame(
        {
            "n": [1.0, None, 3.0, float("inf")] * 50,
            "huge": [1e308, -1e308, 0.0, 1.0] * 50,
            "constant": [2.5] * 200,
            "word": ["a", "b", None, "c"] * 50,
            "gone": pl.Series([None] * 200, dtype=pl.Float64),
            "day": ["2026-05-01"] * 200,
        }
    )
    a, b, groups = encoded(table, table, table.columns)
    assert np.isfinite(a).all()
    assert (a == b).all()
    assert set(groups) == {"n", "word", "day"}


def result(table: pl.DataFrame, other: pl.DataFrame, **more: object):
    here = Frame(other)
    cut = PeriodCut(Period("p"), None, None, here.ref)
    columns = [(name, "feature") for name in table.columns]
    return run(spec(**more), columns, Frame(table), here, cut)  # type: ignore[arg-type]


def test_texts_and_embeddings_are_tested_on_their_own():
    rng = np.random.default_rng(2)
    words = np.array(
        [
            "the",
            "parcel",
            "came",
            "late",
            "and",
            "the",
            "box",
            "was",
            "broken",
            "but",
            "support",
            "was",
            "kind",
        ]
    )
    other = np.array(
        [
            "invoice",
            "payment",
            "refund",
            "card",
            "bank",
            "transfer",
            "failed",
            "twice",
            "please",
            "help",
        ]
    )

    def table(vocabulary: np.ndarray, shift: float) -> pl.DataFrame:
        said = [" ".join(rng.choice(vocabulary, 12)) for _ in range(300)]
        vectors = rng.normal(shift, 1, (300, 8)).tolist()
        return pl.DataFrame({"said": said, "vector": vectors, "n": rng.normal(size=300)})

    calm = result(table(words, 0.0), table(words, 0.0))
    moved = result(table(words, 0.0), table(other, 0.7))
    assert {t.metric for t in calm} == {
        f"{test} of {name}" for test in ("domain_classifier", "mmd") for name in ("said", "vector")
    }
    assert min(t.p or 0 for t in calm) > 1e-3
    assert max(1 if t.p is None else t.p for t in moved) < 1e-4


def test_hashed_texts_do_not_depend_on_the_process():
    found = texts(pl.Series(["Grüße", "", None]))
    assert found.shape == (3, 256)
    assert np.flatnonzero(found[0]).tolist() == [6, 9, 62, 130, 181, 201, 245]
    assert (found[1] == found[2]).all()


def test_what_cannot_be_tested_says_why():
    table = pl.DataFrame({"x": [1.0, 2.0] * 10, "y": [2.0, 1.0] * 10})
    (few,) = result(table, table, joint=("pca",))
    assert (few.p, few.note) == (None, "20 rows, 30 are needed")
    here = Frame(table)
    cut = PeriodCut(Period("p"), None, None, here.ref)
    (without,) = run(spec(joint=("mmd",)), [("x", "feature")], None, here, cut)
    assert without.note == "unavailable: needs the rows"
    single = pl.DataFrame({"x": np.arange(100.0)})
    (one,) = result(single, single, joint=("pca",))
    assert one.note == "needs two columns"
