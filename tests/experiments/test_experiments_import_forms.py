"""Older and rarer forms of other tools' files, put together as these tools document them."""

import json
import sqlite3
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from mlctl.experiments.curves import load_curves
from mlctl.experiments.foreign import typed
from mlctl.experiments.importers._wire import masked_crc32c
from mlctl.experiments.importing import import_runs
from mlctl.experiments.query import list_runs, run_facts
from mlctl.records.run import RunHead

FOREIGN = Path(__file__).parent / "foreign"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / ".dvc").mkdir(parents=True)
    return root


def the_run(root: Path) -> RunHead:
    (head,) = list_runs(str(root))
    return head


# What follows writes protobuf by its specification, apart from the code that reads it.


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def part(number: int, value: Any) -> bytes:
    """A field: an integer as varint, a float as a double, text and bytes by their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def float32(number: int, value: float) -> bytes:
    return varint(number << 3 | 5) + struct.pack("<f", value)


def tfrecord(data: bytes) -> bytes:
    size = struct.pack("<Q", len(data))
    checks = (struct.pack("<I", masked_crc32c(it)) for it in (size, data))
    return size + next(checks) + data + next(checks)


def event(seconds: float, step: int, *values: bytes) -> bytes:
    return tfrecord(
        part(1, seconds) + part(2, step) + part(5, b"".join(part(1, v) for v in values))
    )


def scalar(tag: str, value: float) -> bytes:
    return part(1, tag) + float32(2, value)


def test_the_checksum_is_that_of_the_standard() -> None:
    """RFC 3720, B.4: 32 bytes of zeros and of ones; the mask is that of TFRecord."""
    for data, crc in ((bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43)):
        masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
        assert masked_crc32c(data) == masked


def test_several_event_files_of_one_folder_are_one_run(project: Path, tmp_path: Path) -> None:
    """As when a training went on after a restart."""
    folder = tmp_path / "logs"
    folder.mkdir()
    one = [event(1000.0 + step, step, scalar("loss", 1 - step / 8)) for step in range(4)]
    two = [event(2000.0 + step, step, scalar("loss", 1 - step / 8)) for step in range(4, 8)]
    (folder / "events.out.tfevents.1000.a").write_bytes(b"".join(one))
    (folder / "events.out.tfevents.2000.b").write_bytes(b"".join(two))
    assert len(import_runs(str(project), str(folder)).records) == 1
    curve = load_curves(str(project), the_run(project).id)["loss"]
    assert curve.steps == tuple(range(8))
    assert curve.values == tuple(1 - step / 8 for step in range(8))
    assert the_run(project).seconds == 1007.0


def test_a_run_that_went_on_is_not_imported_again(project: Path, tmp_path: Path) -> None:
    log = tmp_path / "events.out.tfevents.1000.a"
    log.write_bytes(event(1000.0, 0, scalar("loss", 1.0)))
    assert len(import_runs(str(project), str(log)).records) == 1
    log.write_bytes(log.read_bytes() + event(1001.0, 1, scalar("loss", 0.5)))
    assert len(import_runs(str(project), str(log)).present) == 1


def test_hyperparameters_of_tensorboard(project: Path, tmp_path: Path) -> None:
    values = {
        "lr": part(2, 0.125),
        "depth": part(2, 6.0),
        "name": part(3, "adam"),
        "on": part(4, 1),
    }
    entries = b"".join(part(1, part(1, key) + part(2, value)) for key, value in values.items())
    content = part(2, part(3, entries))  # session_start_info: 3 of the plug-in's data, its 2
    value = part(1, "_hparams_/session_start_info") + part(9, part(1, content))
    (tmp_path / "events.out.tfevents.1").write_bytes(
        event(1000.0, 0, value) + event(1001.0, 0, scalar("hp/auc", 0.5))
    )
    import_runs(str(project), str(tmp_path), "tensorboard")
    assert the_run(project).params == {"lr": 0.125, "depth": 6, "name": "adam", "on": True}
    assert the_run(project).metrics == {"hp/auc": 0.5}


def test_tensors_that_are_no_scalars_are_passed_over(project: Path, tmp_path: Path) -> None:
    def tensor(tag: str, plugin: str, content: bytes) -> bytes:
        metadata = part(1, part(1, plugin))
        return part(1, tag) + part(8, content) + part(9, metadata)

    one = part(1, 1) + part(4, struct.pack("<f", 0.5))
    two = part(1, 1) + part(4, struct.pack("<ff", 0.5, 0.25))
    (tmp_path / "events.out.tfevents.1").write_bytes(
        event(
            1000.0,
            3,
            tensor("loss", "scalars", one),
            tensor("pair", "scalars", two),
            tensor("words", "text", part(1, 7) + part(8, "hello")),
            tensor("hist", "histograms", one),
            tensor("whole", "scalars", part(1, 9) + part(10, -3)),
        )
    )
    import_runs(str(project), str(tmp_path), "tensorboard")
    assert the_run(project).metrics == {"loss": 0.5, "whole": -3}


OLD_SCHEMA = """
create table experiments (experiment_id integer, name text, lifecycle_stage text);
create table runs (run_uuid text, name text, source_type text, user_id text, status text,
  start_time bigint, end_time bigint, lifecycle_stage text, artifact_uri text,
  experiment_id integer);
create table metrics (key text, value float, timestamp bigint, run_uuid text);
create table params (key text, value text, run_uuid text);
create table tags (key text, value text, run_uuid text);
insert into experiments values (1, 'old', 'active'), (2, 'trash', 'deleted');
insert into runs values
  ('r1', '', 'LOCAL', 'ada', 'RUNNING', 1500000000000, null, 'active', '/gone', 1),
  ('r2', '', 'LOCAL', 'ada', 'FINISHED', 1500000000000, 1500000001000, 'active', '/gone', 2);
