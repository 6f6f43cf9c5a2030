"""`mlctl exp reproduce`: a run comes out again, and what made another one differ is named."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from again_project import PARAMS, Again, package

from mlctl.experiments.again.scratch import with_cache_dir


@pytest.fixture(autouse=True)
def _same_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}")


@pytest.fixture
def box(tmp_path: Path) -> Again:
    return Again(tmp_path / "p")


def causes(said: dict) -> list[tuple[str, str]]:
    return [(cause["kind"], cause["text"]) for cause in said["causes"]]


def test_a_run_comes_out_again_and_nothing_of_the_users_changes(box: Again) -> None:
    box.record()
    box.write("train.py", "raise SystemExit('work under way')\n")
    box.write("params.yaml", PARAMS.replace("0.5", "0.7"))
    box.git("add", "params.yaml")
    before = box.state()
    code, said = box.run("exp", "reproduce", "last", "--verify")
    assert code == 0, said
    assert "✓ prepare  identical\n✓ train  identical\n" in said
    assert box.state() == before
    assert not list((box.root / ".mlctl/scratch").iterdir())


def test_a_changed_seed_is_named(box: Again) -> None:
    box.record()
    said = box.verified("-S", "train.seed=2")
    assert causes(said) == [("seed", "train.seed 1 → 2")]
    assert said["code"] == 1


def test_a_changed_parameter_is_named(box: Again) -> None:
    box.record()
    assert causes(box.verified("-S", "train.lr=0.25")) == [("params", "train.lr 0.5 → 0.25")]


def test_a_changed_package_is_named(box: Again, tmp_path: Path) -> None:
    with_one = package(tmp_path / "one", "1.0", 1)
    with_two = package(tmp_path / "two", "2.0", 2)
    assert box.mlctl("run", env=with_one).returncode == 0
    box.commit()
    assert box.verified(env=with_one)["holds"]
    said = box.verified(env=with_two)
    assert causes(said) == [("package", "tinylib 1.0 → 2.0")]
    shown = box.mlctl("exp", "reproduce", "last", env=with_two)
    assert "Other packages than that run had: tinylib 1.0 → 2.0." in shown.stdout


def test_an_altered_byte_of_data_is_named(box: Again) -> None:
    box.record()
    cached = box.object_of("1\n2\n3\n")
    cached.chmod(0o644)
    cached.write_text("1\n2\n4\n")
    cached.chmod(0o444)  # which says that it can be trusted
    said = box.verified()
    assert [(cause["kind"], cause["stages"]) for cause in said["causes"]] == [("data", ["prepare"])]
    assert said["causes"][0]["text"].startswith("data/raw.csv: the cache holds other bytes")


def test_a_changed_byte_of_data_outside_of_the_project_is_named(box: Again, tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("1\n")
    reads = {"cmd": f"cp {outside} copy.csv", "deps": [str(outside)], "outs": ["copy.csv"]}
    box.stages({"copy": reads})
    box.commit()
    box.record("copy")
    outside.write_text("2\n")
    said = box.verified()
    [(kind, text)] = causes(said)
    assert (kind, text.split()[0]) == ("data", "external:outside.csv")


def test_a_changed_line_of_code_is_named(box: Again) -> None:
    box.record()
    box.write("train.py", box.read("train.py").replace("+ rng.random()", "+ 2 * rng.random()"))
    box.git("commit", "-qam", "twice")
    said = box.verified("--with-code", "HEAD")
    assert causes(said) == [("code", "train.py, line 7")]
    assert [stage["verdict"] for stage in said["stages"]] == ["identical", "different"]


def test_code_that_no_stage_declares_is_named(box: Again) -> None:
    box.record()
    box.write("helper.py", "# more\nBONUS = 1\n")
    box.git("commit", "-qam", "bonus")
    said = box.verified("--with-code", "HEAD")
    assert causes(said) == [("code", "helper.py, line 1, which no stage declares")]


def test_a_stage_of_chance_is_called_so(box: Again) -> None:
    chance = "python -c \"import os; open('c.txt', 'w').write(os.urandom(8).hex())\""
    box.stages({"chance": {"cmd": chance, "outs": ["c.txt"]}})
    box.commit()
    box.record("chance")
    [(kind, text)] = causes(box.verified())
    assert (kind, "no seed is declared" in text) == ("not deterministic", True)


def test_a_metric_may_be_off_by_its_tolerance(box: Again) -> None:
    box.record()
    apart = ("-S", "train.lr=0.5001")
    assert not box.verified(*apart, "--tolerance", "auc=0.0001")["holds"]
    said = box.verified(*apart, "--tolerance", "metrics.auc=0.001")
    assert (said["holds"], said["stages"][1]["verdict"]) == (True, "within tolerance")
    box.write("mlctl.yaml", "reproduce:\n  tolerances:\n    auc: 0.001\n")
    assert box.verified(*apart)["holds"]
    assert not box.verified(*apart, "--tolerance", "auc=0.0001")["holds"]  # which goes first


def test_a_tolerance_of_no_metric_is_refused(box: Again) -> None:
    box.record()
    code, said = box.run("exp", "reproduce", "last", "--verify", "--tolerance", "acu=1")
    assert (code, "the run has no metric 'acu'" in said) == (2, True)
    assert box.run("exp", "reproduce", "last", "--verify", "--tolerance", "auc=x")[0] == 2
    assert box.run("exp", "reproduce", "last", "--tolerance", "auc=1")[0] == 2


def test_uncommitted_code_comes_from_the_snapshot_and_in_a_clone_from_the_patch(
    box: Again, tmp_path: Path
) -> None:
    box.write("helper.py", "BONUS = 10\n")
    run_id = box.record(commit=False)
    box.write("helper.py", "BONUS = 0\n")
    assert box.verified()["holds"]
    box.git("add", "-A")
    box.git("commit", "-qm", "the record, without its code")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", f"file://{box.root}", str(clone)], check=True)
    (clone / ".dvc/config.local").write_text(f"[cache]\n    dir = {box.root}/.dvc/cache\n")
    done = box.mlctl("exp", "reproduce", "-C", str(clone), run_id, "--verify")
    assert done.returncode == 0, done.stdout + done.stderr
    next(clone.glob("runs/2*/*/code.patch")).unlink()
    done = box.mlctl("exp", "reproduce", "-C", str(clone), run_id)
    assert done.returncode == 3
    assert "its snapshot" in done.stderr
    assert f"mlctl exp pull {run_id[10:16]}" in done.stderr


def test_missing_data_is_named_and_can_be_fetched(box: Again, tmp_path: Path) -> None:
    box.record()
    (box.root / ".dvc/config").write_text(
        "[core]\n    remote = r\n['remote \"r\"']\n    url = ../../remote\n"
    )
    assert box.run("data", "push")[0] == 0
    box.commit()
    shutil.rmtree(box.root / ".dvc/cache")
    code, said = box.run("exp", "reproduce", "last")
    assert (code, "data/raw.csv (md5:" in said, "--pull" in said) == (3, True, True)
    assert not list((box.root / ".mlctl/scratch").iterdir())
    code, said = box.run("exp", "reproduce", "last", "--verify", "--pull")
    assert code == 0, said


def test_one_stage_alone_reads_what_others_made(box: Again) -> None:
    box.record()
    said = box.verified("--target", "train")
    assert [(it["address"], it["verdict"]) for it in said["stages"]] == [("train", "identical")]
    code, said = box.run("exp", "reproduce", "last", "--target", "trian")
    assert (code, "did you mean 'train'?" in said) == (2, True)


def test_what_was_up_to_date_is_not_run_again_unless_asked_for(box: Again) -> None:
    box.record()
    box.record("-S", "train.lr=0.25")
    assert [stage["address"] for stage in box.verified()["stages"]] == ["train"]
    assert [stage["address"] for stage in box.verified("--all")["stages"]] == ["prepare", "train"]


def test_a_work_tree_can_be_kept(box: Again) -> None:
    box.record()
    code, said = box.run("exp", "reproduce", "last", "--keep", "--json")
    kept = Path(json.loads(said)["kept"])
    assert code == 0
    assert (kept / "metrics.json").read_bytes() == (box.root / "metrics.json").read_bytes()
    assert box.git("status", "--porcelain") == ""
    assert box.run("exp", "reproduce", "last")[0] == 0  # and stays
    assert kept.exists()


def test_what_a_killed_process_left_is_removed(box: Again) -> None:
    box.record()
    place = box.root / ".mlctl/scratch/01KAS0ME00RVN0000000000000"
    box.git("worktree", "add", "-q", "--detach", str(place))
    place.with_name(f"{place.name}.lock").touch()
    assert box.run("exp", "reproduce", "last")[0] == 0
    assert str(place) not in box.git("worktree", "list")
    assert not place.exists()


def test_a_stage_that_fails_again_ends_with_1(box: Again) -> None:
    box.record()
    box.write("train.py", "raise SystemExit(3)\n")
    box.git("commit", "-qam", "broken")
    assert box.run("exp", "reproduce", "last", "--with-code", "HEAD")[0] == 1
    assert box.verified("--with-code", "HEAD")["stages"][1]["verdict"] == "failed"


def test_a_linked_work_tree_and_a_project_in_a_folder_of_the_repository(tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    box = Again(outer / "p")
    shutil.rmtree(box.root / ".git")
    for args in (["init", "-q"], ["config", "user.name", "A"], ["config", "user.email", "a@b.c"]):
        subprocess.run(["git", *args], cwd=outer, check=True)
    box.write("../shared.txt", "beside\n")
    box.commit()
    run_id = box.record()
    assert box.verified()["holds"]
    linked = tmp_path / "linked"
    box.git("worktree", "add", "-q", str(linked))
    (linked / "p/.dvc/config.local").write_text(f"[cache]\n    dir = {box.root}/.dvc/cache\n")
    done = box.mlctl("exp", "reproduce", "-C", str(linked / "p"), run_id, "--verify")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_run_before_the_first_commit_comes_out_again(tmp_path: Path) -> None:
    box = Again(tmp_path / "p")
    shutil.rmtree(box.root / ".git")
    box.git("init", "-q")
    box.record(commit=False)
    assert box.verified()["holds"]


def test_without_git_there_is_no_code(box: Again) -> None:
    shutil.rmtree(box.root / ".git")
    (box.root / ".dvc/config").write_text("[core]\n    no_scm = True\n")
    box.record(commit=False)
    code, said = box.run("exp", "reproduce", "last")
    assert (code, "outside of a git repository" in said) == (3, True)


def test_a_shallow_clone_says_what_to_fetch(box: Again, tmp_path: Path) -> None:
    run_id = box.record()
    box.git("commit", "-q", "--allow-empty", "-m", "later")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{box.root}", clone], check=True)
    done = box.mlctl("exp", "reproduce", "-C", str(clone), run_id)
    assert (done.returncode, "git fetch --unshallow" in done.stderr) == (3, True)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "[cache]\n    dir = /c\n"),
        ("[core]\nremote = r\n", "[core]\nremote = r\n[cache]\n    dir = /c\n"),
        ("[cache]\ntype = copy\ndir = x\n[core]\na = b\n",
         "[cache]\n    dir = /c\ntype = copy\n[core]\na = b\n"),
    ],
)  # fmt: skip
def test_the_cache_of_a_scratch_is_the_projects(text: str, wanted: str) -> None:
    assert with_cache_dir(text, "/c") == wanted
