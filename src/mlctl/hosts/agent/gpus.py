"""What the driver says of the GPUs: which there are, what they do, and who uses them."""

from __future__ import annotations

import subprocess
from typing import Any, Sequence

FIELDS = ("uuid", "index", "name", "memory.total", "memory.used", "utilization.gpu", "power.draw")
_PATIENCE = 20  # seconds: a driver that hangs must not hang us


class Gpu:
    """One GPU at one moment. Memory is in MiB, utilization in percent, power in watts."""

    def __init__(self, values: Sequence[str]) -> None:
        self.uuid, self.index, self.name = values[0], int(values[1]), values[2]
        self.memory, self.used, self.busy, self.power = (_number(value) for value in values[3:])
        self.users: tuple[int, ...] = ()  # process ids

    def to_dict(self) -> dict[str, Any]:
        return dict(vars(self), users=list(self.users))


def seen() -> dict[str, Gpu]:
    """All GPUs by their UUID, in the driver's order; none where there is no driver."""
    lines = _ask("--query-gpu=" + ",".join(FIELDS))
    found: dict[str, Gpu] = {}
    for line in lines:
        values = [value.strip() for value in line.split(",")]
        if len(values) == len(FIELDS) and values[1].isdigit():
            found[values[0]] = Gpu(values)
    for line in _ask("--query-compute-apps=gpu_uuid,pid") if found else ():
        uuid, _, pid = (part.strip() for part in line.partition(","))
        if uuid in found and pid.isdigit():
            found[uuid].users += (int(pid),)
    return found


def driver() -> tuple[str | None, str | None]:
    """`(driver version, newest CUDA version that it can run)`, None for what is not told."""
    versions = _ask("--query-gpu=driver_version")
    cuda = None
    for line in _run(["nvidia-smi"]):
        if "CUDA Version:" in line:
            cuda = line.partition("CUDA Version:")[2].split()[0]
    return (versions[0].strip() if versions else None), cuda


def _ask(query: str) -> list[str]:
    return _run(["nvidia-smi", query, "--format=csv,noheader,nounits"])


def _run(argv: Sequence[str]) -> list[str]:
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.decode(errors="replace").splitlines() if done.returncode == 0 else []


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:  # [N/A], [Not Supported]
        return None
