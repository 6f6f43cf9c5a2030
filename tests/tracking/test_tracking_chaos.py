"""Many processes log at once and are killed at random: no finished line is lost, all are read."""

import random
import signal
import struct
import subprocess
from collections import Counter

from e2e.sandbox import wait_until
from mlctl.experiments import live
from tracking.pythons import OURS

WORKER = """
import os, struct, sys
import mlctl
number, count = int(sys.argv[1]), 0
done = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
while True:
    mlctl.log({f"a{number}": count, "loss": 1 / (count + 1), "text": "no number"}, step=count)
    count += 1
    os.pwrite(done, struct.pack("q", count), 0)
"""
PROCESSES = 64  # half of them share a file, as workers of one process do, the others have ranks


def test_killed_at_random(project, tmp_path):
    run = project.root / ".mlctl" / "live" / "01M8EMWS9SCFKZV1DW58K7G1PM"
    (project.root / "worker.py").write_text(WORKER)
    counts = [tmp_path / f"count{number}" for number in range(PROCESSES)]
    workers = [
        subprocess.Popen(
            [OURS, "-S", "worker.py", str(number), path],
            cwd=project.root,
            env=project.environment(
                MLCTL_STAGE="train", MLCTL_RUN_DIR=str(run / "train"), RANK=str(max(number - 31, 0))
            ),
            stderr=subprocess.DEVNULL,
        )
        for number, path in enumerate(counts)
    ]
    try:
        order = random.sample(range(PROCESSES), PROCESSES)
        for number in order:
            wait_until(lambda path=counts[number]: done(path) > random.randrange(50), 120)
            workers[number].send_signal(signal.SIGKILL)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()

    finished = [done(path) for path in counts]
    assert min(finished) > 0
    found = Counter()
    sources = live.sources(str(project.root), run.name)
    for line in live.step_lines(sources, 0.0):
        (name,) = line.metrics.keys() - {"loss"}
        assert line.metrics[name] == line.step == found[name]  # none is missing in between
        found[name] += 1
    for number, count in enumerate(finished):
        assert count <= found[f"a{number}"] <= count + 1


def done(path):
    """How many calls a worker says have returned."""
    content = path.read_bytes() if path.exists() else b""
    return struct.unpack("q", content)[0] if len(content) == 8 else 0
