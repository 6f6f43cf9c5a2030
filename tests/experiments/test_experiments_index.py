"""The index says what the files say, whatever happened to them since it was made."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from record_builders import write_run
from run_builders import START

from conftest import Git, git_in
from mlctl.experiments import events
from mlctl.experiments.branch_store import store_records
from mlctl.experiments.index.database import with_index
from mlctl.experiments.packing import pack_runs
from mlctl.experiments.query import find_run, list_runs, load_stages, read_part, search_runs
from mlctl.experiments.search import Search
from mlctl.experiments.shelves import folder
from mlctl.records.run import run_folder
from mlctl.records.run_events import NO_FACTS, Event, Facts, fold
from mlctl.records.ulid import new_ulid, ulid_seconds

Truth = dict[str, tuple[float | None, Facts]]


def told(root: Path) -> Truth:
    """What the facade says of all runs: a metric, and what was said later."""
    found = search_runs(str(root), Search(archived=True))
    assert not found.damaged
    assert [head.id for head in found.heads] == sorted((h.id for h in found.heads), reverse=True)
    return {h.id: (h.metrics.get("auc"), found.facts.get(h.id, NO_FACTS)) for h in found.heads}


def read(root: Path) -> Truth:
    """The same, read from the files with nothing but JSON."""
    heads: dict[str, float | None] = {}
    said: dict[str, dict[str, Event]] = {}

    def event(run_id: str, name: str, text: str) -> None:
        data = json.loads(text)
        event_id = os.path.basename(name).removesuffix(".json")
        made = Event(event_id, data["kind"], data["value"], data["time"])
        said.setdefault(run_id, {})[event_id] = made

    for path in root.glob("runs/*.jsonl"):
        for line in path.read_text().splitlines():
            data = json.loads(line)
            heads[data["id"]] = data["head"]["metrics"].get("auc")
            for name, text in data["parts"].items():
                if name.startswith("events/"):
                    event(data["id"], name, text)
    for path in root.glob("runs/*/*/run.json"):
        data = json.loads(path.read_text())
        heads[data["id"]] = data["metrics"].get("auc")
    for path in root.glob("runs/*/*/events/*.json"):
        event(path.parts[-3], path.name, path.read_text())
    return {run_id: (auc, fold(said.get(run_id, {}).values())) for run_id, auc in heads.items()}


@pytest.mark.parametrize("seed", range(6))
def test_the_index_says_what_the_files_say(  # noqa: C901
    repo: Path, git: Git, seed: int
) -> None:
    """Random steps, most of them within one tick of the file system's clock."""
    chance = random.Random(seed)
    numbers = iter(range(1000))
    away = repo.parent / "away"

    def ids() -> list[str]:
        return sorted(read(repo))

    def folders() -> list[Path]:
        return sorted(path.parent for path in repo.glob("runs/*/*/run.json"))

    def add() -> None:
        write_run(repo, 40 * next(numbers), metrics={"auc": chance.random()})

    def say() -> None:
        if ids():
            run_id, word = chance.choice(ids()), chance.choice("abc")
            root = str(repo)
            chance.choice([
                lambda: events.tag(root, [run_id], [word], remove=False),
                lambda: events.tag(root, [run_id], [word], remove=True),
                lambda: [events.add_event(root, run_id, "rename", word)],
                lambda: events.archive(root, [run_id], undo=chance.random() < 0.4),
            ])()  # fmt: skip

    def remove() -> None:
        if folders():
            shutil.rmtree(chance.choice(folders()))

    def move_away_and_back() -> None:
        if folders():
            folder = chance.choice(folders())
            folder.rename(away)
            told(repo)
            folder.parent.mkdir(exist_ok=True)
            away.rename(folder)

    def replace() -> None:
        if folders():
            path = chance.choice(folders()) / "run.json"
            data = json.loads(path.read_text())
            data["metrics"]["auc"] = chance.random()
            new = path.with_suffix(".new")
            new.write_text(json.dumps(data))
            new.replace(path)

    def remove_event() -> None:
        found = sorted(repo.glob("runs/*/*/events/*.json"))
        if found:
            chance.choice(found).unlink()

    def pack() -> None:
        before = START + 3600 * 40 * chance.randrange(60)
        pack_runs(str(repo), before)

    def commit_and_restore() -> None:
        git("add", "-A")
        git("commit", "-q", "--allow-empty", "-m", "state")
        remove()
        say()
        told(repo)
        git("add", "-A")
        git("reset", "-q", "--hard")

    steps = [add, add, add, say, say, remove, move_away_and_back, replace, remove_event, pack,
             commit_and_restore]  # fmt: skip
    for _ in range(60):
        chance.choice(steps)()
        if chance.random() < 0.6:
            assert told(repo) == read(repo)
    assert told(repo) == read(repo)


