"""Profiles as records: what stands in them, how large they are, who may be seen, bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.adapters import table_formats, tables
from mlctl.cli.main import run
from mlctl.data.profiles import record
from mlctl.data.profiles.building import build
from mlctl.data.profiles.column import Column, of_series
from mlctl.data.profiles.form import from_dict, to_dict
from mlctl.data.profiles.marks import Marks, marks_of, parsed
from mlctl.data.profiles.opening import TableFile
from mlctl.data.profiles.profile import Profile, parse_profile, profile_text
from mlctl.data.profiles.record import DataRef, load, profile_path, read_ref
from mlctl.errors import ConfigError, InvalidInput

REF = DataRef("data/raw.csv", "md5:" + "0" * 32, 10, 1)
CONTRACT = """\
schema: mlctl.contract/1
data: data/raw.csv
strict: false
key: [id]
columns:
  id: {type: int}
  code: {type: str}
  price: {type: float, nullable: true}
"""


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for argv in (["git", "init", "-q"], ["git", "config", "user.name", "x"]):
        subprocess.run(argv, cwd=tmp_path, check=True)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "contracts").mkdir()
    monkeypatch.chdir(tmp_path)
    rows = [f"{i},{i % 7:05d},{i / 4 if i % 10 else ''},p{i}@x.org" for i in range(3000)]
    (tmp_path / "data" / "raw.csv").write_text("id,code,price,mail\n" + "\n".join(rows) + "\n")
    assert run(["data", "add", "-q", "data/raw.csv"]) == 0
    return tmp_path


def profile(repo: Path, path: str = "data/raw.csv") -> Profile:
    name = profile_path(path)
    return parse_profile((repo / name).read_text(), name=name)


def column(found: Profile, name: str) -> Column:
    return next(column for column in found.columns if column.name == name)


def lines(repo: Path, path: str = "data/raw.csv") -> dict[str, dict[str, object]]:
    data = json.loads((repo / profile_path(path)).read_text())
    return {column["name"]: column for column in data["columns"]}


def values_in(data: object) -> set[str]:
    if isinstance(data, dict):
        return set().union(*map(values_in, data.values())) if data else set()
    if isinstance(data, list):
        return set().union(*map(values_in, data)) if data else set()
    return {str(data)}


def test_without_a_contract_no_value_is_told(repo: Path) -> None:
    assert run(["data", "profile"]) == 0
    found = profile(repo)
    assert (found.rows, found.data.size) == (3000, (repo / "data/raw.csv").stat().st_size)
    assert (
        found.data.digest == "md5:" + (repo / "data/raw.csv.dvc").read_text().split("md5: ")[1][:32]
    )
    for line in lines(repo).values():
        assert not line.keys() & {"top", "min", "max", "shown", "missed"}
        assert "hashes" not in line["distinct"]
    told = values_in(lines(repo))
    assert "p7@x.org" not in (repo / profile_path("data/raw.csv")).read_text()
    assert not {"00003", "749.75"} & told


def test_a_contract_opens_its_columns_and_types_them(repo: Path) -> None:
    (repo / "contracts" / "raw.yaml").write_text(CONTRACT)
    assert run(["data", "profile", "data/raw.csv"]) == 0
    found = lines(repo)
    assert found["code"]["kind"] == "str"
    assert ["00003", 429] in found["code"]["top"]
    assert (found["price"]["min"], found["price"]["max"], found["price"]["nulls"]) == (
        0.25,
        749.75,
        300,
    )
    assert found["id"]["distinct"]["count"] == 3000
    assert "error" not in found["id"]["distinct"]
    assert not found["mail"].keys() & {"top", "shown"}
    assert list(profile(repo).contracts) == ["contracts/raw.yaml"]


def test_personal_columns_stay_closed() -> None:
    """`personal` may come with a later contract; here a contract's column says so already."""
    contract, digest = parsed("raw", CONTRACT)

    class Personal:
        name, type, personal = "code", "str", True

    columns = (*(c for c in contract.columns if c.name != "code"), Personal())
    marks = marks_of(
        [(replace(contract, columns=columns), digest)], "data/raw.csv", ["data/raw.csv"]
    )
    assert marks.shown == {"id", "price"}
    assert marks.kinds["code"] == "str"
    other = parsed("other", CONTRACT.replace("  price: {type: float, nullable: true}\n", ""))
    assert marks_of([(contract, digest), other], "data/raw.csv", []).shown == {"id", "code"}
    assert marks_of([(contract, digest)], "data/else.csv", ["data/else.csv"]) == Marks()


