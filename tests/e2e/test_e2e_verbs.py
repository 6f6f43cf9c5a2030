"""Options and verbs with DVC's meaning, each alone in a repository."""

import json
import os
import shutil
import subprocess

import pytest
import yaml

from conformance.twins import run_mlctl
from e2e.sandbox import DVC, MLCTL, Sandbox, call, stamp


@pytest.fixture
def chain(box):
    """a -> b -> c, and d beside them; all up to date."""
    box.stages(
        {
            "a": stamp("a"),
            "b": stamp("b", deps=("a",)),
            "c": stamp("c", deps=("b",)),
            "d": stamp("d"),
        }
    )
    code, said = box.run("run", "-j1")
    assert code == 0, said
    box.forget_times()
    return box


def run(box, *args):
    """The stages that `mlctl run ARGS` ran."""
    box.forget_times()
    code, said = box.run("run", *args)
    assert code == 0, said
    return box.ran()


def test_force(chain):
    assert run(chain) == []
    assert run(chain, "b", "--force") == ["a", "b"]
    assert run(chain, "b", "--force", "--single-item") == ["b"]
    assert run(chain, "-f", "--downstream", "b") == ["b", "c"]


def test_downstream_of_what_changed(chain):
    chain.write("b.out", "damaged")
    assert chain.json("plan", "--downstream", "b")["waves"] == [["b"], ["c"]]
    os.unlink(chain.root / "a.out")
    (chain.root / "a.out").mkdir()
    assert run(chain, "--downstream", "b", "--no-run-cache") == ["b"]


def test_targets_by_out_path_and_from_a_sub_folder(chain):
    chain.write("sub/x", "")
    assert run(chain, "-f", "-s", "b.out") == ["b"]
    chain.forget_times()
    code, said = run_mlctl(chain.root / "sub", "run", "-f", "-s", "../c.out")
    assert code == 0, said
    assert chain.ran() == ["c"]
    chain.forget_times()
    before = os.getcwd()
    try:
        code, said = run_mlctl(chain.root.parent, "-C", str(chain.root), "run", "-f", "-s", "d")
        assert code == 0, said
        code, said = run_mlctl(chain.root.parent, "run", "-C", str(chain.root), "-f", "-s", "a")
        assert code == 0, said
    finally:
        os.chdir(before)
    assert chain.ran() == ["d", "a"]


def test_glob_recursive_pipeline_and_all(box):
    box.stages({"x1": stamp("x1"), "x2": stamp("x2"), "y": stamp("y")})
    for folder in ("sub/one", "sub/two"):
        box.write(f"{folder}/stamp.py", box.read("stamp.py"))
        box.stages({"s": stamp("s")}, folder)
    assert run(box, "--glob", "x*") == ["x1", "x2"]
    code, _ = box.run("run", "-R", "sub")
    assert code == 0
    assert box.locked("sub/one") == box.locked("sub/two") == {"s"}
    assert box.locked() == {"x1", "x2"}
    assert run(box, "-P") == ["y"]
    assert run(box, "-f", "-p", "x1") == ["x1"]


def test_dry_run_writes_nothing_at_all(chain):
    chain.run("status")
    os.unlink(chain.root / "b.out")
    chain.write("stamp.py", chain.read("stamp.py") + "# changed\n")
    before = _without_caches(chain)
    code, said = chain.run("run", "--dry-run")
    assert code == 0
    assert "would run" in said
    assert _without_caches(chain) == before
    fresh = Sandbox(chain.root.parent / "fresh")
    fresh.stages({"a": stamp("a")})
    before = _without_caches(fresh)
    assert fresh.run("run", "--dry")[0] == 0
    assert _without_caches(fresh) == before


def _without_caches(box):
    # Digests and parsed files are kept for the next command: local, ignored, made again at need.
    return {
        path: content
        for path, content in box.tree().items()
        if not path.startswith((".mlctl/", ".dvc/tmp/"))
    }