def test_what_is_on_the_branch_is_read_like_the_rest(repo: Path, git: Git) -> None:
    ids = [write_run(repo, n, metrics={"auc": n / 9}, curves={"x": [n, 1.0]}) for n in range(4)]
    events.tag(str(repo), ids[:1], ["first"], remove=False)
    before = told(repo)
    store_records(str(repo), [run_folder(ids[0]), run_folder(ids[1])], "some")
    assert told(repo) == before
    store_records(str(repo), [run_folder(ids[2])], "another")
    git("pack-refs", "--all")
    assert told(repo) == before
    assert read_part(str(repo), ids[1], "metrics.jsonl")
    assert read_part(str(repo), ids[1], "nothing.txt") is None
    assert load_stages(str(repo), ids[2]) == ()
    assert find_run(str(repo), ids[2][10:16]).id == ids[2]
    events.tag(str(repo), ids[1:2], ["second"], remove=False)
    assert told(repo)[ids[1]][1].tags == ("second",)
    store_records(str(repo), ["runs"], "its event, and the last run")
    assert not (repo / "runs").exists()
    after = told(repo)
    assert after.keys() == before.keys()
    assert after[ids[1]][1].tags == ("second",)
    git("update-ref", "-d", "refs/heads/mlctl/runs")
    assert told(repo) == {}


def test_packs_may_lie_on_the_branch(repo: Path) -> None:
    ids = [write_run(repo, n, metrics={"auc": n / 9}) for n in range(3)]
    pack_runs(str(repo), START + 10**9)
    before = told(repo)
    store_records(str(repo), ["runs"], "packed")
    assert not list(repo.glob("runs/*.jsonl"))
    assert told(repo) == before
    assert load_stages(str(repo), ids[0]) == ()
    assert find_run(str(repo), "last").id == ids[2]


def test_a_project_in_a_folder_of_the_repository(repo: Path) -> None:
    sub = repo / "sub"
    ids = [write_run(sub, n, metrics={"auc": n / 9}) for n in range(2)]
    write_run(repo, 7)
    store_records(str(sub), [run_folder(ids[0])], "one")
    assert sorted(told(sub)) == ids
    assert read_part(str(sub), ids[0], "stages.jsonl") == b""
    assert len(told(repo)) == 1


def test_linked_work_trees_have_an_index_each(repo: Path, git: Git) -> None:
    write_run(repo, 0)
    git("worktree", "add", "-q", "../linked", "HEAD")
    linked = repo.parent / "linked"
    assert told(linked) == {}
    run_id = write_run(linked, 1)
    assert list(told(linked)) == [run_id]
    assert len(told(repo)) == 1
    assert len(list((repo / ".git/mlctl").glob("index.*.db"))) == 2


def test_without_git_the_index_is_in_the_local_folder(tmp_path: Path) -> None:
    run_id = write_run(tmp_path, 0)
    assert list(told(tmp_path)) == [run_id]
    assert (tmp_path / ".mlctl/index.db").exists()
    assert (tmp_path / ".mlctl/.gitignore").read_text() == "*\n"


def index_file(root: Path) -> Path:
    (path,) = (root / ".git/mlctl").glob("index.*.db")
    return path


@pytest.mark.parametrize(
    "content", [b"", b"no database at all", b"SQLite format 3\0" + b"x" * 5000]
)
def test_a_damaged_index_is_made_anew(repo: Path, content: bytes) -> None:
    ids = [write_run(repo, n) for n in range(3)]
    assert sorted(told(repo)) == ids
    index_file(repo).write_bytes(content)
    assert sorted(told(repo)) == ids
    assert sorted(told(repo)) == ids


