"""Texts told apart: ids, codes, categories and free text."""

from __future__ import annotations

import re
from dataclasses import replace

from mlctl.data.contracts import naming
from mlctl.data.contracts.facts import Facts
from mlctl.data.contracts.model import ColumnContract
from mlctl.data.contracts.said import GUESS, LIKELY, Said

_ENOUGH = 100  # values from which one shape of all of them is taken for a rule
_LONG = 30  # characters, on average, from which a text is prose
_MOST_NUMBERS = 0.5  # share of values that read as numbers, from which the others are odd ones
_HEX = r"^[0-9a-f]+$"
_RUNS = {"9": "[0-9]", "A": "[A-Z]", "a": "[a-z]"}


def describe_text(facts: Facts, base: ColumnContract) -> Said:
    """A text column that is neither an id nor a choice among a few values."""
    odd = _odd_among_numbers(facts)
    if odd is not None:
        return Said(base, odd, GUESS)
    pattern = pattern_of(facts)
    if pattern is not None:
        return Said(replace(base, regex=pattern), "a code, all of one shape", LIKELY)
    distinct, count = facts.sample.n_unique(), facts.sample.len()
    length = float(facts.sample.str.len_chars().mean() or 0)  # type: ignore[arg-type]
    if length >= _LONG:
        return Said(base, f"free text, {length:.0f} characters on average", LIKELY)
    if facts.values is not None or distinct <= count // 20:
        about = "" if facts.rows == facts.sample.len() + facts.missing else "about "
        said = f"a category of {about}{distinct} values, too open or too rare to be listed"
        return Said(base, said, LIKELY)
    return Said(base, f"text, {distinct} distinct values in {count}", LIKELY)


def is_mail(facts: Facts) -> bool:
    """Whether the values are mail addresses."""
    return facts.kind == "str" and _all_match(facts, naming.MAIL)


def is_uuid(facts: Facts) -> bool:
    """Whether the values are UUIDs."""
    return facts.kind == "str" and _all_match(facts, naming.UUID)


def pattern_of(facts: Facts) -> str | None:
    """The pattern (Rust's syntax) of codes that all have one shape, `^[A-Z]+-[0-9]+$`.

    Runs of a kind may have any length, unless the codes are padded to one (`00123`, digests).
    None where values are few, have blanks, no digit, or several shapes.
    """
    sample = facts.sample
    if sample.len() < _ENOUGH or sample.n_unique() < _ENOUGH // 2:
        return None
    if is_uuid(facts):
        return naming.UUID
    lengths: list[int] = sample.str.len_chars().unique().to_list()
    width = lengths[0] if len(lengths) == 1 else None
    if width is not None and width >= 16 and _all_match(facts, _HEX):
        return f"^[0-9a-f]{{{width}}}$"
    shapes = (
        sample.str.replace_all("[0-9]+", "9")
        .str.replace_all("[A-Z]+", "A")
        .str.replace_all("[a-z]+", "a")
        .unique()
    )
    shape = str(shapes[0])
    if shapes.len() > 1 or "9" not in shape or len(shape) > 40 or re.search(r"\s", shape):
        return None
    if shape == "9":  # numbers kept as text say nothing, unless they are padded
        return None if width is None else f"^[0-9]{{{width}}}$"
    return "^" + "".join(f"{_RUNS[c]}+" if c in _RUNS else _literal(c) for c in shape) + "$"


def _literal(character: str) -> str:
    return "\\" + character if character in r"\.+*?()|[]{}^$" else character


def _all_match(facts: Facts, pattern: str) -> bool:
    head = facts.sample.head(_ENOUGH)
    return bool(head.str.contains(pattern).all() and facts.sample.str.contains(pattern).all())


def _odd_among_numbers(facts: Facts) -> str | None:
    """What to say of a column of numbers with a few other texts in it."""
    import polars as pl

    numbers = facts.sample.cast(pl.Float64, strict=False)
    odd = facts.sample.filter(numbers.is_null())
    if odd.len() == 0 or odd.len() > (1 - _MOST_NUMBERS) * facts.sample.len():
        return None
    share = odd.len() / facts.sample.len()
    common = odd.value_counts(sort=True)[facts.name][0]
    named = f", most often {common!r}" if len(str(common)) <= 12 else ""
    return f"mixed: numbers, and {share:.2%} other texts{named}; is it a mark for missing?"
