"""What this machine has to share: memory and GPUs."""

from __future__ import annotations

import os

from mlctl.adapters.process import call
from mlctl.errors import NotAble


def memory() -> int | None:
    """Bytes of physical memory, where the system tells."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def gpus() -> tuple[str, ...]:
    """The GPUs that stages may use: those of CUDA_VISIBLE_DEVICES, or all that the driver lists."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(part.strip() for part in visible.split(",") if part.strip() not in {"", "-1"})
    try:
        listed = call(["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"], check=False)
    except NotAble:
        return ()
    return tuple(line.strip() for line in listed.stdout.splitlines()) if listed.code == 0 else ()
