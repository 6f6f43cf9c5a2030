"""`mlctl report pr` between two commits of a real pipeline with data, records and verdicts."""

import json
import re
import shutil

import pytest

from e2e.sandbox import MLCTL, call
from mlctl.experiments.shelves.pack import pack_bytes, pack_name

TRAIN = """\
import csv, json, yaml
train = yaml.safe_load(open("params.yaml"))["train"]
losses = [train["lr"] / (epoch + 1) for epoch in range(30)]
json.dump({"test": {"auc": 1 - train["lr"]}, "best|loss": losses[-1]}, open("metrics.json", "w"))
with open("loss.csv", "w", newline="") as file:
    csv.writer(file).writerows([["epoch", "loss"], *enumerate(losses)])
"""
STAGE = {
    "cmd": "python train.py",
    "deps": ["train.py", "data.csv"],
    "params": ["train"],
    "metrics": [{"metrics.json": {"cache": False}}],
    "plots": [{"loss.csv": {"cache": False, "x": "epoch", "y": "loss"}}],
}
CONTRACT = """\
schema: mlctl.contract/1
data: data.csv
columns:
  price: {type: float, min: 0}
"""


def params(lr: float, **more) -> str:
    return json.dumps({"train": {"lr": lr, **more}})


@pytest.fixture
def two(box):
    """A repository with the branch `main`, and the branch `feature` checked out that changes it."""
    box.write("train.py", TRAIN)
    box.write("params.yaml", params(0.25, api_key="old"))
    box.write("data.csv", "price\n1.0\n2.0\n")
    box.stages({"train": STAGE})
    box.git("branch", "-m", "main")
    box.git("config", "user.name", "Ada")
    box.git("config", "user.email", "ada@example.org")
    for command in (["data", "add", "data.csv"], ["data", "profile"], ["run"]):
        code, said = box.run(*command)
        assert code == 0, said
    box.commit()
    box.git("checkout", "-q", "-b", "feature")
    box.write("params.yaml", params(0.125, depth="a|b\n`c`", api_key="new"))
    box.write("data.csv", "price\n1.0\n2.0\n-3.0\n")
    box.write("contracts/prices.yaml", CONTRACT)
    for command in (["data", "add", "data.csv"], ["data", "profile"], ["run"]):
        code, said = box.run(*command)
        assert code == 0, said
    assert box.run("validate", "prices")[0] == 1
    box.commit()
    return box


def test_a_comment_says_all_that_changed(two):
    code, text = two.run("report", "pr", "main..feature")
    assert code == 0, text
    assert text.startswith("<!-- mlctl report pr -->\n## `main` → `feature`\n")
    summary = text.splitlines()[3]
    assert summary == (
        "2 metrics changed · 3 parameters changed · 1 data set invalid ✗ · 1 new run"
        " · 1 data set changed · 1 plot changed"
    )
    assert "| `test.auc` | 0.75 | 0.875 | ▲ +0.125 (+16.7%) |" in text
    assert "| `best\\|loss` | 0.0083333 | 0.0041667 | ▼ -0.004167 (-50.0%) |" in text
    assert "| `train.depth` | — | a\\|b \\`c\\` | new |" in text
    # One scale for both: what is lower looks lower.
    assert re.search(r"\| loss.csv: loss \| `█▄[▁▂▃]+` 0.008333 \| `▄▃[▁▂]+` 0.004167 \|", text)
    assert "- `price`: min 0.0 (1 row)" in text
    assert "#### `data.csv` changed" in text
    old, new = (head["id"][10:16] for head in two.records())
    assert f"| ✓ | `{new}` | train |" in text
    assert f"| ✓ | `{old}` on `main` | train |" in text
    assert text.count("<details>") == text.count("</details>") == 2


def test_secrets_are_not_in_a_comment(two):
    _, text = two.run("report", "pr", "main..feature")
    assert "| `train.api_key` | \\*\\*\\* | \\*\\*\\* |" in text
    said = two.json("report", "pr", "main..feature")["params"]
    assert [(it["old"], it["new"]) for it in said if it["name"].endswith("key")] == [("***", "***")]


def test_every_row_of_a_table_has_as_many_cells_as_its_head(two):
    _, text = two.run("report", "pr", "main..feature")
    width = 0
    for line in text.splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        cells = len(re.findall(r"(?<!\\)\|", line))
        width = width or cells
        assert cells == width, line