def test_allow_missing_and_pull(chain, tmp_path):
    remote = tmp_path / "remote"
    assert chain.dvc("remote", "add", "-d", "r", str(remote)).returncode == 0
    assert chain.dvc("push", "-q").returncode == 0
    assert chain.dvc("push", "-q", "--run-cache").returncode == 0
    _lose_data(chain)
    assert chain.json("plan", "c")["waves"] == [["a"], ["b"], ["c"]]
    assert run(chain, "--allow-missing") == []
    assert not (chain.root / "a.out").exists()
    assert run(chain, "--pull") == []
    assert chain.read("c.out") == "c"
    assert chain.json("status")["changed"] == 0


def test_pull_with_allow_missing_brings_only_what_is_needed(chain, tmp_path):
    assert chain.dvc("remote", "add", "-d", "r", str(tmp_path / "remote")).returncode == 0
    assert chain.dvc("push", "-q").returncode == 0
    _lose_data(chain)
    text = chain.read("dvc.yaml").replace("stamp.py c 0.0", "stamp.py c 0.001")
    chain.write("dvc.yaml", text)
    assert run(chain, "--pull", "--allow-missing", "c") == ["c"]
    assert (chain.root / "b.out").exists()
    assert not (chain.root / "a.out").exists()


def test_pull_without_a_remote_says_so(chain):
    _lose_data(chain)
    code, said = chain.run("run", "--pull")
    assert code in {1, 3}
    assert "remote" in said
    assert "Traceback" not in said


def _lose_data(box):
    shutil.rmtree(box.root / ".dvc" / "cache")
    for out in box.root.glob("*.out"):
        out.unlink()


def test_no_commit_then_commit(box):
    box.stages({"a": stamp("a")})
    assert run(box, "--no-commit") == ["a"]
    assert not list(box.root.glob(".dvc/cache/files/md5/*/*"))
    assert box.locked() == {"a"}
    code, said = box.run("commit")
    assert code == 0, said
    assert len(list(box.root.glob(".dvc/cache/files/md5/*/*"))) == 1
    assert box.json("status")["changed"] == 0
    assert run(box) == []
    os.unlink(box.root / "a.out")
    assert run(box) == []
    assert box.read("a.out") == "a"


def test_commit_asks_before_it_records_what_changed(chain):
    os.unlink(chain.root / "d.out")
    chain.write("d.out", "by hand")
    code, said = chain.run("commit")
    assert code == 2
    assert "'d' is changed" in said
    told = chain.json("commit", "-f")
    assert told["schema"] == "mlctl.commit/1"
    assert told["recorded"] == ["d"]
    assert chain.json("status")["changed"] == 0
    assert chain.dvc("status", "--json").stdout.strip() == "{}"


def test_run_cache_and_no_run_cache(box):
    box.write("in", "1")
    box.stages({"a": {**stamp("a"), "deps": ["in"]}})
    assert run(box) == ["a"]
    box.write("in", "2")
    assert run(box) == ["a"]
    box.write("in", "1")
    assert run(box) == []
    box.write("in", "2")
    assert run(box, "--no-run-cache") == ["a"]


PARAMS = {
    "params.yaml": ("# learning\nlr: 0.1  # rate\nlayers: [1, 2]\nnet: {depth: 3}\n", "yaml"),
    "params.json": ('{\n  "lr": 0.1,\n  "net": {"depth": 3}\n}\n', "json"),
    "params.toml": ("# learning\nlr = 0.1 # rate\n[net]\ndepth = 3\n", "toml"),
    "params.py": ("# learning\nlr = 0.1  # rate\nnet = {'depth': 3}\n", "py"),
}


