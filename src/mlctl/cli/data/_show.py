"""How the verbs of `mlctl data` show sizes and digests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlctl.data.tracking import Added


def described(item: Added) -> str:
    """`1.2 MB, 3 files, md5 1a2b3c4d`."""
    files = f", {item.files} files" if item.md5.endswith(".dir") else ""
    return f"{size_text(item.size)}{files}, md5 {item.md5[:8]}"


def size_text(size: int) -> str:
    """`size` in bytes with a decimal unit, as disks and DVC's remotes count."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
