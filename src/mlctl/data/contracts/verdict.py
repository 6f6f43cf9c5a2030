"""Judging a table by a compiled contract: every failure at once, with rows and values.

The table goes by in batches, so that it need not fit into memory; see docs/adr/0013-own-judge.md.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from mlctl.data.contracts.compile import Compiled
from mlctl.data.contracts.counting import Seen, Source, Tally, count
from mlctl.data.contracts.finding import repeated, shown
from mlctl.data.contracts.outcome import Failure, Verdict
from mlctl.data.contracts.repeats import Repeats
from mlctl.data.contracts.rules import Rule
from mlctl.records.canonical import float_text

if TYPE_CHECKING:
    import polars as pl

    from mlctl.adapters.spill import Spill

_LONGEST = 80  # characters shown of a text
_FILES = 10  # named of each failure; the others are counted
_HASHES = 4_000_000  # in memory, over all rules


def judge(
    frame: pl.DataFrame, compiled: Compiled, *, text: bool = False, now: datetime | None = None
) -> Verdict:
    """The verdict on `frame`; `text` says that it comes from a format without types (CSV)."""
    import tempfile

    from mlctl.adapters.spill import Spill
    from mlctl.adapters.tables import Part

    part = Part(frame.lazy, "none" if text else "column")
    with Spill(tempfile.gettempdir()) as spill:
        return judge_files([Source("", None, lambda: iter([part]))], compiled, spill, now=now)


def judge_files(
    sources: Sequence[Source], compiled: Compiled, spill: Spill, *, now: datetime | None = None
) -> Verdict:
    """The verdict on the data set that `sources` are the files of.

    Missing values are nulls, and NaN in float columns. A column that is missing or does not read as
    its type fails for that, and its other rules are not judged. A file that is no table fails for
    that, and the others are judged. The age of the data is measured from `now` (in UTC, without a
    zone), which is the clock's time unless given. Raises OSError where `spill` finds no space.
    """
    distinct = [number for number, rule in enumerate(compiled.rules) if rule.distinct]
    limit = _HASHES // max(1, len(distinct))
    table = _Table(compiled, {number: Repeats(spill, limit) for number in distinct})
    for source in sources:
        table.see(source)
    failures = [*table.faults, *table.row_count(), *table.age(now), *table.columns_at_fault()]
    failures += table.named([*table.mistyped(), *table.broken()])
    return Verdict(
        table.rows, len(table.columns), compiled.checks, arranged(failures, list(table.columns))
    )


class _Finding(NamedTuple):
    """Rows at fault in a file, before their values were looked up in the columns `names`."""

    file: int
    check: str
    column: str
    tally: Tally
    names: tuple[str, ...]
    raw: bool = False  # whether the values are shown as they stand in the file


class _Table:
    """The files of a data set that could be read, and the `faults` of the others."""

    def __init__(self, compiled: Compiled, repeats: dict[int, Repeats]) -> None:
        self._compiled = compiled
        self._repeats = repeats
        self._files: list[tuple[Source, Seen]] = []
        self.faults: list[Failure] = []
        self.rows = 0
        self.columns: dict[str, None] = {}  # of all files, in order

    def see(self, source: Source) -> None:
        """Go through a file, or note why it is no table."""
        from mlctl.adapters import tables
        from mlctl.adapters.table_faults import Unreadable

        try:
            with tables.explaining(source.path) if source.path else nullcontext():
                seen = count(source, self._compiled, self._repeats)
            if seen.has_gaps and source.path:
                tables.check_rows(source.path, len(seen.columns))
        except Unreadable as error:
            check = "column twice" if error.column else "readable"
            self.faults.append(Failure(check, error.column, detail=error.detail, file=source.name))
            return
        self._files.append((source, seen))
        self.rows += seen.rows
        self.columns |= dict.fromkeys(seen.columns)

    def row_count(self) -> Iterator[Failure]:
        """Too few rows, unless others stand in files that could not be read, and too many."""
        contract = self._compiled.contract
        said = f"{self.rows} rows"
        if self.rows < contract.min_rows and not self.faults:
            yield Failure(f"rows min {contract.min_rows}", count=self.rows, detail=said)
        if contract.max_rows is not None and self.rows > contract.max_rows:
            yield Failure(f"rows max {contract.max_rows}", count=self.rows, detail=said)

    def age(self, now: datetime | None) -> Iterator[Failure]:
        """The failure of data whose newest value is too old, unless it may stand in a lost file."""
        from mlctl.data.contracts import freshness

        wanted = self._compiled.contract.freshness
        if wanted is None or wanted.column not in self.columns or self.faults:
            return
        if any(wanted.column in seen.mistyped() for _, seen in self._files):
            return
        newest = [seen.newest for _, seen in self._files if seen.newest is not None]
        said = freshness.fault(wanted, max(newest, default=None), now or freshness.clock_now())
        if said is not None:
            yield Failure(freshness.check_of(wanted), wanted.column, detail=said)

    def columns_at_fault(self) -> Iterator[Failure]:
        """Those that are missing, that nobody promised, and whose type is another one."""
        contract = self._compiled.contract
        known = {column.name: column.type for column in contract.columns}
        for source, seen in self._files:
            for name in known.keys() - seen.columns.keys():
                yield Failure("column missing", name, file=source.name)
            for name in seen.columns.keys() - known.keys() if contract.strict else ():
                yield Failure("column not in the contract", name, file=source.name)
            for name in seen.unfit.keys() - _with_bad_values(seen):
                check, said = f"type {known[name]}", f"is {seen.unfit[name]}"
                share = self._share(seen.rows)
                yield Failure(check, name, seen.rows, share, detail=said, file=source.name)

    def mistyped(self) -> Iterator[_Finding]:
        """Values that do not read as their column's type."""
        types = {column.name: column.type for column in self._compiled.contract.columns}
        for number, (_, seen) in enumerate(self._files):
            for name in _with_bad_values(seen):
                tally = seen.bad[name]
                yield _Finding(number, f"type {types[name]}", name, tally, (name,), raw=True)

    def broken(self) -> Iterator[_Finding]:
        """Rows that break a rule which too many rows break."""
        for number, rule in enumerate(self._compiled.rules):
            tallies = self._tallies(number, rule)
            if rule.breaks_in(self.rows, sum(tally.count for tally in tallies)):
                for file, tally in enumerate(tallies):
                    if tally.count:
                        yield _Finding(file, rule.check, rule.column, tally, rule.shown)

    def _tallies(self, number: int, rule: Rule) -> list[Tally]:
        """How many rows of each file break a rule; none where it cannot be judged."""
        alone = [s.rules[number] if s.judges(rule) else Tally() for _, s in self._files]
        if not rule.distinct:
            return alone
        hashes = self._repeats[number].twice()
        again = repeated(self._files, self._compiled, rule, hashes)
        return [one + other for one, other in zip(alone, again, strict=True)]

    def named(self, findings: Sequence[_Finding]) -> Iterator[Failure]:
        """The findings with their values, each file looked into once."""
        for number, (source, seen) in enumerate(self._files):
            mine = [finding for finding in findings if finding.file == number]
            rows = {row for finding in mine for row in finding.tally.rows}
            names = list(dict.fromkeys(name for finding in mine for name in finding.names))
            found = shown(source, seen, self._compiled, rows, names)
            for _, check, column, tally, shown_names, raw in mine:
                values = [[found[row][raw][name] for name in shown_names] for row in tally.rows]
                yield Failure(
                    check,
                    column,
                    tally.count,
                    self._share(tally.count),
                    tuple(row + 1 for row in tally.rows),
                    tuple(map(_shown, values)),
                    file=source.name,
                )

    def _share(self, count: int) -> float:
        return round(count / self.rows, 6) if self.rows else 0.0


