"""`mlctl exp plot`: curves in the terminal and as a file."""

import json
import math
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from record_builders import write_run

from mlctl.cli.main import run
from mlctl.experiments.curve_forms import fewer, smoothed
from mlctl.experiments.curves import Curve
from mlctl.reports.braille import Canvas

RISING = [step / 10 for step in range(11)]
FALLING = RISING[::-1]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return tmp_path


def chart(text: str, title: str) -> list[str]:
    """The rows of a chart, its edge taken off."""
    lines = text.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(title)) + 1
    end = next(at for at in range(start, len(lines)) if "└" in lines[at])
    return [re.split("[│┤]", line, maxsplit=1)[1] for line in lines[start:end]]


def test_a_rising_curve_rises_from_the_lower_left(project: Path, capsys) -> None:
    write_run(project, 0, curves={"acc": RISING})
    assert run(["exp", "plot"]) == 0
    text = capsys.readouterr().out
    rows = chart(text, "acc")
    firsts = [len(row) - len(row.lstrip()) for row in rows if row.strip()]
    assert firsts == sorted(firsts, reverse=True)
    assert len(firsts) == len(rows) == 14  # from the bottom to the top
    assert rows[-1][0] != " "
    assert len(rows[0].rstrip()) == 80 - len("1.0 │")
    assert "last 1 · min 0 · max 1" in text
    assert max(map(len, text.splitlines())) <= 80
    assert re.search(r"└┬─+┬", text)
    assert text.splitlines()[16].split() == ["0", "2", "4", "6", "8", "step"]


def test_several_runs_are_told_apart_without_colours_and_with_them(
    project: Path, capsys, monkeypatch
) -> None:
    one = write_run(project, 0, curves={"acc": RISING}, name="first")
    two = write_run(project, 1, curves={"acc": FALLING})
    assert run(["exp", "plot", "last", "last~1"]) == 0
    text = capsys.readouterr().out
    rows = chart(text, "acc")
    assert rows[0].strip()[0] == "•"  # of the last run, which falls
    assert rows[0].strip()[-1] == "o"
    assert text.splitlines()[-2:] == [f"• {two[10:16]}", f"o {one[10:16]} first"]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run(["exp", "plot", "last", "last~1"]) == 0
    text = capsys.readouterr().out
    assert "\033[36m" in text
    assert "\033[33m" in text
    assert not set("•") & set(text)
    monkeypatch.setenv("NO_COLOR", "1")
    assert run(["exp", "plot", "last", "last~1"]) == 0
    assert "\033" not in capsys.readouterr().out


