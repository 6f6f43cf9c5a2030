"""The work tree of a job: made from objects, and what the job left in it made objects again."""

from __future__ import annotations

import json
import os
import shutil
import stat
from typing import Any, Dict, Iterable, Mapping, Tuple

from mlctl.hosts.agent.jobs import Job
from mlctl.hosts.agent.objects import Damaged, Objects

Links = Dict[str, Tuple[str, int]]  # path -> the object's path and its mtime_ns


class Missing(Exception):
    """An out was not written."""


def build(job: Job, objects: Objects, spec: Mapping[str, Any]) -> Links:
    """Make the work tree of `spec`: code as copies, data as links to objects that are read-only.

    Returns `{path: (object's path, mtime_ns)}` of the links, for `touched`.
    """
    linked: Links = {}
    folders: set[str] = set()

    def place(path: str, md5: str, executable: bool, copy: bool) -> None:
        target = os.path.join(job.work, path)
        folder = os.path.dirname(target)
        if folder not in folders:
            os.makedirs(folder, exist_ok=True)
            folders.add(folder)
        source = objects.path(md5)
        if os.path.lexists(target):
            os.unlink(target)
        if copy or executable or not _link(source, target):
            shutil.copyfile(source, target)
            os.chmod(target, 0o755 if executable else 0o644)
        else:
            linked[path] = (source, os.stat(source).st_mtime_ns)

    os.makedirs(job.work, exist_ok=True)
    with open(objects.path(spec["code"]), "rb") as file:
        for path, md5, executable in json.loads(file.read().decode()):
            place(path, md5, executable, copy=True)
    for dep in spec["deps"]:
        if dep["md5"].endswith(".dir"):
            os.makedirs(os.path.join(job.work, dep["path"]), exist_ok=True)
            for relpath, md5 in objects.listing(dep["md5"]):
                place(dep["path"] + "/" + relpath, md5, False, copy=dep.get("copy", False))
        else:
            place(dep["path"], dep["md5"], dep.get("isexec", False), copy=dep.get("copy", False))
    os.makedirs(os.path.join(job.work, spec["wdir"]), exist_ok=True)
    for out in spec["outs"]:
        os.makedirs(os.path.dirname(os.path.join(job.work, out["path"])), exist_ok=True)
    return linked


def touched(linked: Links) -> list[str]:
    """Paths of links whose object was written to through them; those objects are no more."""
    found = []
    for path, (source, mtime) in linked.items():
        try:
            if os.stat(source).st_mtime_ns != mtime:
                found.append(path)
                os.unlink(source)
        except FileNotFoundError:
            continue
    return found


def collect(job: Job, objects: Objects, outs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """`{path: {md5, size, nfiles, isexec}}` of the job's outs, each an object now.

    Raises Missing, and Damaged where one changes meanwhile.
    """
    found = {}
    for out in outs:
        path = os.path.join(job.work, out["path"])
        if os.path.isdir(path):
            found[out["path"]] = _folder(objects, path)
        elif os.path.exists(path):
            md5, size = objects.take(os.path.realpath(path))
            found[out["path"]] = {"md5": md5, "size": size, "isexec": _executable(path)}
        else:
            raise Missing(out["path"])
    objects.sync()
    return found


def _folder(objects: Objects, path: str) -> dict[str, Any]:
    entries: list[tuple[str, str]] = []
    total = 0
    for folder, _, files in os.walk(path, followlinks=True):
        for name in files:
            file = os.path.join(folder, name)
            if not os.path.exists(file):
                raise Damaged("{} is a link to nothing".format(file))
            md5, size = objects.take(os.path.realpath(file))
            relpath = os.path.relpath(file, path).replace(os.sep, "/")
            entries.append((relpath, md5))
            total += size
    entries.sort()
    # DVC's bytes (dvc_data.hashfile.tree.Tree.as_bytes): its MD5 is the folder's id.
    listing = json.dumps([{"md5": md5, "relpath": relpath} for relpath, md5 in entries])
    tree = objects.put(listing.encode(), ".dir")
    return {"md5": tree, "size": total, "nfiles": len(entries), "isexec": False}


def _executable(path: str) -> bool:
    return bool(os.stat(path).st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH))


def _link(source: str, target: str) -> bool:
    try:
        os.link(source, target)
    except OSError:
        return False
    return True
