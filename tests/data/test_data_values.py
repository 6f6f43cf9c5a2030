"""What is said of failing values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlctl.data.values import pattern


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Ann Lee", "Aaa Aaa"),
        ("ab-12.5", "aa-99.9"),
        ("ÄÖü", "AAa"),
        ("山田太郎", "xxxx"),
        ("٣٤", "99"),
        ("1234567", "999…"),
        ("a@b.co", "a@a.aa"),
        ("aaaaaaaa@bbbbbbbb.org", "aaa…@aaa….aaa"),
        ("", ""),
        (-9.0, "-9"),
        (1234.5678, "9999.99"),
        (1e-7, "9a-99"),
        (130, "999"),
        (True, "true or false"),
        (None, None),
        ("NaN", "NaN"),
        ((None, "x1"), [None, "a9"]),
        ("2026-11-27T07:00:00", "9999-99-99A99:99:99"),
    ],
)
def test_patterns(value: object, expected: object) -> None:
    assert pattern(value) == expected


scalars = st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@given(scalars)
def test_a_pattern_holds_no_letter_or_digit_of_the_value(value: object) -> None:
    said = pattern(value)
    assert isinstance(said, str)
    assert len(said) <= 40
    told = {c for c in said if c.isalpha() or c.isdecimal()}
    assert value == "NaN" or value in ("Infinity", "-Infinity") or told <= set("Aax9")


@given(st.lists(scalars | st.none()))
def test_patterns_of_several_values_are_those_of_each(values: list[object]) -> None:
    assert pattern(tuple(values)) == [pattern(value) for value in values]
