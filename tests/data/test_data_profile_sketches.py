"""The sketches of profiles against what is exact: bounds, merging, bytes."""

from __future__ import annotations

import math
import random
from bisect import bisect_left, bisect_right
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.data.profiles import packing
from mlctl.data.profiles.distinct import COLUMNS, ERROR, EXACT, ROWS, Distinct
from mlctl.data.profiles.frequent import Frequent
from mlctl.data.profiles.hashing import mix, of_numbers, of_texts
from mlctl.data.profiles.moments import Moments
from mlctl.data.profiles.quantiles import GATHERED, KEPT, Piece, Quantiles, distance

FINITE = st.floats(allow_nan=False, allow_infinity=False)
# Few values, and close ones, so that there are ties.
NUMBERS = st.lists(FINITE | st.integers(-3, 3).map(float), min_size=1, max_size=200)


def sketch(values: object) -> Quantiles:
    return Quantiles.of(np.sort(np.asarray(values, dtype=np.float64)))


def worst_rank(piece: Piece, ordered: np.ndarray) -> float:
    """The largest error of a rank anywhere, in values: at each value, and just below it."""
    at = np.unique(np.concatenate([ordered, piece.values]))
    below = np.nextafter(at, np.where(at > -1e308, -np.inf, at))
    both = np.concatenate([at, below])
    true = np.searchsorted(ordered, both, side="right")
    return float(np.abs(piece.ranks(both) * piece.n - true).max())


