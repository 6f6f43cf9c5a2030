"""A frozen stage needs no producer, but reads what they write: it keeps its place among them."""

from pathlib import Path

import pytest
import yaml

from conformance.twins import Twins

SLOW = "mkdir parts/o; sleep 0.3; echo %s > parts/o/a; sleep 0.3; echo b > parts/o/b"


@pytest.mark.parametrize("order", [("make", "read"), ("read", "make")])
def test_a_frozen_stage_reads_before_or_after_its_producer(order: tuple, tmp_path: Path) -> None:
    twins = Twins(tmp_path)
    make = {"cmd": SLOW % "one", "outs": ["parts/o"]}
    read = {"cmd": "cat parts/o/* > read.txt", "deps": ["parts/o"], "outs": ["read.txt"]}
    stages = {"make": make, "read": read}

    def write(**changes: dict) -> None:
        text = yaml.safe_dump({"stages": {n: {**stages[n], **changes.get(n, {})} for n in order}})
        twins.write("dvc.yaml", text.replace("{}", ""))

    twins.write("parts/.keep", "")
    write()
    assert twins.run() == (0, 0)
    twins.assert_equal()
    # Both are changed: the one has a new command, the other a damaged out to be verified.
    write(make={"cmd": SLOW % "two"}, read={"frozen": True})
    twins.write("read.txt", "another\n")
    assert twins.run(jobs=4) == (0, 0)
    twins.assert_equal()
