"""Every kind of broken record and reference is found, named, and has a word on what to do."""

import json
from pathlib import Path

import pytest
from kept_builders import (
    START,
    cached,
    event_id,
    git,
    make_project,
    make_run,
    put,
    record_of,
    remove,
)

from conformance.twins import run_mlctl
from mlctl.experiments.commit import commit_record
from mlctl.experiments.fsck.check import fsck
from mlctl.experiments.fsck.findings import Finding
from mlctl.experiments.objects import run_objects
from mlctl.experiments.pins import pin
from mlctl.experiments.query import find_run
from mlctl.records.run_events import Event, event_text


@pytest.fixture
def project(repo: Path, tmp_path: Path) -> Path:
    make_project(repo, remote=tmp_path / "remote")
    return repo


@pytest.fixture
def run_id(project: Path) -> str:
    """A sound run, committed."""
    run_id = make_run(project, {"model.bin": put(project, "model")})
    assert commit_record(str(project), ["runs"], "record").commit
    return run_id


def problems(root: Path, **options) -> list[tuple[str, bool]]:
    return [(it.problem, it.damage) for it in fsck(str(root), **options).findings]


def only(root: Path, **options) -> Finding:
    found = fsck(str(root), **options).findings
    assert len(found) == 1, found
    assert found[0].hint
    return found[0]


def add_event(root: Path, run_id: str, kind: str) -> Path:
    ulid = event_id(START + 9)
    path = record_of(root, run_id) / "events" / f"{ulid}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(event_text(Event(ulid, kind, None, "2026-11-24T09:12:00.000Z")))
    return path


@pytest.mark.parametrize("store", ["folder", "branch"])
def test_a_sound_project_has_no_finding(project: Path, run_id: str, store: str) -> None:
    if store == "branch":
        git(project, "rm", "-rq", "--cached", "runs")
        assert commit_record(str(project), ["runs"], "record", branch=True).stored
        assert not (project / "runs").exists()
    report = fsck(str(project))
    assert (report.records, report.findings, report.sound) == (1, (), True)
    code, said = run_mlctl(project, "exp", "fsck")
    assert code == 0
    assert "1 record. All sound." in said


def conflict(folder: Path) -> str:
    path = folder / "stages.jsonl"
    path.write_text(f"<<<<<<< HEAD\n{path.read_text()}=======\nx\n>>>>>>> other\n")
    return "conflict markers"


def truncated_head(folder: Path) -> str:
    path = folder / "run.json"
    path.write_bytes(path.read_bytes()[:-40])
    return "damaged"


def truncated_stages(folder: Path) -> str:
    path = folder / "stages.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    return "damaged"


def bad_metrics(folder: Path) -> str:
    (folder / "metrics.jsonl").write_text('{"step": 1}\n')
    return "damaged"


def bad_event(folder: Path) -> str:
    (folder / "events").mkdir()
    (folder / "events" / "no-ulid.json").write_text(
        '{"schema": "mlctl.run-event/1", "kind": "keep", "value": null, "time": "x"}'
    )
    return "damaged"


def newer(folder: Path) -> str:
    path = folder / "run.json"
    path.write_text(path.read_text().replace("mlctl.run/1", "mlctl.run/9"))
    return "newer"


def no_stages(folder: Path) -> str:
    (folder / "stages.jsonl").unlink()
    return "incomplete"


def no_head(folder: Path) -> str:
    (folder / "run.json").unlink()
    return "incomplete"


def another_id(folder: Path) -> str:
    path = folder / "run.json"
    path.write_text(path.read_text().replace(folder.name, event_id(START)))
    return "another's"


def wrong_day(folder: Path) -> str:
    day = folder.parents[1] / "20200101"
    day.mkdir()
    folder.rename(day / folder.name)
    return "misplaced"


def no_plot(folder: Path) -> str:
    (folder / "artifacts.jsonl").write_text(
        '{"digest":"md5:a","kind":"plot","name":"roc","path":"plots/roc.svg","size":1}\n'
    )
    return "missing"


def no_packages(folder: Path) -> str:
    (text,) = (folder.parents[1] / "_env").iterdir()
    text.unlink()
    return "missing"


def other_packages(folder: Path) -> str:
    (text,) = (folder.parents[1] / "_env").iterdir()
    text.write_text("torch==9\n")
    return "damaged"


@pytest.mark.parametrize(
    "spoil",
    [
        conflict,
        truncated_head,
        truncated_stages,
        bad_metrics,
        bad_event,
        newer,
        no_stages,
        no_head,
        another_id,
        wrong_day,
        no_plot,
        no_packages,
        other_packages,
    ],
)
def test_each_broken_record_is_found(project: Path, run_id: str, spoil) -> None:
    problem = spoil(record_of(project, run_id))
    found = only(project)
    assert (found.problem, found.damage) == (problem, True)
    assert found.run == run_id
    assert found.where.startswith("runs/")
    code, said = run_mlctl(project, "exp", "fsck", "--json")
    answer = json.loads(said)
    assert (code, answer["sound"], answer["schema"]) == (1, False, "mlctl.exp.fsck/1")
    assert answer["findings"][0]["problem"] == problem


