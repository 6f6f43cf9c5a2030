"""Experiments of DVC: the commits that `refs/exps/<commit>/<name>` keep.

Parameters are those that dvc.lock has, and params.yaml; metrics are in the files that dvc.yaml
names, as far as git has them.
"""

from __future__ import annotations

import posixpath
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from mlctl.adapters import yaml
from mlctl.adapters.git import Blob, committed, contents, git
from mlctl.errors import MlctlError
from mlctl.experiments.foreign import ForeignRun, Found, Unread
from mlctl.experiments.naming import flat, merged

SOURCE = "dvc"
_REFS = "refs/exps"
_OWN = ("stash", "exec", "celery", "apply", "temp")  # what DVC keeps there for itself


def claims(path: str) -> bool:
    """Whether the repository at `path` has experiments of DVC."""
    return any(True for _ in _experiments(path))


def read(path: str) -> Iterator[Found]:
    """The experiments of the repository that `path` lies in."""
    for ref, commit, seconds in _experiments(path):
        try:
            yield _run(path, ref, commit, seconds)
        except (MlctlError, ValueError, AttributeError, TypeError) as error:
            yield Unread(ref, str(error), damaged=True)


def _experiments(path: str) -> Iterator[tuple[str, str, float]]:
    """Each ref, its commit, and when that was made."""
    form = "%(refname) %(objectname) %(committerdate:unix)"
    try:
        said = git("for-each-ref", f"--format={form}", _REFS, cwd=path, check=False)
    except (OSError, MlctlError):
        return
    for line in said.stdout.splitlines() if said.code == 0 else ():
        ref, commit, seconds = line.rsplit(" ", 2)
        parts = ref.split("/")
        if len(parts) >= 5 and parts[2] not in _OWN:
            yield ref, commit, float(seconds or 0)


def _run(path: str, ref: str, commit: str, seconds: float) -> ForeignRun:
    _, _, two, rest, name = ref.split("/", 4)
    blobs = {blob.path: blob for blob in committed(path, commit)}
    locks = _parsed(path, blobs, lambda key: posixpath.basename(key) == "dvc.lock")
    pipelines = _parsed(path, blobs, lambda key: posixpath.basename(key) == "dvc.yaml")
    wanted = {key for file, data in pipelines.items() for key in _metrics_of(file, data)}
    metrics = _parsed(path, blobs, wanted.__contains__)
    return ForeignRun(
        SOURCE,
        commit,
        seconds,
        seconds,
        name=name,
        params=_params(locks, _parsed(path, blobs, "params.yaml".__eq__)),
        metrics=merged({file: dict(_numbers(data)) for file, data in metrics.items()}),
        commit=two + rest,
    )


def _parsed(path: str, blobs: Mapping[str, Blob], wanted: Any) -> dict[str, Any]:
    """The data in those files of the commit that are wanted."""
    keys = [key for key in blobs if wanted(key)]
    data = contents([blobs[key].oid for key in keys], path)
    return {key: _parse(key, it) for key, it in zip(keys, data, strict=True)}


def _parse(key: str, data: bytes) -> Any:
    text = data.decode("utf-8", "replace")
    return tomllib.loads(text) if key.endswith(".toml") else yaml.load(text, name=key)


def _metrics_of(file: str, data: Any) -> Iterator[str]:
    """The keys of the metrics files that a dvc.yaml names, by itself or as outs of its stages."""
    if not isinstance(data, dict):
        return
    folder = posixpath.dirname(file)
    for owner in (data, *_stages(data)):
        where = (
            posixpath.join(folder, str(owner.get("wdir") or "")) if owner is not data else folder
        )
        for entry in owner.get("metrics") or []:
            name = next(iter(entry), "") if isinstance(entry, dict) else str(entry)
            yield posixpath.normpath(posixpath.join(where, name))


def _stages(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for stage in (data.get("stages") or {}).values():
        if isinstance(stage, dict):
            yield stage.get("do", stage) if isinstance(stage.get("do", stage), dict) else stage


def _params(locks: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    by_file: dict[str, dict[str, Any]] = {
        file: flat(data) for file, data in whole.items() if isinstance(data, dict)
    }
    for lock, data in locks.items():
        for stage in ((data or {}).get("stages") or {}).values():
            for file, values in (stage.get("params") or {}).items():
                key = posixpath.normpath(posixpath.join(posixpath.dirname(lock), file))
                by_file.setdefault(key, {}).update(flat(values))
    return merged(by_file)


def _numbers(value: Any) -> Iterator[tuple[str, float]]:
    for name, it in flat(value).items() if isinstance(value, dict) else ():
        if isinstance(it, int | float) and not isinstance(it, bool):
            yield name, it
