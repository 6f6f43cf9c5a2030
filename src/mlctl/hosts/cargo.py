"""What travels to a host for a stage: the code as it stands, and the deps, all by content.

The code is every file that git tracks or would track, dirty or not, without what is named like a
secret and without the folders of records. A repository without git sends nothing but the deps.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlctl.adapters.git import git
from mlctl.errors import AnswerNo, InvalidInput
from mlctl.hosts.packing import Source
from mlctl.records.secrets import is_secret
from mlctl.store.hashing import file_md5, is_executable
from mlctl.store.observed import Observed
from mlctl.store.state import signature
from mlctl.store.tree import tree_bytes
from mlctl.store.workspace import Workspace

# Written by mlctl and read by no stage; all that they hold would travel anew after each run.
_RECORDS = ("runs", "reports", "profiles", "studies", ".mlctl", ".dvc")
_LOCK = "dvc.lock"


@dataclass
class Cargo:
    """The code's listing and the deps of one stage; `sources` has every object that they name.

    Paths are from the top of the work tree on the host, which is git's; `prefix` leads from there
    to the DVC root.
    """

    prefix: str
    code: str
    deps: list[dict[str, Any]] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    folders: dict[str, Observed] = field(default_factory=dict)

    def add(self, data: bytes) -> str:
        """Send `data` along; its id."""
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        self.sources[md5] = data
        return md5

    def add_file(self, workspace: Workspace, path: str) -> str:
        """Send the file at `path` along; its id."""
        began, sign = time.time_ns(), signature(os.stat(path))
        md5 = workspace.state.get(path, sign)
        if md5 is None:
            md5 = file_md5(path)
            workspace.state.put_many([(path, sign, md5)], began=began)
        self.sources[md5] = path
        return md5

    def source(self, md5s: Iterable[str]) -> dict[str, Source]:
        """Where each of `md5s` is to be had; what folders list is only looked up when asked for."""
        wanted = [md5 for md5 in md5s if md5 not in self.sources]
        if wanted:
            for tree, folder in self.folders.items():
                listing = tree_bytes((entry.relpath, entry.md5) for entry in folder.entries)
                self.sources[tree] = listing
                for entry in folder.entries:
                    self.sources.setdefault(entry.md5, entry.path)
        return {md5: self.sources[md5] for md5 in md5s}


def load(workspace: Workspace, reads: Sequence[str], writes: Sequence[str]) -> Cargo:
    """The cargo of a stage that reads and writes these keys (from the DVC root).

    Raises AnswerNo for a dep that is missing, InvalidInput for one that cannot be sent.
    """
    top = workspace.config.git_root or workspace.root
    prefix = os.path.relpath(workspace.root, top).replace(os.sep, "/")
    prefix = "" if prefix == "." else prefix + "/"
    sources: dict[str, Source] = {}
    code: dict[str, Any] = {"files": [], "links": []}
    if workspace.config.git_root is not None:
        skipped = [prefix + key for key in writes]
        code["files"], code["links"] = _code(workspace, top, prefix, skipped)
        for path, md5, _ in code["files"]:
            sources.setdefault(md5, os.path.join(top, path))
    cargo = Cargo(prefix, "", sources=sources)
    cargo.code = cargo.add(json.dumps(code).encode())
    for key in reads:
        _add_dep(cargo, workspace, key)
    return cargo


def _add_dep(cargo: Cargo, workspace: Workspace, key: str) -> None:
    if "://" in key:
        return  # read from where it is
    if key.startswith(("/", "../")):
        raise InvalidInput(
            f"{key!r} lies outside of the repository, so it cannot be sent to a host",
            hint="track it inside, or run the stage here",
        )
    seen = workspace.observe(key)
    if seen is None:
        raise AnswerNo(f"{key!r} does not exist")
    digest = seen.digest
    dep: dict[str, Any] = {"path": cargo.prefix + key, "md5": digest.md5}
    if digest.isexec:
        dep["isexec"] = True
    cargo.deps.append(dep)
    if digest.isdir:
        cargo.folders[digest.md5] = seen
        if seen.executables:
            dep["executables"] = sorted(seen.executables)
    else:
        cargo.sources[digest.md5] = seen.path


def _code(
    workspace: Workspace, top: str, prefix: str, skipped: Sequence[str]
) -> tuple[list[tuple[str, str, bool]], list[tuple[str, str]]]:
    """`(path, MD5, executable)` of the files of the code, and `(path, target)` of links, sorted.

    Only links within the repository are links on the host, too; of others the file is sent.
    """
    began = time.time_ns()
    files, links, learned = [], [], []
    for path in sorted(path for path in _listed(top) if _is_code(path, prefix, skipped)):
        file = os.path.join(top, path)
        if os.path.islink(file):
            target = os.path.relpath(os.path.realpath(file), os.path.realpath(top))
            if target.split("/", 1)[0] != "..":
                if not is_secret(target):
                    links.append((path, os.path.relpath(target, os.path.dirname(path))))
                continue
            if is_secret(os.path.realpath(file)):
                continue
        try:
            status = os.stat(file)
        except OSError:  # deleted, or a link to nothing
            continue
        if not stat.S_ISREG(status.st_mode):
            continue  # a link to a folder outside
        sign = signature(status)
        md5 = workspace.state.get(file, sign)
        if md5 is None:
            md5 = file_md5(file)
            learned.append((file, sign, md5))
        files.append((path, md5, is_executable(status.st_mode)))
    workspace.state.put_many(learned, began=began)
    return files, links


def _listed(top: str) -> set[str]:
    """The paths of what git tracks or would track, also in repositories within this one."""
    options = ("-z", "--cached", "--others", "--exclude-standard")
    found = set()
    for path in git("ls-files", *options, cwd=top).stdout.split("\0"):
        inner = os.path.join(top, path)
        if path and os.path.isdir(inner) and not os.path.islink(inner):
            if os.path.exists(os.path.join(inner, ".git")):
                found |= {os.path.join(path, below) for below in _listed(inner)}
        elif path:
            found.add(path)
    return found


def _is_code(path: str, prefix: str, skipped: Sequence[str]) -> bool:
    if path.rsplit("/", 1)[-1] == _LOCK or is_secret(path):
        return False
    if any(path == out or path.startswith(out + "/") for out in skipped):
        return False
    return not path.startswith(prefix) or path[len(prefix) :].split("/", 1)[0] not in _RECORDS
