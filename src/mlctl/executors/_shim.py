"""`import mlctl` within reach of stages of any Python (docs/adr/0016-tracking-on-the-path.md).

A folder for PYTHONPATH with one package in it: a copy of `mlctl.tracking`, and the few lines that
step aside where the stage's Python has an mlctl of its own.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

from mlctl import __version__
from mlctl.adapters.files import remove_tree, replacing
from mlctl.store.state import make_local_dir

_PACKAGE = Path(__file__).parents[1]
_FACE = _PACKAGE / "tracking" / "_shim.py"  # what becomes `mlctl/__init__.py`


@cache
def files() -> dict[str, bytes]:
    """The files of the folder: relative POSIX path -> content, the same for one mlctl."""
    face = _FACE.read_bytes() + f"\n    __version__ = {__version__!r}\n".encode()
    found = {"mlctl/__init__.py": face, "mlctl/.shim": b""}
    for path in sorted((_PACKAGE / "tracking").glob("*.py")):
        if path != _FACE:
            found[f"mlctl/tracking/{path.name}"] = path.read_bytes()
    return found


def path_with_tracking(path: str, local_dir: str) -> str:
    """`path`, a value of PYTHONPATH (empty where there is none), with the folder at its end."""
    folder = os.path.join(local_dir, "python")
    try:
        _keep(folder, local_dir)
    except OSError:  # what only some stages need must not stop the others
        return path
    return f"{path}{os.pathsep}{folder}" if path else folder


def _keep(folder: str, local_dir: str) -> None:
    """Have `folder` be a link to what this mlctl would write there; others never see half of it."""
    name = f"python-{_digest()[:16]}"
    if os.path.islink(folder) and os.readlink(folder) == name:
        return
    make_local_dir(local_dir)
    target = os.path.join(local_dir, name)
    if not os.path.isdir(target):
        _write(target)
    with replacing(folder) as temporary:
        os.symlink(name, temporary)


def _write(target: str) -> None:
    temporary = f"{target}.{os.getpid()}.tmp"
    for name, content in files().items():
        path = os.path.join(temporary, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
    try:
        os.rename(temporary, target)
    except OSError:  # another process was quicker
        remove_tree(temporary)
        if not os.path.isdir(target):
            raise


@cache
def _digest() -> str:
    digest = hashlib.sha256()
    for name, content in files().items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
