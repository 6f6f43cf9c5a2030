"""Paths as users write them, seen from the repository's root."""

from __future__ import annotations

import os

from mlctl.errors import InvalidInput


def from_root(root: str, path: str) -> str:
    """`path` (from the working directory) as a POSIX path from `root`, a `.dvc` ending taken off.

    Raises InvalidInput for the root itself and for what lies outside of it.
    """
    key = os.path.relpath(os.path.abspath(path), root).replace(os.sep, "/")
    if key == "." or key == ".." or key.startswith("../"):
        raise InvalidInput(f"{path}: not inside of the repository {root}")
    return key.removesuffix(".dvc") if key.endswith(".dvc") else key
