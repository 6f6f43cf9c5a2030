"""What may go: jobs that their client has fetched, and objects that no job needs."""

from __future__ import annotations

import os
import shutil
import time
from typing import Any

from mlctl.hosts.agent import disk
from mlctl.hosts.agent.jobs import Job, names
from mlctl.hosts.agent.objects import Objects

_UNDER_WAY = 3600.0  # seconds for which a half of a transfer may still grow


def collect(home: str, days: float, *, dry: bool) -> dict[str, Any]:
    """Remove what may go; how much of each there was.

    A job may go when it has ended, its client has all of it, and that was `days` ago. An object may
    go when no job that stays needs it and it was made `days` ago, an environment when it was not
    used since then and nothing runs.
    """
    with disk.against_gc(home, shared=False):
        oldest = time.time() - days * 86400
        gone = [name for name in names(home) if _may_go(Job(home, name), oldest)]
        kept = set(names(home)) - set(gone)
        needed: set[str] = set()
        for name in kept:
            needed |= _needs(Job(home, name), Objects(home))
        objects, size = _unneeded(home, needed, oldest)
        leftovers = _leftovers(home, oldest)
        busy = any(Job(home, name).end() is None for name in kept)
        environments = [] if busy else _environments(home, oldest)
        if not dry:
            for path in environments + [Job(home, name).folder for name in gone]:
                shutil.rmtree(path, onerror=_force)
            if objects:
                Objects(home).forget_folders()
            for path in leftovers + objects:
                disk.remove(path)
        return {
            "jobs": gone,
            "objects": len(objects),
            "bytes": size,
            "leftovers": len(leftovers),
            "environments": len(environments),
        }


def _may_go(job: Job, oldest: float) -> bool:
    try:
        if not job.exists():  # its making was cut off
            return os.stat(job.folder).st_mtime < oldest
        acked = os.stat(job.path("acked")).st_mtime
    except FileNotFoundError:
        return False
    return job.end() is not None and acked < oldest


def _needs(job: Job, objects: Objects) -> set[str]:
    """The objects of a job: its code, its deps and its outs, with what folders list."""
    if not job.exists():
        return set()
    spec = job.spec()
    named = {spec["code"], *(spec.get(name) for name in ("requirements", "modules", "uv"))}
    needed = named - {None} | {dep["md5"] for dep in spec["deps"]}
    if objects.has(spec["code"]):
        needed |= {md5 for _, md5, _ in objects.code(spec["code"])["files"]}
    for made in ("outs.json", "live.json"):
        needed |= {file["md5"] for file in (disk.read(job.path(made)) or {}).values()}
    for md5 in list(needed):
        if md5.endswith(".dir") and objects.has(md5):
            needed |= {inner for _, inner in objects.listing(md5)}
    return needed


def _unneeded(home: str, needed: set[str], oldest: float) -> tuple[list[str], int]:
    found: list[str] = []
    size = 0
    for folder, _, files in os.walk(os.path.join(home, "objects")):
        for name in files:
            path = os.path.join(folder, name)
            status = os.stat(path)
            if os.path.basename(folder) + name not in needed and status.st_ctime <= oldest:
                found.append(path)
                size += status.st_size
    return found, size


def _environments(home: str, oldest: float) -> list[str]:
    """Environments that no job has used since, and those whose making was cut off."""
    folder = os.path.join(home, "envs")
    found = []
    for path in filter(os.path.isdir, (os.path.join(folder, name) for name in os.listdir(folder))):
        ready = os.path.join(path, ".ready")
        used = ready if os.path.exists(ready) else path
        if os.stat(used).st_mtime <= oldest and not disk.is_held(path + ".lock"):
            found.append(path)
    return found


def _leftovers(home: str, oldest: float) -> list[str]:
    """Halves of transfers that were cut off, and programs of builds that were."""
    oldest = min(oldest, time.time() - _UNDER_WAY)
    paths = []
    for place, ending in (("tmp", ""), ("envs", ".uv")):
        folder = os.path.join(home, place)
        names_ = (name for name in os.listdir(folder) if name.endswith(ending))
        paths += [os.path.join(folder, name) for name in names_]
    return [path for path in paths if os.stat(path).st_mtime <= oldest]


def _force(_function: Any, path: str, _error: Any) -> None:
    """A job may leave folders that are read-only; what still cannot be removed stays."""
    try:
        os.chmod(os.path.dirname(path), 0o700)
        os.chmod(path, 0o700)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.unlink(path)
    except OSError:
        pass
