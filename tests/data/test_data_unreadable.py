"""Files that are no tables: what is said, and that everything else is judged all the same."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from mlctl.cli.main import run
from mlctl.data.validation import validate

GOOD = pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
CONTRACT = """\
schema: mlctl.contract/1
data: {data}
rows: {{min: 1}}
columns:
  a: {{type: int}}
  b: {{type: str, nullable: true}}
"""


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for mark in ("GIT_INDEX_FILE", "PRE_COMMIT"):
        monkeypatch.delenv(mark, raising=False)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "contracts").mkdir()
    GOOD.write_parquet(tmp_path / "data" / "good.parquet")
    promise(tmp_path, "good", "data/good.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def promise(repo: Path, name: str, data: str) -> None:
    (repo / "contracts" / f"{name}.yaml").write_text(CONTRACT.format(data=data))


def parquet(cut: Callable[[bytes], bytes]) -> bytes:
    return written(GOOD.write_parquet, cut)


def arrow(cut: Callable[[bytes], bytes]) -> bytes:
    return written(GOOD.write_ipc, cut)


def written(write: Callable[[Path], object], cut: Callable[[bytes], bytes]) -> bytes:
    import io

    buffer = io.BytesIO()
    write(buffer)  # type: ignore[arg-type]
    return cut(buffer.getvalue())


def twice(data: bytes) -> bytes:
    return data.replace(b"bbbb", b"aaaa")


HEADER = b"a,b\n"
BROKEN = "File out of specification"
CASES = {
    "empty.csv": (b"", "the file is empty"),
    "empty.parquet": (b"", "the file is empty"),
    "empty.jsonl": (b"", "the file is empty"),
    "empty.arrow": (b"", "the file is empty"),
    "no-header.csv": (b"\n1,x\n", "line 1 is empty, where the header is expected"),
    "mark.csv": (b"\xef\xbb\xbf", "line 1 is empty, where the header is expected"),
    "long-header.csv": (
        b'"' + b"a" * 200_000 + b"\n1,x\n",
        "line 1: unexpected end of data",
    ),
    "long.csv": (HEADER + b"1,x\n2,y,z\n3,z\n", "line 3 has 3 fields, the header has 2"),
    "short.csv": (b"a,c,b\n1,2,x\n2\n3,4,z\n", "line 3 has 1 field, the header has 3"),
    "short.tsv": (b"a\tb\n1\tx\n2\n", "line 3 has 1 field, the header has 2"),
    "blank.csv": (HEADER + b"1,x\n\n3,z\n", "line 3 is empty, the header has 2"),
    "after-quotes.csv": (HEADER + b'1,"x\ny"\n2,""\n3\n', "line 5 has 1 field, the header has 2"),
    "open-quote.csv": (HEADER + b'1,x\n2,"y\n3,z\n', "line 3: unexpected end of data"),
    "latin-1.csv": (
        HEADER + b"1,x\n2,caf\xe9\n",
        "line 3, byte 6: 0xe9 is not UTF-8; save the file as UTF-8",
    ),
    "latin-1-header.csv": (
        b"a,b\xe9\n1,x\n",
        "line 1, byte 4: 0xe9 is not UTF-8; save the file as UTF-8",
    ),
    "utf-16.csv": ("a,b\n1,x\n".encode("utf-16"), "the text is UTF-16; save it as UTF-8"),
    "twice.csv": (b"a,b,a\n1,x,2\n", "more than one column is called 'a'"),
    "twice.parquet": (
        written(pl.DataFrame({"aaaa": [1], "bbbb": [2]}).write_parquet, twice),
        "more than one column is called 'aaaa'",
    ),
    "truncated.parquet": (
        parquet(lambda data: data[:-20]),
        f"{BROKEN}: The file must end with PAR1 or PARE",
    ),
    "text.parquet": (
        b"a,b\n1,x\n",
        f"{BROKEN}: A Parquet file must contain a header and footer with at least 12 bytes",
    ),
    "truncated.arrow": (arrow(lambda data: data[:-20]), "out-of-spec: InvalidFooter"),
    "truncated.jsonl": (
        b'{"a": 1, "b": "x"}\n{"a": 2, "b"',
        "line 2 is not JSON: Expecting ':' delimiter: line 1 column 13 (char 12)",
    ),
    "list.jsonl": (b'{"a": 1}\n[1]\n', "line 2 is not an object of names and values"),
    "nan.jsonl": (b'{"a": 1}\n{"a": NaN}\n', "line 2 is not JSON: NaN is no number of JSON"),
    "latin-1.jsonl": (
        b'{"a": 1, "b": "x"}\n{"a": 1, "b": "\xe9"}\n',
        "line 2, byte 16: 0xe9 is not UTF-8; save the file as UTF-8",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_file_that_is_no_table_is_invalid_data(
    repo: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content, detail = CASES[name]
    (repo / "data" / name).write_bytes(content)
    promise(repo, "bad", f"data/{name}")
    before = files(repo)
    assert run(["validate", "--json", "--no-report"]) == 1
    out, err = capsys.readouterr()
    bad, good = json.loads(out)["datasets"]
    assert err == ""
    assert (good["dataset"], good["valid"], good["data"]["rows"]) == ("good", True, 3)
    (failure,) = bad["failures"]
    check = "column twice" if name.startswith("twice") else "readable"
    assert (failure["check"], failure["detail"]) == (check, detail)
    assert files(repo) == before


def files(repo: Path) -> set[str]:
    return {
        path.relative_to(repo).as_posix()
        for path in repo.rglob("*")
        if ".git" not in path.parts and ".mlctl" not in path.parts
    }


def test_what_is_unreadable_is_shown_and_reported(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repo / "data" / "bad.csv").write_bytes(CASES["long.csv"][0])
    promise(repo, "bad", "data/bad.csv")
    assert run(["validate"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "bad 0 rows, 0 columns" in said
    assert "- readable - - - line 3 has 3 fields," in said
    (report,) = (repo / "reports" / "validation" / "bad").glob("*.md")
    assert "line 3 has 3 fields, the header has 2" in report.read_text()


def test_one_unreadable_file_among_several_does_not_hide_the_others(repo: Path) -> None:
    folder = repo / "data" / "parts"
    folder.mkdir()
    (folder / "a.csv").write_text("a,b\n1,x\n")
    (folder / "b.csv").write_text("a,b\n1,x,y\n")
    (folder / "c.csv").write_text("a,b\nz,x\n")
    promise(repo, "bad", "data/parts")
    (result,) = validate(str(repo), ["bad"])
    said = [(f.file, f.check, f.rows, f.values, f.detail) for f in result.verdict.failures]
    assert said == [
        ("data/parts/b.csv", "readable", (), (), "line 2 has 3 fields, the header has 2"),
        ("data/parts/c.csv", "type int", (1,), ("z",), None),
    ]
    assert result.verdict.rows == 2


@pytest.mark.parametrize(
    ("content", "rows"), [(b"a,b\n", 0), (b"a,b", 0), (b"\xef\xbb\xbfa,b\r\n1,x\r\n2,\r\n", 2)]
)
def test_tables_that_look_odd_and_are_whole(repo: Path, content: bytes, rows: int) -> None:
    (repo / "data" / "odd.csv").write_bytes(content)
    promise(repo, "odd", "data/odd.csv")
    (result,) = validate(str(repo), ["odd"])
    assert [f.check for f in result.verdict.failures] == ([] if rows else ["rows min 1"])
    assert result.verdict.rows == rows


def test_text_with_quotes_and_gaps_in_its_last_column_is_whole(repo: Path) -> None:
    (repo / "data" / "odd.csv").write_text('a,b\n1,"x, ""y"""\n2,\n3,"z\n\n"\n4,\n5,\x1f\n')
    promise(repo, "odd", "data/odd.csv")
    (result,) = validate(str(repo), ["odd"])
    assert result.verdict.failures == ()
    assert result.verdict.rows == 5