def test_charts_stand_beside_one_another_where_there_is_room(
    project: Path, capsys, monkeypatch
) -> None:
    write_run(project, 0, curves={"a": RISING, "b": FALLING, "c": RISING})
    for columns, beside in (("80", False), ("160", True)):
        monkeypatch.setenv("COLUMNS", columns)
        assert run(["exp", "plot"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= int(columns)
        assert bool(re.match(r"a .* b ", lines[0])) is beside


def test_metrics_are_chosen_by_name_and_pattern(project: Path, capsys) -> None:
    names = [f"train/m{at}" for at in range(8)]
    write_run(project, 0, curves=dict.fromkeys([*names, "val/auc"], RISING))
    assert run(["exp", "plot"]) == 0
    text = capsys.readouterr().out
    assert "3 more metrics" in text
    assert run(["exp", "plot", "-m", "val/auc", "-m", "*m[67]", "--json"]) == 0
    curves = json.loads(capsys.readouterr().out)["runs"][0]["curves"]
    assert list(curves) == ["val/auc", "train/m6", "train/m7"]
    assert curves["val/auc"] == {
        "step": list(range(11)),
        "seconds": [2.0 * step for step in range(11)],
        "value": RISING,
    }
    assert run(["exp", "plot", "-m", "val/acu"]) == 2
    assert "did you mean 'val/auc'?" in capsys.readouterr().err


def test_what_is_not_finite_leaves_a_gap(project: Path, capsys) -> None:
    values = [0.0, 0.5, math.nan, math.inf, 0.5, 1.0]
    write_run(project, 0, curves={"loss": values, "broken": [math.nan] * 6})
    assert run(["exp", "plot"]) == 0
    text = capsys.readouterr().out
    empty = [
        at for at in range(70) if all(row[at : at + 1].strip() == "" for row in chart(text, "loss"))
    ]
    assert empty == list(range(empty[0], empty[-1] + 1))  # in one place, between two pieces
    assert 35 < len(empty) < 50  # three of the five steps
    assert "last 1 · min 0 · max 1" in text
    assert "no values to draw" in text


def test_a_drawing_as_svg_and_as_a_page(project: Path, capsys) -> None:
    write_run(project, 0, curves={"acc": RISING, "<b>loss": FALLING}, name="one & only")
    write_run(project, 1, curves={"acc": FALLING})
    assert run(["exp", "plot", "last", "last~1", "-o", "c.svg", "-x", "time"]) == 0
    root = ET.fromstring((project / "c.svg").read_text())
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"acc", "<b>loss", "seconds"} <= set(texts)
    assert len(root.findall("{*}g")) == 2
    assert root.find("{*}g/{*}svg/{*}path") is not None
    assert run(["exp", "plot", "-o", "c.html"]) == 0
    assert (project / "c.html").read_text().startswith("<!doctype html>")
    assert "file://" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["-x", "epoch"], "the axis is step or time"),
        (["-o", "c.bmp"], "must end in .svg or .html"),
        (["nope"], "no run is called 'nope'"),
        ([], "logged no metrics over steps"),
        (["--smooth", "1"], "0.0<=x<=0.999"),
    ],
)
def test_what_cannot_be_drawn_is_refused(project: Path, capsys, args, words: str) -> None:
    write_run(project, 0, metrics={"auc": 0.5})
    assert run(["exp", "plot", *args]) == 2
    assert words in capsys.readouterr().err
    assert not list(project.glob("c.*"))


def curve(values: list[float]) -> Curve:
    steps = tuple(float(step) for step in range(len(values)))
    return Curve(steps, steps, tuple(values))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=False), min_size=1, max_size=300),
    st.integers(6, 50),
)
def test_fewer_points_keep_ends_and_extremes(values: list[float], most: int) -> None:
    kept = fewer(curve(values), most)
    assert len(kept.values) <= most
    assert (kept.steps[0], kept.steps[-1]) == (0, len(values) - 1)
    assert list(kept.steps) == sorted(set(kept.steps))
    assert all(repr(values[int(at)]) == repr(v) for at, v in zip(*_pairs(kept), strict=True))
    finite = [value for value in values if not math.isnan(value)]
    if finite:
        left = [value for value in kept.values if not math.isnan(value)]
        assert (min(left), max(left)) == (min(finite), max(finite))


def _pairs(kept: Curve) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return kept.steps, kept.values


def test_smoothing_starts_at_the_first_value_and_passes_over_gaps() -> None:
    flat = smoothed(curve([2.0] * 5), 0.9)
    assert flat.values == pytest.approx([2.0] * 5)
    done = smoothed(curve([0.0, math.nan, 1.0]), 0.5).values
    assert done[0] == 0
    assert math.isnan(done[1])
    assert done[2] == pytest.approx(0.5 / 0.75)


def test_a_canvas_has_eight_dots_in_a_cell() -> None:
    canvas = Canvas(1, 1)
    canvas.draw([(x, y) for x in (0, 1) for y in (0, 3)], 0)
    assert canvas.rows() == [[("⣿", 0)]]
    canvas.draw([(5, 5)], 1)  # beyond it
    assert canvas.rows(["a"]) == [[("a", 0)]]
