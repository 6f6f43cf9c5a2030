"""Finding runs by what people type."""

import json
import time
from pathlib import Path

import pytest
from run_builders import START, run_result

from mlctl.errors import ConfigError, InvalidInput
from mlctl.experiments.capture import write_record
from mlctl.experiments.query import find_run, list_runs, load_stages, search_runs, short_ids
from mlctl.experiments.search import Search
from mlctl.records.ulid import new_ulid

DAY = 86_400.0


def record(root: Path, started: float, chance: bytes = b"") -> str:
    result = run_result(started=started, chance=chance)
    write_record(str(root), result, None, None)
    return result.run_id


def test_runs_are_listed_newest_first(tmp_path: Path) -> None:
    ids = [record(tmp_path, START + offset) for offset in (0, 5, DAY, 40 * DAY)]
    assert [head.id for head in list_runs(str(tmp_path))] == ids[::-1]
    assert [head.id for head in list_runs(str(tmp_path), limit=2)] == ids[:1:-1]


def test_no_runs_are_an_empty_list(tmp_path: Path) -> None:
    assert list_runs(str(tmp_path)) == []
    with pytest.raises(InvalidInput, match="no run is recorded yet"):
        find_run(str(tmp_path), "last")


def test_only_records_count(tmp_path: Path) -> None:
    run_id = record(tmp_path, START, bytes(10))
    day = tmp_path / "runs/20261123"
    (day / new_ulid(START, b"0123456789") / "events").mkdir(parents=True)
    (day / "README.md").write_text("x")
    (tmp_path / "runs/notes.md").write_text("x")
    (tmp_path / "runs/20261124").write_text("a file")
    assert [head.id for head in list_runs(str(tmp_path))] == [run_id]


def test_a_run_is_found_by_either_end(tmp_path: Path) -> None:
    first = record(tmp_path, START, b"\x00" * 10)
    second = record(tmp_path, START + DAY, b"\xff" * 10)
    for text in (first, first.lower(), first[:8], first[10:16], first[10:].lower(), first[-8:]):
        assert find_run(str(tmp_path), text).id == first
    assert find_run(str(tmp_path), "last").id == second
    assert find_run(str(tmp_path), "last~1").id == first


def test_what_names_several_runs_or_none_is_an_error_with_candidates(tmp_path: Path) -> None:
    record(tmp_path, START, b"\x00" * 10)
    record(tmp_path, START + 1, b"\x00" * 9 + b"\x01")
    record(tmp_path, START + 2, b"\xff" * 10)
    with pytest.raises(
        InvalidInput, match="'0000' names 2 runs: 0000000000000001, 000000000000000"
    ):
        find_run(str(tmp_path), "0000")
    with pytest.raises(InvalidInput, match="no run is called 'Q9'") as caught:
        find_run(str(tmp_path), "Q9")
    assert "ZZZZZZ" in str(caught.value.hint)
    for nonsense in ("", "../..", "last~9", "last~"):
        with pytest.raises(InvalidInput):
            find_run(str(tmp_path), nonsense)


def test_short_ids_grow_where_they_must() -> None:
    a, b = (new_ulid(START, bytes(9) + bytes([end])) for end in (0, 200))
    assert set(short_ids([a]).values()) == {"000000"}
    assert len(set(short_ids([a, b]).values())) == 2


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    run_id = record(tmp_path, START)
    path = tmp_path / f"runs/20261123/{run_id}/run.json"
    path.write_text("<<<<<<< ours\n")
    whole = record(tmp_path, START + 1)
    listing = search_runs(str(tmp_path), Search())
    assert [head.id for head in listing.heads] == [whole]
    (damage,) = listing.damaged
    assert f"runs/20261123/{run_id}/run.json" in damage.message
    for text in (run_id, run_id[10:16], "last~1"):
        with pytest.raises(ConfigError, match="no valid JSON"):
            find_run(str(tmp_path), text)
    path.with_name("stages.jsonl").unlink()
    with pytest.raises(InvalidInput, match=r"stages\.jsonl is missing"):
        load_stages(str(tmp_path), run_id)


def test_a_thousand_runs_are_listed_fast(tmp_path: Path) -> None:
    run_id = record(tmp_path, START)
    data = json.loads((tmp_path / f"runs/20261123/{run_id}/run.json").read_text())
    data["params"] = {f"train.option_{i}": i / 7 for i in range(20)}
    data["metrics"] = {f"metric_{i}": i / 7 for i in range(10)}
    for number in range(999):
        data["id"] = new_ulid(START + number * 600, number.to_bytes(10, "big"))
        day = time.strftime("%Y%m%d", time.gmtime(START + number * 600))
        folder = tmp_path / "runs" / day / data["id"]
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps(data, indent=1))
    best = 9.0
    for _ in range(5):
        started = time.process_time()
        assert len(list_runs(str(tmp_path))) == 1000
        best = min(best, time.process_time() - started)
    assert best < 0.3  # the aim is 0.15 s; this bound holds on a slow machine