def test_a_column_that_is_not_there_is_named(repo: Path) -> None:
    (repo / "data" / "less.csv").write_text("b\nx\n")
    promise(repo, "less", "data/less.csv")
    (result,) = validate(str(repo), ["less"])
    assert [(f.column, f.check) for f in result.verdict.failures] == [("a", "column missing")]


def test_a_folder_without_a_table_and_a_pattern_without_a_file(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repo / "data" / "none" / ".hidden").mkdir(parents=True)
    (repo / "data" / "none" / "notes.txt").write_text("x")
    (repo / "data" / "none" / ".hidden" / "a.csv").write_text("a,b\n")
    hint = "hint:  restore it with `mlctl data pull`, or correct the path\n"
    for data, said in {
        "data/none": "data/none holds no table (a file that ends in .csv, .tsv, .parquet, "
        ".jsonl, .ndjson, .arrow, .feather)",
        "data/none/*.csv": "no file matches data/none/*.csv",
        "data/gone.csv": "data/gone.csv is not there",
    }.items():
        promise(repo, "none", data)
        assert run(["validate"]) == 2
        assert capsys.readouterr().err == f"error: contracts/none.yaml: data: {said}\n{hint}"


def test_a_full_disk_while_hashes_are_put_on_it(repo: Path) -> None:
    """The limit on the size of a file stands for the disk: both fail a write the same way."""
    GOOD.head(1).write_parquet(repo / "data" / "large.parquet")
    frame = pl.DataFrame({"a": range(200_000)}, schema={"a": pl.Int64})
    frame.with_columns(b=pl.lit("x")).write_parquet(repo / "data" / "large.parquet")
    text = CONTRACT.format(data="data/large.parquet").replace(
        "{type: int}", "{type: int, unique: true}"
    )
    (repo / "contracts" / "large.yaml").write_text(text)
    program = (
        "import sys; from mlctl.data.contracts import verdict; verdict._HASHES = 50_000\n"
        "from mlctl.cli.main import main; main(['validate', 'large', '--no-report'])"
    )

    def limit() -> None:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    command = [sys.executable, "-c", program]
    assert subprocess.run(command, cwd=repo, check=False, capture_output=True).returncode == 0
    shutil.rmtree(repo / ".mlctl" / "verdicts")
    before = files(repo)
    done = subprocess.run(
        command, cwd=repo, check=False, capture_output=True, text=True, preexec_fn=limit
    )
    place = os.path.join(os.path.realpath(repo), ".mlctl", "tmp")
    assert (done.stderr, done.returncode) == (f"error: {place}: File too large\n", 3)
    assert files(repo) == before
    assert not list((repo / ".mlctl" / "tmp").iterdir())
