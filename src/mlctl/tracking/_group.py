"""Processes that train one model together agree on one run, though none of them started the others.

The first of them to come names it in a file whose own name all of them know.
"""

from __future__ import annotations

import os
import time

from ._place import make_local_dir, new_id

_PREFIX = "ranks-"
_OLD = 7 * 86_400.0  # seconds after which no process of a group begins a run any more


def agreed_id(root: str, group: str, number: int) -> str:
    """The id of the `number`th run that a group of processes begins. Raises OSError."""
    folder = os.path.join(make_local_dir(root), "tmp")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{_PREFIX}{group}-{number}")
    mine = f"{path}.{os.getpid()}"
    with open(mine, "w", encoding="ascii") as file:
        file.write(new_id())
    try:
        os.link(mine, path)
        _forget_old(folder)
    except FileExistsError:
        pass
    finally:
        os.unlink(mine)
    with open(path, encoding="ascii") as file:
        return file.read()


def _forget_old(folder: str) -> None:
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name.startswith(_PREFIX) and os.stat(path).st_mtime < time.time() - _OLD:
            os.unlink(path)
