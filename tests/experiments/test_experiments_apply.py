"""`mlctl exp apply`: a run's parameters, outs and lock in the workspace, and nothing lost."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from again_project import PARAMS, Again


@pytest.fixture(autouse=True)
def _same_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}")


@pytest.fixture
def box(tmp_path: Path) -> Again:
    """Two committed runs: with `lr` 0.5, then with 0.25."""
    box = Again(tmp_path / "p")
    box.first = box.record()
    box.wanted = results(box)
    box.second = box.record("-S", "train.lr=0.25")
    return box


def results(box: Again) -> list[str]:
    return [box.read(name) for name in ("params.yaml", "model.txt", "metrics.json", "dvc.lock")]


def test_a_runs_params_outs_and_lock_come_back(box: Again) -> None:
    code, said = box.run("exp", "apply", box.first)
    assert code == 0, said
    assert results(box) == box.wanted
    assert box.run("status", "--check")[0] == 0
    assert "up to date" in box.dvc("status").stdout
    code, said = box.run("exp", "apply", box.first)
    assert (code, said) == (0, f"All is as run {box.first[10:16]} had it.\n")


def test_applying_what_is_there_changes_nothing(box: Again) -> None:
    before = box.state()
    assert box.json("exp", "apply", "last") == {
        "schema": "mlctl.exp.apply/1",
        "run": box.second,
        "params": [],
        "outs": [],
        "locks": [],
        "left": [],
        "unknown": [],
        "aside": None,
    }
    assert box.state() == before


def test_one_run_after_another(box: Again) -> None:
    later = results(box)
    for run_id, wanted in ((box.first, box.wanted), (box.second, later), (box.first, box.wanted)):
        code, said = box.run("exp", "apply", run_id)
        assert code == 0, said
        assert results(box) == wanted


def test_other_code_is_left_and_both_tools_say_so(box: Again) -> None:
    box.write("train.py", box.read("train.py") + "# later\n")
    box.git("commit", "-qam", "later")
    assert box.run("exp", "apply", box.first)[0] == 0
    assert results(box) == box.wanted
    changed = [s["stage"] for s in box.json("status")["steps"] if s.get("changed", True)]
    assert changed == ["train"]
    assert "modified:           train.py" in box.dvc("status").stdout


@pytest.mark.parametrize("name", ["params.yaml", "metrics.json", "dvc.lock"])
def test_uncommitted_changes_are_not_replaced(box: Again, name: str) -> None:
    box.write(name, box.read(name) + "\n# mine\n")
    before = box.state()
    code, said = box.run("exp", "apply", box.first)
    assert (code, f"{name}: it has changes that are in no commit" in said) == (2, True)
    assert box.state() == before
    done = box.json("exp", "apply", box.first, "--force")
    assert box.read(f"{done['aside']}/{name}").endswith("# mine\n")
    if name != "dvc.lock":  # whose comment DVC would keep, too
        assert results(box) == box.wanted
    assert box.run("status", "--check")[0] == 0


def test_an_out_that_is_in_no_cache_is_not_replaced(box: Again) -> None:
    (box.root / "model.txt").unlink()
    box.write("model.txt", "made by hand\n")
    before = box.state()
    code, said = box.run("exp", "apply", box.first)
    assert (code, "model.txt: its content is not in the cache" in said) == (2, True)
    assert box.state() == before
    aside = box.json("exp", "apply", box.first, "--force")["aside"]
    assert box.read(f"{aside}/model.txt") == "made by hand\n"
    assert results(box) == box.wanted


def test_outs_that_the_cache_lacks_are_named_and_nothing_is_touched(box: Again) -> None:
    cached = box.object_of(box.wanted[1])
    cached.parent.chmod(0o755)
    cached.unlink()
    before = box.state()
    code, said = box.run("exp", "apply", box.first)
    assert (code, "model.txt (md5:" in said) == (3, True)
    assert box.state() == before


def test_metrics_that_git_keeps_come_from_the_commit_of_the_record(box: Again) -> None:
    box.object_of(box.wanted[2]).unlink()  # the run-cache had them
    assert box.run("exp", "apply", box.first)[0] == 0
    assert results(box) == box.wanted
    assert "metrics.json" not in box.read(".gitignore")


def test_metrics_that_are_nowhere_are_said_to_be_left(tmp_path: Path) -> None:
    box = Again(tmp_path / "p")
    first = box.record(commit=False)
    box.object_of(box.read("metrics.json")).unlink()
    box.record("-S", "train.lr=0.25")
    code, said = box.run("exp", "apply", first)
    assert code == 0, said
    assert "Not restored, as git has it in no commit with the record: metrics.json." in said
    assert box.read("params.yaml") == PARAMS


def test_a_secret_parameter_stays_out_of_the_record_and_comes_back(tmp_path: Path) -> None:
    box = Again(tmp_path / "p")
    box.write("params.yaml", PARAMS + "  api_key: abc\n")
    box.commit()
    first = box.record()
    lock = box.read("dvc.lock")
    box.record("-S", "train.api_key=def")
    assert "abc" not in box.read(
        f"runs/{next(box.root.glob(f'runs/*/{first}')).parent.name}/{first}/stages.jsonl"
    )
    assert box.run("exp", "apply", first)[0] == 0
    assert box.read("dvc.lock") == lock


def test_a_stage_that_is_gone_is_said(box: Again) -> None:
    box.write("dvc.yaml", box.read("dvc.yaml").replace("train:\n    cmd", "fit:\n    cmd"))
    box.git("commit", "-qam", "renamed")
    done = box.json("exp", "apply", box.first)
    assert done["unknown"] == ["train"]
    assert box.read("params.yaml") == PARAMS


def test_code_that_is_missing_is_an_error(box: Again) -> None:
    shutil.rmtree(box.root / ".git")
    box.git("init", "-q")
    code, said = box.run("exp", "apply", box.first)
    assert (code, "is missing" in said) == (3, True)
