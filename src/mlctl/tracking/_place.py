"""Where the process is: in a stage or not, in which project, and which one of several."""

from __future__ import annotations

import os
import sys
import time
from typing import Optional

RUN, RUN_DIR, STAGE, PARAMS = "MLCTL_RUN", "MLCTL_RUN_DIR", "MLCTL_STAGE", "MLCTL_PARAMS"
_MARKS = (".dvc", "mlctl.yaml", ".git")
_RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "LOCAL_RANK")
_SIZES = ("WORLD_SIZE", "SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # of a ULID: Crockford's base 32


def project_root() -> str:
    """The nearest folder at or above the current one with a project in it, else the current one."""
    start = folder = os.getcwd()
    while not any(os.path.exists(os.path.join(folder, mark)) for mark in _MARKS):
        parent = os.path.dirname(folder)
        if parent == folder:
            return start
        folder = parent
    return folder


def make_local_dir(root: str) -> str:
    """`.mlctl` of a project, made where it is not there, with a `.gitignore` of `*`."""
    local = os.path.join(root, ".mlctl")
    os.makedirs(local, exist_ok=True)
    try:
        with open(os.path.join(local, ".gitignore"), "x", encoding="utf-8") as file:
            file.write("*\n")
    except FileExistsError:
        pass
    return local


def new_id() -> str:
    """A ULID: 48 bits of milliseconds since 1970, 80 of chance."""
    number = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join(_LETTERS[number >> shift & 31] for shift in range(125, -1, -5))


def rank() -> int:
    """Which of the processes that train one model together this is."""
    distributed = sys.modules.get("torch.distributed")
    try:
        if distributed is not None and distributed.is_initialized():
            return int(distributed.get_rank())
    except Exception:  # a build of torch without it
        return _first_number(*_RANKS) or 0
    return _first_number(*_RANKS) or 0


def group() -> Optional[str]:
    """What names the processes that train one model together, alike in all; None for one alone."""
    if (_first_number(*_SIZES) or 1) < 2:
        return None
    job = os.environ.get("SLURM_JOB_ID")
    if job and (_first_number("SLURM_NTASKS") or 1) > 1:
        return f"slurm-{job}-{os.environ.get('SLURM_STEP_ID', '')}"
    parent = os.getppid()
    return f"{parent}-{_start_of(parent)}-{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}"


def _start_of(pid: int) -> str:
    """When a process began, in whatever unit; empty where the system has no `/proc`."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _first_number(*names: str) -> Optional[int]:
    for name in names:
        value = os.environ.get(name, "")
        if value.isdigit():
            return int(value)
    return None
