"""`mlctl fsck`: real damage in real caches, and what brings it back."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from e2e.sandbox import Sandbox, interrupt
from mlctl.store import salvage
from mlctl.store.verify import Object, objects_in
from mlctl.store.workspace import open_workspace

DAY = 86_400


@pytest.fixture
def full(box: Sandbox) -> Sandbox:
    """A tracked file, a tracked folder, a stage's out, and a remote that has them all."""
    box.write(
        ".dvc/config", "[core]\n    remote = here\n['remote \"here\"']\n    url = ../../remote\n"
    )
    box.write("raw.csv", "a,b\n1,2\n")
    for name in ("one", "sub/two", "three"):
        box.write(f"images/{name}", f"image {name}\n")
    box.stages(
        {"clean": {"cmd": "sort raw.csv > clean.csv", "deps": ["raw.csv"], "outs": ["clean.csv"]}}
    )
    assert box.run("data", "add", "raw.csv", "images")[0] == 0
    assert box.run("run")[0] == 0
    assert box.dvc("push", "-q").returncode == 0
    return box


def fsck(box: Sandbox, *args: str) -> tuple[int, dict[str, Any]]:
    code, said = box.run("fsck", "--json", *args)
    return code, json.loads(said)


def flaws(box: Sandbox, *args: str) -> list[tuple[str, tuple[str, ...]]]:
    code, report = fsck(box, *args)
    found = [(f["problem"], tuple(f["outs"])) for f in report["findings"] if f["kind"] == "object"]
    assert code == (0 if report["sound"] else 1)
    return sorted(found)


def place(box: Sandbox, md5: str) -> Path:
    return box.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


def md5_of(path: Path) -> str:
    from mlctl.store.hashing import file_md5

    return file_md5(path)


def listing(box: Sandbox) -> str:
    return next(line.split()[-1] for line in box.read("images.dvc").splitlines() if ".dir" in line)


def damage(path: Path, *, mode: int = 0o444) -> None:
    """Change one byte and leave size and times as they are, as a failing disk does."""
    before = path.stat()
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    path.chmod(mode)


def everything(box: Sandbox) -> dict[str, tuple[bytes, int]]:
    return {k: v for k, v in box.tree().items() if not k.startswith((".mlctl/", ".git/"))}


def test_a_sound_repository_is_told_so_and_left(full):
    before = everything(full)
    code, said = full.run("fsck")
    assert code == 0
    assert "All sound." in said
    assert "6 objects" in said
    assert full.run("fsck", "--all", "--repair")[0] == 0
    assert everything(full) == before


def test_a_trusted_object_that_is_damaged_is_found_where_dvc_sees_nothing(full):
    raw = place(full, md5_of(full.root / "raw.csv"))
    damage(raw)
    assert json.loads(full.dvc("status", "--json").stdout) == {}
    assert flaws(full) == [("damaged", ("raw.csv",))]
    code, said = full.run("fsck")
    assert code == 1
    assert "raw.csv" in said
    assert "1 damaged or missing." in said
    assert "`mlctl fsck --repair`" in said


def test_torn_and_missing_objects_have_names_of_their_own(full):
    torn = place(full, md5_of(full.root / "clean.csv"))
    torn.chmod(0o644)
    torn.write_bytes(b"")
    place(full, md5_of(full.root / "images/one")).unlink()
    assert flaws(full) == [("missing", ("images/one",)), ("torn", ("clean.csv",))]
    stages = {f["problem"]: f["stages"] for f in fsck(full)[1]["findings"]}
    assert stages == {"missing": [], "torn": ["clean"]}
    assert "makes it again" not in full.run("fsck")[1]


def test_an_object_of_two_outs_names_both(full):
    full.write("images/four", "a,b\n1,2\n")
    assert full.run("data", "add", "images")[0] == 0
    damage(place(full, md5_of(full.root / "raw.csv")))
    assert flaws(full) == [("damaged", ("images/four", "raw.csv"))]


