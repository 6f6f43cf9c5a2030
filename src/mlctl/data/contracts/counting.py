"""One pass over a table: how many rows break each rule, and which are the first.

The rows go by in batches and are not kept: of each rule there are a count and a few row numbers,
and of what must be distinct a hash (`repeats`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from mlctl.data.contracts.compile import Compiled, check_types
from mlctl.data.contracts.reading import Reading, reading
from mlctl.data.contracts.repeats import Repeats
from mlctl.data.contracts.rules import Rule

if TYPE_CHECKING:
    import polars as pl

    from mlctl.adapters.tables import Part, Types

SHOWN = 10  # rows named of each failure


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a data set; `parts` gives its rows, from the start at each call.

    `path` is None for a frame in memory; `name` is empty where the data set is this file alone.
    """

    name: str
    path: str | None
    parts: Callable[[], Iterator[Part]]


@dataclass(slots=True)
class Tally:
    """How many rows there are of a kind, and the first `SHOWN`, counted from 0 in their file."""

    count: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, marks: pl.Series, first: int) -> None:
        """Count the true ones of `marks`, of which the first is row `first`."""
        count = int(marks.sum())
        if count and len(self.rows) < SHOWN:
            found = marks.arg_true().head(SHOWN - len(self.rows)).to_list()
            self.rows += [first + row for row in found]
        self.count += count

    def __add__(self, other: Tally) -> Tally:
        """Of rows that are of one kind or of the other."""
        return Tally(self.count + other.count, sorted([*self.rows, *other.rows])[:SHOWN])


@dataclass(slots=True)
class Seen:
    """What a file holds. `columns` has the type of each, `heights` the rows of each part."""

    columns: dict[str, str] = field(default_factory=dict)
    heights: list[int] = field(default_factory=list)
    rules: list[Tally] = field(default_factory=list)  # as `Compiled.rules`
    bad: dict[str, Tally] = field(default_factory=dict)  # values that do not read as their type
    unfit: dict[str, str] = field(default_factory=dict)  # columns of another type: which
    has_gaps: bool = False  # in the last column of a text
    newest: date | None = None  # of the column that must be fresh

    @property
    def rows(self) -> int:
        return sum(self.heights)

    def mistyped(self) -> set[str]:
        """Columns whose values are not what the rules are about."""
        return {name for name, tally in self.bad.items() if tally.count} | self.unfit.keys()

    def judges(self, rule: Rule) -> bool:
        """Whether each column that `rule` reads is there and of its type."""
        return self.columns.keys() >= set(rule.shown) and not self.mistyped() & set(rule.shown)


def count(source: Source, compiled: Compiled, repeats: Mapping[int, Repeats]) -> Seen:
    """Go through `source` once; `repeats` takes the hashes of the rules of these numbers.

    Raises ConfigError for a rule that cannot be asked of a column, OSError for a full disk, and
    what Polars raises for a file that does not parse.
    """
    from mlctl.adapters import tables

    seen = Seen(rules=[Tally() for _ in compiled.rules])
    for part in source.parts():
        lazy = part.open()
        schema = lazy.collect_schema()
        seen.columns |= {name: str(dtype) for name, dtype in schema.items()}
        first, height = seen.rows, 0
        if schema:
            query = _Query(compiled, schema, part.types)
            for batch in tables.part_batches(query.ask(lazy), part.types):
                query.take(batch, seen, first + height, repeats)
                height += batch.height
        seen.heights.append(height)
    return seen


class _Query:
    """The question put to a part: marks for each rule and type, and hashes, but no values."""

    def __init__(self, compiled: Compiled, schema: pl.Schema, types: Types) -> None:
        self._rules = compiled.rules
        self._schema = schema
        freshness = compiled.contract.freshness
        self._fresh = None if freshness is None else freshness.column
        self._is_text = types == "none"
        self._readings = readings(compiled, schema, types)
        # No column is called like a mark.
        self._mark = "\0" * (1 + max(map(len, (*schema, *self._readings))))

    def ask(self, lazy: pl.LazyFrame) -> pl.LazyFrame:
        """Marks for each row of `lazy`, in columns named `_mark` + kind + number."""
        import polars as pl

        used = {name for rule in self._rules for name in rule.shown}
        found = [r.value.alias(name) for name, r in self._readings.items() if name in used]
        marks = {"every": pl.nth(0).is_null()}  # so that there is a row for each
        if self._fresh is not None:
            marks["moment"] = self._readings[self._fresh].value
        if self._is_text:
            marks["gap"] = pl.nth(-1).is_null()
        for number, one in enumerate(self._readings.values()):
            if one.bad is not None:
                marks[f"bad{number}"] = one.bad
            if one.unfit is not None:
                marks[f"unfit{number}"] = one.unfit
        found += [mark.alias(self._mark + name) for name, mark in marks.items()]
        asked = [pl.col(self._mark + name) for name in marks]
        for number, rule in enumerate(self._rules):
            asked.append(rule.breaks.alias(f"{self._mark}rule{number}"))
            if rule.distinct:
                asked.append(hash_of(rule.distinct).alias(f"{self._mark}hash{number}"))
        return lazy.select(found).select(asked)

    def take(
        self, batch: pl.DataFrame, seen: Seen, first: int, repeats: Mapping[int, Repeats]
    ) -> None:
        """Add a batch of answers, whose first row is row `first`, to what was seen."""

        def answer(name: str) -> pl.Series | None:
            mark = self._mark + name
            return batch[mark] if mark in batch.columns else None

        if (gaps := answer("gap")) is not None:
            seen.has_gaps = seen.has_gaps or bool(gaps.any())
        if (moments := answer("moment")) is not None:
            dates = [d for d in (seen.newest, moments.max()) if isinstance(d, date)]
            seen.newest = max(dates, default=None)
        for number, name in enumerate(self._readings):
            if (bad := answer(f"bad{number}")) is not None:
                seen.bad.setdefault(name, Tally()).add(bad, first)
            if (unfit := answer(f"unfit{number}")) is not None and unfit.any():
                seen.unfit[name] = str(self._schema[name])
        for number, tally in enumerate(seen.rules):
            tally.add(batch[f"{self._mark}rule{number}"], first)
            if (hashes := answer(f"hash{number}")) is not None:
                repeats[number].add(hashes.drop_nulls())


def readings(compiled: Compiled, schema: pl.Schema, types: Types) -> dict[str, Reading]:
    """How each column of the contract reads in a part.

    Raises ConfigError where a rule cannot be asked of a column of `any` type.
    """
    from mlctl.adapters.tables import canonical

    contract = compiled.contract
    found = {c.name: reading(c.name, schema.get(c.name), c.type, types) for c in contract.columns}
    free = {c.name for c in contract.columns if c.type == "any" and c.name in schema}
    judged = {c.name: canonical(c.type) for c in contract.columns if c.type != "any"}
    for rule in compiled.rules:
        if free.intersection(rule.shown) and schema.keys() >= set(rule.shown):
            check_types(rule, {**schema, **judged}, contract)
        if nested := [n for n in rule.distinct if n in free and schema[n].is_nested()]:
            said = f"a column of type {schema[nested[0]]} cannot be compared"
            raise contract.source.error(("columns", nested[0]), f"{rule.check}: {said}")
    return found


def hash_of(names: Sequence[str]) -> pl.Expr:
    """64 bits of the values of `names` together; null where one of them is missing."""
    import polars as pl

    present = pl.all_horizontal(pl.col(name).is_not_null() for name in names)
    return pl.when(present).then(pl.struct(*names).hash())