def test_the_same_id_twice_is_named(project: Path, run_id: str) -> None:
    git(project, "rm", "-rq", "--cached", "runs")
    folder = record_of(project, run_id)
    kept = {path: path.read_bytes() for path in folder.iterdir()}
    assert commit_record(str(project), ["runs"], "record", branch=True).stored
    folder.mkdir(parents=True)
    for path, data in kept.items():
        path.write_bytes(data)
    assert problems(project) == []  # both say the same: a store that was cut off
    (folder / "stages.jsonl").write_text("")
    found = only(project)
    place = f"mlctl/runs:runs/{folder.parent.name}/{run_id}"
    assert (found.problem, found.where) == ("two of one id", place)


def test_events_of_an_unknown_run(project: Path, run_id: str) -> None:
    add_event(project, run_id, "archive")
    assert problems(project) == []
    for path in record_of(project, run_id).glob("*.json*"):
        path.unlink()
    assert only(project).problem == "no record"


def test_what_is_among_the_records_and_is_none(project: Path, run_id: str) -> None:
    (record_of(project, run_id).parent / "copy of a run").mkdir()
    (project / "runs" / "notes.txt").write_text("x")
    assert sorted(problems(project)) == [("no record", False)] * 2
    assert run_mlctl(project, "exp", "fsck")[0] == 0


def test_a_line_of_a_pack_that_is_none(project: Path, run_id: str) -> None:
    (project / "runs" / "202611.0123abcd.jsonl").write_text('{"schema": "mlctl.run-pack/1"\n')
    found = only(project)
    assert (found.problem, found.where) == ("damaged", "runs/202611.0123abcd.jsonl:1")


def with_code(root: Path, run_id: str, **code) -> None:
    path = record_of(root, run_id) / "run.json"
    data = json.loads(path.read_text())
    state = {"commit": None, "branch": None, "tree": None, "dirty": True, "snapshot": None}
    data["git"] = state | {"omitted": []} | code
    path.write_text(json.dumps(data))


def test_a_snapshot_that_is_not_here(project: Path, run_id: str) -> None:
    head = git(project, "rev-parse", "HEAD")
    with_code(project, run_id, commit=head, snapshot="1" * 40)
    found = only(project)
    assert (found.problem, found.damage) == ("no snapshot", True)
    assert "exp pull" in found.hint
    (record_of(project, run_id) / "code.patch").write_text("")
    assert problems(project) == []


def test_a_commit_that_is_not_here(project: Path, run_id: str, tmp_path: Path) -> None:
    first = git(project, "rev-parse", "HEAD~1")
    with_code(project, run_id, commit=first)
    assert problems(project) == []
    assert commit_record(str(project), ["runs"], "record").commit
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{project}", "shallow")
    shallow = [it for it in fsck(str(tmp_path / "shallow")).findings if it.problem == "no commit"]
    assert [(it.damage, it.hint) for it in shallow] == [(False, "git fetch --unshallow")]
    with_code(project, run_id, commit="2" * 40)
    assert problems(project) == [("no commit", True)]


def test_data_that_is_nowhere(project: Path, run_id: str, tmp_path: Path) -> None:
    assert run_mlctl(project, "exp", "push")[0] == 0
    md5 = put(project, "model")
    cached(project, md5).unlink()
    found = only(project)
    assert (found.problem, found.damage) == ("not in the cache", False)
    assert "--cloud" in found.hint
    found = only(project, cloud=True)
    assert (found.problem, found.damage) == ("not in the cache", False)
    assert "exp pull" in found.hint
    remove(tmp_path / "remote" / "files")
    found = only(project, cloud=True)
    assert (found.problem, found.damage) == ("lost", True)
    assert md5 in found.detail
    assert run_mlctl(project, "exp", "fsck", "--cloud")[0] == 1


def test_a_kept_run_that_is_not_pinned_and_a_pin_without_a_run(project: Path, run_id: str) -> None:
    add_event(project, run_id, "keep")
    assert only(project).problem == "not pinned"
    pin(str(project), {run_id: run_objects(str(project), find_run(str(project), run_id))})
    assert problems(project) == []
    remove(project / "runs")
    assert problems(project) == [("no record", False)]


def test_without_git_and_without_dvc(tmp_path: Path) -> None:
    run_id = make_run(tmp_path, {})
    report = fsck(str(tmp_path))
    assert (report.records, report.sound) == (1, True)
    (record_of(tmp_path, run_id) / "stages.jsonl").unlink()
    assert not fsck(str(tmp_path)).sound