def _with_bad_values(seen: Seen) -> list[str]:
    return [name for name, tally in seen.bad.items() if tally.count]


def arranged(failures: Sequence[Failure], columns: Sequence[str]) -> tuple[Failure, ...]:
    """In the order of the table's columns; what many files fail in is said of the first ones."""
    alike: dict[tuple[str, str], list[Failure]] = defaultdict(list)
    for failure in failures:
        alike[failure.column, failure.check].append(failure)
    order = {name: index for index, name in enumerate(("", *columns))}
    found: list[Failure] = []
    for column, check in sorted(alike, key=lambda key: order.get(key[0], -1)):
        every = alike[column, check]
        found += every[:_FILES]
        if more := every[_FILES:]:
            count, share = sum(f.count for f in more), round(sum(f.share for f in more), 6)
            said = f"in {len(more)} more file{'s' * (len(more) != 1)}"
            found.append(Failure(check, column, count, share, detail=said))
    return tuple(found)


def _shown(values: Sequence[Any]) -> Any:
    """One value alone, several as a tuple."""
    return _plain(values[0]) if len(values) == 1 else tuple(map(_plain, values))


def _plain(value: Any) -> Any:
    """`value` as JSON holds it: dates in ISO form, NaN and infinities as text, long texts cut."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else float_text(value)
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