insert into metrics values ('loss', 0.5, 1500000000500, 'r1'), ('loss', 0.25, 1500000002500, 'r1');
insert into params values ('lr', '0.1', 'r1'), ('id', '007', 'r1');
insert into tags values ('mlflow.runName', 'first', 'r1');
"""


def test_a_database_of_an_early_mlflow(project: Path, tmp_path: Path) -> None:
    """Version 0.9: without steps, and without what says that a value is NaN."""
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as database:
        database.executescript(OLD_SCHEMA)
    done = import_runs(str(project), str(path))
    assert [(it.where, it.reason) for it in done.skipped] == [("r2", "deleted in MLflow")]
    head = the_run(project)
    assert (head.name, head.status, head.seconds) == ("first", "interrupted", 2.5)
    assert head.params == {"lr": 0.1, "id": "007"}
    assert load_curves(str(project), head.id)["loss"].values == (0.5, 0.25)
    assert run_facts(str(project), head.id).tags == ("experiment=old",)


def test_a_folder_of_an_early_mlflow(project: Path, tmp_path: Path) -> None:
    """Version 0.8: `run_uuid`, lines of a metric without a step, tags in meta.yaml."""
    run = tmp_path / "mlruns" / "0" / "a1"
    (run / "metrics").mkdir(parents=True)
    (tmp_path / "mlruns" / "0" / "meta.yaml").write_text("experiment_id: 0\nname: Default\n")
    (run / "meta.yaml").write_text(
        "end_time: 1500000001000\nname: ''\nrun_uuid: a1\nstart_time: 1500000000000\nstatus: 3\n"
    )
    (run / "metrics" / "auc").write_text("1500000000 0.75\n")
    assert len(import_runs(str(project), str(tmp_path / "mlruns")).records) == 1
    assert the_run(project).metrics == {"auc": 0.75}


LOG = b":W&B\xe1\xbe\x00"


def wandb_log(records: Iterable[bytes]) -> bytes:
    """LevelDB's framing with blocks of 32,768 bytes, the file's own header in the first."""
    out = bytearray(LOG)
    for record in records:
        rest, first = record, True
        while True:
            room = 32768 - len(out) % 32768
            if room < 7:
                out += bytes(room)
                continue
            piece, rest = rest[: room - 7], rest[room - 7 :]
            kind = (1 if first else 4) if not rest else (2 if first else 3)
            check = zlib.crc32(bytes([kind]) + piece)
            out += struct.pack("<IHB", check, len(piece), kind) + piece
            first = False
            if not rest:
                break
    return bytes(out)


def items(number: int, values: dict[str, Any]) -> bytes:
    return b"".join(part(number, part(1, k) + part(16, json.dumps(v))) for k, v in values.items())


def test_records_of_wandb_that_go_over_blocks(project: Path, tmp_path: Path) -> None:
    config = part(4, items(1, {"text": "x" * 100_000, "lr": 0.5, "_wandb": {"version": 1}}))
    start = part(17, part(1, 1_700_000_000) + part(2, 500_000_000))
    run = part(1, "r1") + part(3, "p") + config + start + part(21, part(2, "c0ffee" + "0" * 34))
    steps = [
        part(
            2,
            items(1, {"loss": 1 / (s + 1), "_timestamp": 1_700_000_000.5 + s})
            + part(2, part(1, s)),
        )
        for s in range(3000)
    ]
    ended = part(18, part(1, 1))
    log = tmp_path / "run-r1.wandb"
    log.write_bytes(wandb_log([part(17, run), *steps, ended]))
    import_runs(str(project), str(log))
    head = the_run(project)
    assert (head.status, head.seconds, head.started) == (
        "failed",
        2999.0,
        "2023-11-14T22:13:20.500Z",
    )
    assert head.params["lr"] == 0.5
    assert head.git is not None
    assert head.git.commit == "c0ffee" + "0" * 34
    assert head.series["loss"].n == 3000
    assert head.series["loss"].last == 1 / 3000


def test_a_run_of_wandb_that_was_killed_is_interrupted(project: Path, tmp_path: Path) -> None:
    start = part(17, part(1, 1_700_000_000))
    log = tmp_path / "run-r1.wandb"
    log.write_bytes(wandb_log([part(17, part(1, "r1") + start)]))
    import_runs(str(project), str(log))
    assert the_run(project).status == "interrupted"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-3", -3), ("0.10", 0.1), ("1e-05", 1e-05), ("True", True), ("None", None),
        ("007", "007"), ("1_000", "1_000"), ("nan", "nan"), ("", ""), ("1.", "1."),
        ("0x10", "0x10"), ("-0", 0), ("true", "true"), ("1 ", "1 "), ("٣", "٣"),
    ],
)  # fmt: skip
def test_texts_are_read_as_numbers_only_where_they_are_written_so(text: str, value: Any) -> None:
    assert (typed(text), type(typed(text))) == (value, type(value))


def test_a_csv_that_is_being_written(project: Path, tmp_path: Path) -> None:
    log = tmp_path / "metrics.csv"
    log.write_text("epoch,loss\n0,0.5\n1,0.25\n2")
    import_runs(str(project), str(log))
    assert load_curves(str(project), the_run(project).id)["loss"].values == (0.5, 0.25)


@pytest.mark.parametrize("rows", ["0,0.5\n1\n2,0.1\n", "0,0.5\n1,much\n", "0,1,2\n"])
def test_a_damaged_csv_is_named(project: Path, tmp_path: Path, rows: str) -> None:
    log = tmp_path / "metrics.csv"
    log.write_text("epoch,loss\n" + rows)
    done = import_runs(str(project), str(log))
    assert done.records == []
    assert str(log) in done.damaged[0].reason
