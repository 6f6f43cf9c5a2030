"""model.yaml, signatures, and which files are loaded at all."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from mlctl import plugins
from mlctl.adapters.dvc import dvc
from mlctl.errors import ConfigError, InvalidInput
from mlctl.models import safety, signature
from mlctl.models.description import Feature, parse
from mlctl.models.flavors import lightgbm, sklearn, torch
from mlctl.models.model import Flavor, load

GOOD = """\
schema: mlctl.model/1
flavor: lightgbm
file: model.txt
task: classification
target: y
classes: [no, "yes"]
features:
  - {name: a, dtype: float}
  - {name: b, dtype: int}
"""


def test_flavors_are_plugins() -> None:
    flavors: list[Flavor] = [lightgbm, sklearn, torch]
    assert [flavor.RUNS_CODE for flavor in flavors] == [False, True, True]
    assert plugins.names("mlctl.models.flavors") == ["lightgbm", "sklearn", "torch"]


def test_a_description_is_read() -> None:
    described = parse(GOOD, source="m/model.yaml")
    assert described.classes == ("no", "yes")
    assert described.features == (Feature("a", "float"), Feature("b", "int"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("mlctl.model/1", "mlctl.model/2", "model.yaml:1: schema"),
        ("model.txt", "../x.txt", "model.yaml:3: file: '../x.txt' is not inside"),
        ("classification", "clustering", "model.yaml:4: task"),
        ("target: y", "target: 1", "model.yaml:5: target: expected a text"),
        ('[no, "yes"]', "[no]", "model.yaml:6: classes: expected a list of at least two"),
        ('[no, "yes"]', "[no, no]", "model.yaml:6: classes: a class is there twice"),
        ("dtype: int", "dtype: integer", "model.yaml:9: features[1].dtype"),
        ("name: b", "name: a", "model.yaml:9: features[1]: 'a' is there twice"),
        ("target: y", "target: y\nextra: 1", "model.yaml:6: extra: unknown key"),
    ],
)
def test_faults_of_a_description_are_named(old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        parse(GOOD.replace(old, new, 1), source="model.yaml")
    assert str(caught.value).startswith(said)


def test_a_signature_names_everything_at_once() -> None:
    features = (Feature("age", "int"), Feature("b", "float"), Feature("c", "str"))
    found = signature.check(features, {"aeg": "int", "b": "int", "c": None, "id": "str"})
    assert found.missing == ("age",)
    assert found.wrong == (("c", "str", "of another type"),)
    assert found.extra == ("aeg", "id")
    assert found.message() == (
        "column 'age' is missing (there is 'aeg')\ncolumn 'c' is of another type, not str"
    )
    assert signature.check(features, {"age": "text", "b": "text", "c": "text"}).fits
    assert not signature.check(features, {"age": "float", "b": "float", "c": "str"}).fits


def test_what_is_no_model_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="not a model folder"):
        load(str(tmp_path))
    (tmp_path / "model.yaml").write_text(GOOD)
    with pytest.raises(ConfigError, match=r"model\.txt is not there"):
        load(str(tmp_path))


@pytest.mark.parametrize("link", ["copy", "symlink"])
def test_dvc_vouches_for_files_folders_and_outs(tmp_path: Path, link: str) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".dvc" / "tmp").mkdir(parents=True)
    (tmp_path / ".dvc" / "config").write_text(f"[cache]\n    type = {link}\n")
    (tmp_path / "folder" / "sub").mkdir(parents=True)
    (tmp_path / "folder" / "sub" / "m.joblib").write_text("in a folder")
    (tmp_path / "one.joblib").write_text("alone")
    (tmp_path / "loose.joblib").write_text("nobody knows")
    dvc("add", "-q", "folder", "one.joblib", cwd=tmp_path)
    stage = "stages:\n  train:\n    cmd: echo hi > made.joblib\n    outs: [made.joblib]\n"
    (tmp_path / "dvc.yaml").write_text(stage)
    dvc("repro", "-q", cwd=tmp_path)
    vouched = ["folder/sub/m.joblib", "one.joblib", "made.joblib"]
    assert [safety.tracked_by_dvc(str(tmp_path / name)) for name in vouched] == [True] * 3
    assert not safety.tracked_by_dvc(str(tmp_path / "loose.joblib"))
    for name in vouched:
        os.unlink(tmp_path / name)
        (tmp_path / name).write_text("other bytes")
    assert [safety.tracked_by_dvc(str(tmp_path / name)) for name in vouched] == [False] * 3


def test_outside_of_a_repository_nobody_vouches(tmp_path: Path) -> None:
    (tmp_path / "m.joblib").write_text("x")
    with pytest.raises(InvalidInput, match="can run any code"):
        safety.require_trust(str(tmp_path / "m.joblib"), trust=False)
    safety.require_trust(str(tmp_path / "m.joblib"), trust=True)
