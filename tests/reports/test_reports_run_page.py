"""`mlctl report run`: the page of a real run."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mlctl.cli.main import run as mlctl

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
WORK = """\
import json, sys
from pathlib import Path
which = sys.argv[1]
Path("plots/live").mkdir(parents=True, exist_ok=True)
if which == "train":
    Path("model.txt").write_text("model")
    rows = "".join(f"{at}\\t{1 / (at + 1)}\\t{1.2 / (at + 1)}\\n" for at in range(9))
    Path("plots/loss.tsv").write_text("step\\ttrain\\tvalid\\n" + rows)
    Path("plots/live/lr.csv").write_text("step,lr\\n0,0.1\\n1,0.05\\n")
    Path("plots/live/notes.txt").write_text("no plot")
else:
    Path("plots/confusion.csv").write_text("actual,predicted\\ncat,cat\\ncat,dog\\ndog,dog\\n")
    Path("plots/<b>bars.csv").write_text("feature,gain\\n<script>alert(1)</script>,3\\nage,1\\n")
    curve = [{"fpr": at, "tpr": at} for at in (0, 1)]
    Path("plots/roc.json").write_text(json.dumps({"r": curve}))
    Path("plots/shot.png").write_bytes(bytes.fromhex(PIXEL))
    Path("metrics.json").write_text('{"auc": 0.91}')
"""
PIPELINE = """\
stages:
  train:
    cmd: {python} work.py train
    deps: [work.py]
    params: [lr]
    outs: [model.txt]
    plots: [plots/loss.tsv: {{x: step, y: valid}}, plots/live]
  evaluate:
    cmd: {python} work.py evaluate
    deps: [model.txt]
    metrics: [metrics.json: {{cache: false}}]
    plots:
    - plots/confusion.csv: {{template: confusion, x: predicted, y: actual, title: Mixed up}}
    - plots/<b>bars.csv: {{template: bar_horizontal, x: gain, y: feature, title: Gains}}
    - plots/roc.json: {{x: fpr, y: tpr, cache: false}}
    - plots/shot.png
plots:
- Losses: {{x: step, y: {{plots/loss.tsv: [train, valid]}}, title: Loss by step}}
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository after one run."""
    root = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("DVC_NO_ANALYTICS", "1")
        subprocess.run(["git", "init", "-q"], check=True)
        subprocess.run(["git", "config", "user.email", "a@example.org"], check=True)
        subprocess.run(["git", "config", "user.name", "a"], check=True)
        subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], check=True)
        (root / "work.py").write_text(f"PIXEL = {PIXEL.hex()!r}\n{WORK}")
        (root / "dvc.yaml").write_text(PIPELINE.format(python=sys.executable))
        (root / "params.yaml").write_text("lr: 0.1\n")
        subprocess.run(["git", "add", "-A"], check=True)
        subprocess.run(["git", "commit", "-qm", "a"], check=True)
        assert mlctl(["run"]) == 0
    return root


@pytest.fixture
def root(ran: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(ran)
    monkeypatch.setenv("NO_COLOR", "1")
    return ran


def written(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[dict[str, object], str]:
    capsys.readouterr()
    assert mlctl(["report", "run", *args, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    return data, Path(data["path"]).read_text(encoding="utf-8")


def test_the_page_holds_the_run_and_every_plot(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, page = written(capsys)
    (run_json,) = root.glob("runs/*/*/run.json")
    run_id = json.loads(run_json.read_text())["id"]
    assert data["schema"] == "mlctl.report.run/1"
    assert (data["run_id"], data["path"]) == (run_id, f"reports/run/{run_id}.html")
    assert (data["plots"], data["left_out"]) == (6, [])
    for title in ("Loss by step", "Mixed up", "Gains", "plots/roc.json", "plots/live/lr.csv"):
        assert f"<h3>{title}</h3>" in page
    for words in ("finished", "auc", "0.91", "lr", "train", "evaluate", "md5:", "work.py"):
        assert words in page
    assert page.count("data:image/png;base64,") == 1
    assert page.count("<svg ") == 6, "five plots and the timeline"
    assert "cat / dog: 1" in page


def test_the_page_parses_refers_to_nothing_and_has_no_machine_in_it(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, page = written(capsys)
    found: list[tuple[str, str | None]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend((key, value) for key, value in attrs if key in {"src", "href"})

    Reader().feed(page)
    assert all((value or "").startswith(("#", "data:")) for _, value in found)
    assert page.count("<script>") == 1, "ours"
    assert "alert(1)" in page
    assert str(root) not in page


def test_writing_it_again_gives_the_same_bytes(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert written(capsys, "last") == written(capsys)


def test_plots_are_those_of_the_run_not_of_today(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, before = written(capsys)
    loss, roc = root / "plots/loss.tsv", root / "plots/roc.json"
    kept = loss.read_bytes(), roc.read_bytes()
    try:
        loss.unlink()
        loss.write_text("step\ttrain\tvalid\n0\t7\t7\n")
        assert written(capsys)[1] == before, "the cache has what the run wrote"
        # DVC and mlctl keep even an uncached plot for the run-cache; without that copy it is gone.
        md5 = hashlib.md5(kept[1]).hexdigest()
        (root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).unlink()
        roc.write_text("[]")
        data, page = written(capsys)
        assert data["plots"] == 5
        assert data["left_out"] == ["plots/roc.json: no longer there as this run wrote it"]
        assert "Left out: plots/roc.json" in page
    finally:
        loss.write_bytes(kept[0])
        roc.write_bytes(kept[1])


def test_a_broken_plot_costs_only_itself(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipeline = (root / "dvc.yaml").read_text()
    try:
        (root / "extra.csv").write_text("a\n1\n")
        (root / "dvc.yaml").write_text(pipeline + "- extra.csv: {y: nope}\n- gone.csv\n")
        data, _ = written(capsys)
        assert data["plots"] == 6
        assert data["left_out"] == [
            "extra.csv: extra.csv has no field 'nope'; there are: a",
            "gone.csv: no longer there as this run wrote it",
        ]
    finally:
        (root / "dvc.yaml").write_text(pipeline)


def test_an_unknown_run_is_one_clear_message(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlctl(["report", "run", "ZZZZZZ"]) == 2
    assert "no run is called 'ZZZZZZ'" in capsys.readouterr().err
