"""Packs: everything lists, shows and is tagged as before, and whoever is killed loses nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from record_builders import write_run
from run_builders import START

from conftest import Git
from mlctl.errors import ConfigError
from mlctl.experiments import events, packing
from mlctl.experiments.curves import load_curves
from mlctl.experiments.packing import Packing, pack_runs
from mlctl.experiments.query import find_run, list_runs, read_part, run_facts, search_runs
from mlctl.experiments.search import Search
from mlctl.experiments.shelves.pack import packs
from mlctl.records.run import run_folder

LATER = START + 400 * 86_400.0
MONTH = 31 * 24  # hours


def pack(root: Path, before: float = LATER) -> Packing:
    return pack_runs(str(root), before)


def everything(root: Path) -> list[tuple[object, ...]]:
    """All that the facade says of all runs."""
    found = search_runs(str(root), Search(archived=True))
    assert not found.damaged
    names = ("run.json", "stages.jsonl", "metrics.jsonl", "plots/roc.svg", "notes.md")
    told = []
    for head in found.heads:
        parts = [read_part(str(root), head.id, name) for name in names]
        facts = run_facts(str(root), head.id)
        told.append((head, facts, parts, load_curves(str(root), head.id)))
    return told


def some_runs(root: Path, number: int = 6, apart: int = MONTH // 2) -> list[str]:
    ids = []
    for place in range(number):
        curves = {"loss": [1.0, 0.5 / (place + 1)]}
        ids.append(write_run(root, place * apart, metrics={"auc": place / 7}, curves=curves))
    folder = root / run_folder(ids[0])
    (folder / "plots").mkdir()
    (folder / "plots/roc.svg").write_text("<svg/>")
    (folder / "notes.md").write_bytes(b"bytes that are no text \xff\xfe")
    events.tag(str(root), ids[:2], ["old", "paper"], remove=False)
    return ids


def test_everything_is_as_before(repo: Path) -> None:
    ids = some_runs(repo)
    before = everything(repo)
    done = pack(repo)
    assert sorted(done.runs) == ids
    assert sorted(path.name for path in (repo / "runs").iterdir()) == sorted(
        os.path.basename(key) for key in done.made
    )
    assert {os.path.basename(key)[:6] for key in done.made} == {
        run_folder(run_id).split("/")[1][:6] for run_id in ids
    }
    assert everything(repo) == before
    assert find_run(str(repo), ids[3][10:16]).id == ids[3]
    assert pack(repo) == Packing()


def test_only_old_runs_are_packed(repo: Path) -> None:
    ids = some_runs(repo, 4, apart=1)
    done = pack(repo, START + 3600 * 1.5)
    assert sorted(done.runs) == ids[:2]
    assert [head.id for head in list_runs(str(repo))] == ids[::-1]
    assert (repo / run_folder(ids[2])).exists()


def test_a_packed_run_is_tagged_and_packed_again(repo: Path) -> None:
    ids = some_runs(repo, 3, apart=1)
    first = pack(repo)
    events.tag(str(repo), ids[1:2], ["late"], remove=False)
    events.tag(str(repo), ids[1:2], ["old"], remove=True)
    events.rename(str(repo), ids[2], "third", None)
    assert run_facts(str(repo), ids[1]).tags == ("late", "paper")
    assert find_run(str(repo), "third").id == ids[2]
    before = everything(repo)
    second = pack(repo)
    assert second.removed == first.made
    assert sorted(second.runs) == ids[1:]
    assert everything(repo) == before
    assert packs(str(repo)) == list(second.made)


def test_later_runs_of_a_month_come_to_its_pack(repo: Path) -> None:
    some_runs(repo, 3, apart=1)
    pack(repo)
    write_run(repo, 5)
    before = everything(repo)
    assert len(before) == 4
    pack(repo)
    assert len(packs(str(repo))) == 1
    assert everything(repo) == before


def test_a_full_pack_stays_and_another_is_begun(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "FULL", 2_000)
    ids = some_runs(repo, 6, apart=1)
    before = everything(repo)
    full = {key: (repo / key).read_bytes() for key in pack(repo).made}
    assert len(full) > 1
    assert everything(repo) == before
    events.tag(str(repo), ids, ["late"], remove=False)
    write_run(repo, 9)
    before = everything(repo)
    pack(repo)
    large = {key: data for key, data in full.items() if len(data) >= 2_000}
    assert large
    assert all((repo / key).read_bytes() == data for key, data in large.items())
    assert everything(repo) == before


def test_two_branches_pack_the_same_month(repo: Path, git: Git) -> None:
    ids = some_runs(repo, 4, apart=1)
    git("add", "-A")
    git("commit", "-q", "-m", "runs")
    for branch, extra in (("one", 5), ("two", 6)):
        git("checkout", "-q", "-b", branch, "main")
        ids.append(write_run(repo, extra))
        events.tag(str(repo), ids[:1], [branch], remove=False)
        pack(repo)
        git("add", "-A")
        git("commit", "-q", "-m", branch)
    git("merge", "-q", "-m", "both", "one")
    assert len(packs(str(repo))) == 2
    assert [head.id for head in list_runs(str(repo))] == sorted(ids, reverse=True)
    assert run_facts(str(repo), ids[0]).tags == ("old", "one", "paper", "two")
    pack(repo)
    before = everything(repo)
    events.tag(str(repo), ids[1:2], ["again"], remove=False)
    pack(repo)
    assert len(packs(str(repo))) == 1
    assert [row[0] for row in everything(repo)] == [row[0] for row in before]
    assert run_facts(str(repo), ids[0]).tags == ("old", "one", "paper", "two")


def test_one_branch_packs_what_another_tags(repo: Path, git: Git) -> None:
    ids = some_runs(repo, 3, apart=1)
    git("add", "-A")
    git("commit", "-q", "-m", "runs")
    git("checkout", "-q", "-b", "tags")
    events.tag(str(repo), ids, ["meanwhile"], remove=False)
    git("add", "-A")
    git("commit", "-q", "-m", "tags")
    git("checkout", "-q", "main")
    pack(repo)
    git("add", "-A")
    git("commit", "-q", "-m", "pack")
    git("merge", "-q", "-m", "both", "tags")
    assert all("meanwhile" in run_facts(str(repo), run_id).tags for run_id in ids)
    assert len(list_runs(str(repo))) == 3


def test_a_damaged_record_stays_a_folder(repo: Path) -> None:
    ids = some_runs(repo, 3, apart=1)
    path = repo / run_folder(ids[1]) / "run.json"
    path.write_text("<<<<<<< HEAD\n")
    done = pack(repo)
    assert sorted(done.runs) == [ids[0], ids[2]]
    assert [run_folder(ids[1]) in said for said in done.damaged] == [True]
    assert path.exists()


def test_a_damaged_line_of_a_pack_is_named_and_stops_the_next_pack(repo: Path) -> None:
    ids = some_runs(repo, 3, apart=1)
    (key,) = pack(repo).made
    lines = (repo / key).read_text().splitlines(keepends=True)
    (repo / key).write_text(lines[0] + "<<<<<<< HEAD\n" + lines[2])
    found = search_runs(str(repo), Search())
    assert [head.id for head in found.heads] == [ids[2], ids[0]]
    assert [it.message.startswith(f"{key}:2: ") for it in found.damaged] == [True]
    write_run(repo, 7)
    with pytest.raises(ConfigError, match=f"{key}:2"):
        pack(repo)
    assert len(list_runs(str(repo))) == 3


KILLED = """
import sys
from mlctl.experiments.packing import pack_runs
print("ready", flush=True)
pack_runs(sys.argv[1], float(sys.argv[2]))
"""


def test_killed_at_any_moment_it_loses_nothing(tmp_path: Path) -> None:
    chance = random.Random(7)
    root = tmp_path / "project"
    some_runs(root, 60, apart=3)
    before = everything(root)
    killed = 0
    for at in range(8):  # later and later: once it is through, there is nothing left to kill
        command = [sys.executable, "-c", KILLED, str(root), str(LATER)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(chance.random() * 0.02 * at)
            process.send_signal(signal.SIGKILL)
        killed += process.returncode == -signal.SIGKILL
        assert everything(root) == before
    assert killed
    pack(root)
    assert everything(root) == before
    assert not list(root.glob("runs/*/*/run.json"))


def test_the_lines_of_a_pack_are_as_the_format_says(repo: Path) -> None:
    ids = some_runs(repo, 2, apart=1)
    (key,) = pack(repo).made
    first, second = map(json.loads, (repo / key).read_text().splitlines())
    assert [first["id"], second["id"]] == ids
    assert first["schema"] == "mlctl.run-pack/1"
    assert first["head"]["schema"] == "mlctl.run/1"
    assert first["parts"]["plots/roc.svg"] == "<svg/>"
    assert first["parts"]["notes.md"] == {"base64": "Ynl0ZXMgdGhhdCBhcmUgbm8gdGV4dCD//g=="}