@pytest.mark.parametrize("file", PARAMS)
def test_set_param(box, file):
    box.write(file, PARAMS[file][0])
    box.stages({"a": {**stamp("a"), "params": [{file: ["lr", "net.depth"]}]}})
    prefix = "" if file == "params.yaml" else f"{file}:"
    assert run(box) == ["a"]
    assert run(box, "-S", f"{prefix}lr=0.2", "-S", f"{prefix}net.depth=5") == ["a"]
    lock = yaml.safe_load(box.read("dvc.lock"))
    assert lock["stages"]["a"]["params"] == {file: {"lr": 0.2, "net.depth": 5}}
    if file.endswith(("yaml", "toml", "py")):
        assert "# learning" in box.read(file)
        assert "# rate" in box.read(file)
    text = box.read(file)
    code, said = box.run("run", "-S", f"{prefix}lr=0.3", "-S", f"{prefix}net.dept=5")
    assert code == 2
    assert "depth" in said
    assert box.read(file) == text
    assert box.dvc("status", "--json").stdout.strip() == "{}"


def test_set_param_in_a_dry_run_writes_nothing(box):
    box.write("params.yaml", "lr: 0.1\n")
    box.stages({"a": {**stamp("a"), "params": ["lr"]}})
    assert run(box) == ["a"]
    before = _without_caches(box)
    code, said = box.run("run", "-S", "lr=0.2", "--dry-run")
    assert _without_caches(box) == before
    assert code == 2, said
    assert "-S" in said


def test_set_param_waits_for_the_rest_of_the_command_to_make_sense(box):
    box.write("params.yaml", "lr: 0.1\n")
    box.stages({"a": {**stamp("a"), "params": ["lr"]}})
    assert box.run("run", "-S", "lr=0.2", "nothing")[0] == 2
    assert box.read("params.yaml") == "lr: 0.1\n"


def test_set_param_of_nothing_known(box):
    box.stages({"a": stamp("a")})
    code, said = box.run("run", "-S", "lr=0.2")
    assert code == 2
    assert "params.yaml" in said
    code, said = box.run("run", "-S", "lr")
    assert code == 2
    assert "KEY=VALUE" in said


def test_check(chain):
    for verb in ("status", "plan"):
        assert chain.run(verb, "--check")[0] == 0
    chain.write("stamp.py", chain.read("stamp.py") + "#")
    for verb in ("status", "plan"):
        assert chain.run(verb)[0] == 0
        assert chain.run(verb, "--check")[0] == 1


def test_json_of_status_and_plan(chain):
    chain.write("stamp.py", chain.read("stamp.py") + "#")
    status, plan = chain.json("status", "b"), chain.json("plan", "b")
    assert (status["schema"], plan["schema"]) == ("mlctl.status/1", "mlctl.plan/1")
    assert status["changed"] == status["stages"] == 1
    assert plan["waves"] == [["a"], ["b"]]
    (step,) = status["steps"]
    assert step["stage"] == "b"
    assert step["reasons"][0]["path"] == "stamp.py"


@pytest.mark.parametrize("verb", ["freeze", "unfreeze", "commit", "logs", "status", "plan", "run"])
def test_errors_are_json_too(box, verb):
    box.stages({"alpha": stamp("alpha")})
    done = box.mlctl(verb, "alpa", "--json")
    assert done.returncode == 2
    told = json.loads(done.stdout)
    assert told["schema"] == "mlctl.error/1"
    assert told["exit_code"] == 2
    assert "alpa" in told["message"]
    assert told["hint"] == "did you mean 'alpha'?"


def test_freeze_and_unfreeze(chain):
    assert chain.json("freeze", "b")["changed"] == ["b"]
    assert chain.json("freeze", "b")["changed"] == []
    chain.write("stamp.py", chain.read("stamp.py") + "#")
    assert chain.dvc("status", "--json").returncode == 0
    assert run(chain) == ["a", "c", "d"]
    assert chain.json("unfreeze", "b")["changed"] == ["b"]
    assert run(chain) == ["b"]
    assert "frozen" not in chain.read("dvc.yaml")


def test_dag(chain, tmp_path):
    told = chain.json("dag")
    assert [node["stage"] for node in told["nodes"]] == ["a", "b", "c", "d"]
    assert {(e["from"], e["to"]) for e in told["edges"]} == {("a", "b"), ("b", "c")}
    code, mermaid = chain.run("dag", "--mermaid")
    assert (code, mermaid.splitlines()[0][:9]) == (0, "flowchart")
    code, dot = chain.run("dag", "--dot", "b")
    assert code == 0
    assert dot.startswith(("strict digraph", "digraph"))
    assert '"c"' not in dot
    page = tmp_path / "dag.html"
    assert chain.run("dag", "--html", str(page))[0] == 0
    text = page.read_text()
    assert "http" not in text.replace("http://www.w3.org", "")
    assert chain.run("dag")[0] == 0


