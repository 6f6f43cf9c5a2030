"""The objects of a run in DVC's cache: its outs, the data it read, what it logged."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from mlctl.adapters.git import tracked
from mlctl.data.versions.wanted import Wanted
from mlctl.experiments.query import load_stages, read_part
from mlctl.pipeline.spec import Out, Stage
from mlctl.records.run import RunHead, run_folder
from mlctl.records.run_artifacts import parse_artifacts
from mlctl.records.run_stages import FileRecord
from mlctl.store.cache import Cache
from mlctl.store.config import load_config
from mlctl.store.digest import Digest
from mlctl.store.state import State

_KINDS = {"md5": False, "md5-dos2unix": True}


@dataclass(frozen=True, slots=True)
class RunObject:
    """A file or folder by its digest. `key` is what people know it by; `is_dep` that it was only
    read, so that it may be a file of git's, which no cache has.
    """

    key: str
    digest: Digest
    is_dep: bool = False


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
    found = [*_of_stages(root, head), *_of_logs(root, head)]
    return list({(it.digest.md5, it.digest.legacy): it for it in reversed(found)}.values())[::-1]


def in_git(root: str, objects: Iterable[RunObject]) -> set[str]:
    """The keys of those objects that git tracks (metrics, as a rule), so that no cache need."""
    keys = {it.key for it in objects if not os.path.isabs(it.key)}
    return tracked(sorted(keys), root)


def wanted(items: Iterable[RunObject]) -> list[Wanted]:
    """The objects as outs that `data push` and `data fetch` know how to move."""
    stage = Stage(file="run", name="run")
    return [Wanted(stage, Out(it.key, it.key), it.digest) for it in items]


def _of_stages(root: str, head: RunHead) -> Iterator[RunObject]:
    stages = load_stages(root, head.id)
    for is_dep in (False, True):
        for stage in stages:
            for file in stage.deps if is_dep else stage.outs:
                yield from _objects(file.path, file, is_dep)


def _of_logs(root: str, head: RunHead) -> Iterator[RunObject]:
    if head.full is not None:
        whole = FileRecord("metrics.jsonl", head.full.digest, head.full.size)
        yield from _objects("metrics.jsonl", whole, False)
    data = read_part(root, head.id, "artifacts.jsonl")
    if data is not None:
        name = f"{run_folder(head.id)}/artifacts.jsonl"
        for it in parse_artifacts(data.decode("utf-8", "replace"), name=name):
            if it.path is None:
                yield from _objects(it.name, FileRecord(it.name, it.digest, it.size), False)


def _objects(key: str, file: FileRecord, is_dep: bool) -> Iterator[RunObject]:
    kind, _, md5 = (file.digest or "").partition(":")
    if kind in _KINDS:
        digest = Digest(md5, file.size, file.nfiles, legacy=_KINDS[kind])
        yield RunObject(key, digest, is_dep)