def test_pages_of_the_index_that_were_lost_do_no_harm(repo: Path) -> None:
    ids = [write_run(repo, n, params={f"p{i}": i for i in range(30)}) for n in range(60)]
    assert sorted(told(repo)) == ids
    path = index_file(repo)
    data = bytearray(path.read_bytes())
    data[4096 : len(data) // 2] = b"\x99" * (len(data) // 2 - 4096)
    path.write_bytes(data)
    assert sorted(told(repo)) == ids


def test_an_index_of_another_version_is_made_anew(repo: Path) -> None:
    ids = [write_run(repo, n) for n in range(2)]
    told(repo)
    with_index(str(repo), lambda index: index.execute("PRAGMA user_version = 99"))
    assert sorted(told(repo)) == ids


def test_where_the_index_cannot_be_written_the_files_are_read(repo: Path) -> None:
    ids = [write_run(repo, n) for n in range(2)]
    (repo / ".git/mlctl").write_text("a file, where the folder of the index should be")
    assert sorted(told(repo)) == ids
    assert find_run(str(repo), "last").id == ids[1]


def test_what_is_written_into_a_record_is_seen(repo: Path) -> None:
    """Not replaced, as git and editors do it, but written into, which no folder shows."""
    ids = [write_run(repo, n) for n in range(3)]
    assert sorted(told(repo)) == ids
    path = repo / run_folder(ids[1]) / "run.json"
    text = path.read_text()
    path.write_text("<<<<<<< HEAD\n" + text)
    found = search_runs(str(repo), Search())
    assert [head.id for head in found.heads] == [ids[2], ids[0]]
    (damage,) = found.damaged
    assert run_folder(ids[1]) in damage.message
    path.write_text(text)
    os.utime(path.parent)
    assert sorted(told(repo)) == ids


DAMAGES = {
    "conflict": lambda text: f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> topic\n",
    "torn": lambda text: text[: len(text) // 2],
    "empty": lambda text: "",
    "newer": lambda text: text.replace("mlctl.run/1", "mlctl.run/9"),
    "other": lambda text: text.replace("mlctl.run/1", "mlctl.study/1"),
    "list": lambda text: "[]",
    "field": lambda text: text.replace('"status"', '"stotus"'),
    "copy": lambda text: text.replace('"id": "0', '"id": "1'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_is_named_and_the_rest_is_listed(repo: Path, damage: str) -> None:
    good, bad = write_run(repo, 0), write_run(repo, 1)
    path = repo / run_folder(bad) / "run.json"
    path.write_text(DAMAGES[damage](path.read_text()))
    found = search_runs(str(repo), Search())
    assert [head.id for head in found.heads] == [good]
    assert [head.id for head in list_runs(str(repo))] == [good]
    (said,) = found.damaged
    assert said.message.startswith(f"{run_folder(bad)}/run.json")
    with pytest.raises(Exception, match="run"):
        find_run(str(repo), bad)


def test_a_damaged_event_is_named_and_the_run_is_listed(repo: Path) -> None:
    run_id = write_run(repo, 0)
    (key,) = events.tag(str(repo), [run_id], ["kept"], remove=False)
    torn = repo / run_folder(run_id) / "events" / f"{new_ulid(START, bytes(10))}.json"
    torn.write_text('{"kind": "ta')
    found = search_runs(str(repo), Search())
    assert found.facts[run_id].tags == ("kept",)
    assert [it.message.split(":")[0] for it in found.damaged] == [str(torn.relative_to(repo))]
    torn.unlink()
    assert not search_runs(str(repo), Search()).damaged
    assert (repo / key).exists()


def test_a_record_in_the_folder_of_another_day_is_named(repo: Path) -> None:
    run_id = write_run(repo, 0)
    shutil.copytree(repo / run_folder(run_id), repo / "runs/20200101" / run_id)
    for _ in range(2):
        found = search_runs(str(repo), Search())
        assert [head.id for head in found.heads] == [run_id]
        assert [it.message for it in found.damaged] == [
            f"runs/20200101/{run_id}: the folder of another day"
        ]


WORKER = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from record_builders import write_run
from mlctl.experiments.query import list_runs
root, first = Path(sys.argv[1]), int(sys.argv[2])
for number in range(first, first + 12):
    made = write_run(root, number)
    seen = {{head.id for head in list_runs(str(root))}}
    assert made in seen, (made, len(seen))
"""


def test_processes_that_add_and_list_at_once_see_what_they_added(repo: Path) -> None:
    program = WORKER.format(tests=os.path.dirname(__file__))
    command = [sys.executable, "-c", program, str(repo)]
    workers = [subprocess.Popen([*command, str(100 * n)], stderr=subprocess.PIPE) for n in range(4)]
    for worker in workers:
        _, said = worker.communicate(timeout=120)
        assert worker.returncode == 0, said.decode()
    assert len(told(repo)) == 48
    assert told(repo) == read(repo)


def two_branches(repo: Path) -> Iterator[str]:
    """500 records on each of two branches, merged; the ids."""
    base = git_in(repo, "rev-parse", "HEAD")
    for start, branch in ((0, "one"), (500, "two")):
        git_in(repo, "checkout", "-q", "-b", branch, base)
        yield from (write_run(repo, number) for number in range(start, start + 500))
        git_in(repo, "add", "runs")
        git_in(repo, "commit", "-q", "-m", branch)
    git_in(repo, "merge", "-q", "-m", "both", "one")


def test_two_branches_of_500_runs_merge_without_a_conflict(repo: Path) -> None:
    ids = sorted(two_branches(repo))
    assert git_in(repo, "status", "--porcelain", "--untracked-files=no") == ""
    assert [head.id for head in list_runs(str(repo))] == ids[::-1]
    git_in(repo, "checkout", "-q", "one")
    assert [head.id for head in list_runs(str(repo))] == ids[:500][::-1]
    assert ulid_seconds(ids[0]) == pytest.approx(START)


def test_a_look_within_a_tick_of_the_last_change_is_not_remembered(repo: Path) -> None:
    run_id = write_run(repo, 0)
    day = run_folder(run_id).split("/")[1]
    changed = (repo / run_folder(run_id)).stat().st_ctime_ns
    at_once = folder.look(str(repo), day, changed + 1_000_000)
    assert (at_once.signs, at_once.digest) == ({run_id: ""}, "")
    later = folder.look(str(repo), day, changed + 10_000_000_000)
    assert later.digest
    assert later.signs[run_id]
    assert folder.look(str(repo), day, changed + 20_000_000_000) == later
    (repo / run_folder(run_id) / "events").mkdir()
    assert folder.look(str(repo), day, changed + 60_000_000_000).digest != later.digest