def test_what_did_not_change_is_not_read_again(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["data", "profile"]) == 0
    before = (repo / profile_path("data/raw.csv")).read_bytes()
    assert "written" in capsys.readouterr().out
    assert run(["data", "profile"]) == 0
    assert "unchanged" in capsys.readouterr().out
    assert run(["data", "profile", "--force"]) == 0
    assert (repo / profile_path("data/raw.csv")).read_bytes() == before
    (repo / "contracts" / "raw.yaml").write_text(CONTRACT)
    capsys.readouterr()
    assert run(["data", "profile", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == "mlctl.data.profile/1"
    assert [(item["change"], item["rows"], item["columns"]) for item in told["profiles"]] == [
        ("written", 3000, 4)
    ]
    assert (repo / profile_path("data/raw.csv")).read_bytes() != before


def test_a_folder_is_its_files_and_its_tables_together(repo: Path) -> None:
    folder = repo / "data" / "shards"
    folder.mkdir()
    for at in range(3):
        frame = pl.DataFrame({"x": range(at * 100, at * 100 + 100), "y": [at] * 100})
        (frame if at else frame.select("y", "x")).write_parquet(folder / f"{at}.parquet")
    (folder / "README").write_text("shards")
    assert run(["data", "add", "-q", "data/shards"]) == 0
    assert run(["data", "profile"]) == 0
    found = profile(repo, "data/shards")
    assert (found.rows, found.tables, found.data.files) == (300, 3, 4)
    assert set(found.listing) == {"0.parquet", "1.parquet", "2.parquet", "README"}
    assert column(found, "x").distinct.count == 300
    assert found.data.digest.endswith(".dir")


def test_a_folder_without_tables_or_with_different_ones_is_its_files_alone(repo: Path) -> None:
    for name, texts in {
        "img": {"a.png": "1", "b.png": "2"},
        "mix": {"a.csv": "x\n1\n", "b.csv": "y\n1\n"},
    }.items():
        (repo / "data" / name).mkdir()
        for file, text in texts.items():
            (repo / "data" / name / file).write_text(text)
    assert run(["data", "profile", "data/img", "data/mix"]) == 0
    for name in ("img", "mix"):
        found = profile(repo, f"data/{name}")
        assert (found.rows, found.columns, len(found.listing)) == (None, (), 2)


def test_it_never_lies_inside_of_tracked_data(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repo / "profiles" / "x").mkdir(parents=True)
    (repo / "profiles" / "x" / "y.csv").write_text("a\n1\n")
    (repo / "x").mkdir()
    (repo / "x" / "y.csv").write_text("a\n1\n")
    assert run(["data", "add", "-q", "profiles/x"]) == 0
    assert run(["data", "profile", "x/y.csv"]) == 2
    assert "profiles/x/y.csv.json would lie in profiles/x" in capsys.readouterr().err
    assert not (repo / "profiles" / "x" / "y.csv.json").exists()


BAD = {
    "truncated.parquet": b"PAR1\x00\x00",
    "ragged.csv": b"a,b\n1,2\n1,2,3\n",
    "empty.csv": b"",
    "broken.jsonl": b'{"a": 1}\n{"a": \n',
    "cut.arrow": b"ARROW1\0\0",
    "notes.txt": b"no table",
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_one_clear_error(
    repo: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (repo / "data" / name).write_bytes(BAD[name])
    assert run(["data", "profile", f"data/{name}"]) == 2
    said = capsys.readouterr().err
    assert f"data/{name}" in said
    assert "Traceback" not in said
    assert not (repo / "profiles").exists()
    assert run(["data", "profile", "data/nothing.csv"]) == 2
    assert "no such file" in capsys.readouterr().err


def test_one_bad_table_in_a_folder_is_named(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "data" / "t").mkdir()
    (repo / "data" / "t" / "good.csv").write_text("a,b\n1,2\n")
    (repo / "data" / "t" / "bad.csv").write_text("a,b\n1,2\n1,2,3\n")
    assert run(["data", "profile", "data/t"]) == 2
    assert "data/t/bad.csv" in capsys.readouterr().err


def test_a_late_value_of_another_type_makes_its_column_text(repo: Path) -> None:
    rows = "\n".join(map(str, range(20_000)))
    (repo / "data" / "late.csv").write_text(f"a\n{rows}\nunknown\n")
    assert run(["data", "profile", "data/late.csv"]) == 0
    assert column(profile(repo, "data/late.csv"), "a").kind == "str"


def test_damaged_and_unmerged_profiles_are_told_and_written_anew(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["data", "profile"]) == 0
    place = repo / profile_path("data/raw.csv")
    good = place.read_text()
    lines = good.splitlines(keepends=True)
    unmerged = "".join(
        [*lines[:2], "<<<<<<< HEAD\n", lines[2], "=======\n", ">>>>>>> b\n", *lines[3:]]
    )
    for text, said in (
        (unmerged, "conflict markers"),
        (good.replace('"rows": 3000', '"rows": 30'), "more missing|no quantiles|not a profile"),
        (good[:-300], "no valid JSON"),
        (good.replace('"points":"', '"points":"AAAA'), "not a profile"),
        ("[]", "not a record"),
        (good.replace('"kind":"float"', '"kind":"complex"'), "complex"),
    ):
        place.write_text(text)
        with pytest.raises(ConfigError, match=said) as caught:
            parse_profile(text, name=profile_path("data/raw.csv"))
        assert caught.value.file == "profiles/data/raw.csv.json"
        assert caught.value.hint or text == "[]"
        assert run(["data", "profile", "--force", "data/raw.csv"]) == 0
        assert place.read_text() == good
    place.write_bytes(b"\xff")
    assert run(["data", "profile"]) == 0
    assert place.read_text() == good


def test_a_profile_by_a_newer_mlctl_is_not_replaced_unasked(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["data", "profile"]) == 0
    place = repo / profile_path("data/raw.csv")
    good = place.read_text()
    place.write_text(good.replace("mlctl.profile/1", "mlctl.profile/2"))
    assert run(["data", "profile"]) == 2
    assert "newer mlctl" in capsys.readouterr().err
    assert run(["data", "profile", "--force"]) == 0
    assert place.read_text() == good


def test_the_reference_is_read_without_numpy(repo: Path) -> None:
    assert run(["data", "profile"]) == 0
    code = (
        "import sys; from mlctl.data.profiles.record import read_ref;"
        "print(read_ref('.', 'data/raw.csv').digest);"
        "sys.exit('numpy' in sys.modules or 'polars' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repo, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == profile(repo).data.digest
    assert read_ref(str(repo), "data/other.csv") is None


@pytest.mark.parametrize("verb", [["profile"], ["diff"]])
@pytest.mark.parametrize("library", ["numpy", "polars"])
def test_a_missing_library_is_answered_with_the_line_that_installs_it(
    repo: Path, library: str, verb: list[str]
) -> None:
    subprocess.run(["git", "add", "-A"], cwd=repo, check=True)
    subprocess.run(["git", "commit", "-q", "-m", "x"], cwd=repo, check=True)
    (repo / "data" / "raw.csv").write_text("id\n1\n")
    code = f"import sys; sys.modules[{library!r}] = None; from mlctl.cli.main import run;"
    argv = [sys.executable, "-c", f"{code} sys.exit(run(['data', *{verb}]))"]
    done = subprocess.run(argv, cwd=repo, capture_output=True, text=True)
    assert done.returncode == 3, done.stderr
    assert f"this needs {library}" in done.stderr
    assert "[validate]" in done.stderr


# columns

MOMENT = datetime(2024, 5, 1, 12, tzinfo=UTC).replace(tzinfo=None)
SERIES = {
    "float": pl.Series("c", [1.5, None, float("nan"), float("inf"), -0.0, 0.0, 2.5, 2.5]),
    "int": pl.Series("c", [1, 2, 2, None, 2**62, -5]),
    "bool": pl.Series("c", [True, False, None, True]),
    "str": pl.Series("c", ["a", "b", "a", None, "x" * 200]),
    "date": pl.Series("c", [date(2024, 1, 1), date(1960, 1, 1), None]),
    "datetime": pl.Series(
        "c", [MOMENT, MOMENT + timedelta(seconds=1.5), None], dtype=pl.Datetime("us")
    ),
    "other": pl.Series("c", [[1], None, [2, 3]]),
}


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("kind", SERIES)
def test_a_column_of_each_kind_comes_back(kind: str, shown: bool) -> None:
    series = SERIES[kind]
    found = of_series(series, kind, shown=shown)
    data = to_dict(found)
    assert json.loads(json.dumps(data)) == data
    assert to_dict(from_dict(data, series.len())) == data
    assert from_dict(data, series.len()).values == found.values


def test_the_figures_of_numbers() -> None:
    found = of_series(SERIES["float"], "float", shown=True)
    assert (found.rows, found.nulls, found.infinite, found.distinct.count) == (8, 2, 1, 4)
    assert (found.low, found.high, found.moments.n) == (0.0, 2.5, 5)
    assert found.frequent.counts == {0.0: 2, 1.5: 1, 2.5: 2}
    found = of_series(SERIES["int"], "int", shown=True)
    assert (found.low, found.high, found.distinct.count) == (-5, 2**62, 4)
    assert found.frequent.counts[2**62] == 1
    found = of_series(SERIES["datetime"], "datetime", shown=True)
    assert found.low == MOMENT.replace(tzinfo=UTC).timestamp()
    assert found.high - found.low == 1.5
    assert of_series(SERIES["date"], "date", shown=True).high == 19723
    long = to_dict(of_series(SERIES["str"], "str", shown=True))
    assert long["top"] == [["a", 2], ["b", 1]]
    assert long["missed"] == 1


CELLS = st.lists(st.none() | st.integers(-50, 50) | st.floats(), max_size=60)


@given(CELLS, st.integers(0, 60), st.booleans())
@settings(max_examples=80, deadline=None)
def test_two_halves_make_the_whole(values: list[float | None], at: int, shown: bool) -> None:
    series = pl.Series("c", values, dtype=pl.Float64, strict=False)
    whole = of_series(series, "float", shown=shown)
    halves = of_series(series[:at], "float", shown=shown).merge(
        of_series(series[at:], "float", shown=shown)
    )
    one, two = to_dict(whole), to_dict(halves)
    if "sd" in one and shown:
        assert two.pop("sd") == pytest.approx(one.pop("sd"), rel=1e-9, abs=1e-9)
        assert two.pop("mean") == pytest.approx(one.pop("mean"), rel=1e-9, abs=1e-9)
        assert two == one


def test_different_columns_do_not_merge() -> None:
    numbers, texts = (of_series(SERIES[kind], kind, shown=True) for kind in ("int", "str"))
    with pytest.raises(ValueError, match="is not"):
        numbers.merge(texts)


def worst_columns() -> dict[str, tuple[pl.Series, str]]:
    """Those whose profile is the largest: all lists full, nothing that packs well."""
    random = np.random.default_rng(0)
    full = random.normal(size=2000) * 1e-7
    names = [f"{'né' * 30}{at:04d}" for at in range(2000)]
    return {
        "2,000 floats, each many times": (pl.Series("c", np.tile(full, 50)), "float"),
        "2,000 floats, some often": (
            pl.Series("c", np.concatenate([np.tile(full, 5), np.repeat(full[:200], 500)])), "float",
        ),
        "a million floats": (pl.Series("c", random.normal(size=1_000_000) * 1e-7), "float"),
        "2,000 long texts": (pl.Series("c", names * 3), "str"),
        "100,000 texts": (pl.Series("c", [f"{at:x}" for at in range(100_000)]), "str"),
        "big numbers": (pl.Series("c", random.integers(2**60, 2**62, 2000).tolist() * 3), "int"),
        "moments": (
            pl.Series("c", random.integers(0, 2**50, 2000).tolist() * 3).cast(pl.Datetime("us")),
            "datetime",
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", worst_columns())
def test_a_column_takes_at_most_twelve_kilobytes(name: str) -> None:
    series, kind = worst_columns()[name]
    found = of_series(series.rename("c" * 60), kind, shown=True)
    text = profile_text(Profile(REF, series.len(), 1, (found,)))
    assert max(len(line.encode()) for line in text.splitlines()) <= 12_000
    back = parse_profile(text, name="profiles/x.json")
    assert profile_text(back) == text


def test_merged_columns_take_no_more() -> None:
    random = np.random.default_rng(1)
    merged = None
    for _ in range(40):
        part = of_series(pl.Series("c", random.normal(size=3000)), "float", shown=True)
        merged = part if merged is None else merged.merge(part)
    assert len(json.dumps(to_dict(merged))) <= 12_000
    assert abs(merged.distinct.count / 120_000 - 1) < 0.03


# reading


def write(path: Path, frame: pl.DataFrame) -> TableFile:
    match path.suffix:
        case ".csv":
            frame.write_csv(path)
        case ".tsv":
            frame.write_csv(path, separator="\t")
        case ".parquet":
            frame.write_parquet(path, row_group_size=77_777)
        case ".jsonl" | ".ndjson":
            frame.write_ndjson(path)
        case _:
            frame.write_ipc(path)
    return TableFile(str(path), path.suffix, path.name)


def test_the_same_table_in_every_format_has_the_same_profile(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    n = 40_000
    frame = pl.DataFrame(
        {
            "x": random.normal(size=n),
            "i": random.integers(0, 5000, n),
            "s": [f"s{v}" for v in random.integers(0, 3000, n)],
            "b": random.random(n) < 0.3,
        }
    ).with_columns(pl.when(pl.col("i") % 11 == 0).then(None).otherwise(pl.col("x")).alias("x"))
    texts = set()
    for ending in (".csv", ".parquet", ".jsonl", ".arrow"):
        file = write(tmp_path / f"t{ending}", frame)
        table = build([file], Marks(shown=frozenset(frame.columns)))
        texts.add(profile_text(Profile(REF, table.rows, 1, table.columns)))
    assert len(texts) == 1


def test_chunks_do_not_depend_on_how_the_file_is_cut(tmp_path: Path) -> None:
    frame = pl.DataFrame({"x": np.random.default_rng(0).normal(size=2_500_000)})
    texts = set()
    for size in (50_000, 1_000_000):
        frame.write_parquet(tmp_path / "t.parquet", row_group_size=size)
        table = build([TableFile(str(tmp_path / "t.parquet"), ".parquet", "t")], Marks())
        texts.add(profile_text(Profile(REF, table.rows, 1, table.columns)))
    assert len(texts) == 1
    exact = frame["x"]
    (found,) = table.columns
    assert found.moments.mean == pytest.approx(exact.mean(), abs=1e-12)
    assert found.piece.quantile(0.5) == pytest.approx(exact.median(), abs=0.01)
    assert abs(found.distinct.count / exact.n_unique() - 1) < 4 * 0.0072


def test_types_that_differ_between_files_are_widened(tmp_path: Path) -> None:
    one = write(
        tmp_path / "a.parquet",
        pl.DataFrame({"x": [1, 2], "d": [date(2024, 1, 1)] * 2, "m": ["a", "b"]}),
    )
    two = write(tmp_path / "b.parquet", pl.DataFrame({"x": [1.5], "d": [MOMENT], "m": [1]}))
    table = build([one, two], Marks())
    assert [column.kind for column in table.columns] == ["float", "datetime", "other"]
    assert table.rows == 3


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"x": pl.Series([], dtype=pl.Int64)}),
        pl.DataFrame({"x": [None, None]}),
        pl.DataFrame({"x": pl.Series([2**64 - 1, 1], dtype=pl.UInt64)}),
        pl.DataFrame({"x": pl.Series(["a", "b"], dtype=pl.Categorical)}),
        pl.DataFrame({"x": pl.Series([1.5, 2.5], dtype=pl.Float32)}),
        pl.DataFrame({"x": pl.Series([MOMENT], dtype=pl.Datetime("ms", "Asia/Tokyo"))}),
        pl.DataFrame({"x": [timedelta(1)], "y": [b"z"], "z": [{"a": 1}]}),
    ],
)
def test_unusual_types(tmp_path: Path, frame: pl.DataFrame) -> None:
    file = write(tmp_path / "t.parquet", frame)
    table = build([file], Marks(shown=frozenset(frame.columns)))
    assert table.rows == frame.height
    text = profile_text(Profile(REF, table.rows, 1, table.columns))
    assert profile_text(parse_profile(text, name="profiles/x.json")) == text


@pytest.mark.parametrize("ending", tables.FORMATS)
def test_endings_are_those_that_tables_knows(tmp_path: Path, ending: str) -> None:
    file = write(tmp_path / f"t{ending}", pl.DataFrame({"n": [1, 2, 3]}))
    assert table_formats.is_table(f"t{ending.upper()}")
    assert build([file], Marks(shown=frozenset("n"))).rows == 3


def test_zeros_have_no_sign(tmp_path: Path) -> None:
    for values in ([-0.0, 0.0, 1.0], [0.0, -0.0, 1.0], [-0.0] * 2 + [1.0]):
        data = to_dict(of_series(pl.Series("c", values), "float", shown=True))
        assert json.dumps([data["min"], data["top"]]) == "[0.0, [[0.0, 2], [1.0, 1]]]"
        assert data["distinct"]["count"] == 2


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.xyz").write_text("a\n1\n")
    with pytest.raises(InvalidInput, match="not a table"):
        build([TableFile(str(tmp_path / "t.xyz"), ".xyz", "t.xyz")], Marks())


def test_a_profile_of_version_1_is_read_for_ever() -> None:
    """`v1/profile.json` was written by the first release; it must never be written anew."""
    place = Path(__file__).parents[1] / "records" / "v1" / "profile.json"
    text = place.read_text(encoding="utf-8")
    found = parse_profile(text, name="profiles/data/raw.csv.json")
    assert profile_text(found) == text
    assert [c.kind for c in found.columns] == [
        "int",
        "float",
        "str",
        "bool",
        "date",
        "datetime",
        "other",
    ]
    assert load(text, name="x")[1] == found.data
    assert record.profile_path(found.data.path) == "profiles/data/raw.csv.json"
