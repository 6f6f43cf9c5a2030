"""Power cuts by model, as many states as CI has time for; docs/testing.md says how to do more."""

import os
import random
import shutil

import pytest

from faults.disk import Disk, Node, Op, crash
from faults.powercut import torture

STATES = 60


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_every_state_of_the_disk_is_recovered_from(tmp_path):
    counts = torture(tmp_path, STATES, seed=20)
    states = [number for what, number in counts.items() if not what.endswith("recorded")]
    assert states == [STATES // 4] * 4


REPLACED = [
    Op("create", "/r/.new", node=1, value=0o644),
    Op("write", node=1, value=-1, data=b"new text"),
    Op("sync", "/r/.new", node=1),
    Op("rename", "/r/.new", "/r/file"),
]


def outcomes(ops, *, strict):
    start = Disk({"/r": None, "/r/file": 0}, {0: Node(b"old")})
    found = set()
    for seed in range(300):
        disk = crash(start, ops, strict=strict, dice=random.Random(seed))
        node = disk.names.get("/r/file")
        found.add(None if node is None else disk.nodes[node].data)
    return found


@pytest.mark.parametrize("strict", [False, True])
def test_the_model_keeps_what_was_synced_and_may_lose_the_rest(strict):
    assert outcomes(REPLACED, strict=strict) == {b"old", b"new text"}
    unsynced = [op for op in REPLACED if op.kind != "sync"]
    assert outcomes(unsynced, strict=strict) == {b"old", b"new text", b"new ", b""}
    folder_synced = [*REPLACED, Op("sync", "/r")]
    assert outcomes(folder_synced, strict=strict) == {b"new text"}
    other_synced = [*REPLACED, Op("sync", os.path.join("/r", "file"), node=0)]
    # A journaling disk brings earlier changes of names along, a strict one does not.
    assert outcomes(other_synced, strict=strict) == (
        {b"old", b"new text"} if strict else {b"new text"}
    )
