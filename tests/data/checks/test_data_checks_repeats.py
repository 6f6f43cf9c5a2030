"""Repeated rows, shared keys and times out of order are those that a plain search finds."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.checks.tables import rows_of
from mlctl.adapters.spill import Spill
from mlctl.adapters.tables import Part
from mlctl.data.checks import duplicates, leakage
from mlctl.data.checks.finding import Finding
from mlctl.data.checks.rows import Rows
from mlctl.data.checks.similarity import MISSED, _draws, shape
from mlctl.data.contracts.counting import Source
from mlctl.data.contracts.model import Duplicates, NearDuplicates
from mlctl.errors import Busy

VALUES = st.tuples(st.none() | st.integers(0, 2), st.none() | st.sampled_from(["a", "b", ""]))
FILES = st.lists(st.lists(VALUES, max_size=12), min_size=1, max_size=2)
SPLITS = st.fixed_dictionaries({"train": FILES, "test": FILES}, optional={"valid": FILES})
Told = dict[tuple[str, int], tuple[int, tuple[int, ...]]]


@pytest.fixture
def spill(tmp_path: Path) -> Iterator[Spill]:
    with Spill(str(tmp_path)) as found:
        yield found


def frames(splits: dict[str, list[list[Any]]]) -> Rows:
    schema = {"n": pl.Int64, "t": pl.String}
    return rows_of(
        {
            name: [pl.DataFrame(file, schema=schema, orient="row") for file in files]
            for name, files in splits.items()
        }
    )


def told(findings: list[Finding]) -> Told:
    assert all(f.source is not None for f in findings)
    return {(f.check, f.source or 0): (f.count, f.rows) for f in findings}


def searched(splits: dict[str, list[list[Any]]], check: str, *, across_only: bool) -> Told:
    """Each row against all earlier ones."""
    every: list[tuple[int, int, Any]] = []  # split, source, values
    source = 0
    for split, files in enumerate(splits.values()):
        for file in files:
            every += [(split, source, values) for values in file]
            source += 1
    names, found = list(splits), {}
    for at, (split, source, values) in enumerate(every):
        if across_only and None in values:
            continue
        earlier = {of for of, _, other in every[:at] if other == values}
        for of in earlier - ({split} if across_only else set()):
            said = f"in {names[split]}" if of == split else f"of {names[of]} in {names[split]}"
            found.setdefault((f"{check} {said}", source), []).append(at)
    return {key: (len(at), tuple(at[:10])) for key, at in found.items()}


@settings(max_examples=60, deadline=None)
@given(SPLITS)
def test_duplicates_are_all_rows_that_equal_an_earlier_one(
    tmp_path_factory: pytest.TempPathFactory, splits: Any
) -> None:
    with Spill(str(tmp_path_factory.mktemp("s"))) as spill:
        found = duplicates.exact(frames(splits), Duplicates(), spill)
    assert told(found) == searched(splits, "duplicates", across_only=False)


@settings(max_examples=60, deadline=None)
@given(SPLITS)
def test_shared_keys_are_all_rows_whose_key_stands_in_an_earlier_split(splits: Any) -> None:
    found = leakage.keys(frames(splits), ["n", "t"])
    assert told(found) == searched(splits, "leakage of key n, t", across_only=True)


@settings(max_examples=60, deadline=None)
@given(SPLITS)
def test_equal_texts_and_numbers_are_near(
    tmp_path_factory: pytest.TempPathFactory, splits: Any
) -> None:
    """With a similarity of 1, near-duplicates are duplicates."""
    with Spill(str(tmp_path_factory.mktemp("s"))) as spill:
        found = duplicates.near(frames(splits), NearDuplicates(("n", "t"), 1.0), spill)
    check = "near-duplicates 1 in n, t"
    assert told(found) == searched(splits, check, across_only=False)


def test_more_hashes_than_memory_holds(spill: Spill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "_HASHES", 500)
    monkeypatch.setattr(duplicates, "_AT_ONCE", 100)
    values = [*range(5000), *range(0, 5000, 10)]
    splits = {
        "train": [pl.DataFrame({"n": values[:4000]})],
        "test": [pl.DataFrame({"n": values[4000:]})],
    }
    found = told(duplicates.exact(rows_of(splits), Duplicates(), spill))
    first = 4000 + 1000  # rows 0 to 999 of test are new
    assert found == {
        ("duplicates of train in test", 1): (400, tuple(range(first, first + 10))),
        ("duplicates in test", 1): (100, tuple(range(first + 400, first + 410))),
    }


def test_a_share_of_duplicates_may_be_allowed_and_messages_name_both_rows(spill: Spill) -> None:
    rows = rows_of({"": [pl.DataFrame({"n": [*range(99), 7]})]})
    assert not duplicates.exact(rows, Duplicates(max=0.01), spill)
    (found,) = duplicates.exact(rows, Duplicates(max=0.009), spill)
    assert (found.check, found.count, found.share, found.rows) == ("duplicates", 1, 0.01, (99,))
    assert found.detail == "1 of 100 rows (1.00%): row 100 as row 8 of 0"


def test_named_columns_and_nested_values(spill: Spill) -> None:
    frame = pl.DataFrame({"id": [1, 2, 3], "v": [[1, 2], [1, 3], [1, 2]]})
    rows = rows_of({"": [frame]})
    assert not duplicates.exact(rows, Duplicates(), spill)
    (found,) = duplicates.exact(rows, Duplicates(("v",)), spill)
    assert (found.check, found.rows) == ("duplicates in v", (2,))


WORDS = ["".join(random.Random(n).choices("abcdefghij", k=3 + n % 6)) for n in range(400)]


def sentence(source: random.Random) -> str:
    return " ".join(source.choices(WORDS, k=source.randint(8, 20)))


def edited(source: random.Random, text: str) -> str:
    characters = list(text)
    for _ in range(source.randint(1, 2)):
        characters[source.randrange(len(text))] = source.choice("xyz")
    return "".join(characters)


def jaccard(one: str, other: str) -> float:
    a, b = ({t[i : i + 5] for i in range(len(t) - 4)} for t in (one, other))
    return len(a & b) / len(a | b)


@pytest.mark.parametrize("similarity", [0.6, 0.8, 0.9])
def test_similar_texts_are_found_and_no_others(spill: Spill, similarity: float) -> None:
    source = random.Random(5)
    train = [sentence(source) for _ in range(1500)]
    test = [edited(source, text) if n % 2 else sentence(source) for n, text in enumerate(train)]
    rows = rows_of({"train": [pl.DataFrame({"t": train})], "test": [pl.DataFrame({"t": test})]})
    wanted = {
        1500 + n for n, text in enumerate(test)
        if n % 2 and jaccard(train[n], text) >= similarity
    }  # fmt: skip
    found = duplicates.near(rows, NearDuplicates(("t",), similarity), spill)
    (across,) = [item for item in found if item.check.endswith("of train in test")]
    assert len(found) == 1
    assert (1 - 2 * MISSED) * len(wanted) <= across.count <= len(wanted)
    assert set(across.rows) <= wanted


def test_similar_numbers_are_found_and_no_others(spill: Spill) -> None:
    source = random.Random(6)
    names = [f"x{n}" for n in range(8)]
    train = [[source.gauss(0, 1) for _ in names] for _ in range(2000)]
    moved = [[x + source.uniform(-0.005, 0.005) for x in row] for row in train[:300]]
    one_other = [[*row[:7], row[7] + 5] for row in train[300:400]]  # similarity 7/8
    test = [*moved, *one_other, *([source.gauss(0, 1) for _ in names] for _ in range(600))]
    rows = rows_of(
        {"train": [pl.DataFrame(train, schema=names, orient="row")],
         "test": [pl.DataFrame(test, schema=names, orient="row")]}
    )  # fmt: skip
    (strict,) = duplicates.near(rows, NearDuplicates(tuple(names), 0.9), spill)
    assert 297 <= strict.count <= 300
    assert max(strict.rows) < 2300
    (loose,) = duplicates.near(rows, NearDuplicates(tuple(names), 0.85), spill)
    assert 395 <= loose.count <= 400


def test_many_equal_rows_are_no_burden(spill: Spill) -> None:
    texts = ["the same text each time"] * 20_000 + ["another"]
    rows = rows_of({"": [pl.DataFrame({"t": texts})]})
    (found,) = duplicates.near(rows, NearDuplicates(("t",), 0.9), spill)
    assert (found.count, found.rows[0]) == (19_999, 1)


@pytest.mark.parametrize("similarity", [0.35, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0])
def test_bands_miss_at_most_one_in_a_hundred(similarity: float) -> None:
    for most in (64, 256):
        length, bands = shape(similarity, most)
        assert length * bands <= most
        assert (1 - similarity**length) ** bands <= MISSED + 1e-9


@pytest.mark.parametrize("similarity", [0.5, 0.8, 0.9, 0.95])
def test_rows_that_differ_in_one_column_share_a_band_whichever_it_is(similarity: float) -> None:
    least = math.ceil(1 / (1 - similarity) - 1e-9)
    for columns in range(least, 40):
        for most in (64, 256):
            drawn = _draws(columns, *shape(similarity, most))
            in_each = [{number // 256 for number in band} for band in drawn]
            assert not set.intersection(*in_each), (columns, most)


def days(*numbers: int | None) -> list[pl.DataFrame]:
    epoch = pl.Series("at", numbers, dtype=pl.Int32).cast(pl.Date)
    return [epoch.to_frame()]


def test_the_fewer_rows_out_of_time_are_at_fault() -> None:
    rows = rows_of({"train": days(1, 2, 9, None), "test": days(5, 6, 7)})
    (found,) = leakage.times(rows, "at")
    assert (found.check, found.column) == ("leakage of time from test into train", "at")
    assert (found.source, found.count, found.rows) == (0, 1, (2,))
    assert found.detail == "1 of 4 rows of train are not before the start of test, 1970-01-06"
    rows = rows_of({"train": days(1, 2, 3, 4), "test": days(4, 9, 9, 9)})
    (found,) = leakage.times(rows, "at")
    assert (found.source, found.rows) == (1, (4,))
    assert found.detail == "1 of 4 rows of test are not after the end of train, 1970-01-05"


def test_times_in_order_and_missing_ones_are_right() -> None:
    assert not leakage.times(rows_of({"a": days(1, 2), "b": days(3, None), "c": days(4)}), "at")
    assert not leakage.times(rows_of({"a": days(None), "b": days(3)}), "at")


def test_similar_rows_are_found_across_batches(spill: Spill) -> None:
    texts = [f"{n * 2_654_435_761 % 2**32:08x} {n * 40_503 % 65_536:04x}" for n in range(150_000)]
    texts[140_000] = texts[20]
    texts[149_999] = texts[70_000].upper()
    rows = rows_of({"train": [pl.DataFrame({"t": texts[:100_000]})],
                    "test": [pl.DataFrame({"t": texts[100_000:]})]})  # fmt: skip
    (found,) = duplicates.near(rows, NearDuplicates(("t",), 0.9), spill)
    assert (found.source, found.count, found.rows) == (1, 2, (140_000, 149_999))
    assert found.detail == (
        "2 of 50000 rows (0.00%): row 40001 as row 21 of train0, row 50000 as row 70001 of train0"
    )


def test_a_file_that_changes_is_named() -> None:
    frame = pl.DataFrame({"x": range(100)})
    rows = rows_of({"a": [frame], "b": [frame]})
    shorter = Source("b0", None, lambda: iter([Part(frame.head(50).lazy, "column")]))
    rows.sources[1] = shorter
    with pytest.raises(Busy, match="b0 changed while it was read"):
        duplicates.exact(rows, Duplicates(), Spill("."))