def test_a_repository_without_a_commit(box):
    box.stages({"a": stamp("a")})
    done = box.mlctl("run", "--commit")
    assert done.returncode == 0, done.stdout
    assert "no commit yet" in done.stdout
    assert box.run("status", "--check")[0] == 0


def test_no_scm(tmp_path):
    box = Sandbox(tmp_path / "p", git=False)
    box.stages({"a": stamp("a"), "b": stamp("b", deps=("a",))})
    done = box.mlctl("run", "-j2", "--commit")
    assert done.returncode == 0, done.stdout
    assert not (box.root / ".gitignore").exists()
    assert box.dvc("status", "--json").stdout.strip() == "{}"
    assert box.run("status", "--check")[0] == 0
    assert box.run("dag")[0] == 0


def test_subdir(tmp_path):
    outer = tmp_path / "mono"
    outer.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=outer, check=True)
    (outer / "inner").mkdir()
    assert subprocess.run([*DVC, "init", "-q", "--subdir"], cwd=outer / "inner").returncode == 0
    box = Sandbox.__new__(Sandbox)
    box.root = outer / "inner"
    box.write("stamp.py", "import sys; open(sys.argv[1] + '.out', 'w').write('x')\n")
    box.stages({"a": stamp("a")})
    box.commit()
    done = box.mlctl("run", "--commit")
    assert done.returncode == 0, done.stdout
    assert box.git("status", "--porcelain").strip() == ""
    assert box.read(".gitignore") == "/a.out\n"
    assert box.dvc("status", "--json").stdout.strip() == "{}"
    assert box.run("status", "--check")[0] == 0


def test_a_git_worktree(chain, tmp_path):
    chain.commit()
    tree = tmp_path / "tree"
    chain.git("worktree", "add", "-q", str(tree))
    other = Sandbox.__new__(Sandbox)
    other.root = tree
    done = other.mlctl("run", "--commit")
    assert done.returncode == 0, done.stdout
    assert other.locked() == {"a", "b", "c", "d"}
    assert other.git("status", "--porcelain").split() == ["??", "times.txt"]
    assert other.git("rev-parse", "--abbrev-ref", "HEAD").strip() == "tree"
    assert len(chain.records()) == 1


def test_a_read_only_checkout(chain):
    chain.write("stamp.py", chain.read("stamp.py") + "#")
    subprocess.run(["chmod", "-R", "a-w", str(chain.root)], check=True)
    try:
        done = call([*as_a_user(), *MLCTL, "status"], chain.root)
        assert done.returncode == 0, done.stderr
        assert "4 of 4 stages changed" in done.stdout
        done = call([*as_a_user(), *MLCTL, "run"], chain.root)
        assert done.returncode == 3, done.stdout
        assert "Permission denied" in done.stderr
        assert "Traceback" not in done.stderr + done.stdout
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(chain.root)], check=True)


def as_a_user():
    """What makes root bound by the modes of files."""
    if os.geteuid():
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and there is no setpriv")
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


def test_record_only_where_something_ran(chain):
    assert len(chain.records()) == 1
    assert run(chain) == []
    os.unlink(chain.root / "a.out")
    assert run(chain) == []  # restored
    assert len(chain.records()) == 1
    assert run(chain, "-f", "-s", "a") == ["a"]
    assert len(chain.records()) == 2


