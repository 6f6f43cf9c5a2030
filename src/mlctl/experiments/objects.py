"""The objects of a run in DVC's cache: its outs, the data it read, what it logged."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from mlctl.adapters.git import tracked
from mlctl.data.versions.wanted import Wanted
from mlctl.experiments.query import load_stages, read_part
from mlctl.pipeline.spec import Out, Stage
from mlctl.records.run import RunHead, run_folder
from mlctl.records.run_artifacts import Artifact, parse_artifacts
from mlctl.records.run_stages import FileRecord, StageRecord, parse_stages
from mlctl.store.cache import Cache
from mlctl.store.config import load_config
from mlctl.store.digest import Digest
from mlctl.store.state import State
from mlctl.store.verify import Object

STAGES, ARTIFACTS = "stages.jsonl", "artifacts.jsonl"
_METRICS = "metrics.jsonl"
_KINDS = {"md5": False, "md5-dos2unix": True}


@dataclass(frozen=True, slots=True)
class RunObject:
    """A file or folder by its digest. `key` is what people know it by; `is_dep` that it was only
    read, so that it may be a file of git's, which no cache has.
    """

    key: str
    digest: Digest
    is_dep: bool = False

    @property
    def top(self) -> Object:
        """Its object in a cache: the file, or the folder's listing."""
        return Object(self.digest.md5, self.digest.legacy)


@contextmanager
def open_cache(root: str) -> Iterator[Cache]:
    """The cache that the runs of the project at `root` keep their objects in."""
    config = load_config(root)
    if not os.path.isdir(os.path.join(root, ".dvc")):  # as `keeping` has it
        config = replace(config, cache_dir=os.path.join(config.local_dir, "cache"))
        yield Cache(config)
        return
    state = State(config.local_dir)
    try:
        yield Cache(config, state)
    finally:
        state.close()


def run_objects(root: str, head: RunHead) -> list[RunObject]:
    """The objects that a run's record names, each once; outs first.

    Raises ConfigError or InvalidInput for a record that is damaged.
    """
    stages = load_stages(root, head.id)
    data = read_part(root, head.id, ARTIFACTS)
    name = f"{run_folder(head.id)}/{ARTIFACTS}"
    logged = parse_artifacts(data.decode("utf-8", "replace"), name=name) if data else ()
    return _objects(head, stages, logged)


def objects_in(head: RunHead, files: Mapping[str, bytes]) -> list[RunObject]:
    """The same of a record whose files, by name, are at hand. Raises ConfigError."""
    stages = parse_stages(files.get(STAGES, b"").decode("utf-8", "replace"), name=STAGES)
    logged = parse_artifacts(files.get(ARTIFACTS, b"").decode("utf-8", "replace"), name=ARTIFACTS)
    return _objects(head, stages, logged)


def in_git(root: str, objects: Iterable[RunObject]) -> set[str]:
    """The keys of those objects that git tracks (metrics, as a rule), so that no cache need."""
    keys = {it.key for it in objects if not os.path.isabs(it.key)}
    return tracked(sorted(keys), root)


def wanted(items: Iterable[RunObject]) -> list[Wanted]:
    """The objects as outs that `data push` and `data fetch` know how to move."""
    stage = Stage(file="run", name="run")
    return [Wanted(stage, Out(it.key, it.key), it.digest) for it in items]


def _objects(
    head: RunHead, stages: Sequence[StageRecord], logged: Iterable[Artifact]
) -> list[RunObject]:
    files = [file for stage in stages for file in stage.outs]
    if head.full is not None:
        files.append(FileRecord(_METRICS, head.full.digest, head.full.size))
    files += [FileRecord(it.name, it.digest, it.size) for it in logged if it.path is None]
    deps = [file for stage in stages for file in stage.deps]
    found = [_object(file) for file in files] + [_object(file, is_dep=True) for file in deps]
    by_digest = {(it.digest.md5, it.digest.legacy): it for it in reversed(found) if it is not None}
    return list(by_digest.values())[::-1]


def _object(file: FileRecord, *, is_dep: bool = False) -> RunObject | None:
    kind, _, md5 = (file.digest or "").partition(":")
    if kind not in _KINDS:
        return None
    return RunObject(file.path, Digest(md5, file.size, file.nfiles, legacy=_KINDS[kind]), is_dep)
