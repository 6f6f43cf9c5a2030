"""A disk quota is hit at any moment: it is said, nothing is half written, the next run finishes.

`strace` lets calls of one kind fail with EDQUOT, from the Nth of each thread and process on, those
of git and of the stages too. `write` is left to files that are named: pipes know no quota.
"""

import json
import os
import shutil
import subprocess

import pytest

from e2e.sandbox import MLCTL
from faults.cache import check_trusted
from mlctl.pipeline import lockfile

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")

STAGES = {
    "a": {
        "cmd": "mkdir a.out && seq 3000 > a.out/long && cp in a.out/short",
        "deps": ["in"],
        "outs": ["a.out"],
    },
    "b": {"cmd": "cat a.out/* > b.out", "deps": ["a.out"], "outs": ["b.out"]},
    "c": {
        "cmd": "tr 0-9 a-j < b.out > c.txt",
        "deps": ["b.out"],
        "metrics": [{"c.txt": {"cache": False}}],
    },
}
LONG = "".join(f"{n}\n" for n in range(1, 3001))


# The calls that fail, from which one on, and the files that it must be about (any unless said).
MOMENTS = [
    *[("mkdir", first, ()) for first in (1, 3, 6, 8)],
    *[("rename", first, ()) for first in (1, 3, 6, 8)],
    *[("fsync", first, ()) for first in (1, 4)],
    ("pwrite64", 1, ()),  # the state database
    *[("write", 1, (path,)) for path in ("c.txt", ".dvc/tmp/lock", ".dvc/tmp/rwlock.lock")],
]


def run_at_quota(box, call, first, paths):
    """`mlctl run` in which such calls fail; its exit code and what it said."""
    which = [word for path in paths for word in ("-P", str(box.root / path))]
    inject = ["-e", f"trace={call}", "-e", f"inject={call}:error=EDQUOT:when={first}+"]
    done = subprocess.run(
        ["strace", "-f", "-qqq", "-o", "/dev/null", *which, *inject, *MLCTL, "run"],
        cwd=box.root,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_quota_at_any_moment(box):
    box.write("in", "0\n")
    box.stages(STAGES)
    box.commit()
    assert box.run("run")[0] == 0
    codes = []
    for number, (call, first, paths) in enumerate(MOMENTS, 1):
        box.write("in", f"{number}\n")
        code, said = run_at_quota(box, call, first, paths)
        codes.append(code)
        assert code in {0, 1, 3}, said
        assert ("Disk quota exceeded" in said) == bool(code), said
        assert "Traceback" not in said
        assert "Errno" not in said
        assert ".tmp" not in said
        lockfile.parse_text(box.read("dvc.lock"), name="dvc.lock")
        check_trusted(box.root)
        left = [p for p in box.root.rglob("*.tmp") if ".git" not in p.parts]
        assert not left, f"half written: {left}"
        code, said = box.run("run")
        assert code == 0, said
        assert box.read("b.out") == f"{LONG}{number}\n"
        assert json.loads(box.read(".dvc/tmp/rwlock")) == {"write": {}, "read": {}}
        assert not os.listdir(box.root / ".mlctl" / "journal")
        assert box.run("status", "--check")[0] == 0
    assert set(codes) == {0, 1, 3}  # without the state database a run does not fail
    assert box.dvc("status", "--json").stdout.strip() == "{}"