def test_the_same_revisions_give_the_same_text(two):
    first, second = (two.run("report", "pr", "main...feature") for _ in range(2))
    assert first == second
    base = two.git("merge-base", "main", "feature")[:7]
    assert f"## `{base}` → `feature`" in first[1]


def test_nothing_differs(two):
    code, text = two.run("report", "pr", "feature..feature")
    assert code == 0
    assert "No metric, parameter, plot, data set or run differs." in text


def test_json_holds_what_the_comment_says(two):
    said = two.json("report", "pr", "main..feature")
    assert (said["schema"], said["a"], said["b"]) == ("mlctl.report.pr/1", "main", "feature")
    (auc,) = (change for change in said["metrics"] if change["name"] == "test.auc")
    assert (auc["old"], auc["new"], auc["diff"]) == (0.75, 0.875, 0.125)
    assert said["runs"]["total"] == 1
    assert said["runs"]["before"]["id"] == two.records()[0]["id"]
    assert [(it["dataset"], it["valid"]) for it in said["validations"]] == [("prices", False)]
    assert [it["path"] for it in said["data"]] == ["data.csv"]
    assert [it["id"] for it in said["plots"]] == ["loss.csv"]
    assert said["markdown"] == two.run("report", "pr", "main..feature")[1]


def test_a_comment_is_never_too_long(two):
    many = {f"p{number}": "&" * 300 for number in range(3000)}
    two.write("params.yaml", json.dumps({"train": {"lr": 0.125, **many}}))
    two.write(
        "metrics.json", json.dumps({f"m{'|' * 70}{number}": number for number in range(3000)})
    )
    two.commit()
    code, text = two.run("report", "pr", "main..feature")
    assert code == 0
    assert len(text) <= 65_536
    assert "3,002 metrics changed" in text
    assert "more metrics." in text


def test_a_file_goes_where_it_is_asked_to(two):
    assert two.run("report", "pr", "main..feature", "-o", "comment.md") == (0, "comment.md\n")
    assert two.read("comment.md") == two.run("report", "pr", "main..feature")[1]


def test_what_is_damaged_is_named_and_the_rest_is_there(two):
    (record,) = list(two.root.glob(f"runs/*/{two.records()[-1]['id']}/run.json"))
    record.write_text(record.read_text()[:100])
    two.write("metrics.json", "{")
    two.commit()
    code, text = two.run("report", "pr", "main..feature")
    assert code == 0
    assert "### Could not be read" in text
    assert "metrics.json" in text.split("### Could not be read")[1]
    assert "run.json" in text.split("### Could not be read")[1]
    assert "### Parameters" in text


def test_an_unknown_revision_is_refused(two):
    code, said = two.run("report", "pr", "nowhere..feature")
    assert code == 2
    assert "nowhere" in said


def test_a_verdict_on_data_that_is_gone_does_not_count(two):
    two.write("data.csv", "price\n1.0\n2.0\n4.0\n")
    for command in (["data", "add", "data.csv"], ["validate", "prices"]):
        code, said = two.run(*command)
        assert code == 0, said
    two.commit()
    _, text = two.run("report", "pr", "main..feature")
    assert "data valid ✓" in text
    assert "✗" not in text


def test_runs_in_packs_are_seen_and_counted_once(two):
    """Packing is no change: a run that `main` has in a folder is not new in a pack."""
    old, new = (head["id"] for head in two.records())
    folders = {run_id: next(two.root.glob(f"runs/*/{run_id}")) for run_id in (old, new)}
    parts = {
        run_id: {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        for run_id, folder in folders.items()
    }
    data = pack_bytes(parts)
    for folder in folders.values():
        shutil.rmtree(folder)
    (two.root / "runs" / pack_name("202611", data)).write_bytes(data)
    two.commit()
    said = two.json("report", "pr", "main..feature")
    assert (said["runs"]["total"], said["runs"]["newest"][0]["id"]) == (1, new)
    assert said["runs"]["before"]["id"] == old
    assert said["notes"] == []


def test_a_shallow_clone_says_what_it_lacks(two, tmp_path):
    two.git("clone", "-q", "--depth", "1", two.root.as_uri(), str(tmp_path / "shallow"))
    done = call([*MLCTL, "report", "pr", "HEAD~1..HEAD"], tmp_path / "shallow")
    assert done.returncode == 2
    assert "fetch-depth: 0" in done.stderr
