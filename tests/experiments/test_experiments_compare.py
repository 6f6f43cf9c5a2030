"""`mlctl exp compare`: one page, looked at and worked with in a real browser."""

import json
import re
from pathlib import Path

import pytest
from record_builders import write_run
from run_builders import START

from browser import browse, needs_browser
from mlctl.cli.main import run
from mlctl.experiments.compare_page import comparison_page
from mlctl.experiments.comparing import choose, compare
from mlctl.experiments.search import Search
from mlctl.records.run import run_folder
from mlctl.records.run_events import Event, event_text
from mlctl.records.ulid import new_ulid

CURVE = [0.1, 0.5, 0.9]
EVIL = "</script><img src=x onerror=alert(1)><!--"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "churn"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return root


def write_some(root: Path) -> list[str]:
    """Four runs, the oldest first."""
    rows = [
        (0.001, "adam", 0.80, {"status": "finished", "name": "baseline"}),
        (0.01, "sgd", 0.90, {"status": "failed", "failed": ("train",)}),
        (0.1, "adam", 0.95, {}),
        (1.0, "sgd", float("nan"), {}),
    ]
    return [
        write_run(
            root,
            number,
            params={"train.lr": lr, "train.optimizer": name, "train.epochs": 10},
            metrics={"test.auc": auc, "rows": 100},
            curves={"val/loss": [value * (number + 1) for value in CURVE]},
            **more,
        )
        for number, (lr, name, auc, more) in enumerate(rows)
    ]


def page_of(root: Path) -> str:
    it = compare(str(root), choose(str(root), [], Search(archived=True)))
    return comparison_page(it, title="Runs of churn")


