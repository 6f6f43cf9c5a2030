"""Which files hold metrics and parameters, and what is in them, as `dvc` means it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from mlctl.adapters import yaml
from mlctl.errors import MlctlError
from mlctl.outputs.trees import Tree
from mlctl.outputs.values import FileValues, metrics_only, named, parse
from mlctl.pipeline.project import Project


def metrics(tree: Tree, targets: Sequence[str] = ()) -> list[FileValues]:
    """The metrics files (or the files `targets`, as keys) with their numbers and words."""
    keys = [out.key for stage in tree.stages for out in stage.outs if out.kind == "metric"]
    keys += [key for file in tree.files for key in file.metrics]
    return [_metrics(tree, key) for key in _expanded(tree, targets or keys)]


def params(tree: Tree, targets: Sequence[str] = (), *, deps_only: bool = False) -> list[FileValues]:
    """The params files (or the files `targets`, as keys) with the parameters that stages use.

    A file of a top-level `params` list, and the root's `params.yaml`, is taken whole; with
    `deps_only` only what stages depend on.
    """
    wanted: dict[str, list[str] | None] = {}
    for key, names in _wanted(tree, targets, deps_only=deps_only):
        known = wanted.get(key, [])
        wanted[key] = None if not names or known is None else [*known, *names]
    return [
        _params(tree, file, names or ())
        for key, names in wanted.items()
        for file in tree.expand(key)
    ]


def _wanted(
    tree: Tree, targets: Sequence[str], *, deps_only: bool
) -> Iterable[tuple[str, Sequence[str]]]:
    if targets:
        yield from ((target, ()) for target in targets)
        return
    for stage in tree.stages:
        yield from ((dep.key, dep.names) for dep in stage.params)
    if deps_only:
        return
    for file in tree.files:
        yield from ((key, ()) for key in file.params)
    if tree.has("params.yaml"):
        yield "params.yaml", ()


def _metrics(tree: Tree, key: str) -> FileValues:
    try:
        return FileValues(key, metrics_only(parse(tree.text(key), key, yaml.load)))
    except MlctlError as error:
        return FileValues(key, error=str(error))


def _params(tree: Tree, key: str, names: Sequence[str]) -> FileValues:
    try:
        return FileValues(key, named(parse(tree.text(key), key, yaml.load), names))
    except MlctlError as error:
        return FileValues(key, error=str(error))


def _expanded(tree: Tree, keys: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(file for key in keys for file in tree.expand(key)))


def keys(project: Project, paths: Sequence[str]) -> list[str]:
    """The keys of paths that a user wrote, seen from the folder where the command started."""
    here = os.path.join(project.root, project.cwd)
    found = [os.path.relpath(os.path.join(here, path), project.root) for path in paths]
    return [path.replace(os.sep, "/") for path in found]