def test_only_all_looks_at_what_nothing_needs(full):
    old = place(full, md5_of(full.root / "raw.csv"))
    full.write("raw.csv", "new\n")
    assert full.run("data", "add", "raw.csv")[0] == 0
    assert full.run("run")[0] == 0
    damage(old)
    assert flaws(full) == []
    assert flaws(full, "--all") == [("damaged", ())]
    assert flaws(full, "--all", "--repair") == [("damaged", ())]
    assert not old.exists()
    assert (full.root / ".dvc/cache/damaged/files/md5" / old.parent.name / old.name).exists()
    assert flaws(full, "--all") == []


@pytest.mark.parametrize("from_remote", [False, True])
@pytest.mark.parametrize("how", ["damaged", "missing"])
def test_repair_brings_all_back(full, how, from_remote):
    paths = [full.root / name for name in ("raw.csv", "clean.csv", "images/one")]
    objects = [place(full, md5_of(path)) for path in paths] + [place(full, listing(full))]
    good = {path: path.read_bytes() for path in objects}
    for path in objects:
        damage(path) if how == "damaged" else path.unlink()
    if from_remote:
        for path in paths:
            path.unlink()
    code, report = fsck(full, "--repair")
    assert code == 0, report
    came = {f["mended"] for f in report["findings"]}
    assert came == ({"remote"} if from_remote else {"workspace"})
    assert {path: path.read_bytes() for path in objects} == good
    assert {path.stat().st_mode & 0o777 for path in objects} == {0o444}
    assert not (full.root / ".dvc/cache/damaged").exists()
    assert flaws(full, "--all") == []
    assert full.dvc("checkout").returncode == 0
    assert json.loads(full.dvc("status", "--json").stdout) == {}


def test_a_listing_that_came_back_is_followed(full):
    """Without its listing nobody knows that a file of the folder is damaged too."""
    child = place(full, md5_of(full.root / "images/sub/two"))
    damage(child)
    place(full, listing(full)).unlink()
    assert flaws(full) == [("missing", ("images",))]
    assert flaws(full, "--repair") == [("damaged", ("images/sub/two",)), ("missing", ("images",))]
    assert child.read_bytes() == b"image sub/two\n"


def test_a_listing_that_came_from_the_remote_is_followed_too(full):
    child = place(full, md5_of(full.root / "images/sub/two"))
    damage(child)
    place(full, listing(full)).unlink()
    (full.root / "images/one").unlink()  # the workspace cannot give the listing
    code, report = fsck(full, "--repair")
    assert code == 0, report
    assert child.read_bytes() == b"image sub/two\n"


def test_what_cannot_be_brought_back_is_kept_aside_and_its_stage_named(full):
    (full.root / ".dvc/config").write_text("")
    for name in ("raw.csv", "clean.csv"):
        path = place(full, md5_of(full.root / name))
        damage(path)
        full.write(name, "something else\n")
    code, said = full.run("fsck", "--repair")
    assert code == 1
    assert "`mlctl run clean` makes it again" in said
    assert "nothing here makes raw.csv" in said
    assert "set aside: .dvc/cache/damaged/files/md5/" in said
    assert "dvc fetch: " in said
    assert len(list((full.root / ".dvc/cache/damaged").rglob("*"))) >= 2


def test_a_stage_makes_its_damaged_out_again(full):
    (full.root / ".dvc/config").write_text("")
    damage(place(full, md5_of(full.root / "clean.csv")))
    (full.root / "clean.csv").unlink()
    assert full.run("fsck", "--repair")[0] == 1
    assert full.run("run", "clean")[0] == 0
    assert full.run("fsck")[0] == 0


