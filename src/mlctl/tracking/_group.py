"""Processes that train one model together agree on one run, though none of them started the others.

The first of them to come names it in a file whose own name all of them know.
"""

from __future__ import annotations

import os

from ._place import make_local_dir, new_id


def agreed_id(root: str, group: str, number: int) -> str:
    """The id of the `number`th run that a group of processes begins. Raises OSError."""
    path = _path(root, group, number)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    mine = f"{path}.{os.getpid()}"
    with open(mine, "w", encoding="ascii") as file:
        file.write(new_id())
    try:
        os.link(mine, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(mine)
    with open(path, encoding="ascii") as file:
        return file.read()


def forget_agreement(root: str, group: str, number: int) -> None:
    """Remove the file, when the run is over."""
    try:
        os.unlink(_path(root, group, number))
    except OSError:
        return


def _path(root: str, group: str, number: int) -> str:
    return os.path.join(make_local_dir(root), "tmp", f"ranks-{group}-{number}")
