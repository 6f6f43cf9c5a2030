"""What must hold of DVC's cache whatever happened."""

from __future__ import annotations

import hashlib
from pathlib import Path


def check_trusted(root: Path) -> None:
    """Every object that is read-only, which means *trusted*, has its hash."""
    for path in (root / ".dvc" / "cache" / "files" / "md5").glob("??/[!.]*"):
        if path.stat().st_mode & 0o777 == 0o444:
            md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
            wanted = path.parent.name + path.name.removesuffix(".dir")
            assert md5 == wanted, f"a trusted object is torn: {path}"
