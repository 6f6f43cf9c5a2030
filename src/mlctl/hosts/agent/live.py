"""What a job's processes log while it runs (`import mlctl`): the folder `live` of the job.

Lines are told to who follows the job as they come, and at the job's end every file is an object, so
that it travels as outs do. The module that the processes import lies in the job's folder `modules`.
"""

from __future__ import annotations

import json
import os
import stat
from typing import Any, Iterator, Mapping

from mlctl.hosts.agent import wire
from mlctl.hosts.agent.jobs import Job
from mlctl.hosts.agent.objects import Damaged, Objects

LINES = ".jsonl"  # files that grow by whole lines, and are told of while they do


def environment(job: Job, environment: Mapping[str, str]) -> dict[str, str]:
    """What a job's processes are told of the place where they log."""
    told = {"MLCTL_RUN_DIR": _folder(job)}
    modules = job.path("modules")
    if os.path.exists(modules):
        before = environment.get("PYTHONPATH")
        told["PYTHONPATH"] = before + os.pathsep + modules if before else modules
    return told


def unpack(job: Job, objects: Objects, md5: str) -> None:
    """Write the modules of the object `md5` (JSON: path -> text) into the job's folder."""
    with open(objects.path(md5), "rb") as file:
        texts: Mapping[str, str] = json.loads(file.read().decode())
    for path, text in texts.items():
        target = os.path.join(job.path("modules"), path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file_:
            file_.write(text)


def collect(job: Job, objects: Objects) -> bool:
    """Make objects of what was logged, listed in the job's `live.json`; whether there was any."""
    found = {}
    for path in _files(job):
        try:
            md5, size = objects.take(os.path.join(_folder(job), path), link=False)
        except (Damaged, OSError):  # unreadable, or still written to: the others are kept
            continue
        found[path] = {"md5": md5, "size": size}
    if found:
        objects.sync()
        job.record("live.json", found)
    return bool(found)


class News:
    """Lines that were not told yet; `told` are the bytes of each file that the client has."""

    def __init__(self, job: Job, told: Mapping[str, int]) -> None:
        self._folder = _folder(job)
        self._told = dict(told)

    def frames(self) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """A frame for each file that has grown by a line."""
        try:
            names = os.listdir(self._folder)
        except OSError:  # nothing is logged
            return
        for name in sorted(names):
            if not name.endswith(LINES):
                continue
            offset = self._told.get(name, 0)
            data = _read(os.path.join(self._folder, name), offset)
            whole = data[: data.rfind(b"\n") + 1]
            if not whole and len(data) == wire.CHUNK:  # one very long line
                whole = data
            if whole:
                self._told[name] = offset + len(whole)
                text = whole.decode("latin-1")  # JSON holds no bytes: a character for each
                yield wire.LINES, {"file": name, "offset": offset, "text": text}


def _read(path: str, offset: int) -> bytes:
    """Some bytes of a file that a job's processes made: of whatever kind it is, nothing may fail
    or wait for it.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return b""
            return os.pread(handle, wire.CHUNK, offset)
        finally:
            os.close(handle)
    except OSError:
        return b""


def _folder(job: Job) -> str:
    return job.path("live")


def _files(job: Job) -> list[str]:
    """The regular files below the folder, as POSIX paths."""
    top = _folder(job)
    found = []
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                found.append(os.path.relpath(path, top).replace(os.sep, "/"))
    return sorted(found)
