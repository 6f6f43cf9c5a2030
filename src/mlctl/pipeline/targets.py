"""Targets as users type them: `train`, `train@a`, `sub/dvc.yaml:train`, `data.csv.dvc`, an out.

Pure. The grammar is DVC's (`dvc.utils.parse_target`); an out's path names the stage that writes it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from mlctl.errors import InvalidInput, did_you_mean
from mlctl.pipeline.spec import Stage


def resolve(
    stages: Sequence[Stage],
    targets: Sequence[str],
    *,
    cwd: str = "",
    glob: bool = False,
    recursive: bool = False,
) -> list[int]:
    """The indices of the stages that `targets` name, each once, in the order of the targets.

    `cwd` is the key of the folder that targets are relative to. Without targets: its `dvc.yaml`.
    Raises InvalidInput for a target that names nothing.
    """
    found: dict[int, None] = {}
    for target in targets or ["dvc.yaml"]:
        here = list(_resolve_one(stages, target, cwd, glob, recursive))
        if not here and target != "dvc.yaml":
            raise _unknown(stages, target, cwd)
        if not here and not any(s.file == _join(cwd, "dvc.yaml") for s in stages):
            raise InvalidInput(
                f"there is no dvc.yaml with stages in {cwd or 'the root of the project'}",
                hint="name a target, or use -P for all pipelines"
                if stages
                else "write one, or start from a template: `mlctl init`",
            )
        found.update(dict.fromkeys(here))
    return list(found)


def _resolve_one(
    stages: Sequence[Stage], target: str, cwd: str, glob: bool, recursive: bool
) -> Iterator[int]:
    if recursive:
        folder = _join(cwd, target)
        inside = [
            i for i, s in enumerate(stages) if folder == "" or s.file.startswith(folder + "/")
        ]
        if inside:
            yield from inside
            return
    file, name = split(target, glob=glob)
    key = _join(cwd, file)
    found = False
    for index, stage in enumerate(stages):
        if stage.file == key and (name is None or _named(stage, name, glob)):
            yield index
            found = True
    if not found and file == "dvc.yaml" and name == target:
        yield from _producer(stages, _join(cwd, target))


def split(target: str, *, glob: bool = False) -> tuple[str, str | None]:
    """The file and the stage name that a target means; no name means all of the file."""
    group, at, key = target.partition("@")
    if glob:
        group, at, key = target, "", ""
    path, colon, name = group.rpartition(":")
    if not colon:
        base = posixpath.basename(target)
        if base == "dvc.lock":
            raise InvalidInput(
                f"{target!r} is a lock", hint=f"did you mean {target[:-4] + 'yaml'!r}?"
            )
        if base == "dvc.yaml" or base.endswith(".dvc"):
            return target, None
        return "dvc.yaml", target
    return path or "dvc.yaml", (name + at + key) or None


def _named(stage: Stage, name: str, glob: bool) -> bool:
    if stage.name is None:
        return False
    if glob:
        return fnmatchcase(stage.name, name)
    return stage.name == name or stage.group == name


def _producer(stages: Sequence[Stage], key: str) -> Iterator[int]:
    for index, stage in enumerate(stages):
        if any(out.key == key or key.startswith(out.key + "/") for out in stage.outs):
            yield index


def _join(cwd: str, path: str) -> str:
    joined = posixpath.normpath(posixpath.join(cwd, path))
    return "" if joined == "." else joined


def _unknown(stages: Sequence[Stage], target: str, cwd: str) -> InvalidInput:
    file, name = split(target)
    key = _join(cwd, file)
    if not any(s.file == key for s in stages):
        known = sorted({s.file for s in stages})
        message = f"no stage or out is called {target!r} (there is no {key})"
    else:
        known = [n for s in stages if s.file == key for n in (s.name, s.group) if n]
        message = f"no stage or out is called {target!r} in {key}"
    hint = did_you_mean(name or target, known) or "`mlctl dag` shows the stages"
    return InvalidInput(message, hint=hint)
