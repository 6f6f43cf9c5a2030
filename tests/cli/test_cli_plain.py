import io
import json

import pytest

from mlctl.cli._json import JsonLines
from mlctl.cli._plain import TAIL, Plain
from mlctl.pipeline.events import (
    Event,
    Notice,
    RunFinished,
    RunStarted,
    StageFinished,
    StageOutput,
    StageStarted,
    Waiting,
)
from mlctl.pipeline.plan import Reason

LOG = ".mlctl/runs/01K/train.log"
EVENTS: list[Event] = [
    RunStarted("01M85E9BMPR0QTMZ6TJCCF574J", ("raw.dvc", "prepare", "train", "report"), 2, 0.0),
    StageFinished("raw.dvc", "unchanged", 0, 0),
    StageFinished("prepare", "restored", 0, 0),
    StageStarted(
        "train", "python t.py", "gpu",
        (Reason("upstream", "prepare"), Reason("param", "p.yaml", "modified", "lr", 1, 2)),
        2, LOG, 0.0,
    ),
    Waiting((("report", "train"),)),
    Waiting((("report", "train"),)),
    StageOutput("train", "10%\r100% | epoch 1"),
    Notice("the disk is nearly full"),
    Notice("a thought", "info", "train"),
    StageOutput("train", "ValueError: \x1b[31mbad\x1b[0m"),
    StageFinished("train", "failed", 3.21, 0, 1, None, LOG),
    StageFinished("report", "skipped", 0, 0, message="train failed"),
    RunFinished(
        {"unchanged": 1, "restored": 1, "failed": 1, "skipped": 1}, 65.0, "runs/20261123/01K"
    ),
]  # fmt: skip


def play(events: list[Event], **options: bool) -> str:
    stream = io.StringIO()
    plain = Plain(stream, **options)
    for event in events:
        plain(event)
    plain.close()
    return stream.getvalue()


def test_a_run_that_fails() -> None:
    assert play(EVENTS) == (
        "run R0QTMZ: 4 stages and data files, 2 jobs\n"
        "✓ prepare  restored from the cache, not run\n"
        "▸ train (on gpu, attempt 2)  p.yaml: lr 1 → 2\n"
        "                             after prepare\n"
        "[train] 100% | epoch 1\n"
        "warning: the disk is nearly full\n"
        "note: train: a thought\n"
        "[train] ValueError: bad\n"
        "✗ train  exit code 1 after 3.2s\n"
        "- report  skipped: train failed\n"
        "\n"
        "train: exit code 1\n"
        "  100% | epoch 1\n"
        "  ValueError: bad\n"
        f"  (its last lines; the whole log: {LOG})\n"
        "\n"
        "Failed in 1m 05s: 1 restored, 1 unchanged, 1 failed, 1 skipped.\n"
        "record: runs/20261123/01K\n"
    )


def test_verbose_tells_what_is_unchanged_and_what_waits_once() -> None:
    text = play(EVENTS, verbose=True)
    assert "= raw.dvc  unchanged\n" in text
    assert text.count("… report waits for train\n") == 1


def test_quiet_tells_only_what_went_wrong() -> None:
    assert play(EVENTS, quiet=True) == (
        "warning: the disk is nearly full\n"
        "\n"
        "train: exit code 1\n"
        "  100% | epoch 1\n"
        "  ValueError: bad\n"
        f"  (its last lines; the whole log: {LOG})\n"
    )


def test_nothing_to_do_and_all_done() -> None:
    assert play([RunFinished({"unchanged": 3}, 0.1)]) == "\nPipeline is up to date.\n"
    assert play([RunFinished({"ran": 2}, 4)]) == "\nDone in 4.0s: 2 ran.\n"
    assert "Interrupted in 4.0s" in play([RunFinished({"cancelled": 1, "ran": 1}, 4)])


def test_the_tail_is_of_the_last_attempt_and_bounded() -> None:
    start = StageStarted("t", "c", "local", (), 1, "l", 0)
    lines: list[Event] = [StageOutput("t", f"line {i}") for i in range(100)]
    text = play(
        [start, *lines, start, *lines, StageFinished("t", "failed", 1, 0, -9), RunFinished({}, 1)]
    )
    block = text.split("\n\n")[1].splitlines()
    assert block[0] == "t: killed by signal 9"
    assert len(block) == 1 + TAIL
    assert block[-1] == "  line 99"


def test_an_encoding_without_arrows_gets_question_marks() -> None:
    raw = io.BytesIO()
    plain = Plain(io.TextIOWrapper(raw, encoding="ascii"))
    for event in EVENTS:
        plain(event)
    assert b"? train (on gpu, attempt 2)  p.yaml: lr 1 ? 2" in raw.getvalue()


def test_json_lines_are_one_object_for_each_event() -> None:
    stream = io.StringIO()
    emit = JsonLines(stream)
    odd = StageStarted(
        "t", "c", "local", (Reason("param", "p", None, "x", float("nan"), {1, 2}),), 1, "l", 0
    )
    events = [*EVENTS, odd, StageOutput("t", "\udcff ü")]
    for event in events:
        emit(event)
    emit.close()
    lines = [
        json.loads(line, parse_constant=pytest.fail) for line in stream.getvalue().splitlines()
    ]
    assert len(lines) == len(events)
    assert {line["schema"] for line in lines} == {"mlctl.event/1"}
    assert [line["event"] for line in lines][:3] == [
        "run_started",
        "stage_finished",
        "stage_finished",
    ]
    assert lines[-2]["reasons"][0]["old"] == "NaN"
    assert lines[10]["exit_code"] == 1
