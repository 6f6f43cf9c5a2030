"""The examples of docs/guide/logging.md do what the page says."""

import json
import os
import re
import sys
from pathlib import Path

from e2e.sandbox import call
from mlctl import tracking
from readme import ROOT

PAGE = (ROOT / "docs/guide/logging.md").read_text(encoding="utf-8")


def example(name):
    return re.search(rf"<!-- example: {name} -->\n```\w+\n(.+?)```\n", PAGE, re.DOTALL)[1]


def test_the_example(box):
    for name in ("train.py", "dvc.yaml", "params.yaml"):
        box.write(name, example(name))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for line in example("session").replace("$ ", "").splitlines():
        done = call(line.split(), box.root, env={"PATH": path})
        assert done.returncode == 0, done.stdout + done.stderr
    (head,) = box.records()
    assert head["metrics"] == {"loss": 0.5**5}
    assert head["series"]["loss"]["n"] == 5
    (plot,) = box.root.glob("runs/*/*/plots/curve.svg")
    assert "<svg" in plot.read_text()


def test_every_call_and_every_adapter_is_on_the_page():
    for name in set(tracking.__all__) - {"Run"}:
        assert f"mlctl.{name}(" in PAGE
    for path in Path(tracking.__file__).parent.glob("[!_]*.py"):
        assert f"mlctl.tracking.{path.stem}" in PAGE


def test_the_run_of_a_script(box):
    code = re.search(r"```python\n(with mlctl.+?)```\n", PAGE, re.DOTALL)[1]
    box.write("script.py", f"import mlctl\n{code}")
    done = call([sys.executable, "script.py"], box.root)
    assert (done.returncode, done.stderr) == (0, "")
    (start,) = box.root.glob(".mlctl/live/*/start.json")
    assert json.loads(start.read_text())["name"] == "first try"
