"""`mlctl monitor`: real files in a real repository."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mlctl.cli.main import run as mlctl
from mlctl.errors import InvalidInput
from mlctl.monitoring.report.committed import find
from mlctl.monitoring.report.markdown import to_markdown
from mlctl.monitoring.report.page import to_html
from mlctl.monitoring.report.record import parse_report
from mlctl.monitoring.running import PeriodRun
from mlctl.monitoring.running import run_monitor as run_all

SPEC = """\
schema: mlctl.monitor/1
reference: {path: data/ref.parquet}
current: {path: data/cur.parquet}
min_rows: 30
"""


def run_monitor(root: Path, name: str) -> PeriodRun:
    (one,) = run_all(root, name).periods
    return one


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "monitors").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "monitors/inputs.yaml").write_text(SPEC)
    table(0, 800).write_parquet(tmp_path / "data/ref.parquet")
    table(1, 500).write_parquet(tmp_path / "data/cur.parquet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


def table(seed: int, rows: int, shift: float = 0.0, columns: int = 6) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    data: dict[str, object] = {f"x{at}": rng.normal(shift, size=rows) for at in range(columns)}
    data["plan"] = rng.choice(["free", "pro"], rows, p=[0.7, 0.3])
    data["day"] = [f"2026-05-{1 + at % 3:02d}" for at in range(rows)]
    return pl.DataFrame(data).with_columns(pl.col("day").str.to_date())


def told(capsys: pytest.CaptureFixture[str], args: Sequence[str]) -> tuple[int, dict[str, object]]:
    code = mlctl([*args, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_calm_data_pass_and_leave_three_files(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlctl(["monitor", "run"]) == 0
    said = capsys.readouterr().out
    assert "ok: no drift in 7 of 8 columns; 1 could not be judged" in said
    files = sorted(path.name for path in (root / "reports/monitoring/inputs").iterdir())
    assert [name.split(".")[-1] for name in files] == ["html", "json", "md"]
    assert len({name.rsplit(".", 1)[0] for name in files}) == 1
    assert not list(root.rglob("*.tmp"))


def test_running_again_changes_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = run_monitor(root, "inputs")
    kept = {path: (root / path).read_bytes() for path in first.paths}
    again = run_monitor(root, "inputs")
    assert (first.changed, again.changed) == (True, False)
    for path in first.paths:
        (root / path).unlink()
    third = run_monitor(root, "inputs")
    assert third.changed
    assert {path: (root / path).read_bytes() for path in third.paths} == kept
    mlctl(["monitor", "run"])
    assert "(unchanged)" in capsys.readouterr().out


def test_a_fresh_process_writes_the_same_bytes(root: Path) -> None:
    done = run_monitor(root, "inputs")
    kept = [(root / path).read_bytes() for path in done.paths]
    for path in done.paths:
        (root / path).unlink()
    code = "from mlctl.monitoring.running import run_monitor; run_monitor('.', 'inputs')"
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True, env={"PYTHONHASHSEED": "77"})
    assert [(root / path).read_bytes() for path in done.paths] == kept


@pytest.mark.parametrize(("fail_on", "code"), [("never", 0), ("drift", 1)])
def test_drift_fails_only_where_asked(
    root: Path, capsys: pytest.CaptureFixture[str], fail_on: str, code: int
) -> None:
    (root / "monitors/inputs.yaml").write_text(f"{SPEC}fail_on: {fail_on}\n")
    table(1, 500, shift=0.8).write_parquet(root / "data/cur.parquet")
    found, data = told(capsys, ["monitor", "run", "inputs"])
    assert found == code
    assert data["schema"] == "mlctl.monitor.run/2"
    (one,) = data["monitors"]  # type: ignore[misc]
    (period,) = one["periods"]
    assert (period["verdict"], period["counts"]["drift"]) == ("drift", 6)
    assert one["failed"] is bool(code)


def test_share_says_how_many_columns_make_drift(root: Path) -> None:
    current = table(1, 500).with_columns(pl.col("x0") + 3)
    current.write_parquet(root / "data/cur.parquet")
    assert run_monitor(root, "inputs").report.verdict == "drift"
    (root / "monitors/inputs.yaml").write_text(f"{SPEC}thresholds: {{share: 0.3}}\n")
    report = run_monitor(root, "inputs").report
    assert (report.verdict, report.counts["drift"]) == ("ok", 1)


def test_the_period_is_that_of_the_current_data(root: Path) -> None:
    by_digest = run_monitor(root, "inputs").report
    assert by_digest.period == by_digest.current.digest.removeprefix("md5:")[:8]
    (root / "monitors/inputs.yaml").write_text(f"{SPEC}time: day\n")
    report = run_monitor(root, "inputs").report
    assert report.period == "2026-05-01_2026-05-03"
    assert "day" not in [column.name for column in report.columns]
    one_day = table(1, 500).filter(pl.col("day") == pl.date(2026, 5, 2))
    one_day.with_columns(pl.col("day").cast(pl.String)).write_csv(root / "data/cur.csv")
    text = SPEC.replace("cur.parquet", "cur.csv") + "time: day\n"
    (root / "monitors/inputs.yaml").write_text(text)
    assert run_monitor(root, "inputs").report.period == "2026-05-02"
    assert find(root, "inputs").period == "2026-05-01_2026-05-03"
    assert find(root, "inputs", "2026-05-02").period == "2026-05-02"
    with pytest.raises(InvalidInput, match="no report of '2026-06'"):
        find(root, "inputs", "2026-06")


def test_the_digest_is_dvcs_and_a_glob_is_one_table(root: Path) -> None:
    import hashlib

    whole = table(1, 600)
    (root / "data/new").mkdir()
    for at in range(3):
        whole.slice(at * 200, 200).write_parquet(root / f"data/new/{at}.parquet")
    whole.write_parquet(root / "data/cur.parquet")
    single = run_monitor(root, "inputs").report
    assert (
        single.current.digest
        == f"md5:{hashlib.md5((root / 'data/cur.parquet').read_bytes()).hexdigest()}"
    )
    (root / "monitors/inputs.yaml").write_text(SPEC.replace("cur.parquet", "new/*.parquet"))
    several = run_monitor(root, "inputs").report
    assert (several.current.files, several.current.rows) == (3, 600)
    assert several.columns == single.columns
    assert several.current.digest != single.current.digest


def test_columns_are_chosen_by_name_and_glob(root: Path) -> None:
    (root / "monitors/inputs.yaml").write_text(
        f"{SPEC}columns: {{include: ['x*'], exclude: [x1]}}\n"
    )
    names = {column.name for column in run_monitor(root, "inputs").report.columns}
    assert names == {"x0", "x2", "x3", "x4", "x5"}


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (f"{SPEC}columns: {{exclude: [plam]}}\n", "no column of the reference matches 'plam'"),
        (f"{SPEC}time: dya\n", "has no column 'dya'"),
        (f"{SPEC}time: x1\n", "holds no dates"),
        (SPEC.replace("cur.parquet", "nope.parquet"), "no such file"),
        (SPEC.replace("cur.parquet", "bad.parquet"), "cannot be read as a table"),
        (SPEC.replace("ref.parquet", "empty.parquet"), "has no rows"),
    ],
)
def test_one_clear_message_and_nothing_written(
    root: Path, capsys: pytest.CaptureFixture[str], spec: str, says: str
) -> None:
    (root / "data/bad.parquet").write_bytes(b"not a parquet file")
    table(0, 8).clear().write_parquet(root / "data/empty.parquet")
    (root / "monitors/inputs.yaml").write_text(spec)
    assert mlctl(["monitor", "run"]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said
    assert not (root / "reports").exists()


def test_too_few_rows_never_pass_silently(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "monitors/inputs.yaml").write_text(f"{SPEC}fail_on: drift\n")
    table(1, 12, shift=5).write_parquet(root / "data/cur.parquet")
    assert mlctl(["monitor", "run"]) == 0
    assert "insufficient: not enough to judge any of 8 columns" in capsys.readouterr().out


def test_ls_and_show_read_the_reports(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, before = told(capsys, ["monitor", "ls"])
    assert (code, before["monitors"][0]["verdict"]) == (0, None)  # type: ignore[index]
    assert mlctl(["monitor", "show", "inputs"]) == 2
    assert "mlctl monitor run inputs" in capsys.readouterr().err
    mlctl(["monitor", "run"])
    (root / "data/cur.parquet").unlink()  # reading reports needs no data
    capsys.readouterr()
    assert mlctl(["monitor", "ls"]) == 0
    assert "data/cur.parquet" in capsys.readouterr().out
    code, shown = told(capsys, ["monitor", "show", "inputs"])
    assert (code, shown["report"]["verdict"]) == (0, "ok")  # type: ignore[index]
    assert mlctl(["monitor", "show", "inputs"]) == 0
    assert "x0" in capsys.readouterr().out
    assert mlctl(["monitor", "run", "nope"]) == 2
    assert "known: inputs" in capsys.readouterr().err


def test_sixty_columns_stay_small(root: Path) -> None:
    table(0, 400, columns=60).write_parquet(root / "data/ref.parquet")
    table(1, 300, 0.4, columns=60).write_parquet(root / "data/cur.parquet")
    done = run_monitor(root, "inputs")
    sizes = {path.rsplit(".", 1)[1]: (root / path).stat().st_size for path in done.paths}
    assert sizes["json"] <= 20_500
    assert sizes["html"] <= 200_000
    assert len(done.report.columns) == 62


def test_the_page_is_drawn_from_the_committed_json_alone(root: Path) -> None:
    table(1, 500, shift=0.3).write_parquet(root / "data/cur.parquet")
    done = run_monitor(root, "inputs")
    text = {path.rsplit(".", 1)[1]: (root / path).read_text("utf-8") for path in done.paths}
    again = parse_report(text["json"], name="x")
    assert to_html(again) == text["html"]
    assert to_markdown(again) == text["md"]


def test_without_polars_the_line_that_installs_it(root: Path) -> None:
    code = (
        "import sys; sys.modules['polars'] = None\n"
        "from mlctl.cli.main import main; main(['monitor', 'run'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "pip install 'mlctl-git[monitor]'" in done.stderr
