"""What a job made or logged in a folder of its own, apart from cache and workspace."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from mlctl.adapters.files import copy_file, remove_tree, replacing
from mlctl.errors import AnswerNo, InvalidInput
from mlctl.hosts.channel import Refused
from mlctl.hosts.client import Host
from mlctl.store.tree import parse_tree


def fetch_outs(host: Host, job: str, folder: str) -> list[str]:
    """Fetch the outs of `job` into the new `folder`; their paths in it.

    Raises InvalidInput where the folder exists, AnswerNo for a job that has made nothing.
    """
    if os.path.lexists(folder):
        raise InvalidInput(f"{folder} exists", hint="name a folder that does not")
    try:
        outs = host.call("outs", job=job)
    except Refused as refused:
        raise AnswerNo(f"job {job} has no outs: it has not ended well") from refused
    objects = f"{folder}.objects"

    def place(md5: str) -> str:
        return os.path.join(objects, md5)

    try:
        first = sorted({out["md5"] for out in outs.values()})
        list(host.get(first, place))
        files: dict[str, str] = {}
        for path, out in outs.items():
            if out["md5"].endswith(".dir"):
                with open(place(out["md5"]), "rb") as file:
                    entries = parse_tree(file.read(), path)
                files.update({f"{path}/{entry.relpath}": entry.md5 for entry in entries})
            else:
                files[path] = out["md5"]
        list(host.get(sorted(set(files.values()) - set(first)), place))
        _copy_all(files, place, folder)
    finally:
        remove_tree(objects)
    return sorted(outs)


def fetch_logged(host: Host, job: str, folder: str) -> None:
    """Bring what the processes of an ended job logged into `folder`, in place of its mirror."""
    logged = host.call("live", job=job)
    files = {path: file["md5"] for path, file in logged.items() if _stays_inside(path)}
    objects = f"{folder}.objects"

    def place(md5: str) -> str:
        return os.path.join(objects, md5)

    try:
        list(host.get(sorted(set(files.values())), place))
        _copy_all(files, place, folder)
    finally:
        remove_tree(objects)


def _stays_inside(path: str) -> bool:
    """Whether a path that a host gave leads nowhere else."""
    return not os.path.isabs(path) and ".." not in path.split("/")


def _copy_all(files: Mapping[str, str], place: Callable[[str], str], folder: str) -> None:
    for path, md5 in files.items():
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with replacing(target) as temporary:
            copy_file(place(md5), temporary)
