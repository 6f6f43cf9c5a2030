"""A stage logs by `import mlctl`, whichever Python it has, and never loses an mlctl of its own."""

import ast
import json
import os
import sys
from pathlib import Path

import pytest

from e2e.sandbox import call
from mlctl.executors import _shim
from tracking.conftest import lines
from tracking.pythons import OLDEST, PYTHONS

TRAIN = """\
import json, sys
import mlctl
params = mlctl.params()
for step in range(3):
    mlctl.log(step=step, loss=params["train"]["lr"] / (step + 1))
mlctl.log_params(seed=3)
with mlctl.start_run("not a second run") as run:
    run.log({"acc": 1})
json.dump([mlctl.__file__, mlctl.__version__, params, sys.version_info[:2]], open("out.json", "w"))
"""
BIN = os.path.dirname(sys.executable)


def train(box, python):
    box.write("train.py", TRAIN)
    box.write("params.yaml", "train: {lr: 0.5, layers: [1, 2]}\nother: 1\n")
    box.stages({
        "train": {"cmd": f"{python} train.py", "params": ["train"], "outs": ["out.json"]},
    })  # fmt: skip


def live_of(box):
    """The live area is gone after a run; what is left is the record."""
    assert not list((box.root / ".mlctl" / "live").glob("*"))
    (metrics,) = box.root.glob("runs/*/*/metrics.jsonl")
    return lines(metrics)


@pytest.mark.parametrize("python", PYTHONS)
def test_a_python_without_mlctl(box, python):
    train(box, f"{python} -S")
    code, said = box.run("run")
    assert code == 0, said
    file, version, params, _ = json.loads(box.read("out.json"))
    assert Path(file).parent == box.root / ".mlctl" / "python" / "mlctl"
    assert version == _shim.__version__
    assert params == {"train": {"lr": 0.5, "layers": [1, 2]}}
    found = [(row["stage"], row["step"], row["metrics"]) for row in live_of(box)]
    assert found[:3] == [("train", step, {"loss": 0.5 / (step + 1)}) for step in range(3)]
    assert found[3] == ("train", 3, {"acc": 1})
    assert box.records()[0]["metrics"]["acc"] == 1
    assert box.git("status", "--porcelain", ".mlctl") == ""


def test_of_a_stage_that_is_tried_again_the_last_attempt_counts(box):
    code = "import mlctl, pathlib, sys\nmlctl.log(step=0, loss=1)\nfirst = pathlib.Path('first')\n"
    box.write("train.py", code + "if not first.exists():\n    first.touch()\n    sys.exit(1)\n")
    box.stages({"t": {"cmd": "python train.py", "meta": {"mlctl": {"retries": 1}}}})
    code, said = box.run("run")
    assert code == 0, said
    assert [row["step"] for row in live_of(box)] == [0]


def test_an_editable_mlctl_of_the_stages_python_wins(box):
    train(box, sys.executable)
    assert box.run("run")[0] == 0
    assert json.loads(box.read("out.json"))[0] == _file_of("mlctl")
    assert len(live_of(box)) == 4


def test_the_program_itself_works_in_a_stage(box):
    box.stages({"look": {"cmd": f"{BIN}/mlctl --version > out && {sys.executable} -m mlctl "
                                "status --help >> out", "outs": ["out"]}})  # fmt: skip
    code, said = box.run("run")
    assert code == 0, said
    assert "Usage" in box.read("out")


def finder(kind):
    """A `sitecustomize` of a Python where mlctl is found as `kind` of installation does."""
    return f"""
import sys, importlib.util
class {kind}:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == "mlctl":
            return importlib.util.spec_from_file_location(name, PLACE)
sys.meta_path.append({kind})
"""


@pytest.mark.parametrize(
    ("content", "wins"),
    [("MARK = 1\n", True), ("import no_such_module\n", False), ("match = \n", False)],
)
@pytest.mark.parametrize("how", ["folder", "finder"])
def test_another_mlctl_wins_if_it_can_be_imported(box, tmp_path, content, wins, how):
    other = tmp_path / "site" / "mlctl" / "__init__.py"
    other.parent.mkdir(parents=True)
    other.write_text(content)
    script = "import sys\n"
    if how == "folder":
        script += f"sys.path.append({str(tmp_path / 'site')!r})\n"
    else:
        script += f"PLACE = {str(other)!r}\n" + finder("EditableFinder")
    script += "import mlctl\nimport mlctl as again\nassert mlctl is again is sys.modules['mlctl']\n"
    script += "print(mlctl.__file__, hasattr(mlctl, 'MARK'), hasattr(mlctl, 'log'))\n"
    box.write("look.py", script)
    box.stages({"look": {"cmd": f"{sys.executable} -S look.py > out", "outs": ["out"]}})
    code, said = box.run("run")
    assert code == 0, said
    file, mark, log = box.read("out").split()
    assert (file == str(other), mark, log) == (wins, str(wins), str(not wins))


