"""`mlctl validate` and `mlctl data infer` on a repository: reports, memory, exit codes, hooks."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from mlctl.cli.main import run
from mlctl.data import tracking
from mlctl.data.contracts.outcome import Failure, Verdict
from mlctl.data.inferring import infer_contract
from mlctl.data.validated import Validated, to_dict
from mlctl.data.validation import validate
from mlctl.data.validation_page import to_markdown
from mlctl.errors import Busy, ConfigError, InvalidInput


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    hooks = ("GIT_INDEX_FILE", "PRE_COMMIT", "GITHUB_")
    for mark in [name for name in os.environ if name.startswith(hooks)]:
        monkeypatch.delenv(mark)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    (tmp_path / "data").mkdir()
    frame = pl.DataFrame({"id": range(60), "x": [float(i) for i in range(60)]})
    frame.write_csv(tmp_path / "data" / "raw.csv")
    frame.write_parquet(tmp_path / "data" / "clean.parquet")
    infer_contract(str(tmp_path), "data/raw.csv")
    infer_contract(str(tmp_path), "data/clean.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def reports(repo: Path) -> dict[str, bytes]:
    folder = repo / "reports"
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


def spoil(repo: Path) -> None:
    path = repo / "data" / "raw.csv"
    path.write_text(path.read_text().replace("\n5,5.0\n", "\n5,-9.0\n"))


def test_verdicts_reports_and_exit_codes(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate"]) == 0
    said = capsys.readouterr().out
    assert "raw    60 rows, 2 columns" in said
    assert said.count("  ok") == 2
    first = reports(repo)
    assert sorted(name.split("/")[1] for name in first) == ["clean"] * 3 + ["raw"] * 3
    assert run(["validate"]) == 0
    assert "(unchanged)" in capsys.readouterr().out
    assert reports(repo) == first
    spoil(repo)
    assert run(["validate"]) == 1
    said = capsys.readouterr().out
    assert "min 0" in said
    assert "invalid" in said
    new = reports(repo).keys() - first.keys()
    assert sorted(Path(name).suffix for name in new) == [".html", ".json", ".md"]
    (name,) = (name for name in new if name.endswith(".json"))
    record = json.loads(reports(repo)[name])
    assert record["schema"] == "mlctl.validation/2"
    assert record["valid"] is False
    assert record["failures"][0]["rows"] == [6]
    assert record["failures"][0]["patterns"] == ["-9"]
    assert "values" not in record["failures"][0]
    md5 = record["data"]["digest"].removeprefix("md5:")
    assert Path(name).name.startswith(md5[:8] + ".")


def test_reports_do_not_depend_on_memory(repo: Path) -> None:
    spoil(repo)
    fresh = validate(str(repo))
    assert run(["validate"]) == 1
    before = reports(repo)
    remembered = validate(str(repo))
    assert [r.cached for r in fresh] == [False, False]
    assert [r.cached for r in remembered] == [True, True]
    assert [r.verdict for r in remembered] == [r.verdict for r in fresh]
    for path in (repo / "reports").rglob("*.*"):
        path.unlink()
    run(["validate"])
    assert reports(repo) == before
    for path in (repo / ".mlctl" / "verdicts").rglob("*.json"):
        path.write_text("{damaged")
    assert [r.cached for r in validate(str(repo))] == [False, False]
    run(["validate"])
    assert reports(repo) == before


def test_memory_ends_with_the_data_and_with_the_contract(repo: Path) -> None:
    validate(str(repo))
    contract = repo / "contracts" / "raw.yaml"
    text = contract.read_text()
    assert "x: {type: float, min: 0}" in text
    contract.write_text(text.replace("float, min: 0}", "float, min: 0, max: 50}"))
    assert [(r.dataset, r.cached, r.verdict.valid) for r in validate(str(repo))] == [
        ("clean", True, True),
        ("raw", False, False),
    ]
    contract.write_text(text)
    assert [r.cached for r in validate(str(repo))] == [True, True]
    ignored = ["git", "check-ignore", "-q", ".mlctl/verdicts/x.json"]
    assert subprocess.run(ignored, cwd=repo, check=False).returncode == 0


def test_a_contract_that_is_only_written_otherwise_keeps_its_verdict(repo: Path) -> None:
    before = {r.dataset: r for r in validate(str(repo))}
    contract = repo / "contracts" / "raw.yaml"
    lines = contract.read_text().replace("key: [id]", "key:\n- id  # the only one").splitlines()
    contract.write_text("# read again\n" + "\n".join(reversed_blocks(lines)) + "\n")
    after = {r.dataset: r for r in validate(str(repo))}
    assert after["raw"].cached
    assert after["raw"].contract_digest == before["raw"].contract_digest
    contract.write_text(contract.read_text().replace("unique: true", "unique: false"))
    assert not validate(str(repo), ["raw"])[0].cached


def reversed_blocks(lines: list[str]) -> list[str]:
    """The top-level entries in the other order."""
    starts = [i for i, line in enumerate(lines) if line and line[0] not in " -#"] + [len(lines)]
    blocks = [lines[a:b] for a, b in itertools.pairwise(starts)]
    return [line for block in reversed(blocks) for line in block]


def test_no_report_where_none_is_wanted_and_none_in_a_hook(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["validate", "--no-report"]) == 0
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    before = everything(repo)
    assert run(["validate", "raw", "--json"]) == 0
    assert everything(repo) == before
    out = capsys.readouterr().out
    said = json.loads(out[out.index("{") :])
    assert said["schema"] == "mlctl.validate/1"
    assert [d["dataset"] for d in said["datasets"]] == ["raw"]


def everything(repo: Path) -> dict[str, bytes]:
    """All files but those that a hook may write."""
    files = [path for path in repo.rglob("*") if path.is_file()]
    names = {path.relative_to(repo).as_posix(): path for path in files}
    return {n: p.read_bytes() for n, p in names.items() if not n.startswith(".mlctl/")}


def stage(repo: Path, *paths: str) -> None:
    tracking.add(str(repo), list(paths))
    subprocess.run(["git", "add", "-A"], cwd=repo, check=True)


def verdicts(repo: Path) -> list[tuple[str, bool | None]]:
    found = validate(str(repo), staged=True, absent_ok=True)
    return [(r.dataset, r.verdict.valid if r.verdict else None) for r in found]


def test_a_hook_judges_the_staged_data_and_not_the_work_tree(repo: Path) -> None:
    stage(repo, "data/raw.csv", "data/clean.parquet")
    assert verdicts(repo) == [("clean", True), ("raw", True)]
    (repo / "data" / "raw.csv").chmod(0o644)
    spoil(repo)
    assert verdicts(repo) == [("clean", True), ("raw", True)]
    assert [r.verdict and r.verdict.valid for r in validate(str(repo))] == [True, False]
    stage(repo, "data/raw.csv")
    assert verdicts(repo) == [("clean", True), ("raw", False)]
    (repo / "data" / "raw.csv").write_text("id,x\n" + "".join(f"{i},1.0\n" for i in range(60)))
    assert verdicts(repo) == [("clean", True), ("raw", False)]


def test_staged_data_is_read_from_the_cache_and_left_out_where_it_is_nowhere(repo: Path) -> None:
    stage(repo, "data/raw.csv", "data/clean.parquet")
    for name in ("raw.csv", "clean.parquet"):
        (repo / "data" / name).unlink()
    assert verdicts(repo) == [("clean", True), ("raw", True)]
    assert not list((repo / ".mlctl").glob("view-*"))
    for path in (repo / ".mlctl" / "verdicts").rglob("*.json"):
        path.unlink()
    for path in (repo / ".dvc" / "cache").rglob("*"):
        if path.is_file():
            path.unlink()
    assert verdicts(repo) == [("clean", None), ("raw", None)]
    with pytest.raises(ConfigError, match="is not there"):
        validate(str(repo))


def test_what_did_not_change_loads_no_library(repo: Path) -> None:
    stage(repo, "data/raw.csv", "data/clean.parquet")
    heavy = ("dvc", "git", "numpy", "pandera", "polars", "rich", "ruamel", "sqlite3", "yaml")
    program = (
        "import sys; from mlctl.cli.main import run; code = run(['validate'])\n"
        f"print(code, sorted(set({heavy}) & sys.modules.keys()))"
    )
    for loaded in (True, False):
        env = {**os.environ, "PRE_COMMIT": "1"}
        said = subprocess.check_output(
            [sys.executable, "-c", program], cwd=repo, env=env, text=True
        )
        assert said.splitlines()[-1].startswith("0 ")
        assert said.endswith(" []\n") is not loaded


def test_data_in_a_tracked_folder_and_of_a_stage(repo: Path) -> None:
    (repo / "data").rename(repo / "before")
    (repo / "dvc.yaml").write_text(
        "stages:\n  copy:\n    wdir: data\n    cmd: cp ../before/raw.csv raw.csv\n"
        "    deps: [../before]\n    outs: [raw.csv]\n"
    )
    (repo / "data").mkdir()
    assert run(["run", "-q"]) == 0
    contract = repo / "contracts" / "clean.yaml"
    contract.write_text(contract.read_text().replace("data/clean", "before/clean"))
    stage(repo, "before")
    assert verdicts(repo) == [("clean", True), ("raw", True)]
    (repo / "data" / "raw.csv").unlink()
    (repo / "before" / "clean.parquet").unlink()
    assert [(r.dataset, r.cached) for r in validate(str(repo), staged=True)] == [
        ("clean", True),
        ("raw", True),
    ]


def test_before_a_push_the_pushed_commit_counts(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(repo, "data/raw.csv", "data/clean.parquet")
    for message, spoils in (("good", False), ("bad", True)):
        if spoils:
            (repo / "data" / "raw.csv").chmod(0o644)
            spoil(repo)
            stage(repo, "data/raw.csv")
        subprocess.run(["git", "commit", "-qm", message], cwd=repo, check=True)
    monkeypatch.setenv("PRE_COMMIT", "1")
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "HEAD~1")
    assert run(["validate"]) == 0
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "HEAD")
    assert run(["validate"]) == 1


def test_wrong_contracts_and_names_are_2(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidInput, match="no contract is called 'rwa'") as caught:
        validate(str(repo), ["rwa"])
    assert caught.value.hint == "did you mean 'raw'?"
    contract = repo / "contracts" / "raw.yaml"
    contract.write_text(contract.read_text().replace("type: float", "type: flaot"))
    assert run(["validate"]) == 2
    assert "contracts/raw.yaml:10: columns.x.type" in capsys.readouterr().err
    assert not (repo / "reports").exists()


def test_missing_data_is_named(repo: Path) -> None:
    (repo / "data" / "raw.csv").unlink()
    with pytest.raises(ConfigError, match=r"data/raw\.csv is not there"):
        validate(str(repo))


def test_an_existing_contract_is_not_replaced(repo: Path) -> None:
    contract = repo / "contracts" / "raw.yaml"
    contract.write_text("mine")
    assert run(["data", "infer", "data/raw.csv"]) == 2
    assert contract.read_text() == "mine"
    assert run(["data", "infer", "data/raw.csv", "--name", "other"]) == 0
    assert run(["data", "infer", "data/raw.csv", "--force"]) == 0
    assert "type: float" in contract.read_text()
    assert (repo / "contracts" / "other.yaml").exists()


def test_the_file_at_fault_is_named_where_a_data_set_has_several() -> None:
    alone = Failure("min 0", "x", 1, 0.5, (2,), (-1,))
    among = replace(alone, file="data/raw/b.csv")
    verdict = Verdict(2, 1, 4, (alone, among))
    result = Validated("raw", "data/raw", "md5:1", "contracts/raw.yaml", "sha256:2", verdict)
    first, second = to_dict(result, show=True)["failures"]
    assert "file" not in first
    assert second == first | {"file": "data/raw/b.csv"}
    assert "| x | min 0 | 1 | 50.00% | data/raw/b.csv: 2 | -1 |" in to_markdown(
        to_dict(result, show=True)
    )


def personal(repo: Path) -> Validated:
    failures = (Failure("min 0", "x", 1, 0.5, (2,), (-1.5,)), Failure("expr: a < b", "", 1, 0.5))
    shown = (replace(failures[0], column="name", values=("Ann",)), *failures)
    verdict = Verdict(2, 2, 4, shown)
    names = frozenset({"name"})
    return Validated("raw", "d", "md5:1", "c", "sha256:2", verdict, personal=names)


@pytest.mark.parametrize(
    ("show", "terminal", "values", "patterns"),
    [
        (False, False, [], ["name", "x", ""]),
        (True, False, ["x"], ["name", ""]),
        (False, True, ["x"], ["name", ""]),
        (True, True, ["name", "x", ""], []),
    ],
)
def test_who_sees_values(
    repo: Path, show: bool, terminal: bool, values: list[str], patterns: list[str]
) -> None:
    said = to_dict(personal(repo), show=show, terminal=terminal)["failures"]
    assert [f["column"] for f in said if "values" in f] == values
    assert [f["column"] for f in said if "patterns" in f] == patterns
    assert ("Ann" in json.dumps(said)) is (show and terminal)


def test_values_in_reports_are_asked_for_by_option_or_setting(repo: Path) -> None:
    path = repo / "data" / "raw.csv"
    path.write_text(path.read_text().replace("\n5,5.0\n", "\n5,-123.75\n"))
    assert run(["validate"]) == 1
    assert not any(b"123.75" in data for data in reports(repo).values())
    (repo / "mlctl.yaml").write_text("validate: {show_values: true}\n")
    assert run(["validate"]) == 1
    shown = {name for name, data in reports(repo).items() if b"123.75" in data}
    assert sorted(Path(name).suffix for name in shown) == [".html", ".json", ".md"]
    (repo / "mlctl.yaml").unlink()
    before = reports(repo)
    assert run(["validate", "--show-values"]) == 1
    assert reports(repo) == before


def test_the_terminal_shows_values(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = repo / "data" / "raw.csv"
    path.write_text(path.read_text().replace("\n5,5.0\n", "\n5,-123.75\n"))
    assert run(["validate"]) == 1
    assert "-123.75" in capsys.readouterr().out


def test_reports_are_small_and_the_page_stands_alone(repo: Path) -> None:
    spoil(repo)
    assert run(["validate", "raw"]) == 1
    files = reports(repo)
    assert sum(map(len, files.values())) < 20_000
    (page,) = (data.decode() for name, data in files.items() if name.endswith(".html"))
    assert "http" not in page.replace("http-equiv", "")
    assert page.startswith("<!doctype html>")
    assert "min 0" in page


def test_a_plain_git_hook_of_a_project_below_the_top(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git names its index to a hook from the top; a commit of some paths has one of its own."""
    root = tmp_path / "sub" / "project"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc" / "config").touch()
    (root / "contracts").mkdir()
    (root / "raw.csv").write_text("id\n1\n2\n")
    (root / "contracts" / "raw.yaml").write_text(
        "schema: mlctl.contract/1\ndata: raw.csv\ncolumns:\n  id: {type: int, unique: true}\n"
    )
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    hook = tmp_path / ".git" / "hooks" / "pre-commit"
    hook.write_text(
        f"#!/bin/sh\nmlctl='{sys.executable} -m mlctl'\nexport PRE_COMMIT=1\n"
        "$mlctl validate -C sub/project && cd sub &&\n"
        "$mlctl data check-pointers -C project $(git diff --cached --name-only)\n"
    )
    hook.chmod(0o755)

    def commit(*args: str) -> tuple[int, str]:
        done = subprocess.run(
            ["git", "commit", "-qm", "x", *args], cwd=tmp_path, capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr

    stage(root, "raw.csv")
    assert commit()[0] == 0
    (root / "raw.csv").write_text("id\n1\n1\n")
    stage(root, "raw.csv")
    (root / "notes.md").write_text("x")
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    code, said = commit()
    assert code == 1, said
    assert "unique" in said
    assert commit("--only", "sub/project/notes.md")[0] == 0
    assert commit("--only", "sub/project/raw.csv.dvc")[0] == 1
    subprocess.run(["git", "reset", "-q"], cwd=tmp_path, check=True)
    (root / "big.bin").write_bytes(b"x" * 600_000)
    subprocess.run(["git", "add", "sub/project/big.bin"], cwd=tmp_path, check=True)
    code, said = commit()
    assert code == 1
    assert "big.bin:1: large-file" in said


def test_a_hook_before_the_first_contract_stops_nobody(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (repo / "contracts").iterdir():
        path.unlink()
    assert run(["validate"]) == 2
    monkeypatch.setenv("PRE_COMMIT", "1")
    assert run(["validate"]) == 0
    assert run(["validate", "raw"]) == 2


def test_a_read_only_checkout_is_judged_without_memory(repo: Path) -> None:
    stage(repo, "data/raw.csv", "data/clean.parquet")
    as_user: list[str] = []
    if not os.geteuid():
        if shutil.which("setpriv") is None:
            pytest.skip("root may write everywhere, and there is no setpriv")
        as_user = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    subprocess.run(["rm", "-rf", ".mlctl"], cwd=repo, check=True)
    subprocess.run(["chmod", "-R", "a-w", "."], cwd=repo, check=True)
    env = {**os.environ, "PRE_COMMIT": "1"}
    try:
        for verb in (["validate"], ["data", "check-pointers"]):
            command = [*as_user, sys.executable, "-m", "mlctl", *verb]
            done = subprocess.run(command, cwd=repo, env=env, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
    finally:
        subprocess.run(["chmod", "-R", "u+w", "."], cwd=repo, check=True)


def test_data_that_changes_while_it_is_judged(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlctl.data import validation

    judge = validation._judge

    def meanwhile(*asked: object) -> Verdict:
        verdict = judge(*asked)
        spoil(repo)
        return verdict

    monkeypatch.setattr(validation, "_judge", meanwhile)
    with pytest.raises(Busy, match="changed while it was read"):
        validate(str(repo), ["raw"])
    monkeypatch.undo()
    assert validate(str(repo), ["raw"])[0].valid is False


ODD = b"a\n1\n"


def test_the_digest_of_several_files_is_that_of_a_folder_with_them(repo: Path) -> None:
    from mlctl.data.memory import Memory
    from mlctl.data.whereabouts import Data

    data = Data(str(repo), Memory(str(repo / ".mlctl")))
    (repo / "data" / "[odd].csv").write_bytes(ODD)
    assert data.digest("data/[odd].csv") == f"md5:{hashlib.md5(ODD).hexdigest()}"
    assert data.digest("data/none-*.csv") is None
    whole = data.digest("data/*")
    assert whole is not None
    assert whole.endswith(".dir")
    assert data.digest("data/*") == whole
    spoil(repo)
    assert data.digest("data/*") != whole
    data.close()
