"""Going back to a table for what one pass did not keep: repeated values, and values to show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from mlctl.data.contracts.compile import Compiled
from mlctl.data.contracts.counting import SHOWN, Seen, Source, Tally, hash_of, readings
from mlctl.data.contracts.rules import Rule
from mlctl.errors import Busy

if TYPE_CHECKING:
    import polars as pl

    from mlctl.adapters.tables import Part

_AT_ONCE = 1_000_000  # hashes whose values are compared in one pass


def repeated(
    files: Sequence[tuple[Source, Seen]],
    compiled: Compiled,
    rule: Rule,
    hashes: Iterator[pl.Series],
) -> list[Tally]:
    """For each file, the rows whose values of `rule.distinct` stand in another row too.

    `hashes` holds the hash of each such row. The values themselves are compared, so that two of
    them that share a hash are not taken for equal. Each million of hashes costs a pass.
    """
    tallies = [Tally() for _ in files]
    for some in gathered(hashes, _AT_ONCE):
        found = _repeated(files, compiled, rule, some)
        tallies = [one + more for one, more in zip(tallies, found, strict=True)]
    return tallies


def shown(
    source: Source, seen: Seen, compiled: Compiled, rows: Iterable[int], names: Sequence[str]
) -> dict[int, tuple[dict[str, Any], dict[str, Any]]]:
    """For each of `rows` the values of `names`, as the contract's types and as they stand there.

    Raises Busy where the file is not as it was.
    """
    import polars as pl

    found = {}
    wanted = set(rows)
    for part, first, height in _parts(source, seen):
        local = sorted(row - first for row in wanted if first <= row < first + height)
        if not local:
            continue
        lazy = part.open()
        schema = lazy.collect_schema()
        reads = readings(compiled, schema, part.types)
        values = [reads[name].value.alias(f"value{i}") for i, name in enumerate(names)]
        raw = [pl.col(n).alias(f"raw{i}") for i, n in enumerate(names) if n in schema]
        frame = (
            lazy.select(pl.nth(0).is_null().alias("every"), *raw, *values)
            .with_row_index("row")
            .head(local[-1] + 1)
            .filter(pl.col("row").is_in(local))
            .collect(engine="streaming")
        )
        for row in frame.iter_rows(named=True):
            found[first + row["row"]] = (
                {name: row[f"value{i}"] for i, name in enumerate(names)},
                {name: row.get(f"raw{i}") for i, name in enumerate(names)},
            )
    if found.keys() != wanted:
        raise _changed(source)
    return found


def gathered(pieces: Iterable[pl.Series], least: int) -> Iterator[pl.Series]:
    """The same, in pieces of `least` to twice as many."""
    import polars as pl

    held: list[pl.Series] = []
    for piece in pieces:
        for start in range(0, piece.len(), least):
            held.append(piece.slice(start, least))
            if sum(map(len, held)) >= least:
                yield pl.concat(held)
                held = []
    if held:
        yield pl.concat(held)


def _repeated(
    files: Sequence[tuple[Source, Seen]], compiled: Compiled, rule: Rule, hashes: pl.Series
) -> Iterator[Tally]:
    import polars as pl

    keys = [f"key{i}" for i in range(len(rule.distinct))]
    wanted = hashes.to_frame("hash").lazy()
    groups: dict[str, list[pl.DataFrame]] = defaultdict(list)  # columns of `any` type may differ
    for number, (source, seen) in enumerate(files):
        for lazy, first in _keyed(source, seen, compiled, rule):
            frame = (
                lazy.join(wanted, left_on=hash_of(keys), right_on="hash", how="semi")
                .group_by(keys)
                .agg(pl.len().cast(pl.Int64), pl.col("row").min().cast(pl.Int64) + first)
                .with_columns(file=pl.lit(number))
                .collect(engine="streaming")
            )
            groups[str(frame.schema)].append(frame)
    twice = [_more_than_once(pl.concat(frames), keys) for frames in groups.values()]
    for number, (source, seen) in enumerate(files):
        tally = Tally()
        for frame in twice:
            mine = frame.filter(pl.col("file") == number)
            earliest = mine.bottom_k(SHOWN, by="row")
            rows = _first_rows(source, seen, compiled, rule, earliest) if mine.height else []
            tally += Tally(int(mine["len"].sum()), rows)
        yield tally


def _more_than_once(groups: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    import polars as pl

    totals = groups.group_by(keys).agg(pl.col("len").sum()).filter(pl.col("len") > 1)
    return groups.join(totals, on=keys, how="semi")


def _first_rows(
    source: Source, seen: Seen, compiled: Compiled, rule: Rule, groups: pl.DataFrame
) -> list[int]:
    """The first rows of a file that hold the values of one of `groups`."""
    keys = [f"key{i}" for i in range(len(rule.distinct))]
    rows: list[int] = []
    for lazy, first in _keyed(source, seen, compiled, rule):
        if any(lazy.collect_schema()[key] != groups.schema[key] for key in keys):
            continue
        found = lazy.join(groups.lazy(), on=keys, how="semi").select("row")
        frame = found.bottom_k(SHOWN, by="row").collect(engine="streaming")
        rows += [first + row for row in frame["row"].to_list()]
        if len(rows) >= SHOWN:
            break
    return rows


def _keyed(
    source: Source, seen: Seen, compiled: Compiled, rule: Rule
) -> Iterator[tuple[pl.LazyFrame, int]]:
    """The values of `rule.distinct` where none is missing, as `key0`…, with the number of the `row`
    in its part; and the number of the part's first row.
    """
    if not seen.judges(rule):
        return
    for part, first, height in _parts(source, seen):
        if not height:
            continue
        lazy = part.open()
        reads = readings(compiled, lazy.collect_schema(), part.types)
        values = [reads[name].value.alias(f"key{i}") for i, name in enumerate(rule.distinct)]
        yield lazy.select(values).with_row_index("row").drop_nulls(), first


def _parts(source: Source, seen: Seen) -> Iterator[tuple[Part, int, int]]:
    """Each part with the number of its first row and of its rows."""
    first = 0
    for part, height in zip_longest(source.parts(), seen.heights):
        if part is None or height is None:
            raise _changed(source)
        yield part, first, height
        first += height


def _changed(source: Source) -> Busy:
    return Busy(f"{source.path} changed while it was read", hint="run the command again")
