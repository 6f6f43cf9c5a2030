"""The judge in a stream: against pandera, against Polars on whole frames, and in all formats."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from data.contract_cases import by_eager_polars, by_pandera, compiled
from data.contract_cases import tables as random_tables
from mlctl.adapters import tables
from mlctl.adapters.spill import Spill
from mlctl.data.contracts import counting, finding, verdict
from mlctl.data.contracts.counting import Source
from mlctl.data.contracts.outcome import Verdict
from mlctl.data.contracts.verdict import judge, judge_files

often = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def found(result: Verdict) -> dict[tuple[str, str], tuple[int, tuple[int, ...]]]:
    return {(f.column, f.check): (f.count, f.rows) for f in result.failures}


def judge_paths(paths: list[Path], text: str, folder: Path) -> Verdict:
    names = [path.name for path in paths] if len(paths) > 1 else [""]
    sources = [
        Source(name, str(path), partial(tables.parts, path))
        for name, path in zip(names, paths, strict=True)
    ]
    with Spill(str(folder)) as spill:
        return judge_files(sources, compiled(text), spill)


@often
@given(random_tables())
def test_pandera_and_the_stream_agree(case: tuple[pl.DataFrame, str]) -> None:
    frame, text = case
    ours = {(f.column, f.check) for f in judge(frame, compiled(text)).failures}
    theirs = by_pandera(frame, compiled(text))
    # Of the columns that nobody promised, pandera names the first one only.
    more = {key for key in ours if key[1] == "column not in the contract"}
    assert ours - more == {key for key in theirs if key not in more}
    assert bool(more) == bool(theirs & more)


@often
@given(random_tables())
def test_rows_and_counts_are_those_of_the_whole_frame(case: tuple[pl.DataFrame, str]) -> None:
    frame, text = case
    rules = compiled(text)
    checks = {(rule.column, rule.check) for rule in rules.rules}
    ours = {key: what for key, what in found(judge(frame, rules)).items() if key in checks}
    assert ours == by_eager_polars(frame, rules)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that is done in pieces is done in tiny ones."""
    monkeypatch.setattr(tables, "_BATCH", 7)
    monkeypatch.setattr(tables, "_BLOCK", 200)
    monkeypatch.setattr(verdict, "_HASHES", 5)
    monkeypatch.setattr(finding, "_AT_ONCE", 3)


def write(frame: pl.DataFrame, path: Path) -> Path:
    match path.suffix:
        case ".parquet":
            frame.write_parquet(path, row_group_size=11)
        case ".arrow":
            frame.write_ipc(path, record_batch_size=11)
        case _:
            tables.write(frame, path)
    return path


FORMATS = ("data.csv", "data.tsv", "data.parquet", "data.jsonl", "data.arrow")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", FORMATS)
@settings(often, max_examples=20)
@given(case=random_tables())
def test_every_format_in_pieces_gives_the_verdict_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, name: str, case: tuple[pl.DataFrame, str]
) -> None:
    frame, text = case
    if name == "data.jsonl":
        assume(frame.height and all(math.inf not in row for row in frame.rows()))
    if frame.width == 1 and frame.height:  # a line without a field is no row of one column
        assume(frame.to_series().null_count() == 0)
    folder = tmp_path_factory.mktemp("table")
    whole = judge(frame, compiled(text))
    pieces = judge_paths([write(frame, folder / name)], text, folder)
    assert found(pieces) == found(whole)
    assert pieces.rows == whole.rows


@pytest.mark.usefixtures("small")
@often
@given(case=random_tables(), cuts=st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_files_are_judged_as_one_table_and_their_rows_named_in_each(
    tmp_path_factory: pytest.TempPathFactory,
    case: tuple[pl.DataFrame, str],
    cuts: tuple[int, int],
) -> None:
    frame, text = case
    folder = tmp_path_factory.mktemp("tables")
    first, second = sorted(cuts)
    starts = {"a.parquet": 0, "b.arrow": first, "c.parquet": second}
    heights = (first, second - first, None)
    paths = [
        write(frame.slice(start, height), folder / name)
        for (name, start), height in zip(starts.items(), heights, strict=True)
    ]
    result = judge_paths(paths, text, folder)
    joined: dict[tuple[str, str], tuple[int, tuple[int, ...]]] = {}
    for failure in result.failures:
        key = failure.column, failure.check
        count, rows = joined.get(key, (0, ()))
        more = tuple(row + starts.get(failure.file, 0) for row in failure.rows)
        joined[key] = count + failure.count, (rows + more)[:10]
    assert joined == found(judge(frame, compiled(text)))


@often
@given(case=random_tables())
def test_values_that_share_a_hash_are_not_taken_for_equal(
    case: tuple[pl.DataFrame, str],
) -> None:
    frame, text = case

    def weak(names: list[str]) -> pl.Expr:
        return strong(names) % 3

    strong = counting.hash_of
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "hash_of", weak)
        patch.setattr(finding, "hash_of", weak)
        weakly = judge(frame, compiled(text))
    assert weakly == judge(frame, compiled(text))