def test_record_is_committed_only_where_asked(box):
    box.stages({"a": stamp("a"), "b": stamp("b", deps=("a",))})
    box.commit()
    assert run(box, "a") == ["a"]
    assert box.git("log", "--oneline").count("\n") == 1
    box.write("mine.txt", "half done")
    box.git("add", "mine.txt")
    assert run(box, "b", "--commit") == ["b"]
    assert box.git("log", "--oneline").count("\n") == 2
    assert box.git("diff", "--cached", "--name-only").split() == ["mine.txt"]
    committed = box.git("show", "--name-only", "--format=", "HEAD").split()
    assert "mine.txt" not in committed
    assert {"dvc.lock", ".gitignore"} <= set(committed)
    assert any(path.endswith("run.json") for path in committed)


def test_record_is_committed_where_the_project_says_so(box):
    box.stages({"a": stamp("a")})
    box.write("mlctl.yaml", "records: {commit: auto}\njobs: 1\n")
    box.write(".gitignore", "times.txt\n")
    box.commit()
    assert run(box) == ["a"]
    assert box.git("log", "--oneline").count("\n") == 2
    assert box.git("status", "--porcelain") == ""
    assert run(box, "-f", "--no-record-commit") == ["a"]
    assert box.git("log", "--oneline").count("\n") == 2


def test_mlctl_ignores_its_own_state(box):
    box.stages({"a": stamp("a")})
    box.commit()
    for args in (["status"], ["plan"], ["run"], ["logs", "a"]):
        box.run(*args)
    assert not [line for line in box.git("status", "--porcelain").splitlines() if ".mlctl" in line]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["runn"], "did you mean 'run'"),
        (["repro"], "did you mean 'run'"),
        (["add", "x"], "did you mean 'data add'"),
        (["run", "-j", "0"], "-j"),
        (["run", "--forse"], "--force"),
        (["run", "alpa"], "did you mean 'alpha'"),
        (["run", "dvc.lock"], "did you mean 'dvc.yaml'"),
        (["run", "nowhere/dvc.yaml"], "nowhere/dvc.yaml"),
        (["-C", "nowhere", "run"], "nowhere"),
        (["logs"], "Missing argument"),
        (["dag", "nothing"], "nothing"),
    ],
)
def test_typing_errors(box, args, says):
    box.stages({"alpha": stamp("alpha")})
    code, said = box.run(*args)
    assert code == 2
    assert says in said
    assert "Traceback" not in said


@pytest.mark.parametrize("args", [[], ["exp"]])
def test_no_command_is_answered_by_the_help_alone(box, args):
    done = box.mlctl(*args)
    assert done.returncode == 2
    assert "Usage: mlctl" in done.stdout + done.stderr
    assert "error:" not in done.stderr


def test_outside_of_a_project(tmp_path):
    done = subprocess.run(
        ["mlctl", "status"], cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 2
    assert "mlctl init" in done.stderr or "dvc init" in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "stages: [",
        "stages:\n  a:\n    cmd: x\n    depz: [y]\n",
        "stages:\n  a:\n    cmd: echo ${nothing}\n",
        "stages:\n  a: {cmd: x, outs: [o]}\n  b: {cmd: x, outs: [o]}\n",
        "stages:\n  a: {cmd: x, deps: [p], outs: [o]}\n  b: {cmd: x, deps: [o], outs: [p]}\n",
        "stages:\n  a:\n    cmd: x\n    meta: {mlctl: {cpu: 2}}\n",
        "stages:\n\ta: x\n",
        "- a\n",
        "\x00",
    ],
)
@pytest.mark.parametrize("verb", ["status", "run"])
def test_a_wrong_dvc_yaml_is_named(box, text, verb):
    box.write("dvc.yaml", text)
    code, said = box.run(verb)
    assert code == 2, said
    assert "dvc.yaml" in said
    assert not (box.root / "dvc.lock").exists()


@pytest.mark.parametrize("text", ["schema: '2.0'\nstages: 3\n", "{", "schema: '9.0'\nstages: {}\n"])
def test_a_wrong_dvc_lock_is_named_and_kept(box, text):
    box.stages({"a": stamp("a")})
    box.write("dvc.lock", text)
    code, said = box.run("run")
    assert code == 2, said
    assert "dvc.lock" in said
    assert box.read("dvc.lock") == text
    assert box.ran() == []
