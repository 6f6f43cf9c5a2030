"""The work tree of a job: made from objects, and what the job left in it made objects again."""

from __future__ import annotations

import json
import os
import stat
from typing import Any, Iterable, Iterator, Mapping, Tuple

from mlctl.hosts.agent import disk
from mlctl.hosts.agent.jobs import Job
from mlctl.hosts.agent.objects import TRUSTED, Damaged, Objects, file_md5, hard_link

_NO_OUT = ".dvcignore"  # DVC refuses it in an out
_Data = Tuple[str, str, bool, bool]  # path, MD5, executable, and whether it must be a copy


class Missing(Exception):
    """An out was not written."""


def build(job: Job, objects: Objects, spec: Mapping[str, Any]) -> None:
    """Make the work tree of `spec`: code as copies, data as links to objects that are read-only.

    Raises OSError, also where an object is gone.
    """
    folders: set[str] = set()

    def place(path: str, md5: str, executable: bool, copy: bool) -> None:
        target = os.path.join(job.work, path)
        folder = os.path.dirname(target)
        if folder not in folders:
            os.makedirs(folder, exist_ok=True)
            folders.add(folder)
        if os.path.lexists(target):
            os.unlink(target)
        if not objects.has(md5):
            raise FileNotFoundError(2, "its object is gone", path)
        source = objects.path(md5)
        if copy or executable or not hard_link(source, target):
            disk.copy(source, target)
            os.chmod(target, 0o755 if executable else 0o644)

    os.makedirs(job.work, exist_ok=True)
    code = objects.code(spec["code"])
    for path, md5, executable in code["files"]:
        place(path, md5, executable, copy=True)
    for data in _data(objects, spec):
        place(*data)
    _make_links(job, code["links"])
    needed = [dep["path"] for dep in spec["deps"] if dep["md5"].endswith(".dir")]
    needed += [os.path.dirname(out["path"]) for out in spec["outs"]]
    for folder in [*needed, spec["wdir"]]:
        os.makedirs(os.path.join(job.work, folder), exist_ok=True)


def _make_links(job: Job, links: Iterable[Tuple[str, str]]) -> None:
    for path, points_to in links:
        target = os.path.join(job.work, path)
        if not os.path.lexists(target):  # else there is data, or it was made before
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.symlink(points_to, target)


def touched(job: Job, objects: Objects, spec: Mapping[str, Any]) -> list[str]:
    """Paths of deps that the job changed; objects that it damaged through links are no more."""
    found = []
    for path, md5, executable, copy in _data(objects, spec):
        target = os.path.join(job.work, path)
        try:
            if executable or copy or os.stat(target).st_mtime_ns == TRUSTED:
                continue
        except OSError:  # it was removed, which harms no object
            continue
        if not objects.has(md5) or file_md5(target) != md5:
            found.append(path)
    return found


def _data(objects: Objects, spec: Mapping[str, Any]) -> Iterator[_Data]:
    """The files of the deps."""
    for dep in spec["deps"]:
        copy = dep.get("copy", False)
        if not dep["md5"].endswith(".dir"):
            yield dep["path"], dep["md5"], dep.get("isexec", False), copy
            continue
        executables = set(dep.get("executables", ()))
        for relpath, md5 in objects.listing(dep["md5"]):
            yield dep["path"] + "/" + relpath, md5, relpath in executables, copy


def collect(job: Job, objects: Objects, outs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """`{path: {md5, size, nfiles, isexec}}` of the job's outs, each an object now.

    Raises Missing, and Damaged where one changes meanwhile or is no file or folder.
    """
    found = {}
    for out in outs:
        path = os.path.join(job.work, out["path"])
        if os.path.isdir(path):
            found[out["path"]] = _folder(job, objects, path)
        elif os.path.exists(path):
            md5, size = _take(job, objects, path)
            found[out["path"]] = {"md5": md5, "size": size, "isexec": _executable(path)}
        else:
            raise Missing(out["path"])
    objects.sync()
    return found


def _folder(job: Job, objects: Objects, path: str) -> dict[str, Any]:
    """As DVC sees a folder: links to other folders are not followed."""
    entries: list[tuple[str, str]] = []
    total = 0
    for folder, _, files in os.walk(path, onerror=_raise):
        for name in files:
            file = os.path.join(folder, name)
            if name == _NO_OUT:
                raise Damaged("{} cannot be in an out".format(_short(job, file)))
            md5, size = _take(job, objects, file)
            relpath = os.path.relpath(file, path).replace(os.sep, "/")
            entries.append((relpath, md5))
            total += size
    entries.sort()
    # DVC's bytes (dvc_data.hashfile.tree.Tree.as_bytes): its MD5 is the folder's id.
    listing = json.dumps([{"md5": md5, "relpath": relpath} for relpath, md5 in entries])
    tree = objects.put(listing.encode(), ".dir")
    return {"md5": tree, "size": total, "nfiles": len(entries), "isexec": False}


def _take(job: Job, objects: Objects, path: str) -> tuple[str, int]:
    """Make the file an object; what lies outside of the work tree is left as it is."""
    real = os.path.realpath(path)
    if not os.path.exists(real):
        raise Damaged("{} is a link to nothing".format(_short(job, path)))
    if not stat.S_ISREG(os.stat(real).st_mode):
        raise Damaged("{} is neither a file nor a folder".format(_short(job, path)))
    inside = real.startswith(os.path.realpath(job.work) + os.sep)
    return objects.take(real, link=inside)


def _short(job: Job, path: str) -> str:
    return os.path.relpath(path, job.work)


def _raise(error: OSError) -> None:
    raise error


def _executable(path: str) -> bool:
    return bool(os.stat(path).st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH))