def test_a_hard_link_of_a_damaged_object_is_linked_to_the_sound_one(full):
    full.write(".dvc/config", full.read(".dvc/config") + "[cache]\n    type = hardlink\n")
    (full.root / "raw.csv").unlink()
    assert full.dvc("checkout", "-q").returncode == 0
    raw = full.root / "raw.csv"
    damage(raw)  # the one inode that both are
    assert flaws(full, "--repair") == [("damaged", ("raw.csv",))]
    assert raw.read_bytes() == b"a,b\n1,2\n"
    assert raw.samefile(place(full, md5_of(raw)))


def test_a_workspace_file_that_changed_is_not_taken(full):
    path = place(full, md5_of(full.root / "raw.csv"))
    path.unlink()
    full.write("raw.csv", "a,b\n1,3\n")
    code, report = fsck(full, "--repair")
    assert (code, report["findings"][0]["mended"]) == (0, "remote")
    assert path.read_bytes() == b"a,b\n1,2\n"
    assert full.read("raw.csv") == "a,b\n1,3\n"


def test_a_listing_that_is_no_listing_is_damaged(box):
    import hashlib

    text = b'[{"relpath": "../x"}]'
    md5 = hashlib.md5(text).hexdigest() + ".dir"
    path = place(box, md5)
    path.parent.mkdir(parents=True)
    path.write_bytes(text)
    box.write("d.dvc", f"outs:\n- md5: {md5}\n  hash: md5\n  path: d\n")
    assert flaws(box) == [("damaged", ("d",))]
    assert flaws(box, "--repair") == [("damaged", ("d",))]


def test_objects_of_dvc_2_are_hashed_as_dvc_2_did(box):
    import hashlib

    md5 = hashlib.md5(b"a\nb\n").hexdigest()
    path = box.root / ".dvc/cache" / md5[:2] / md5[2:]
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a\r\nb\r\n")
    box.write("old.txt.dvc", f"outs:\n- md5: {md5}\n  path: old.txt\n")
    assert flaws(box) == flaws(box, "--all") == []
    path.write_bytes(b"a\r\nc\r\n")
    assert flaws(box) == flaws(box, "--all") == [("torn", ("old.txt",))]
    box.write("old.txt", "a\r\nb\r\n")
    assert fsck(box, "--repair")[0] == 0
    assert path.read_bytes() == b"a\r\nb\r\n"


def test_files_that_cannot_be_read_are_told_and_hide_nothing(full):
    damage(place(full, md5_of(full.root / "raw.csv")))
    full.write("sub/dvc.yaml", "stages:\n  a: {cmd: echo, outs: [x]}\n")
    full.write("sub/dvc.lock", "schema: '2.0'\nstages: [no]\n")
    full.write("bad.dvc", "outs: {\n")
    full.write("worse/dvc.yaml", "stages: 1\n")
    code, report = fsck(full)
    assert code == 1
    files = {f["what"]: f for f in report["findings"] if f["kind"] == "file"}
    assert set(files) == {"sub/dvc.lock", "bad.dvc", "worse/dvc.yaml"}
    assert "sub/dvc.lock" in files["sub/dvc.lock"]["detail"]
    assert flaws(full) == [("damaged", ("raw.csv",))]


def test_a_lock_with_conflict_markers_is_told_and_judged_as_merged(full):
    lock = full.read("dvc.lock")
    other = "  other:\n    cmd: echo\n"
    full.write("dvc.lock", f"{lock}<<<<<<< a\n{other}=======\n>>>>>>> b\n")
    damage(place(full, md5_of(full.root / "clean.csv")))
    assert flaws(full) == [("damaged", ("clean.csv",))]
    [found] = [f for f in fsck(full)[1]["findings"] if f["kind"] == "file"]
    assert (found["what"], found["hint"]) == ("dvc.lock", "`mlctl run` merges it, stage by stage")


