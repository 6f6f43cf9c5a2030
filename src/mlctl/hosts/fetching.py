"""The outs of a job in a folder of their own, apart from cache and workspace."""

from __future__ import annotations

import os

from mlctl.adapters.files import copy_file, remove_tree
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
        for path, md5 in files.items():
            target = os.path.join(folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            copy_file(place(md5), target)
    finally:
        remove_tree(objects)
    return sorted(outs)
