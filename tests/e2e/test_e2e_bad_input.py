"""Bad input through the command line: what is said, the file and YAML path named, the exit code."""

import json
import subprocess
from pathlib import Path

import pytest

from conformance.twins import run_mlctl

STAGE = "stages:\n  a:\n    cmd: cat data > a.out\n    deps: [data]\n    outs: [a.out]\n"
LOCK = "schema: '2.0'\nstages:\n  a:\n    cmd: cat data > a.out\n"
CONFLICT = "<<<<<<< HEAD\nschema: '2.0'\n=======\nschema: '2.0'\n>>>>>>> other\n"

# name -> files, exit code, and what the message must hold
CASES: dict[str, tuple[dict[str, str | bytes], int, tuple[str, ...]]] = {
    "a syntax error": ({"dvc.yaml": "stages: [\n"}, 2, ("dvc.yaml:", "not valid YAML")),
    "an unknown key": (
        {"dvc.yaml": STAGE.replace("outs:", "outz:")}, 2,
        ("dvc.yaml:5", "stages.a.outz", "did you mean 'outs'?"),
    ),
    "a cycle": (
        {"dvc.yaml": STAGE + "  b:\n    cmd: x\n    deps: [a.out]\n    outs: [data]\n"}, 2,
        ("dvc.yaml", "in a circle", "→"),
    ),
    "two stages with one out": (
        {"dvc.yaml": STAGE + "  b:\n    cmd: x\n    outs: [a.out]\n"}, 2,
        ("dvc.yaml: stages.b.outs", "also an out of 'a'"),
    ),
    "a missing dep": ({"dvc.yaml": STAGE, "data": b""}, 1, ("a", "missing dep: 'data'")),
    "a missing parameter": (
        {"dvc.yaml": STAGE + "    params: [lr]\n", "params.yaml": "x: 1\n"}, 1,
        ("params.yaml", "no parameter 'lr'"),
    ),
    "a template that does not resolve": (
        {"dvc.yaml": STAGE.replace("cat data", "cat ${nam}"), "params.yaml": "name: 1\n"}, 2,
        ("dvc.yaml:3", "stages.a.cmd", "nam"),
    ),
    "a cached out outside": (
        {"dvc.yaml": STAGE.replace("[a.out]", "[../a.out]")}, 2, ("dvc.yaml", "../a.out"),
    ),
    "a newline in a path": (
        {"dvc.yaml": STAGE.replace("[a.out]", '["a\\nb"]')}, 2, ("dvc.yaml", "line break"),
    ),
    "a file that is not UTF-8": (
        {"dvc.yaml": STAGE.encode() + b"# \xff\n"}, 2, ("dvc.yaml:6", "not valid UTF-8"),
    ),
    "a lock from a newer version": (
        {"dvc.yaml": STAGE, "dvc.lock": LOCK.replace("2.0", "9.0")}, 2, ("dvc.lock", "newer"),
    ),
    "a lock with conflict markers": (
        {"dvc.yaml": STAGE, "dvc.lock": CONFLICT}, 2, ("dvc.lock:1", "conflict markers"),
    ),
    "an unknown executor": (
        {"dvc.yaml": STAGE + "    meta: {mlctl: {on: gpuhost}}\n"}, 2,
        ("dvc.yaml", "stages.a.meta.mlctl.on", "gpuhost"),
    ),
    "an unknown setting": (
        {"dvc.yaml": STAGE + "    meta: {mlctl: {cpu: 2}}\n"}, 2,
        ("dvc.yaml", "stages.a.meta.mlctl", "did you mean 'cpus'?"),
    ),
}  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "p"
    (place / ".dvc").mkdir(parents=True)
    (place / ".dvc" / "config").touch()
    subprocess.run(["git", "init", "-q"], cwd=place, check=True)
    (place / "data").write_text("data\n")
    return place


@pytest.mark.parametrize("name", CASES)
def test_the_message_says_what_and_where(name: str, root: Path) -> None:
    files, code, said = CASES[name]
    for path, content in files.items():
        (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    if files.get("data") == b"":
        (root / "data").unlink()
    before = {p: p.read_bytes() for p in root.iterdir() if p.is_file()}
    found, told = run_mlctl(root, "run")
    assert found == code, told
    for part in said:
        assert part in told
    assert "Traceback" not in told
    assert {p: p.read_bytes() for p in before} == before
    assert not (root / "a.out").exists()


def test_an_error_is_json_where_that_is_asked_for(root: Path) -> None:
    (root / "dvc.yaml").write_text("stages: [\n")
    code, told = run_mlctl(root, "status", "--json")
    found = json.loads(told[told.index("{") :])
    assert (code, found["schema"], found["exit_code"]) == (2, "mlctl.error/1", 2)
    assert "dvc.yaml" in found["message"]


def test_outside_of_a_repository(tmp_path: Path) -> None:
    code, told = run_mlctl(tmp_path, "status")
    assert code == 2
    assert "is not inside a DVC repository" in told
    assert "mlctl init" in told


def test_an_out_that_git_tracks(root: Path) -> None:
    (root / "dvc.yaml").write_text(STAGE)
    (root / "a.out").write_text("precious\n")
    subprocess.run(["git", "add", "a.out"], cwd=root, check=True)
    code, told = run_mlctl(root, "run")
    assert code == 1
    assert "'a.out' is tracked by git" in told
    assert (root / "a.out").read_text() == "precious\n"
