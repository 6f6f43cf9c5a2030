"""What a stage reads and writes changes under it: recorded as it was read, or reported."""

import hashlib
import os

import pytest
import yaml

from e2e.sandbox import stamp, wait_until


def waiting(name, cmd="true", **keys):
    """A stage that says that it runs and ends when it is told to; then it does `cmd`."""
    wait = f"touch {name}.began; until test -e go; do sleep 0.02; done"
    return {"cmd": f"{wait}; {cmd}; echo x >> {name}.ran; touch {name}.out", **keys}


def while_it_runs(box, name, change, *args):
    """`mlctl run ARGS` with `change` made while the stage waits; what it said."""
    with box.started("run", *args) as run:
        wait_until(lambda: (box.root / f"{name}.began").exists())
        change()
        box.write("go", "")
        said = run.communicate(timeout=20)[0]
        assert run.returncode == 0, said
    return said


def entry(box, name):
    return yaml.safe_load(box.read("dvc.lock"))["stages"][name]


def md5(text):
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def reasons(box, name):
    (step,) = [s for s in box.json("status")["steps"] if s["stage"] == name]
    return step["reasons"]


def test_a_dep_edited_while_its_stage_runs_is_recorded_as_it_was(box):
    box.write("in", "1")
    box.stages({"a": waiting("a", deps=["in"], outs=["a.out"])})
    said = while_it_runs(box, "a", lambda: box.write("in", "22"))
    assert "dep 'in' changed while the stage ran" in said
    assert entry(box, "a")["deps"][0]["md5"] == md5("1")
    assert [r["path"] for r in reasons(box, "a")] == ["in"]
    assert box.mlctl("run").returncode == 0
    assert box.read("a.ran") == "x\nx\n"
    assert entry(box, "a")["deps"][0]["md5"] == md5("22")
    assert reasons(box, "a") == []


def test_what_was_read_is_what_the_run_cache_knows_the_result_by(box):
    box.write("in", "1")
    box.stages({"a": waiting("a", deps=["in"], outs=["a.out"])})
    while_it_runs(box, "a", lambda: box.write("in", "22"))
    box.write("in", "1")
    assert reasons(box, "a") == []


def test_a_dep_removed_while_its_stage_runs(box):
    box.write("in", "1")
    box.stages({"a": waiting("a", deps=["in"], outs=["a.out"])})
    said = while_it_runs(box, "a", (box.root / "in").unlink)
    assert "dep 'in' changed while the stage ran" in said
    assert entry(box, "a")["deps"][0]["md5"] == md5("1")
    assert len(reasons(box, "a")) == 1


def test_a_parameter_edited_while_its_stage_runs(box):
    box.write("params.yaml", "lr: 1\n")
    box.stages({"a": waiting("a", params=["lr"], outs=["a.out"])})
    said = while_it_runs(box, "a", lambda: box.write("params.yaml", "lr: 2\n"))
    assert "params.yaml" in said
    assert "changed while the stage ran" in said
    assert entry(box, "a")["params"] == {"params.yaml": {"lr": 1}}
    assert len(reasons(box, "a")) == 1


def test_what_changes_before_the_stage_starts_is_what_it_read(box):
    """The run has judged `b` already, but `b` itself reads the new content."""
    box.write("in", "1")
    box.write("params.yaml", "lr: 1\n")
    box.stages(
        {
            "a": waiting("a", outs=["a.out"]),
            "b": {
                "cmd": "cp in b.out",
                "deps": ["in", "a.out"],
                "params": ["lr"],
                "outs": ["b.out"],
            },
        }
    )

    def change():
        box.write("in", "22")
        box.write("params.yaml", "lr: 2\n")

    said = while_it_runs(box, "a", change)
    assert "changed while" not in said
    assert {e["path"]: e["md5"] for e in entry(box, "b")["deps"]}["in"] == md5("22")
    assert entry(box, "b")["params"] == {"params.yaml": {"lr": 2}}
    assert reasons(box, "b") == []
    assert box.dvc("status", "--json").stdout.strip() == "{}"


def test_bytecode_in_a_dep_is_no_change(box):
    """A stage whose code is a dep writes `__pycache__` into it; DVC records the folder with it."""
    box.write("src/helper.py", "x = 1\n")
    box.stages({"a": {"cmd": "python -c 'import src.helper' && touch a.out", "deps": ["src"],
                      "outs": ["a.out"]}})  # fmt: skip
    done = box.mlctl("run", env={"PYTHONDONTWRITEBYTECODE": ""})
    assert done.returncode == 0
    assert (box.root / "src" / "__pycache__").is_dir()
    assert "changed while" not in done.stdout
    assert reasons(box, "a") == []
    assert box.dvc("status", "--json").stdout.strip() == "{}"


def test_a_file_beside_the_bytecode_is_a_change(box):
    box.write("src/helper.py", "x = 1\n")
    cmd = "mkdir -p src/__pycache__; touch src/__pycache__/a.pyc src/new; touch a.out"
    box.stages({"a": {"cmd": cmd, "deps": ["src"], "outs": ["a.out"]}})
    assert "dep 'src' changed while the stage ran" in box.mlctl("run").stdout
    assert len(reasons(box, "a")) == 1


def test_dvc_itself_records_what_is_there_afterwards(box):
    """Why docs/dvc-compatibility.md names this as a difference."""
    box.write("in", "1")
    stages = {"a": {"cmd": "printf 22 > in; touch a.out", "deps": ["in"], "outs": ["a.out"]}}
    box.stages(stages)
    assert box.dvc("repro", "-q").returncode == 0
    assert entry(box, "a")["deps"][0]["md5"] == md5("22")


@pytest.mark.parametrize("what", ["removed", "changed"])
def test_an_out_removed_or_changed_while_its_stage_is_committed(what, box, monkeypatch):
    """Seen the moment before it is put into the cache: the stage fails, and nothing is recorded."""
    from mlctl.store.cache import Cache

    commit = Cache.commit

    def meanwhile(self, observed, **options):
        observed.entries  # noqa: B018 - hashed
        os.unlink(observed.path) if what == "removed" else box.write("a.out", "other")
        monkeypatch.setattr(Cache, "commit", commit)
        return commit(self, observed, **options)

    monkeypatch.setattr(Cache, "commit", meanwhile)
    box.stages({"a": {"cmd": "echo a > a.out", "deps": ["stamp.py"], "outs": ["a.out"]}})
    code, said = box.run("run")
    assert code in {1, 4}, said
    assert "a.out" in said
    assert ("vanished" if what == "removed" else "changed while") in said
    assert "Traceback" not in said
    assert box.locked() == set()
    assert not list((box.root / ".dvc" / "cache").rglob("*.tmp"))
    assert box.run("run")[0] == 0
    assert box.dvc("status", "--json").stdout.strip() == "{}"


def test_an_out_removed_by_another_while_its_stage_runs(box):
    box.stages({"a": {"cmd": "touch a.out; rm a.out", "outs": ["a.out"]}, "b": stamp("b")})
    code, said = box.run("run", "--keep-going")
    assert code == 1
    assert "out 'a.out' was not written" in said
    assert box.locked() == {"b"}
