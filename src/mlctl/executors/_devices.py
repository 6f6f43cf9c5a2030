"""What this machine has to share: memory and GPUs."""

from __future__ import annotations

import os
from collections.abc import Sequence

from mlctl.adapters.process import call
from mlctl.errors import NotAble


def memory() -> int | None:
    """Bytes of physical memory, where the system tells."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def visible(gpus: Sequence[str]) -> dict[str, str]:
    """The variables that show a stage these `gpus`, as `gpus()` names them, and no other.

    The driver numbers by bus and CUDA by speed unless told otherwise, so that on a machine of
    unlike GPUs one number means two of them. Where the user chose, the numbers are the user's.
    Source: CUDA C++ Programming Guide, CUDA_DEVICE_ORDER.
    """
    shown = {"CUDA_VISIBLE_DEVICES": ",".join(gpus)}
    if "CUDA_VISIBLE_DEVICES" not in os.environ:
        shown["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    return shown


def gpus() -> tuple[str, ...]:
    """The GPUs that stages may use: those of CUDA_VISIBLE_DEVICES, or all that the driver lists."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return tuple(part.strip() for part in chosen.split(",") if part.strip() not in {"", "-1"})
    try:
        listed = call(["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"], check=False)
    except NotAble:
        return ()
    return tuple(line.strip() for line in listed.stdout.splitlines()) if listed.code == 0 else ()