def data_of(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_the_page_holds_what_differs_and_folds_away_what_does_not(project: Path) -> None:
    write_some(project)
    data = data_of(page_of(project))
    columns = {column["key"]: column["values"] for column in data["columns"]}
    assert columns == {
        "metrics.test.auc": [None, 0.95, 0.9, 0.8],
        "params.train.lr": [1.0, 0.1, 0.01, 0.001],
        "params.train.optimizer": ["sgd", "adam", "sgd", "adam"],
        "seconds": [90.0] * 4,
    }
    assert data["curves"][0]["name"] == "val/loss"
    assert data["curves"][0]["runs"][3] == [[0, 1, 2], [0, 2, 4], CURVE]
    page = page_of(project)
    assert "The same in all runs: 2 parameters and metrics" in page
    assert "<code>train.epochs</code> 10" in page


def test_the_command_writes_one_file(project: Path, capsys) -> None:
    ids = write_some(project)
    assert run(["exp", "compare"]) == 0
    assert "4 runs on one page" in capsys.readouterr().out
    assert (project / ".mlctl/.gitignore").read_text() == "*\n"
    assert "Runs of churn" in (project / ".mlctl/compare/index.html").read_text()
    assert run(["exp", "compare", "last~1", ids[0], "-o", "c.html", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["schema"] == "mlctl.exp.compare/1"
    assert said["runs"] == [ids[2], ids[0]]
    assert (said["page"], said["metrics"]) == ("c.html", ["test.auc"])
    assert [run["label"] for run in data_of(Path("c.html").read_text())["runs"]] == [
        ids[2][10:16],
        f"{ids[0][10:16]} baseline",
    ]
    assert run(["exp", "compare", "-n", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == ids[:1:-1]


def test_runs_are_chosen_by_a_filter_and_shown_with_what_was_said_later(
    project: Path, capsys
) -> None:
    ids = write_some(project)
    events = project / "runs" / run_folder(ids[2]).removeprefix("runs/") / "events"
    events.mkdir()
    for at, (kind, value) in enumerate([("tag", "best"), ("rename", "new name")]):
        event = Event(new_ulid(START + at, bytes(10)), kind, value, "2026-11-24T00:00:00.000Z")
        (events / f"{event.id}.json").write_text(event_text(event))
    asked = ("exp", "compare", "--where", "metrics.test.auc >= 0.9", "-o", "c.html", "--json")
    assert run([*asked, "--sort", "metrics.test.auc"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == [ids[1], ids[2]]
    page = (project / "c.html").read_text()
    assert data_of(page)["runs"][1]["label"] == f"{ids[2][10:16]} new name"
    assert '<span class="tag">best</span>' in page
    assert run(["exp", "compare", "--where", "metrics.test.auc > 7"]) == 2
    assert "no run fulfils metrics.test.auc > 7" in capsys.readouterr().err
    assert run(["exp", "compare", "--where", "metrics.test.acu > 7"]) == 2
    assert "acu" in capsys.readouterr().err


def test_without_runs_it_says_so(project: Path, capsys) -> None:
    (project / ".dvc").mkdir()
    assert run(["exp", "compare"]) == 2
    assert "no run is recorded yet" in capsys.readouterr().err
    assert not (project / ".mlctl").exists()


def test_nothing_in_a_record_becomes_markup(project: Path) -> None:
    write_run(project, 0, params={EVIL: EVIL}, metrics={EVIL: 1.0}, curves={EVIL: CURVE}, name=EVIL)
    write_run(project, 1, params={EVIL: "b"}, metrics={EVIL: 2.0})
    page = page_of(project)
    assert "<img" not in page
    assert data_of(page)["columns"][0]["key"] == f"metrics.{EVIL}"


def acted(page: str, script: str) -> str:
    """The page with a script at its end, which notes what it sees by `see(name, value)`."""
    tools = """
    const see = (name, value) => document.body.setAttribute("data-" + name, value);
    const all = (what) => [...document.querySelectorAll(what)];
    const isShown = (it) => getComputedStyle(it).display !== "none";
    const rows = () => all("#runs tbody tr").filter(isShown)
      .map((row) => row.querySelector("button").textContent).join(" ");
    const brushes = () =>
      all(".brush").filter((it) => it.getAttribute("visibility") === "visible").length;
    const hot = () => all(".mark.hot").map((it) => it.tagName.toLowerCase()).sort().join(" ");
    const key = (it, name, more) => it.dispatchEvent(
      new KeyboardEvent("keydown", { key: name, bubbles: true, ...more }));
    """
    return page.replace("</body>", f"<script>{tools}{script}</script></body>")


def seen(dom: str, name: str) -> str:
    found = re.search(rf'<body[^>]* data-{name}="([^"]*)"', dom)
    assert found, f"the script did not get to {name}"
    return found[1]


def test_what_there_is_no_room_for_is_named(project: Path) -> None:
    for number in (0, 1):
        write_run(project, number, metrics={f"m{at:02}": number + at for at in range(40)})
    page = page_of(project)
    assert len(data_of(page)["columns"]) == 31
    assert "Not shown: 10 more metrics and parameters that differ" in page
    assert "<code>m39</code>" in page


@needs_browser
def test_it_draws_all_views_without_complaint(project: Path, tmp_path: Path) -> None:
    write_some(project)
    dom, complaints = browse(page_of(project), tmp_path)
    assert complaints == ""
    assert dom.count('class="line mark') == 4 + 4  # curves and parallel coordinates
    assert dom.count('class="dot mark') == 3  # one has no auc
    for title in ("Runs", "Curves", "Parallel coordinates", "Scatter"):
        assert f"<h2>{title}</h2>" in dom
    assert re.search(r'id="count"[^>]*>4 runs<', dom)
    assert "NaN" not in re.sub(r"<script.*?</script>|<td.*?</td>", "", dom, flags=re.DOTALL)


@needs_browser
def test_a_hostile_record_and_a_single_run_draw_too(project: Path, tmp_path: Path) -> None:
    write_run(project, 0, params={EVIL: EVIL}, metrics={EVIL: 1.0}, curves={EVIL: CURVE}, name=EVIL)
    (tmp_path / "one").mkdir()
    dom, complaints = browse(page_of(project), tmp_path / "one")
    assert complaints == ""
    assert dom.count('class="line mark') == 1
    assert "<h2>Scatter" not in dom
    write_run(project, 1, params={EVIL: "b"}, metrics={EVIL: 2.0})
    (tmp_path / "two").mkdir()
    dom, complaints = browse(page_of(project), tmp_path / "two")
    assert complaints == ""
    assert dom.count('class="dot mark') == 2
    assert "<img" not in dom


@needs_browser
def test_what_is_pointed_at_in_one_view_stands_out_in_all(project: Path, tmp_path: Path) -> None:
    write_some(project)
    script = """
    see("before", hot());
    all("#runs tbody tr")[1].dispatchEvent(new MouseEvent("mouseenter"));
    see("row", hot());
    all("#runs tbody tr")[1].dispatchEvent(new MouseEvent("mouseleave"));
    see("left", hot());
    all("circle.dot")[0].focus();
    see("dot", hot());
    see("tip", all("#tip")[0].textContent);
    all("circle.dot")[0].blur();
    const curve = all("#curve-grid svg")[0];
    curve.focus();
    key(curve, "ArrowRight");
    key(curve, "ArrowRight");
    see("step", all("#tip")[0].textContent);
    key(curve, "ArrowDown");
    see("down", all("#tip")[0].textContent);
    """
    dom, complaints = browse(acted(page_of(project), script), tmp_path)
    assert complaints == ""
    assert seen(dom, "before") == seen(dom, "left") == ""
    assert seen(dom, "row") == seen(dom, "dot") == "circle path path tr"
    assert seen(dom, "tip").endswith("lr0.1auc0.95")
    assert re.search(r"step2val/loss3\.6$", seen(dom, "step"))
    assert re.search(r"step2val/loss2\.7$", seen(dom, "down"))


@needs_browser
def test_brushes_words_and_pins_choose_the_runs(project: Path, tmp_path: Path) -> None:
    ids = [run_id[10:16] for run_id in write_some(project)]
    script = """
    const words = (text) => {
      const box = all("#words")[0];
      box.value = text;
      box.dispatchEvent(new Event("input"));
      return rows();
    };
    see("word", words("baseline"));
    see("column", words("auc>=0.9 optimizer=sgd"));
    see("none", words("auc>2"));
    words("");
    const axis = all(".brushed").find((it) => it.textContent.startsWith("lr"));
    key(axis, "Enter");
    see("brushed", rows());
    see("count", all("#count")[0].textContent);
    see("out", all("#parallel-box .mark.out").length);
    key(axis, "ArrowDown", { shiftKey: true });
    for (let at = 0; at < 9; at++) key(axis, "ArrowDown");
    see("moved", rows());
    window.dispatchEvent(new Event("resize"));
    all("#parallel-names .chip")[1].click();
    see("redrawn", rows() + " " + brushes());
    all("#reset")[0].click();
    see("reset", rows() + " " + brushes());
    all(".pick")[0].click();
    see("pinned", all("#runs tr.dim").length + " " + all(".pick")[0].getAttribute("aria-pressed"));
    all("#runs th")[2].click();
    see("sorted", rows());
    """
    dom, complaints = browse(acted(page_of(project), script), tmp_path)
    assert complaints == ""
    assert seen(dom, "word") == ids[0]
    assert seen(dom, "column") == ids[1]
    assert seen(dom, "none") == ""
    assert seen(dom, "brushed") == ids[3]  # the upper third of a log axis
    assert seen(dom, "count") == "1 of 4 runs"
    assert seen(dom, "out") == "3"
    assert seen(dom, "moved") == ids[2]
    assert seen(dom, "redrawn") == f"{ids[2]} 1"
    assert seen(dom, "reset") == f"{' '.join(ids[::-1])} 0"
    assert seen(dom, "pinned") == "3 true"
    assert seen(dom, "sorted").split()[:3] == ids[:3]


@needs_browser
def test_curves_are_drawn_over_time_on_a_log_axis_and_smooth(project: Path, tmp_path: Path) -> None:
    write_run(project, 0, curves={"a": [1.0, 100.0, 10_000.0], "b": [0.0, 1.0, 0.0]})
    script = """
    const figures = () => all("#curve-grid figure");
    const texts = (at) =>
      [...figures()[at].querySelectorAll("text")].map((it) => it.textContent).join(" ");
    const change = (id, name, value) => {
      all(id)[0][name] = value;
      all(id)[0].dispatchEvent(new Event(id === "#curve-smooth" ? "input" : "change"));
    };
    const before = figures()[1].querySelector("path").getAttribute("d");
    change("#curve-smooth", "value", "0.9");
    see("smooth", before !== figures()[1].querySelector("path").getAttribute("d"));
    change("#curve-smooth", "value", "0");
    change("#curve-x", "value", "1");
    see("time", texts(0));
    change("#curve-log", "checked", true);
    see("log", texts(0));
    all("#curve-names .chip")[0].click();
    see("figures", figures().length + " " + all("#curve-grid .mark").length);
    """
    dom, complaints = browse(acted(page_of(project), script), tmp_path)
    assert complaints == ""
    assert seen(dom, "smooth") == "true"
    assert seen(dom, "time") == "0 2000 4000 6000 8000 10000 0 1 2 3 4 seconds"
    assert seen(dom, "log") == "1 10 100 1000 10000 0 1 2 3 4 seconds"
    assert seen(dom, "figures") == "1 1"


@needs_browser
def test_two_hundred_runs_of_thirty_columns(project: Path, tmp_path: Path) -> None:
    for number in range(200):
        write_run(
            project,
            number,
            params={f"p{at}": (number * (at + 3)) % 17 for at in range(20)},
            metrics={f"m{at}": number / (at + 1) for at in range(10)},
            curves={"loss": [1 / (step + 1 + number / 100) for step in range(100)]},
        )
    page = page_of(project)
    assert len(page) < 3_000_000
    dom, complaints = browse(page, tmp_path)
    assert complaints == ""
    assert dom.count('class="line mark') == 400
    assert re.search(r'id="count"[^>]*>200 runs<', dom)
