"""`mlctl exp why`: what of a change came from code, data and parameters."""

import os
import sys
from pathlib import Path

import pytest
from again_project import PARAMS, Again, package

from mlctl.experiments.again.attribution import attribute, mixtures, rest


@pytest.fixture(autouse=True)
def _same_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}")


@pytest.fixture
def box(tmp_path: Path) -> Again:
    return Again(tmp_path / "p")


def test_the_parts_of_a_sum_are_its_terms() -> None:
    gains = {"code": 1.0, "data": -2.0, "params": 0.5}
    values = {m: 10 + sum(gains[name] for name in m) for m in mixtures(list(gains))}
    parts = attribute(list(gains), values, -0.5)
    assert {part.factor: part.contribution for part in parts} == pytest.approx(gains)
    assert [part.alone for part in parts] == [11.0, 8.0, 10.5]
    assert sum(part.share for part in parts) == pytest.approx(1)
    assert rest(values, list(gains), -0.5) == pytest.approx(0)


def test_what_only_happens_together_is_shared() -> None:
    factors = ["code", "data"]
    both = frozenset(factors)
    values = {m: 4.0 if m == both else 0.0 for m in mixtures(factors)}
    assert [part.contribution for part in attribute(factors, values, 4.0)] == [2.0, 2.0]


def test_the_parts_always_add_up() -> None:
    factors = ["a", "b", "c"]
    for seed in range(20):
        values = {
            m: float((hash(tuple(sorted(map(ord, m)))) * (seed + 1)) % 97)
            for m in mixtures(factors)
        }
        whole = values[frozenset(factors)] - values[frozenset()]
        total = sum(part.contribution for part in attribute(factors, values, whole))
        assert total == pytest.approx(whole)


def test_a_run_without_a_value_leaves_the_parts_that_need_it_open() -> None:
    values = {m: None if m == {"data"} else 1.0 for m in mixtures(["code", "data"])}
    code, data = attribute(["code", "data"], values, 1.0)
    assert (code.contribution, code.share, code.alone) == (None, None, 1.0)
    assert (data.contribution, data.alone) == (None, None)


def change(box: Again, factors: str) -> None:
    """Change some of code (`c`), data (`d`) and parameters (`p`), and run."""
    if "c" in factors:
        # Longer: Python takes a cached module for current that has its file's second and size.
        box.write("helper.py", "BONUS = 5.0\n")
    if "d" in factors:
        box.data("1\n2\n13\n")
    box.record("-f", *(("-S", "train.lr=2.5") if "p" in factors else ()))


@pytest.mark.parametrize("factors", ["c", "d", "p"])
def test_one_factor_alone_needs_no_run(box: Again, factors: str) -> None:
    box.record()
    change(box, factors)
    name = {"c": "code", "d": "data", "p": "params"}[factors]
    answer = box.json("exp", "why", "last~1", "--dry-run")
    assert [(p["factor"], p["share"]) for p in answer["parts"]] == [(name, 1.0)]
    assert {trial["source"] for trial in answer["trials"]} == {"record"}
    assert not (box.root / ".mlctl/why").exists()


def test_all_three_factors(box: Again) -> None:
    box.record()
    change(box, "cdp")
    code, said = box.run("exp", "why", "last~1", "--dry-run")
    assert (code, said.count(" with the "), "It takes 6 runs:" in said) == (0, 6, True)
    before = box.state()
    answer = box.json("exp", "why", "last~1", "last", "--metric", "auc")
    assert box.state() == before
    # auc = lr * sum + 5 if it is the new code: lr 0.5 → 2.5, the sum 6 → 16
    parts = {p["factor"]: (p["alone"] - answer["old"], p["contribution"]) for p in answer["parts"]}
    assert parts == {
        "code": pytest.approx((5, 5)),
        "data": pytest.approx((5, 15)),
        "params": pytest.approx((12, 22)),
    }
    assert answer["rest"] is None
    again = box.json("exp", "why", "last~1")
    assert again["parts"] == answer["parts"]
    assert {trial["source"] for trial in again["trials"]} == {"record", "remembered"}
    code, said = box.run("exp", "why", "last~1")
    assert (code, "params" in said, "52%" in said) == (0, True, True)
    assert box.run("exp", "why", "last~1", "--dry-run") == (0, "No run is needed.\n")


def test_packages_have_what_the_other_factors_leave(box: Again, tmp_path: Path) -> None:
    one, two = (package(tmp_path / v, v, value) for v, value in (("1.0", 1), ("2.0", 10)))
    assert box.mlctl("run", env=one).returncode == 0
    box.commit()
    box.write("params.yaml", box.read("params.yaml").replace("0.5", "2.5"))
    assert box.mlctl("run", env=two).returncode == 0
    box.commit()
    done = box.mlctl("exp", "why", "last~1", env=two)
    assert done.returncode == 0, done.stderr
    rows = {line.split("  ")[0]: line.split() for line in done.stdout.splitlines()}
    assert rows["params"][-2:] == ["+12", "57%"]
    assert rows["packages and the rest"][-2:] == ["+9", "43%"]


def test_packages_are_exchanged_where_they_are_installed(box: Again, tmp_path: Path) -> None:
    made = {}
    for version, value in (("1.0", 1), ("2.0", 10)):
        env = package(tmp_path / version, version, value)
        box.write("params.yaml", PARAMS.replace("0.5", version))
        assert box.mlctl("run", "-f", env=env).returncode == 0
        box.commit()
        made[box.records()[-1]["env"]] = env["PYTHONPATH"]
    for digest, folder in made.items():  # as venv and pip would make them
        home = f".mlctl/envs/{digest.removeprefix('sha256:')[:16]}"
        program = f'#!/bin/sh\nPYTHONPATH={folder} exec {sys.executable} "$@"\n'
        box.write(f"{home}/bin/python", program)
        (box.root / home / "bin/python").chmod(0o755)
        box.write(f"{home}/mlctl-ready", "")
    code, said = box.run("exp", "why", "last~1", "--env", "--dry")
    assert (code, "with the packages of" in said) == (0, True)
    answer = box.json("exp", "why", "last~1", "--env")
    parts = {part["factor"]: part["contribution"] for part in answer["parts"]}
    assert parts == {"params": pytest.approx(6), "packages": pytest.approx(9)}
    assert answer["rest"] is None


def test_a_mixture_that_cannot_run_is_said(box: Again) -> None:
    box.record()
    box.write("train.py", box.read("train.py").replace('params["lr"]', 'params["rate"]'))
    box.write("params.yaml", box.read("params.yaml").replace("lr: 0.5", "rate: 2.5"))
    box.record()
    answer = box.json("exp", "why", "last~1")
    assert [part["contribution"] for part in answer["parts"]] == [None, None]
    reasons = {tuple(t["mixture"]): t["reason"] for t in answer["trials"] if t["reason"]}
    assert reasons == {("code",): "train failed", ("params",): "train failed"}


def test_what_cannot_be_asked(box: Again) -> None:
    box.record()
    box.record("-f")
    code, said = box.run("exp", "why", "last~1")
    assert (code, "no metric differs" in said) == (2, True)
    code, said = box.run("exp", "why", "last~1", "--metric", "acu")
    assert (code, "did you mean 'auc'?" in said) == (2, True)