def entries(box: Sandbox) -> list[Path]:
    return [path for path in (box.root / ".dvc/cache/runs").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda text: "", "empty"),
        (lambda text: text[:-40] + "\t", "no entry: "),
        (lambda text: text.replace("cmd:", "cmt:"), "no entry: "),
        (lambda text: text.replace("sort", "sorr"), "its name does not match its content"),
        (lambda text: text.replace("  hash: md5\n", ""), "its name does not match its content"),
    ],
)
def test_run_cache_entries_are_read_and_their_names_compared(full, spoil, says):
    [entry] = entries(full)
    entry.write_text(spoil(entry.read_text()))
    code, report = fsck(full)
    assert code == 1
    [found] = report["findings"]
    assert (found["kind"], Path(found["what"])) == ("run-cache", entry)
    assert says in found["detail"]
    assert fsck(full, "--repair")[0] == 0
    assert entries(full) == []
    assert len([p for p in (full.root / ".dvc/cache/damaged").rglob("*") if p.is_file()]) == 1
    assert fsck(full)[1]["findings"] == []


def test_entries_that_dvc_wrote_are_sound(full):
    full.write("raw.csv", "x\n")
    assert full.dvc("repro", "-q").returncode == 0
    assert len(entries(full)) == 2
    code, report = fsck(full)
    assert (code, report["findings"], report["run_cache_entries"]) == (0, [], 2)


LEFT = [
    ".dvc/cache/files/md5/ab/.0123456789abcdef01234567.tmp",
    ".dvc/cache/files/md5/ab/cdef.0123456789abcdef-_XYZA.tmp",
    ".dvc/cache/ab/.0123456789abcdef-_XYZA.tmp",
    ".dvc/cache/runs/ab/abc/.entry.123.0a1b2c3d.tmp",
    ".dvc/tmp/rwlock.77.tmp",
    ".mlctl/tmp/.0123456789abcdef01234567.tmp",
    ".dvc.lock.123.0a1b2c3d.tmp",
]
KEPT = ["notes.tmp", ".dvc/tmp/exps/x.tmp", "images/.a.123.0a1b2c3d.tmp", ".dvc/tmp/lock"]


def test_files_under_way_are_left_over_after_a_day(full):
    for name in [*LEFT, *KEPT]:
        full.write(name, "half")
    assert fsck(full)[1]["findings"] == []
    for name in [*LEFT, *KEPT]:
        os.utime(full.root / name, (time.time() - DAY - 60,) * 2)
    code, report = fsck(full)
    assert code == 0
    assert {f["kind"] for f in report["findings"]} == {"temporary"}
    assert {os.path.relpath(f["what"], full.root) for f in report["findings"]} == set(LEFT)
    assert f"{len(LEFT)} left over by processes that are dead" in full.run("fsck")[1]
    assert fsck(full, "--repair")[0] == 0
    assert [name for name in LEFT if (full.root / name).exists()] == []
    assert [name for name in KEPT if (full.root / name).exists()] == KEPT


def test_claims_of_the_dead_go_and_those_of_the_living_stay(full):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    alive = {"pid": os.getppid(), "cmd": "dvc repro"}
    gone = {"pid": dead.pid, "cmd": "mlctl run"}
    root = str(full.root)
    table = {
        "write": {f"{root}/a": gone, f"{root}/b": alive},
        "read": {f"{root}/c": [gone, alive], f"{root}/d": [gone]},
    }
    full.write(".dvc/tmp/rwlock", json.dumps(table))
    code, report = fsck(full)
    assert code == 0
    assert {f["what"] for f in report["findings"]} == {f"{root}/a", f"{root}/c", f"{root}/d"}
    report = fsck(full, "--repair")[1]
    assert {f["what"] for f in report["findings"] if f["mended"]} >= {f"{root}/a", f"{root}/d"}
    left = json.loads(full.read(".dvc/tmp/rwlock"))
    assert left["write"] == {f"{root}/b": alive}
    assert left["read"][f"{root}/c"][-1] == alive
    assert f"{root}/d" not in left["read"]


