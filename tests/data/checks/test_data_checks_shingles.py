"""Shingles are what a plain loop cuts, and least hashes agree as often as sets are alike."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.data.checks.shingles import LENGTH, least_hashes, windows

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def cut(text: str) -> list[int]:
    data = pl.Series([text.lower()]).str.replace_all(r"\s+", " ")[0].encode()
    pieces = [data[i : i + LENGTH] for i in range(max(1, len(data) - LENGTH + 1))]
    return [int.from_bytes(piece, "little") for piece in pieces]


@settings(deadline=None)
@given(st.lists(TEXTS.filter(lambda t: t.lower() == pl.Series([t]).str.to_lowercase()[0])))
def test_windows_are_the_bytes_at_each_place(texts: list[str]) -> None:
    found, counts = windows(pl.Series(texts, dtype=pl.String))
    assert found.tolist() == [number for text in texts for number in cut(text)]
    assert counts.tolist() == [len(cut(text)) for text in texts]


@settings(deadline=None)
@given(st.lists(st.none() | TEXTS, min_size=1, max_size=8), st.integers(0, 8))
def test_a_text_has_its_hashes_whatever_stands_beside_it(texts: list[str | None], at: int) -> None:
    at = at % len(texts)
    alone = least_hashes(pl.Series([texts[at]], dtype=pl.String))
    assert (least_hashes(pl.Series(texts, dtype=pl.String))[:, at] == alone[:, 0]).all()


def test_nothing_and_the_empty_text_differ() -> None:
    none, empty = least_hashes(pl.Series([None, ""], dtype=pl.String)).T
    assert (none != empty).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(10, 100), st.floats(0, 1), st.integers(0, 2**32))
def test_hashes_agree_with_the_probability_of_the_jaccard_similarity(
    size: int, shared: float, seed: int
) -> None:
    source = np.random.default_rng(seed)
    common = int(size * shared)

    def texts() -> tuple[list[str], list[str]]:
        one, other = [], []
        for _ in range(400):
            # Words of five bytes, kept apart, so that shingles within them are no others'.
            words = source.integers(0, 2**40, 2 * size - common)
            hexes = [f"{word:010x}"[:LENGTH] for word in words]
            one.append("".join(hexes[:size]))
            other.append("".join([*hexes[:common], *hexes[size:]]))
        return one, other

    ones, others = texts()
    similar = []
    for a, b in zip(ones, others, strict=True):
        mine, yours = set(cut(a)), set(cut(b))
        similar.append(len(mine & yours) / len(mine | yours))
    agree = least_hashes(pl.Series(ones)) == least_hashes(pl.Series(others))
    assert abs(agree.mean() - np.mean(similar)) < 0.03