def test_a_pipeline_within_a_stage(box):
    """Two folders that stand in for mlctl on one path do not look for each other forever."""
    box.write("inner/train.py", "import mlctl\nmlctl.log(a=1)\nprint(mlctl.__file__)\n")
    box.write("inner/.dvc/config", "[core]\n    no_scm = True\n")
    inner = "stages:\n  t:\n    cmd: {} -S train.py > out\n    outs: [out]\n"
    box.write("inner/dvc.yaml", inner.format(sys.executable))
    box.write("inner/.dvcignore", "")
    box.stages({"outer": {"cmd": f"{BIN}/mlctl run -C inner && cp inner/out out", "outs": ["out"]}})
    code, said = box.run("run")
    assert code == 0, said
    assert box.read("out").strip().endswith("/.mlctl/python/mlctl/__init__.py")


def test_python_path_of_the_user_and_of_the_stage_come_first(box, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/users")
    own = {"meta": {"mlctl": {"env": {"PYTHONPATH": "/stages"}}}}
    box.stages({
        "a": {"cmd": "echo $PYTHONPATH > a", "outs": ["a"]},
        "b": {"cmd": "echo $PYTHONPATH > b", "outs": ["b"], **own},
    })  # fmt: skip
    assert box.run("run")[0] == 0
    ours = f"{box.root}/.mlctl/python"
    assert [box.read(name) for name in "ab"] == [f"/users:{ours}\n", f"/stages:{ours}\n"]


def test_the_folder_is_renewed_when_mlctl_is_another_and_only_then(tmp_path, monkeypatch):
    local = tmp_path / ".mlctl"
    assert _shim.path_with_tracking("", str(local)) == str(local / "python")
    first = os.readlink(local / "python")
    time = (local / "python").lstat().st_mtime_ns
    assert _shim.path_with_tracking("/x", str(local)) == f"/x:{local / 'python'}"
    assert (local / "python").lstat().st_mtime_ns == time
    monkeypatch.setattr(_shim, "_digest", lambda: "0" * 64)
    _shim.path_with_tracking("", str(local))
    assert os.readlink(local / "python") != first
    assert (local / "python" / "mlctl" / "tracking" / "_run.py").exists()
    assert not list(local.glob("*.tmp"))


def test_a_stage_that_cannot_have_it_runs_all_the_same(box):
    box.write(".mlctl/python/in/the/way", "")
    box.stages({"a": {"cmd": "echo x$PYTHONPATH > a", "outs": ["a"]}})
    code, said = box.run("run")
    assert code == 0, said
    assert ".mlctl/python" not in box.read("a")


def test_parameters_that_are_too_long_for_a_variable_come_from_the_file(box):
    box.write("params.json", json.dumps({"long": "x" * 200_000}))
    look = "import mlctl\nprint(len(mlctl.params()['long']))"
    box.write("look.py", look)
    box.stages({"look": {
        "cmd": f"{sys.executable} look.py > out", "outs": ["out"],
        "params": [{"params.json": ["long"]}],
    }})  # fmt: skip
    code, said = box.run("run")
    assert code == 0, said
    assert box.read("out") == "200000\n"


def _file_of(module):
    done = call([sys.executable, "-c", f"import {module}; print({module}.__file__)"], Path("/"))
    return done.stdout.strip()


SOURCES = sorted(Path(_shim._PACKAGE / "tracking").glob("*.py"))
FRAMEWORKS = {
    "lightgbm", "lightning", "matplotlib", "numpy", "optuna", "pytorch_lightning", "sklearn",
    "torch", "transformers", "yaml",
}  # fmt: skip


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_it_is_python_of_the_oldest_version_and_of_the_standard_library(path):
    tree = ast.parse(path.read_text(), feature_version=OLDEST)
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        for name in names:
            known = name.partition(".")[0] in sys.stdlib_module_names | FRAMEWORKS
            assert known or (path.stem, name) == ("_shim", "mlctl.tracking")