DISTRIBUTIONS = {
    "normal": lambda r, n: r.normal(size=n),
    "close": lambda r, n: 1e9 + r.normal(size=n) * 1e-6,
    "heavy": lambda r, n: r.standard_cauchy(n) * 1e6,
    "ties": lambda r, n: r.integers(0, 7, n).astype(float),
    "zeros": lambda r, n: np.where(r.random(n) < 0.97, 0.0, r.exponential(size=n)),
    "ascending": lambda _r, n: np.arange(n, dtype=float),
    "constant": lambda _r, n: np.full(n, 3.5),
    "two": lambda r, n: np.where(r.random(n) < 0.5, -1e300, 1e300),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("n", [1, 2, 255, 256, 257, 1024, 5000, 300_000])
def test_a_rank_is_off_by_at_most_what_the_sketch_says_and_a_fourth_of_a_percent(name, n):
    values = np.sort(DISTRIBUTIONS[name](np.random.default_rng(n), n))
    piece = Quantiles.of(values).piece()
    assert piece.n == n
    assert piece.values.size <= 256
    assert worst_rank(piece, values) <= piece.error * (1 + 1e-9)
    assert piece.share <= 0.0025
    if n <= 256:
        assert piece.error == 0


@pytest.mark.parametrize("order", ["as they come", "one by one from the last", "as a tree"])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_rank_is_off_by_at_most_one_percent_after_merging_a_thousand_records(name, order):
    """Each piece was written and read: 256 values of some hundred to ten thousand."""
    random_ = np.random.default_rng(7)
    make = DISTRIBUTIONS[name]
    parts = [make(random_, int(10 ** random_.uniform(2, 4))) for _ in range(1000)]
    if name == "ascending":
        parts = [part + 50 * at for at, part in enumerate(parts)]
    stored = [sketch(part).piece() for part in parts]
    sketches = [Quantiles(((piece,),)) for piece in stored]
    if order == "one by one from the last":
        sketches.reverse()
    if order == "as a tree":
        while len(sketches) > 1:
            pairs = zip(sketches[::2], [*sketches[1::2], None], strict=False)
            sketches = [a if b is None else a.merge(b) for a, b in pairs]
        merged = sketches[0]
    else:
        merged = Quantiles()
        for one in sketches:
            merged = merged.merge(one)
    ordered = np.sort(np.concatenate(parts))
    piece = merged.piece()
    assert merged.n == piece.n == ordered.size
    assert worst_rank(piece, ordered) <= piece.error * (1 + 1e-9)
    assert piece.share <= 0.01


@given(st.lists(NUMBERS, min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_merge_keeps_its_promise(parts):
    merged = Quantiles()
    for part in parts:
        merged = merged.merge(sketch(part))
    ordered = np.sort(np.concatenate([np.asarray(part, dtype=float) for part in parts]))
    for piece in (merged.piece(), merged.piece(16)):
        assert worst_rank(piece, ordered) <= piece.error * (1 + 1e-9) + 1e-9


@given(st.lists(NUMBERS, min_size=2, max_size=GATHERED - 1), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_up_to_fifteen_pieces_the_order_of_merging_changes_no_byte(parts, chance: random.Random):
    def merged(items):
        result = Quantiles()
        for item in items:
            result = result.merge(sketch(item))
        return result.piece().values.tobytes()

    shuffled = list(parts)
    chance.shuffle(shuffled)
    assert merged(parts) == merged(shuffled)


@given(NUMBERS, NUMBERS, NUMBERS)
@settings(max_examples=60, deadline=None)
def test_merging_is_associative(a, b, c):
    left = sketch(a).merge(sketch(b)).merge(sketch(c))
    right = sketch(a).merge(sketch(b).merge(sketch(c)))
    assert left.piece().values.tobytes() == right.piece().values.tobytes()


@pytest.mark.parametrize("n", [20, 21, 150, 629, 2561, 100_000])
@pytest.mark.parametrize("name", ["normal", "ties", "heavy", "ascending"])
def test_a_protected_sketch_tells_no_value_of_its_own_and_is_honest(name, n):
    values = np.sort(DISTRIBUTIONS[name](np.random.default_rng(n), n))
    piece = Quantiles.of(values).protected()
    assert piece.values.size <= n // 10
    assert worst_rank(piece, values) <= piece.error * (1 + 1e-9)
    if n >= 640:
        assert piece.share <= 0.01
    if name in {"normal", "heavy"}:
        assert not set(piece.values.tolist()) & set(values.tolist())
        assert values[0] < piece.values[0]
        assert piece.values[-1] < values[-1]


def test_a_protected_sketch_of_few_values_tells_nothing():
    assert sketch(range(19)).protected() is None
    assert Quantiles().protected() is None


@given(NUMBERS, NUMBERS)
@settings(max_examples=80, deadline=None)
def test_the_distance_is_that_of_kolmogorov_and_smirnov(a, b):
    left, right = sorted(a), sorted(b)
    exact = max(
        abs(bisect_right(left, x) / len(left) - bisect_right(right, x) / len(right)) for x in a + b
    )
    value, error = distance(sketch(a).piece(), sketch(b).piece())
    assert error == 0
    assert value == pytest.approx(exact)


@pytest.mark.parametrize("shift", [0.0, 0.05, 1.0])
def test_the_distance_of_large_samples_is_off_by_at_most_its_error(shift):
    random_ = np.random.default_rng(3)
    left, right = np.sort(random_.normal(size=200_000)), np.sort(random_.normal(shift, 1, 90_000))
    both = np.concatenate([left, right])
    exact = np.abs(
        np.searchsorted(left, both, side="right") / left.size
        - np.searchsorted(right, both, side="right") / right.size
    ).max()
    value, error = distance(Quantiles.of(left).piece(), Quantiles.of(right).piece())
    assert abs(value - exact) <= error <= 0.005


@given(NUMBERS, st.floats(0, 1))
def test_a_quantile_lies_at_its_rank(values, share):
    ordered = sorted(values)
    found = sketch(values).piece().quantile(share)
    lowest, highest = bisect_left(ordered, found), bisect_right(ordered, found)
    assert lowest / len(ordered) - 1e-9 <= share or lowest == 0
    assert share <= highest / len(ordered) + 1e-9


# distinct


def hashes(start: int, count: int) -> np.ndarray:
    return mix(np.arange(start, start + count, dtype=np.uint64))


@pytest.mark.parametrize("count", [0, 1, 2, 1000, 1999, 2000])
def test_the_number_of_distinct_values_is_exact_up_to_two_thousand(count):
    for seed in range(50):
        start = seed * 1_000_003
        whole = Distinct.of(hashes(start, count))
        merged = Distinct.of(hashes(start, count // 2)).merge(
            Distinct.of(hashes(start + count // 3, count - count // 3))
        )
        assert whole.count == merged.count == count
        assert whole.exact
        assert merged.exact


@pytest.mark.parametrize(
    ("count", "seeds"), [(2001, 400), (5000, 400), (30_000, 400), (300_000, 100), (2_000_000, 30)]
)
def test_the_standard_error_of_an_estimate_is_under_nine_tenths_of_a_percent(count, seeds):
    errors = []
    for seed in range(seeds):
        found = Distinct.of(hashes(seed * 10**9, count))
        bare = Distinct(coupons=found.coupons)  # without what was counted
        assert not bare.exact
        errors.append(bare.count / count - 1)
    assert math.sqrt(np.mean(np.square(errors))) <= 0.009
    assert abs(np.mean(errors)) <= 4 * ERROR / math.sqrt(seeds)


def test_an_estimate_holds_far_beyond_what_can_be_counted_here():
    """The coupons of a billion values, drawn by the chance that each has to be there."""
    for n, seeds in ((10**8, 40), (10**9, 40)):
        errors = []
        for seed in range(seeds):
            random_ = np.random.default_rng(seed)
            chances = np.array(
                [2.0 ** -(c + 1) for c in range(COLUMNS - 1)] + [2.0 ** -(COLUMNS - 1)]
            )
            there = random_.random((ROWS, COLUMNS)) < -np.expm1(-n / ROWS * chances)
            errors.append(Distinct(coupons=there.reshape(-1)).count / n - 1)
        assert math.sqrt(np.mean(np.square(errors))) <= 0.0095


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 4000)), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None)
def test_merging_distinct_values_does_not_depend_on_order_nor_on_repetition(spans, chance):
    def merged(items):
        result = Distinct.of(hashes(0, 0))
        for start, count in items:
            result = result.merge(Distinct.of(hashes(start, count)))
        return result

    shuffled = [*spans, spans[0]]
    chance.shuffle(shuffled)
    one, other = merged(spans), merged(shuffled)
    assert one.packed() == other.packed()
    true = len(set().union(*(range(start, start + count) for start, count in spans)))
    if true <= EXACT:
        assert one.exact
        assert one.count == other.count == true
    else:
        assert abs(other.count / true - 1) < 5 * ERROR
        assert one.count in {true, other.count}  # counted, where all came in one piece


@given(st.integers(0, 10**6), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_a_distinct_sketch_comes_back_from_its_bytes(start, count):
    before = Distinct.of(hashes(start, count))
    packed = before.packed()
    assert len(packed) <= 5_800
    after = Distinct.unpacked(packed, before.count, few=count <= EXACT)
    assert after.packed() == packed
    assert after.count == count
    again = Distinct.of(hashes(start + count // 2, count))
    union = count + count // 2 if count > 1 else None
    merged = after.merge(again)
    if union is not None and merged.exact and union <= EXACT:
        assert merged.count == union


def test_nothing_is_known_of_a_merge_with_a_bare_count():
    bare = Distinct(known=7)
    assert bare.exact
    assert bare.count == 7
    merged = bare.merge(Distinct.of(hashes(0, 10)))
    assert merged.count is None
    assert not merged.mergeable
    assert bare.merge(Distinct.of(hashes(0, 0))).count == 7


@pytest.mark.parametrize("data", [b"", b"\1", b"\0" * 30, b"\1" * 200, b"\xff" * 400])
def test_bytes_that_are_no_sketch_are_refused(data):
    for few in (True, False):
        try:
            found = Distinct.unpacked(data, 3, few=few)
        except ValueError:
            continue
        assert few  # zeros are an empty set
        assert found.hashes.size == 0 or data[:5] == bytes(5)


# packing


@given(st.sets(st.integers(0, 2**40), max_size=300), st.binary(max_size=5))
@settings(max_examples=120, deadline=None)
def test_packed_numbers_come_back(numbers, rest):
    values = np.array(sorted(numbers), dtype=np.uint64)
    found, after = packing.unpack(packing.pack(values) + rest)
    assert found.tolist() == values.tolist()
    assert after == rest


@given(st.sets(st.integers(0, 2**20), min_size=1, max_size=100), st.data())
@settings(deadline=None)
def test_cut_packed_numbers_are_refused(numbers, data):
    packed = packing.pack(np.array(sorted(numbers), dtype=np.uint64))
    at = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(ValueError, match=r"cut off|no packed"):
        packing.unpack(packed[:at])


def test_packed_bytes_are_pinned():
    """A change here would make every committed profile differ, or unreadable."""
    packed = packing.pack(np.array([0, 1, 5, 1000], dtype=np.uint64))
    assert packed.hex() == PACKED
    assert packing.to_text(packed) == packing.to_text(bytes.fromhex(PACKED))


PACKED = "04000000071fc00003c4"


@pytest.mark.parametrize("text", [None, 7, "a", "!!!!", "ab="])
def test_what_is_no_base64_is_refused(text):
    with pytest.raises(ValueError, match="base64"):
        packing.from_text(text)


# hashing


def test_hashes_are_pinned():
    """They are in committed profiles: they never change."""
    assert of_numbers(np.array([0, 1, -1], dtype=np.int64)).tolist() == INTS
    assert of_numbers(np.array([0.0, -0.0, 1.5])).tolist() == FLOATS
    texts = pl.Series(["", "a", "héllo", "x" * 8, "x" * 300])
    assert of_texts(texts).tolist() == TEXTS


INTS = [16294208416658607535, 10451216379200822465, 16490336266968443936]
FLOATS = [7960286522194355700, 7960286522194355700, 501192881046439246]
TEXTS = [
    16294208416658607535,
    6774081908283191102,
    999604969687221899,
    17406174826837567364,
    1533152188014638354,
]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), max_size=30))
@settings(max_examples=60, deadline=None)
def test_a_text_has_one_hash_wherever_it_stands(texts):
    together = of_texts(pl.Series(texts, dtype=pl.String)).tolist()
    alone = [of_texts(pl.Series([text])).tolist()[0] for text in texts]
    assert together == alone
    assert len(set(together)) == len(set(texts))


# moments


@given(st.lists(st.lists(st.floats(-1e12, 1e12), max_size=20), min_size=1, max_size=6))
@settings(max_examples=100, deadline=None)
def test_moments_do_not_depend_on_order_and_are_right(parts):
    merged = Moments()
    for part in parts:
        merged = merged.merge(Moments.of(np.array(part, dtype=float)))
    backwards = Moments()
    for part in reversed(parts):
        backwards = Moments.of(np.array(part, dtype=float)).merge(backwards)
    assert merged == backwards
    values = [Fraction(value) for part in parts for value in part]
    if not values:
        assert math.isnan(merged.mean)
        return
    mean = sum(values) / len(values)
    scale = max(1.0, float(max(abs(value) for value in values)))
    assert merged.mean == pytest.approx(float(mean), abs=1e-12 * scale)
    if len(values) > 1:
        variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
        assert merged.deviation == pytest.approx(math.sqrt(variance), rel=1e-6, abs=1e-7 * scale)


@pytest.mark.parametrize("size", [1e-310, 1e-200, 1.0, 1e200, 1e308])
def test_moments_of_tiny_and_huge_values(size):
    found = Moments.of(np.array([1.0, 1.5, 0.5]) * size)
    assert found.mean == pytest.approx(size)
    assert found.deviation == pytest.approx(size / 2)


def test_moments_of_the_largest_values_there_are():
    largest = Moments.of(np.array([1.7e308, -1.7e308, 1.7e308, -1.7e308]))
    assert (largest.mean, math.isfinite(largest.deviation)) == (0.0, True)
    assert Moments.of(np.array([3.0, 3.0])).deviation == 0.0


def test_moments_far_from_zero_do_not_cancel():
    found = Moments.of(1e9 + np.array([1.0, 2.0, 3.0])).merge(Moments.of(1e9 + np.array([4.0])))
    assert found.deviation == pytest.approx(math.sqrt(5 / 3))


# frequent values


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=40), max_size=8), st.integers(1, 8))
@settings(max_examples=100, deadline=None)
def test_a_count_is_short_by_at_most_what_it_says(parts, most):
    merged, true = Frequent(), dict.fromkeys("abcdefgh", 0)
    for part in parts:
        counts = {letter: part.count(letter) for letter in set(part)}
        merged = merged.merge(Frequent(counts)).top(most)
        for letter in part:
            true[letter] += 1
    for letter, count in true.items():
        assert merged.counts.get(letter, 0) <= count <= merged.counts.get(letter, 0) + merged.missed


def test_a_piece_keeps_at_most_a_thousand_values():
    assert sketch(range(5000)).levels[0][0].values.size == KEPT