def test_a_damaged_rwlock_is_damage(full):
    full.write(".dvc/tmp/rwlock", "{")
    code, report = fsck(full)
    assert code == 1
    assert report["findings"][0]["hint"] == "delete it if neither dvc nor mlctl is running"


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_damaged_repair_loses_nothing(full, seed):
    """Random damage, random gaps in the workspace, half of the remote: sound stays, the rest is
    mended or set aside, and what is told is what is there.
    """
    dice = random.Random(seed)
    objects = [p for p in (full.root / ".dvc/cache/files").rglob("*") if p.is_file()]
    remote = [p for p in (full.root.parent / "remote").rglob("*") if p.is_file()]
    good = {path: path.read_bytes() for path in objects}
    for path in objects:
        what = dice.choice(["keep", "keep", "bits", "torn", "gone"])
        if what == "bits":
            damage(path)
        elif what == "torn":
            path.chmod(0o644)
            path.write_bytes(path.read_bytes()[:-1])
        elif what == "gone":
            path.unlink()
    for name in ("raw.csv", "clean.csv", "images/one", "images/sub/two"):
        if dice.random() < 0.5:
            (full.root / name).unlink()
    for path in remote:
        if dice.random() < 0.5:
            path.unlink()
    bad = {p for p in objects if not p.exists() or p.read_bytes() != good[p]}

    code, report = fsck(full, "--repair")

    left = {f["what"] for f in report["findings"] if not f["mended"]}
    assert code == (1 if left else 0)
    assert all(path.read_bytes() == good[path] for path in set(objects) - bad)
    if listing(full) not in left:  # else nobody knows what was in the folder
        wrong = {p for p in objects if not p.exists() or p.read_bytes() != good[p]}
        assert {path.parent.name + path.name for path in wrong} == left
    again = fsck(full)[1]["findings"]
    assert {(f["what"], f["problem"]) for f in again} == {(md5, "missing") for md5 in left}


def test_set_aside_puts_back_what_is_sound(full):
    """As where a run mended the object between the look and the move."""
    cache = open_workspace(str(full.root)).cache
    md5 = md5_of(full.root / "raw.csv")
    before = place(full, md5).stat()
    assert salvage.set_aside(cache, Object(md5)) is None
    after = place(full, md5).stat()
    assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode)
    assert not (full.root / ".dvc/cache/damaged").exists()
    assert salvage.set_aside(cache, Object("00" * 16)) is None
    assert len(list(objects_in(cache))) == 6


def test_a_cache_that_takes_nothing_is_told_and_left(full):
    path = place(full, md5_of(full.root / "raw.csv"))
    damage(path)
    (full.root / ".dvc/cache/damaged").write_text("in the way")
    code, report = fsck(full, "--repair")
    assert code == 1
    assert path.exists()
    assert any("damaged" in note for note in report["notes"])


def test_it_looks_on_while_another_process_holds_the_repository(full):
    from mlctl.store.locks import repo_lock

    with repo_lock(open_workspace(str(full.root)).config):
        assert full.mlctl("fsck").returncode == 0


def test_beside_a_run(full):
    full.stages(
        {f"s{n}": {"cmd": f"sleep 0.2; echo {n} > {n}.out", "outs": [f"{n}.out"]} for n in range(6)}
    )
    with full.started("run", "-j2") as process:
        while process.poll() is None:
            assert full.run("fsck", "--all", "--repair")[0] == 0
    assert process.returncode == 0
    assert full.run("fsck", "--all")[0] == 0


def test_an_interrupt_does_not_wait_for_the_end_of_a_big_file(full):
    big = place(full, "ab" * 16)
    big.parent.mkdir(exist_ok=True)
    big.touch()
    os.truncate(big, 60 << 30)  # a hole: a minute to hash, and no space
    with full.started("fsck", "--all") as process:
        time.sleep(2)
        interrupt(process)
        assert process.wait(20) == 130
    big.unlink()


def test_outside_of_a_repository_it_is_wrong_usage(tmp_path):
    from conformance.twins import run_mlctl

    assert run_mlctl(tmp_path, "fsck")[0] == 2
