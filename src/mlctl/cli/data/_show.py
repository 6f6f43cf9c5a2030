"""How the verbs of `mlctl data` show what they tracked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlctl.reports.scales import size_text

if TYPE_CHECKING:
    from mlctl.data.tracking import Added


def described(item: Added) -> str:
    """`1.2 MB, 3 files, md5 1a2b3c4d`."""
    files = f", {item.files} files" if item.md5.endswith(".dir") else ""
    return f"{size_text(item.size)}{files}, md5 {item.md5[:8]}"
