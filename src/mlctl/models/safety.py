"""Model files that run code when they are loaded: only those that the repository vouches for.

A pickle (joblib, `torch.save`) can do anything when it is read. It is taken for safe where git or
DVC tracks it and its bytes are those that were committed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from typing import Any

from mlctl.adapters import yaml
from mlctl.adapters.files import read_text
from mlctl.adapters.git import git
from mlctl.errors import InvalidInput, MlctlError
from mlctl.store.config import find_root, load_config
from mlctl.store.hashing import file_md5


def require_trust(path: str, *, trust: bool) -> None:
    """Raises InvalidInput where `path` is not vouched for and `trust` (the user's word) is off."""
    if trust or tracked_by_git(path) or tracked_by_dvc(path):
        return
    raise InvalidInput(
        f"{path}: this format can run any code when it is loaded, and neither git nor DVC tracks"
        " the file with these bytes",
        hint="track it with `mlctl data add` or run its stage; --trust loads it all the same",
    )


def tracked_by_git(path: str) -> bool:
    """Whether HEAD holds the file with the bytes that it has now."""
    folder, name = os.path.split(os.path.abspath(path))
    committed = git("rev-parse", "-q", "--verify", f"HEAD:./{name}", cwd=folder, check=False)
    if committed.code:
        return False
    now = git("hash-object", "--", name, cwd=folder, check=False)
    return now.code == 0 and now.stdout == committed.stdout


def tracked_by_dvc(path: str) -> bool:
    """Whether a `.dvc` file or a `dvc.lock` at or above the file holds its digest."""
    folder, name = os.path.split(os.path.abspath(path))
    target = os.path.join(os.path.realpath(folder), name)  # the file may be a link to the cache
    try:
        root = os.path.realpath(find_root(os.path.dirname(target)))
    except MlctlError:
        return False
    md5 = file_md5(target)
    for out, digest in _outs(os.path.dirname(target), root):
        if out == target and digest == md5:
            return True
        if target.startswith(out + os.sep) and digest.endswith(".dir"):
            return _listed(root, digest, os.path.relpath(target, out)) == md5
    return False


def _outs(folder: str, root: str) -> Iterator[tuple[str, str]]:
    """(absolute path, md5) of all that DVC tracks by files in `folder` and above, up to `root`."""
    while True:
        for name in sorted(os.listdir(folder)):
            if name == "dvc.lock" or name.endswith(".dvc"):
                file = os.path.join(folder, name)
                if os.path.isfile(file):
                    yield from _outs_of(file)
        if folder == root or os.path.dirname(folder) == folder:
            return
        folder = os.path.dirname(folder)


def _outs_of(file: str) -> Iterator[tuple[str, str]]:
    data: Any = yaml.load(read_text(file), name=file)
    if not isinstance(data, dict):
        return
    folder = os.path.join(os.path.dirname(file), str(data.get("wdir") or "."))
    stages = data.get("stages")
    holders = list(stages.values()) if isinstance(stages, dict) else [data]
    for holder in holders:
        for out in (holder.get("outs") or []) if isinstance(holder, dict) else []:
            if isinstance(out.get("path"), str) and isinstance(out.get("md5"), str):
                yield os.path.normpath(os.path.join(folder, out["path"])), out["md5"]


def _listed(root: str, tree: str, relpath: str) -> str | None:
    """The MD5 of one file of a tracked folder, by the listing in the cache, itself checked."""
    cache = load_config(root).cache_dir
    try:
        with open(os.path.join(cache, "files", "md5", tree[:2], tree[2:]), "rb") as file:
            data = file.read()
    except OSError:
        return None
    if hashlib.md5(data, usedforsecurity=False).hexdigest() != tree.removesuffix(".dir"):
        return None
    wanted = relpath.replace(os.sep, "/")
    return next((e["md5"] for e in json.loads(data) if e.get("relpath") == wanted), None)
