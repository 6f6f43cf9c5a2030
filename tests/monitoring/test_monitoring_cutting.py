"""Periods, seasons, slices and what is odd about rows, on real files."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mlctl.errors import InvalidInput
from mlctl.monitoring.choosing import choose
from mlctl.monitoring.cuts import PeriodCut
from mlctl.monitoring.cutting import cut
from mlctl.monitoring.parse import completed, parse_monitor
from mlctl.monitoring.period_names import first_day, last_day
from mlctl.monitoring.sources import opened
from mlctl.monitoring.spec import MonitorSpec, Where
from monitoring.frames import Frame

HEAD = "schema: mlctl.monitor/1\ncurrent: {path: c}\nreference: {path: r}\ntime: at\n"


def monitor(more: str, head: str = HEAD) -> MonitorSpec:
    return parse_monitor(head + more, name="m")


def cuts(more: str, at: list[object], dtype: object = None, **bounds: str) -> list[PeriodCut]:
    frame = pl.DataFrame({"at": pl.Series(at, dtype=dtype), "x": range(len(at))})  # type: ignore[arg-type]
    return cut(monitor(more), Frame(frame), None, **bounds)


def told(found: list[PeriodCut]) -> dict[str, list[int]]:
    return {c.period.name: [] if c.rows is None else c.rows.tolist() for c in found}


def hours(start: datetime, count: int) -> list[object]:
    return [start + timedelta(hours=n) for n in range(count)]


def test_days_are_those_of_the_zone_and_gaps_are_periods():
    moments = [datetime(2026, 5, 1, 21), datetime(2026, 5, 1, 23), datetime(2026, 5, 4, 1), None]
    found = cuts("every: day\nzone: UTC\n", moments)
    assert told(found) == {
        "2026-05-01": [0, 1],
        "2026-05-02": [],
        "2026-05-03": [],
        "2026-05-04": [2],
    }
    codes = [[f.code for f in c.findings] for c in found]
    assert codes[1] == ["no_time", "empty_period"]
    utc = [None if m is None else m.replace(tzinfo=UTC) for m in moments]
    berlin = cuts("every: day\nzone: Europe/Berlin\n", utc)
    assert told(berlin)["2026-05-02"] == [1]  # 23:00 UTC is 01:00 there
    assert berlin[0].period.start == datetime(2026, 4, 30, 22, tzinfo=UTC)


@pytest.mark.parametrize(("day", "length"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_on_which_clocks_change_has_its_own_length(day: str, length: int):
    start = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(days=1)
    found = {c.period.name: c for c in cuts("every: day\nzone: Europe/Berlin\n", hours(start, 72))}
    assert found[day].rows is not None
    assert found[day].rows.size == length
    period = found[day].period
    assert period.start is not None
    assert period.end is not None
    assert period.end - period.start == timedelta(hours=length)


def test_an_hour_that_comes_twice_is_two_periods_and_said_of_naive_moments():
    start = datetime(2026, 10, 24, 23, tzinfo=UTC)
    names = [c.period.name for c in cuts("every: hour\nzone: Europe/Berlin\n", hours(start, 4))]
    assert names == ["2026-10-25T01", "2026-10-25T02", "2026-10-25T02b", "2026-10-25T03"]
    naive = cuts("every: day\nzone: Europe/Berlin\n", [datetime(2026, 10, 25, 2, 30)])
    assert [f.code for f in naive[0].findings] == ["ambiguous_time"]


def test_weeks_months_rows_and_all():
    moments = [datetime(2026, 12, 28), datetime(2027, 1, 3, 23), datetime(2027, 1, 4)]
    assert told(cuts("every: week\n", moments)) == {"2026-W53": [0, 1], "2027-W01": [2]}
    assert told(cuts("every: month\n", moments)) == {"2026-12": [0], "2027-01": [1, 2]}
    assert told(cuts('every: "2 rows"\n', moments)) == {"rows-000001": [0, 1], "rows-000002": [2]}
    assert [c.period.name for c in cuts("", moments)] == ["2026-12-28_2027-01-04"]


@pytest.mark.parametrize(
    "moments",
    [
        ["2026-05-01T10:00:00", "2026-05-02 11:00"][:1] * 2,
        ["2026-05-01T10:00:00Z"],
        ["2026-05-01"],
        [1777629600],
        [1777629600000],
        [1777629600000000000],
        [datetime(2026, 5, 1).date()],
    ],
    ids=str,
)
def test_moments_of_many_forms(moments: list[object]):
    assert [c.period.name for c in cuts("every: day\n", moments)] == ["2026-05-01"]


@pytest.mark.parametrize("column", [["soon"], [1.5], [7], [[1]]], ids=str)
def test_what_is_no_moment_is_refused(column: list[object]):
    with pytest.raises(InvalidInput, match="holds"):
        cuts("every: day\n", column)


def test_since_and_until_bound_the_periods():
    moments = [datetime(2026, 5, d) for d in range(1, 8)]
    found = cuts("every: day\n", moments, since="2026-05-03", until="2026-05-05")
    assert list(told(found)) == ["2026-05-03", "2026-05-04", "2026-05-05"]
    weeks = cuts("every: week\n", moments, since="2026-05-04")
    assert list(told(weeks)) == ["2026-W19"]
    with pytest.raises(InvalidInput, match="no period is called 'yesterday'"):
        cuts("every: day\n", moments, since="yesterday")


def test_like_is_compared_with_like():
    at = [datetime(2026, 5, 4) + timedelta(hours=n) for n in range(24 * 28)]
    reference = Frame(pl.DataFrame({"at": at, "x": range(len(at))}))
    current = Frame(pl.DataFrame({"at": [datetime(2026, 6, 8, 5)], "x": [1]}))
    (found,) = cut(monitor("every: day\nseason: weekday\nmin_rows: 90\n"), current, reference)
    assert found.season == "monday"
    assert found.reference_rows is not None
    assert {at[row].isoweekday() for row in found.reference_rows} == {1}
    (few,) = cut(monitor("every: day\nseason: weekday\nmin_rows: 97\n"), current, reference)
    assert (few.season, few.reference_rows) == ("", None)
    assert "only 96 rows of the reference are of monday" in few.note
    (hour,) = cut(monitor("every: hour\nseason: hour\nmin_rows: 20\n"), current, reference)
    assert hour.season == "05"
    without = Frame(reference.frame.drop("at"))
    (no_time,) = cut(monitor("every: day\nseason: weekday\n"), current, without)
    assert "seasons are not kept" in no_time.note


def test_the_periods_before_are_the_reference():
    head = HEAD.replace("{path: r}", "{before: 2}")
    frame = Frame(pl.DataFrame({"at": [datetime(2026, 5, d) for d in (1, 2, 3, 4)], "x": range(4)}))
    found = cut(monitor("every: day\n", head), frame, frame)
    rows = [c.reference_rows.tolist() for c in found if c.reference_rows is not None]
    assert rows == [[], [0], [0, 1], [1, 2]]
    assert "no period before" in found[0].note


def test_slices_are_the_same_on_both_sides():
    frame = pl.DataFrame({"c": ["a", "b", "a", None, "z"], "age": [10, 70, 61, 80, 5]})
    reference = pl.DataFrame({"c": ["a", "a", "b"], "age": [65, 20, 1]})
    spec = monitor("slices: [c, {name: old, where: age >= 60}]\n", HEAD.replace("time: at\n", ""))
    (found,) = cut(spec, Frame(frame), Frame(reference))
    assert {s.name: s.rows.tolist() for s in found.slices} == {
        "c=a": [0, 2],
        "c=b": [1],
        "old": [1, 2, 3],
    }
    there = [s.reference_rows.tolist() for s in found.slices if s.reference_rows is not None]
    assert there == [[0, 1], [2], [0]]
    wrong = monitor("slices: [{name: old, where: agee >= 60}]\n", HEAD.replace("time: at\n", ""))
    with pytest.raises(InvalidInput, match="no column 'agee'"):
        cut(wrong, Frame(frame), Frame(reference))


def test_what_is_odd_about_rows_and_columns_is_told():
    current = pl.DataFrame(
        {"id": [1, 1, 2], "agee": [1.0, 2.0, 3.0], "zip": ["a", "b", "c"], "n": 1}
    )
    reference = pl.DataFrame({"id": [1], "age": [1.0], "zip": [7]})
    spec = monitor("id: id\n", HEAD.replace("time: at\n", ""))
    (found,) = cut(spec, Frame(current), Frame(reference))
    texts = {f.code: f.text for f in found.findings}
    assert texts["missing_column"] == "age is not in the current data; was it renamed to agee?"
    assert texts["type_changed"] == "zip is String, in the reference Int64"
    assert texts["duplicate_ids"] == "1 of 3 rows have a id that another row has, too"
    assert "new_column" in texts


def test_a_part_that_cannot_be_read_is_told_and_the_rest_is_read(tmp_path: Path):
    (tmp_path / "d").mkdir()
    pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}).write_parquet(tmp_path / "d/1.parquet")
    (tmp_path / "d/2.parquet").write_bytes(b"PAR1 no more")
    pl.DataFrame({"b": ["z"], "a": [1.5], "c": [True]}).write_parquet(tmp_path / "d/3.parquet")
    (tmp_path / "d/notes.txt").write_text("no table")
    with opened(tmp_path, Where(path="d"), role="current") as source:
        assert (source.ref.files, source.ref.rows) == (2, 3)
        codes = [(f.code, f.severity) for f in source.findings]
        assert codes == [("unreadable_file", "error"), ("mixed_types", "warning")]
        found = source.read(["c", "a"])
        assert found.to_dict(as_series=False) == {"c": [None, None, True], "a": [1.0, 2.0, 1.5]}
        assert source.read(["c"]).height == 3
    (tmp_path / "d/1.parquet").write_bytes(b"")
    (tmp_path / "d/3.parquet").write_bytes(b"x")
    with (
        pytest.raises(InvalidInput, match="cannot be read"),
        opened(tmp_path, Where(path="d/*.parquet"), role="current"),
    ):
        pass


def test_csv_jsonl_and_a_query_are_sources_too(tmp_path: Path):
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    frame.write_csv(tmp_path / "t.csv")
    frame.write_ndjson(tmp_path / "t.jsonl")
    with closing(sqlite3.connect(tmp_path / "t.db")) as db, db:
        db.execute("create table t (a int, b text)")
        db.executemany("insert into t values (?, ?)", frame.rows())
    for where in (
        Where(path="t.csv"),
        Where(path="t.jsonl"),
        Where(sql="select a, b from t order by a", url="sqlite:t.db"),
    ):
        with opened(tmp_path, where, role="current") as source:
            assert source.read(["a", "b"]).rows() == frame.rows()
    with (
        pytest.raises(InvalidInput, match=r"\$NO_DB is not set"),
        opened(tmp_path, Where(sql="select 1", url="$NO_DB"), role="current"),
    ):
        pass


def test_a_prediction_log_says_itself_what_its_columns_are():
    spec = parse_monitor(
        "schema: mlctl.monitor/1\ncurrent: {log: l}\nreference: {path: r}\nevery: day\n", name="m"
    )
    schema = pl.DataFrame(
        {"id": [1], "at": [datetime(2026, 1, 1)], "x": [1.0], "prediction": ["yes"], "p_yes": [0.7]}
    ).schema
    full = completed(spec, schema)
    assert (full.time, full.id, full.predictions.value) == ("at", "id", "prediction")
    assert full.predictions.scores == {"yes": "p_yes"}
    assert choose(full, schema, file="f") == [
        ("x", "feature"),
        ("prediction", "prediction"),
        ("p_yes", "prediction"),
    ]


def test_many_rows_are_cut_quickly():
    rng = np.random.default_rng(0)
    at = pl.Series(rng.integers(0, 365 * 86_400, 500_000)).sort() * 1_000_000
    frame = pl.DataFrame({"at": at.cast(pl.Datetime("us")), "x": 1.0})
    found = cut(monitor("every: day\n"), Frame(frame), None)
    assert len(found) == 365
    assert sum(c.rows.size for c in found if c.rows is not None) == 500_000


def test_bounds_are_dates_of_the_zone():
    start = datetime(2026, 5, 1, tzinfo=UTC)
    found = cuts("every: hour\nzone: Asia/Tokyo\n", hours(start, 60), since="2026-05-02")
    assert found[0].period.name == "2026-05-02T00"
    found = cuts("every: hour\nzone: America/New_York\n", hours(start, 60), until="2026-05-01")
    assert found[-1].period.name == "2026-05-01T23"


def test_rows_that_are_still_to_come_leave_a_period_open():
    found = cuts('every: "2 rows"\n', [datetime(2026, 5, d) for d in (1, 2, 3)])
    assert [c.period.goes_on for c in found] == [False, True]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("2026-05-01", "2026-05-01", "2026-05-01"),
        ("2026-10-25T02b", "2026-10-25", "2026-10-25"),
        ("2026-05-01_2026-05-31", "2026-05-01", "2026-05-31"),
        ("2026-W53", "2026-12-28", "2027-01-03"),
        ("2028-02", "2028-02-01", "2028-02-29"),
        ("rows-000001", "", ""),
        ("9f8e7d6c", "", ""),
    ],
)
def test_the_days_of_a_name(name: str, first: str, last: str):
    assert (first_day(name), last_day(name)) == (first, last)


@pytest.mark.parametrize("name", ["rows", "value", "count", "n"])
def test_no_name_of_a_slice_is_special(name: str):
    table = Frame(pl.DataFrame({name: ["a", "b"], "x": [1, 2]}))
    (found,) = cut(monitor(f"slices: [{name}]\n", HEAD.replace("time: at\n", "")), table, table)
    assert [s.name for s in found.slices] == [f"{name}=a", f"{name}=b"]
