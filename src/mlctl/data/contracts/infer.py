"""A first contract from data: what it seems to promise, with room to spare.

What is found holds for the data that it was found in. More data of the same kind should keep it
too, so nothing is promised that a sample cannot tell: never the exact minimum and maximum, no
bound where values grow, no list of values that may not be all. Each column says why, and how sure
that is: `sure`, `likely`, or `a guess`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlctl.data.contracts import naming, texts
from mlctl.data.contracts.facts import Facts, survey
from mlctl.data.contracts.model import ColumnContract, Contract, Scalar
from mlctl.data.contracts.numbers import describe_moment, describe_number
from mlctl.data.contracts.said import GUESS, LIKELY, SURE, Said, shown

if TYPE_CHECKING:
    import polars as pl

INTRO = """\
What this data promises, for `mlctl validate`. Edit it to what you know to be true.
It was guessed from the data, with room to spare; each line says why, and how sure that is."""
_MOST_CODES = 10  # numbers that are categories: classes, flags, grades
_SEEN_PER_VALUE = 20  # rows for each distinct value, before the values are taken for all there are
_ENOUGH_FOR_LIST = 100  # rows
_EVEN = 0.2  # of the commonest: how often the rarest code must stand, or codes tail off like counts
_SURE_OF_IDS = 100  # rows from which ids that are unique are so by more than chance
_SEEN_LEAST = 5  # rows of the rarest: where one is rarer, others may be still to come
_ENOUGH_FOR_SHARE = 200  # rows from which a share of missing values is promised


@dataclass(frozen=True, slots=True)
class Inferred:
    """A contract and, for each column, why it says what it says."""

    contract: Contract
    notes: dict[str, str]
    rows: int = 0


def infer(lazy: pl.LazyFrame, *, data: str, name: str, file: str, text: bool = False) -> Inferred:
    """The contract that a table suggests, which is read in a stream where it is large."""
    facts = survey(lazy, text=text)
    said = [describe(item) for item in facts]
    rows = facts[0].rows if facts else 0
    if any(item.present > item.sample.len() for item in facts):
        said = _without_broken_patterns(lazy, said)
    columns = tuple(item.column for item in said)
    ids = [c.name for c in columns if c.unique and not c.nullable and not c.personal]
    labels = [c.name for c in columns if naming.is_label(c.name) and c.type != "any"]
    contract = Contract(
        name=name,
        file=file,
        data=data,
        columns=columns,
        min_rows=leading_digit(rows // 2),
        key=tuple(ids[:1]),
        label=labels[0] if len(labels) == 1 else None,
    )
    return Inferred(contract, {item.column.name: item.note for item in said}, rows)


def _without_broken_patterns(lazy: pl.LazyFrame, said: Sequence[Said]) -> list[Said]:
    """Without the patterns that some value outside of the sample does not match."""
    import polars as pl

    columns = [item.column for item in said if item.column.regex is not None]
    asked = [(~pl.col(c.name).str.contains(str(c.regex))).any().alias(c.name) for c in columns]
    told = lazy.select(asked).collect(engine="streaming").row(0, named=True) if asked else {}
    return [
        Said(replace(item.column, regex=None), f"{item.why}, but for a few", item.sure)
        if told.get(item.column.name)
        else item
        for item in said
    ]


def describe(facts: Facts) -> Said:
    """What a column promises, and why."""
    base = ColumnContract(facts.name, facts.kind, nullable=facts.missing > 0)
    if facts.present == 0:
        return Said(base, "empty: nothing to go by", GUESS)
    if facts.kind == "any":
        return Said(base, f"{facts.dtype}: not checked further", GUESS)
    return _with_missing(facts, _described(facts, base))


def _described(facts: Facts, base: ColumnContract) -> Said:
    if naming.is_personal(facts.name) or texts.is_mail(facts):
        return Said(replace(base, personal=True), "personal: its values stay here", LIKELY)
    if _is_identity(facts):
        return _identity(facts, base)
    if facts.kind == "bool":
        return Said(base, "true or false", SURE)
    if facts.kind in {"date", "datetime"}:
        return describe_moment(facts, base)
    if facts.values is not None and len(facts.values) == 1:
        note = f"always {shown(next(iter(facts.values)))} so far, which is not promised"
        return Said(base, note, GUESS)
    if (closed := _closed(facts, base)) is not None:
        return closed
    if facts.kind == "str":
        return texts.describe_text(facts, base)
    return describe_number(facts, base)


def _is_identity(facts: Facts) -> bool:
    """Whether the column names its own rows, and not those of another table."""
    if not facts.unique or not (naming.is_id(facts.name) or texts.is_uuid(facts)):
        return False
    return facts.rows >= _SURE_OF_IDS or facts.kind == "str" or facts.sample.is_sorted()


def _identity(facts: Facts, base: ColumnContract) -> Said:
    column = replace(base, unique=True)
    if facts.kind == "int":
        low = 0 if facts.low >= 0 else None
        return Said(replace(column, min=low), "an id: each row has its own", SURE)
    pattern = texts.pattern_of(facts)
    return Said(replace(column, regex=pattern), "an id: each row has its own", SURE)


def _closed(facts: Facts, base: ColumnContract) -> Said | None:
    """The column as a choice among the values that were seen, where they seem to be all."""
    values, number = facts.values, facts.kind != "str"
    if values is None or facts.present < len(values) * _SEEN_PER_VALUE:
        return None
    if facts.present < _ENOUGH_FOR_LIST and set(values) != {0, 1}:
        return None
    if number and (len(values) > _MOST_CODES or not all(float(v).is_integer() for v in values)):
        return None
    if naming.is_year(facts.name) or (naming.is_id(facts.name) and len(values) > 2):
        return None
    least, most = min(values.values()), max(values.values())
    if least < _SEEN_LEAST or not _all_came_early(facts):
        return None
    if number and len(values) > 2 and least < _EVEN * most:
        return None
    column = replace(base, values=tuple(sorted(values)))
    if set(values) == {0, 1}:
        return Said(column, "a flag", SURE)
    what = "a code" if number else "a category"
    return Said(column, f"{what} of {len(values)} values: add those that may still come", LIKELY)


def _all_came_early(facts: Facts) -> bool:
    """Whether each value was seen in the first half of the rows, which are not sorted by it."""
    sample = facts.sample
    if sample.is_sorted() or sample.is_sorted(descending=True):
        return False
    early: Sequence[Scalar] = sample.head(sample.len() // 2).unique().to_list()
    return len(early) == len(facts.values or ())


def _with_missing(facts: Facts, said: Said) -> Said:
    if not facts.missing:
        return said
    share = facts.missing / facts.rows
    column, most = said.column, room_for_missing(share)
    if facts.rows >= _ENOUGH_FOR_SHARE and most is not None:
        column = replace(column, max_missing=most)
    return Said(column, f"{said.why}; {share:.1%} missing", said.sure)


def room_for_missing(share: float) -> float | None:
    """Twice the share and a tenth, up to the next twentieth; None where that says little."""
    most = math.ceil((2 * share + 0.1) * 20) / 20
    return most if most < 0.9 else None


def leading_digit(count: int) -> int:
    """`count` down to one leading digit: 284 is 200."""
    size: int = 10 ** (len(str(count)) - 1)
    return count // size * size
