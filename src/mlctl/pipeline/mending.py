"""A `dvc.lock` in which git left conflict markers: what it holds once it is merged.

`merged` reads and judges; `mend` writes it down, for the verbs that write locks anyway.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from mlctl.adapters.files import read_text, write_text
from mlctl.adapters.git import git
from mlctl.errors import ConfigError
from mlctl.pipeline import lockmerge
from mlctl.pipeline.events import Emit, Notice
from mlctl.pipeline.lockmerge import Merge
from mlctl.store.config import Config
from mlctl.store.locks import repo_lock

_SHOWN = 5  # names in a sentence


def merged(config: Config, key: str) -> Merge | None:
    """The merge of the lock `key`, or None where it holds no markers (any more).

    git's unmerged index has the three whole versions; the markers have them only as far as git
    merged the rest of the text, so they are asked where the index has none.
    """
    path = os.path.join(config.root, key)
    text = read_text(path, name=key) if os.path.exists(path) else ""
    if not lockmerge.has_markers(text):
        return None
    found = _from_index(config, key)
    if found is not None:
        base, *sides = found
        try:
            return lockmerge.merge_texts(base, sides, name=key)
        except ConfigError:
            pass  # the markers may leave more of it, and know what to say if not
    return lockmerge.merge_marked(text, name=key)


def mend(config: Config, keys: Iterable[str], emit: Emit) -> None:
    """Write what the locks `keys` hold once merged, and tell it."""
    for key in keys:
        with repo_lock(config):
            merge = merged(config, key)
            if merge is not None:
                write_text(os.path.join(config.root, key), merge.text)
        if merge is not None:
            emit(Notice(summary(key, merge), "info"))


def summary(key: str, merge: Merge) -> str:
    """One line: which stages' entries of the lock were kept, and which are derived again."""
    parts = []
    if merge.kept:
        parts.append(f"kept {_names(merge.kept)}")
    if merge.dropped:
        parts.append(f"to be derived again: {_names(merge.dropped)} (both sides changed them)")
    found = "; ".join(parts) or "the sides agree"
    return f"{key}: merge conflict resolved stage by stage: {found}"


def _names(names: Sequence[str]) -> str:
    if len(names) <= _SHOWN + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_SHOWN])} and {len(names) - _SHOWN} more"


def _from_index(config: Config, key: str) -> tuple[str, str, str] | None:
    """The base (empty where there is none) and both sides, as git's index has them."""
    if config.git_root is None:
        return None
    listed = git("ls-files", "-u", "-z", "--", f":(literal){key}", cwd=config.root, check=False)
    objects = {}
    for line in listed.stdout.split("\0"):
        if line:
            _mode, blob, stage = line.partition("\t")[0].split(" ")
            objects[stage] = git("cat-file", "blob", blob, cwd=config.root, check=False).stdout
    if "2" not in objects or "3" not in objects:
        return None
    return objects.get("1", ""), objects["2"], objects["3"]


def merge_files(base: str, ours: str, theirs: str, name: str) -> Merge:
    """Put the merge of three lock files into `ours`, as a git merge driver does.

    Raises ConfigError, and leaves `ours` as it is, where it cannot be merged by stage.
    """
    old, mine, other = (read_text(path, name=name) for path in (base, ours, theirs))
    merge = lockmerge.merge_texts(old, (mine, other), name=name)
    if merge.text != mine:
        write_text(ours, merge.text, durable=False)
    return merge
