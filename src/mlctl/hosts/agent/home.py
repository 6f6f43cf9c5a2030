"""Where a host keeps what is mlctl's: one folder of the user, on a local file system."""

from __future__ import annotations

import os
import re
from typing import Match

# Locks there are slow, lie, or are not seen by other machines: state never goes on these.
REMOTE_SYSTEMS = {
    "9p", "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "glusterfs", "gpfs",
    "lustre", "ncpfs", "nfs", "nfs4", "orangefs", "pvfs2", "smb3", "smbfs", "virtiofs",
}  # fmt: skip
FOLDERS = ("envs", "jobs", "objects", "tmp", "whole")
_OCTAL = re.compile(rb"\\([0-7]{3})")  # how the kernel writes a space, and the like


class Unusable(Exception):
    """No folder can be had; the message says which were tried, and why not."""


def find(wanted: str | None = None) -> str:
    """The folder: `wanted`, `$MLCTL_HOME`, or the first of the usual places that will do.

    Raises Unusable.
    """
    asked = wanted or os.environ.get("MLCTL_HOME")
    tried = []
    for place in [asked] if asked else places():
        path = os.path.abspath(os.path.expanduser(place))
        problem = _problem(path)
        if problem is None:
            for folder in FOLDERS:
                os.makedirs(os.path.join(path, folder), mode=0o700, exist_ok=True)
            return path
        tried.append("{}: {}".format(place, problem))
    raise Unusable("; ".join(tried))


def places() -> list[str]:
    """The usual places, best first."""
    return ["~/.mlctl-host", "/var/tmp/mlctl-{}".format(os.getuid())]


def _problem(path: str) -> str | None:
    """Why `path` will not do, or None; it is made where it can be."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError as error:
        return error.strerror
    status = os.stat(path)
    if status.st_uid != os.getuid():
        return "belongs to another user"
    if not os.access(path, os.W_OK | os.X_OK):
        return "not writable"
    kind = file_system(path)
    if kind in REMOTE_SYSTEMS:
        return "lies on {}, where locks cannot be relied on".format(kind)
    return None


def file_system(path: str) -> str | None:
    """The type of the file system that `path` lies on, or None where the system does not tell."""
    path = os.path.realpath(path)
    best = ""
    kind: str | None = None
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            for line in file:
                left, _, right = line.partition(b" - ")
                mount = os.fsdecode(_OCTAL.sub(_byte, left.split(b" ")[4]))
                inside = path == mount or path.startswith(mount.rstrip("/") + "/")
                if inside and len(mount) >= len(best):
                    best, kind = mount, right.split(b" ")[0].decode()
    except OSError:
        return None
    return kind


def _byte(found: Match[bytes]) -> bytes:
    return bytes([int(found.group(1), 8)])
