"""What is about to be committed: the pointers in git's index, or in a commit.

In a hook the work tree may hold other data than the pointers that go into the commit.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from mlctl.adapters import git
from mlctl.errors import ConfigError

_PATTERNS = ("*.dvc", "dvc.lock", "*/dvc.lock", "dvc.yaml", "*/dvc.yaml")
_MADE_ELSEWHERE = ("repo", "db")  # deps of imports that DVC can fetch again, and never pushes


@dataclass(frozen=True, slots=True)
class StagedOut:
    """One out that a pointer records: `where` is the YAML path of its entry in `file`.

    `md5` is empty where no hash is recorded. `cached` says whether DVC's cache is to hold it,
    `pushed` whether a remote is to (the one called `remote`, if it names one), too.
    """

    file: str
    where: tuple[str | int, ...]
    path: str
    md5: str
    legacy: bool = False
    cached: bool = True
    pushed: bool = True
    remote: str | None = None

    @property
    def digest(self) -> str:
        """The hash with its kind, `md5:…`; empty where there is none, or one of DVC 2."""
        return f"md5:{self.md5}" if self.md5 and not self.legacy else ""


def is_lock(path: str) -> bool:
    return posixpath.basename(path) == "dvc.lock"


def is_pointer(path: str) -> bool:
    """Whether `path` is a `.dvc` file or a `dvc.lock`."""
    return is_lock(path) or (path.endswith(".dvc") and posixpath.basename(path) != ".dvc")


def listing(root: str, revision: str | None = None) -> list[git.Blob]:
    """The pointers below `root`, and the `dvc.yaml` files, which say where a lock's outs lie.

    From the index, or from the commit `revision`; those that are unmerged, too.
    """
    found = git.staged(root, *_PATTERNS) if revision is None else git.committed(root, revision)
    return [b for b in found if is_pointer(b.path) or posixpath.basename(b.path) == "dvc.yaml"]


def outs(text: str, file: str, rules: Mapping[tuple[str, str, str], StagedOut]) -> list[StagedOut]:
    """The outs that the pointer `file` records; `rules` (of `pipeline_rules`) are for its stages.

    A lock does not say which outs DVC caches: one without a rule counts as not cached. Raises
    ConfigError where it cannot be read.
    """
    if not is_lock(file):
        return _outs_of_pointer(text, file)
    from mlctl.pipeline import lockfile

    found = []
    for name, stage in lockfile.parse_text(text, name=file).stages.items():
        for index, item in enumerate(stage.outs):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(file), item.path))
            unknown = StagedOut(file, (), path, "", cached=False)
            rule = rules.get((file, name, item.path), unknown)
            md5 = item.digest.md5 if item.digest else ""
            legacy = bool(item.digest and item.digest.legacy)
            where = ("stages", name, "outs", index)
            found.append(replace(rule, where=where, md5=md5, legacy=legacy))
    return found


def _outs_of_pointer(text: str, file: str) -> list[StagedOut]:
    from mlctl.adapters import yaml

    data = yaml.load(text, name=file)
    listed = data.get("outs") if isinstance(data, dict) else None
    if not isinstance(listed, list) or not all(isinstance(out, dict) for out in listed):
        raise ConfigError("not a `.dvc` file: it has no outs", file=file, where="outs")
    folder = posixpath.join(posixpath.dirname(file), str(data.get("wdir") or "."))
    deps = [dep for dep in data.get("deps") or () if isinstance(dep, dict)]
    ours = not any(kind in dep for dep in deps for kind in _MADE_ELSEWHERE)
    return [
        StagedOut(
            file,
            ("outs", index),
            posixpath.normpath(posixpath.join(folder, str(out.get("path")))),
            str(out.get("md5") or ""),
            legacy="hash" not in out,
            cached=out.get("cache", True) is not False and ours,
            pushed=out.get("push", True) is not False and ours,
            remote=out.get("remote"),
        )
        for index, out in enumerate(listed)
    ]


def pipeline_rules(root: str) -> dict[tuple[str, str, str], StagedOut]:
    """For each out of a stage, by lock, stage and path: where it lies and who is to hold it.

    A lock does not say it. Raises ConfigError where the pipeline files of the work tree cannot be
    read.
    """
    from mlctl.pipeline.project import Project
    from mlctl.store.state import make_local_dir

    project = Project.open(root)
    rules = {
        (stage.record_file, stage.name, out.path): StagedOut(
            stage.record_file, (), out.key, "",
            cached=out.cache, pushed=out.push, remote=out.remote,
        )
        for stage in project.stages if stage.name is not None for out in stage.outs
    }  # fmt: skip
    with suppress(OSError):  # a read-only checkout has no memory
        make_local_dir(project.config.local_dir)
        project.save_state()
    return rules


def digests(root: str, listed: Sequence[git.Blob]) -> dict[str, str]:
    """What the pointers of a listing say of data: path -> `md5:…`.

    A pointer that is unmerged or cannot be read says nothing.
    """
    blobs = [blob for blob in listed if is_pointer(blob.path) and not blob.stage]
    rules: dict[tuple[str, str, str], StagedOut] = {}
    if any(is_lock(blob.path) for blob in blobs):
        with suppress(ConfigError):
            rules = pipeline_rules(root)
    found = {}
    for blob, data in zip(blobs, git.contents([b.oid for b in blobs], root), strict=True):
        for out in readable_outs(data, blob.path, rules):
            if out.digest:
                found[out.path] = out.digest
    return found


def readable_outs(data: bytes, file: str, rules: Mapping[Any, StagedOut]) -> Iterable[StagedOut]:
    """The outs of a pointer's bytes; none where it cannot be read."""
    try:
        return outs(data.decode("utf-8"), file, rules)
    except (ConfigError, UnicodeDecodeError):
        return ()
