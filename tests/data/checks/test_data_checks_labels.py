"""Columns that give the label away, and labels that are spread otherwise in a later split."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from data.checks.tables import rows_of
from data.defects.clean import CLEAN
from mlctl.data.checks import labels, target
from mlctl.data.checks.finding import Finding

NO = [True, False]


def table(seed: int = 1, rows: int = 4000) -> pl.DataFrame:
    source = random.Random(seed)
    made = []
    for i in range(rows):
        churn = source.random() < 0.2
        made.append(
            {
                "id": i * 2 + churn,
                "churn": "yes" if churn else "no",
                "age": source.randint(18, 90),
                "spent": source.gauss(30 if churn else 50, 20),
                "plan": source.choice(["free", "paid"]),
                "left_on": i if churn else None,
                "reason": source.choice(["price", "moved"]) if churn else None,
                "refund": source.gauss(40, 5) if churn else source.gauss(0, 5),
                "status": source.choice(["gone", "lost"] if churn else ["here", "new"]),
                "copy": "yes" if churn else "no",
            }
        )
    return pl.DataFrame(made, infer_schema_length=None)


def telling(frame: pl.DataFrame, label: str, least: float = 0.98) -> list[Finding]:
    return target.telling(rows_of({"": [frame]}), label, least, excluded={"id"})


def test_columns_that_tell_the_label_are_named_with_the_reason() -> None:
    found = {item.column: item.detail or "" for item in telling(table(), "churn")}
    assert sorted(found) == ["copy", "left_on", "reason", "refund", "status"]
    assert found["left_on"].startswith("whether left_on is missing alone tells churn: AUC 1.0000")
    assert found["reason"].startswith("whether reason is missing alone")
    assert found["status"].startswith("status alone tells churn: AUC 1.0000 on ")
    assert found["copy"].startswith("is a copy of churn")
    assert found["refund"].endswith("held-out rows; is it known before churn is?")


def test_a_lower_limit_finds_more_and_a_column_that_helps_is_no_leak() -> None:
    assert "spent" in {item.column for item in telling(table(), "churn", 0.7)}
    frame = table().select("id", "churn", "age", "spent", "plan")
    assert not telling(frame, "churn")


@pytest.mark.parametrize("rank", [lambda x: x, lambda x: -(x**3), lambda x: abs(x)])
def test_a_number_as_label(rank: Any) -> None:
    source = np.random.default_rng(3)
    y = source.normal(size=6000)
    frame = pl.DataFrame(
        {"y": [rank(v) for v in y], "leak": y + source.normal(size=6000) * 1e-3,
         "near": y + source.normal(size=6000), "other": source.normal(size=6000)}
    )  # fmt: skip
    (found,) = telling(frame, "y")
    assert found.column == "leak"
    assert "R² of the ranks 0.9" in (found.detail or "")


def test_few_rows_and_one_class_prove_nothing() -> None:
    assert not telling(table(rows=60), "churn")
    assert not telling(table().with_columns(churn=pl.lit("no")), "churn")
    assert not telling(table().with_columns(churn=pl.lit(None, pl.String)), "churn")


@pytest.mark.parametrize(
    "name", ["iris", "wine", "breast-cancer", "diabetes", "digits", "sensor", "orders", "survey"]
)
def test_clean_tables_have_no_leak(name: str) -> None:
    frame = CLEAN[name]()
    label = {"sensor": "ok", "orders": "channel", "survey": "q1"}.get(name, "target")
    if name == "survey":
        frame = frame.drop("respondent")
    assert not target.telling(rows_of({"": [frame]}), label, 0.98, excluded={"order_id"})


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=2, max_size=200), st.data())
def test_auc_is_that_of_scikit_learn(scores: list[int], data: st.DataObject) -> None:
    from sklearn.metrics import roc_auc_score

    truth = np.array(data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores))))
    truth[:2] = NO
    assert target.auc(np.array(scores), truth) == pytest.approx(roc_auc_score(truth, scores))


COUNTS = st.dictionaries(st.integers(0, 6), st.integers(1, 1000), min_size=1)


@settings(deadline=None)
@given(COUNTS, COUNTS)
def test_the_distance_is_that_of_scipy(one: dict[int, int], other: dict[int, int]) -> None:
    names = sorted(one.keys() | other.keys())
    p, q = ([counts.get(name, 0) for name in names] for counts in (one, other))
    ours = labels.distance(Counter(one), Counter(other))
    assert ours == pytest.approx(float(jensenshannon(p, q, base=2)), abs=1e-6)


def test_chance_is_not_taken_for_a_change() -> None:
    """One in a thousand of pairs of samples of one distribution is allowed to be."""
    source = np.random.default_rng(4)
    shares = [0.4, 0.3, 0.2, 0.05, 0.05]
    wrong = 0
    for _ in range(3000):
        one, other = (Counter(dict(enumerate(source.multinomial(300, shares)))) for _ in NO)
        wrong += labels.is_certain(labels.distance(one, other), one, other)
    assert wrong <= 3000 * 0.004


def splits(first: dict[str, int], second: dict[str, int]) -> Any:
    frames = [pl.DataFrame({"y": list(Counter(c).elements())}) for c in (first, second)]
    return rows_of({"train": [frames[0]], "test": [frames[1]]})


def test_changed_labels_are_told_with_the_shares_that_moved_most() -> None:
    rows = splits({"a": 900, "b": 90, "c": 10}, {"a": 500, "b": 400, "c": 100})
    (found,) = labels.changed(rows, "y", 0.1, shows_values=True)
    assert (found.check, found.column) == ("labels of test as of train", "y")
    apart = jensenshannon([900, 90, 10], [500, 400, 100], base=2)
    assert found.detail == (
        f"Jensen-Shannon distance {apart:.3f}: a: 90.0% of train, 50.0% of test; "
        "b: 9.0% of train, 40.0% of test; c: 1.0% of train, 10.0% of test"
    )
    (hidden,) = labels.changed(rows, "y", 0.1, shows_values=False)
    assert hidden.detail == f"Jensen-Shannon distance {apart:.3f}"
    assert not labels.changed(rows, "y", 0.9, shows_values=True)


def test_few_labels_are_not_judged() -> None:
    assert not labels.changed(splits({"a": 40}, {"b": 40}), "y", 0.1, shows_values=True)
    assert not labels.changed(
        splits({str(n): 1 for n in range(49)}, {"a": 49}), "y", 0.1, shows_values=True
    )


def test_numbers_are_compared_in_tenths_of_the_first_split() -> None:
    source = np.random.default_rng(5)
    first = pl.DataFrame({"y": source.normal(size=5000)})
    same, moved = (pl.DataFrame({"y": source.normal(m, size=3000)}) for m in (0.0, 1.0))
    assert not labels.changed(rows_of({"a": [first], "b": [same]}), "y", 0.1, shows_values=True)
    (found,) = labels.changed(rows_of({"a": [first], "b": [moved]}), "y", 0.1, shows_values=True)
    cuts = np.quantile(first["y"], np.arange(0.1, 1, 0.1))
    binned = [np.bincount(np.searchsorted(cuts, f["y"]), minlength=10) for f in (first, moved)]
    said = float((found.detail or "").split()[2].rstrip(":"))
    assert ": over 1.30" in (found.detail or "")  # the last tenth of the first
    assert math.isclose(said, jensenshannon(*binned, base=2), abs_tol=0.005)
