"""`mlctl exp reproduce` where the project or the run is an unusual one."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from again_project import Again, package

import sshd
from e2e.sandbox import wait_until


@pytest.fixture(autouse=True)
def _same_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}")


@pytest.fixture
def box(tmp_path: Path) -> Again:
    return Again(tmp_path / "p")


def test_a_part_of_a_tracked_folder_and_a_folder_of_several_outs(box: Again) -> None:
    box.write("all/in/a.txt", "a\n")
    box.write("all/other.txt", "o\n")
    assert box.run("data", "add", "all")[0] == 0
    box.write("many/raw.txt", "r\n")
    assert box.run("data", "add", "many/raw.txt")[0] == 0
    box.stages(
        {
            "part": {"cmd": "cp all/in/a.txt a.out", "deps": ["all/in"], "outs": ["a.out"]},
            "made": {"cmd": "echo m > many/made.txt", "outs": ["many/made.txt"]},
            "whole": {"cmd": "cat many/*.txt > b.out", "deps": ["many"], "outs": ["b.out"]},
        }
    )
    box.commit()
    box.record()
    said = box.verified()
    assert said["holds"], said


def test_a_submodule_comes_from_the_users_clone(box: Again, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    for args in (
        ["init", "-q"],
        ["-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-q", "--allow-empty", "-m", "x"],
    ):
        subprocess.run(["git", *args], cwd=library, check=True)
    box.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "lib")
    box.stages({"use": {"cmd": "git -C lib rev-parse HEAD > out.txt", "outs": ["out.txt"]}})
    box.commit()
    box.record("use")
    library.rename(tmp_path / "gone")
    said = box.verified()
    assert said["holds"], said
    assert box.run("exp", "reproduce", "last")[0] == 0
    assert len(box.git("worktree", "list").splitlines()) == 1


def test_hashes_have_the_seed_of_the_run(box: Again) -> None:
    box.stages({"hash": {"cmd": "python -c \"print(hash('a'))\" > h.txt", "outs": ["h.txt"]}})
    box.commit()
    assert box.mlctl("run", "hash", env={"PYTHONHASHSEED": "1"}).returncode == 0
    box.commit()
    assert box.verified()["holds"]
    said = box.verified(env={"PYTHONHASHSEED": "2"})
    [cause] = said["causes"]
    assert (cause["kind"], cause["text"]) == ("seed", "PYTHONHASHSEED 1 → 2")


def test_logged_metrics_are_compared_too(box: Again) -> None:
    box.write(
        "log.py",
        "import mlctl, yaml\n"
        "seed = yaml.safe_load(open('params.yaml'))['train']['seed']\n"
        "for step in range(3): mlctl.log(step=step, loss=seed + step)\n",
    )
    box.stages({"log": {"cmd": "python log.py", "deps": ["log.py"], "params": ["train.seed"]}})
    box.commit()
    box.record("log")
    assert box.verified()["stages"][-1] == {
        "address": "logged metrics",
        "verdict": "identical",
        "outs": [],
        "metrics": [
            {"name": "loss", "recorded": 3, "now": 3, "tolerance": 0.0, "same": True}
        ],
    }  # fmt: skip
    said = box.verified("-S", "train.seed=2")
    assert [(c["kind"], c["stages"]) for c in said["causes"]] == [("seed", ["logged metrics"])]


def test_what_a_stage_from_the_cache_did_not_log_is_no_difference(box: Again) -> None:
    box.write(
        "log.py",
        "import mlctl, sys\n"
        "mlctl.log(step=0, loss=float(sys.argv[1]))\n"
        "open(sys.argv[2], 'w').write(sys.argv[1])\n",
    )
    box.write(".gitignore", "/*.out\n")
    stages = {
        name: {"cmd": f"python log.py {value} {name}.out", "deps": ["log.py"],
               "outs": [f"{name}.out"]}
        for name, value in (("a", 1), ("b", 2))
    }  # fmt: skip
    box.stages(stages)
    box.commit()
    box.record()
    stages["b"]["cmd"] = "python log.py 3 b.out"
    box.stages(stages)
    for name in "ab":
        (box.root / f"{name}.out").unlink()
    box.commit()
    box.record()
    assert {s["outcome"] for s in box.json("exp", "show")["stages"]} == {"restored", "ran"}
    assert box.verified()["holds"]


def test_a_script_outside_of_a_pipeline_is_refused(box: Again) -> None:
    box.write("script.py", "import mlctl\nwith mlctl.start_run():\n    mlctl.log(loss=1)\n")
    source = Path(__file__).parents[2] / "src"
    subprocess.run(
        [sys.executable, "script.py"],
        cwd=box.root,
        env={**os.environ, "PYTHONPATH": str(source)},
        check=True,
    )
    wait_until(lambda: box.json("exp", "ls")["total"] == 1)  # its code is noted beside it
    code, said = box.run("exp", "reproduce", "last")
    assert (code, "no stage with a command" in said) == (3, True), said


def test_an_altered_object_that_nobody_trusts_is_missing(box: Again) -> None:
    box.record()
    cached = box.object_of("1\n2\n3\n")
    cached.chmod(0o644)
    cached.write_text("1\n2\n4\n")
    code, said = box.run("exp", "reproduce", "last", "--verify")
    assert (code, "data/raw.csv (md5:" in said, "altered in the cache" in said) == (3, True, True)


def test_records_on_a_branch_of_their_own(box: Again, tmp_path: Path) -> None:
    box.write("mlctl.yaml", "records: {commit: auto, store: branch}\n")
    box.commit()
    with_one, with_two = (package(tmp_path / v, v, 1) for v in ("1.0", "2.0"))
    assert box.mlctl("run", env=with_one).returncode == 0
    assert not list(box.root.glob("runs/2*"))
    before = box.json("exp", "ls")
    assert before["total"] == 1
    said = box.verified(env=with_one)
    assert said["holds"], said
    assert box.json("exp", "ls") == before
    shown = box.mlctl("exp", "reproduce", "last", env=with_two)
    assert "tinylib 1.0 → 2.0" in shown.stdout


def wheel(folder: Path) -> None:
    """A wheel of `tinylib` 1.0."""
    folder.mkdir()
    info = "tinylib-1.0.dist-info"
    with zipfile.ZipFile(folder / "tinylib-1.0-py3-none-any.whl", "w") as file:
        file.writestr("tinylib.py", "VALUE = 1\n")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tinylib\nVersion: 1.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(
            f"{info}/RECORD", f"tinylib.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"
        )


def test_the_packages_of_a_run_are_installed_once(box: Again, tmp_path: Path) -> None:
    wheel(tmp_path / "wheels")
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "wheels")}
    make = [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")]
    subprocess.run(make, check=True)
    python = tmp_path / "venv/bin/python"
    [packages] = tmp_path.glob("venv/lib/python*/site-packages")
    zipfile.ZipFile(next((tmp_path / "wheels").iterdir())).extractall(packages)
    box.stages(
        {
            "use": {
                "cmd": "python -c 'import tinylib, json; print(json.dumps(tinylib.VALUE))' > u.txt",
                "outs": ["u.txt"],
            }
        }
    )
    box.commit()
    path = f"{python.parent}:{os.environ['PATH']}"
    assert box.mlctl("run", "use", env={"PATH": path}).returncode == 0
    box.commit()
    assert box.mlctl("exp", "reproduce", "last").returncode == 1  # it is not installed here
    done = box.mlctl("exp", "reproduce", "last", "--verify", "--json", "--env", env=pip)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["verification"]["holds"]
    assert len(list((box.root / ".mlctl/envs").iterdir())) == 1


def test_a_run_is_made_again_on_a_host(box: Again, tmp_path: Path, monkeypatch) -> None:
    box.write("mlctl.yaml", "hosts:\n  box: {}\n")
    box.record()
    env = {"PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"}
    with sshd.running(tmp_path / "host", "box", env=env) as server:
        monkeypatch.setenv("MLCTL_SSH_CONFIG", str(server.config))
        before = box.state()
        said = box.verified("--on", "box", env={})
        assert said["holds"], said
        assert box.state() == before
