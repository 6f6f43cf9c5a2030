"""What the cache must hold: the outs that locks and `.dvc` files record.

Each file is read by itself, so that one that cannot be read hides nothing of the others.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from mlctl.adapters.files import read_text
from mlctl.errors import ConfigError, Unmerged
from mlctl.pipeline import lockfile
from mlctl.pipeline.load import load_dvc_file, load_pipeline_file
from mlctl.pipeline.project import discover
from mlctl.pipeline.spec import Digest, LockedStage, Stage, lock_key
from mlctl.store.config import Config
from mlctl.store.ignore import Ignore


@dataclass(frozen=True, slots=True)
class Need:
    """One out whose content the cache must hold; `stage` is what makes it, None for data."""

    out: str
    digest: Digest
    file: str
    stage: str | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A pipeline, lock or `.dvc` file that cannot be read, and why."""

    file: str
    problem: str
    hint: str | None


@dataclass(frozen=True, slots=True)
class Needs:
    """All needs of a repository; `files` are the pipeline and `.dvc` files that were looked at."""

    outs: tuple[Need, ...]
    unreadable: tuple[Unreadable, ...]
    files: tuple[str, ...]
    locks: int


def read_needs(config: Config, ignore: Ignore) -> Needs:
    """What the current locks and `.dvc` files of the repository need."""
    needs: list[Need] = []
    unreadable: list[Unreadable] = []
    files = discover(config, ignore)
    locks = 0
    for key in files:
        try:
            if os.path.basename(key) != "dvc.yaml":
                needs += _needs_of(load_dvc_file(config.root, key), None)
                continue
            locked: dict[str, LockedStage] = {}
            if os.path.exists(os.path.join(config.root, lock_key(key))):
                locks += 1
                locked = _read_lock(config, lock_key(key), unreadable)
            for stage in load_pipeline_file(config.root, key).stages:
                needs += _needs_of(stage, locked.get(stage.name or ""))
        except ConfigError as error:
            unreadable.append(_unreadable(error))
        except FileNotFoundError:
            continue  # deleted since it was listed
    return Needs(tuple(needs), tuple(unreadable), tuple(files), locks)


def _read_lock(config: Config, key: str, unreadable: list[Unreadable]) -> dict[str, LockedStage]:
    try:
        text = read_text(os.path.join(config.root, key), name=key)
        return dict(lockfile.parse_text(text, name=key).stages)
    except Unmerged as error:
        unreadable.append(_unreadable(error))
        from mlctl.pipeline import mending

        try:
            merge = mending.merged(config, key)
        except ConfigError:
            return {}
        return dict(merge.stages) if merge else {}
    except ConfigError as error:
        unreadable.append(_unreadable(error))
        return {}


def _unreadable(error: ConfigError) -> Unreadable:
    return Unreadable(error.file, str(error), error.hint)


def _needs_of(stage: Stage, locked: LockedStage | None) -> list[Need]:
    recorded = {item.path: item.digest for item in locked.outs} if locked else {}
    maker = stage.address if stage.cmd is not None else None
    found = []
    for out in stage.outs:
        digest = recorded.get(out.path) if stage.name is not None else out.digest
        if out.cache and "://" not in out.key and digest is not None and digest.md5:
            found.append(Need(out.key, digest, stage.record_file, maker))
    return found
