"""Which features of `dvc.yaml` a case has: told from its files, so that what counts was drawn."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from conformance.cases import OPTIONS, Case
from conformance.pipelines import Pipeline, normal

EXECUTABLES = ("hardlink", "symlink", "copy")
FEATURES = (
    *(f"`{option}` of an out" for option in OPTIONS),
    "`vars` of a stage",
    "`vars` inside `do`",
    "`vars` beside `matrix`",
    "an out below a folder that a stage depends on",
    "an out two or more folders below one",
    "a dep inside of a folder that is an out",
    *(f"an executable, `cache.type` {kind}" for kind in EXECUTABLES),
    *(f"an executable in a folder, `cache.type` {kind}" for kind in EXECUTABLES),
)


def features(case: Case) -> frozenset[str]:
    """Those of `FEATURES` that the case has."""
    pipeline = Pipeline(normal(case))
    stages = [s for text in pipeline.files().values() for s in _stages(yaml.safe_load(text))]
    return frozenset((*_keys(stages), *_nesting(pipeline), *_executables(pipeline)))


def _stages(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each stage is made by, and its body."""
    for body in document["stages"].values():
        kind = next((kind for kind in ("do", "matrix") if kind in body), "")
        yield kind, body.get("do", body)


def _keys(stages: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    for kind, body in stages:
        if "vars" in body:
            yield {"do": "`vars` inside `do`", "matrix": "`vars` beside `matrix`"}.get(
                kind, "`vars` of a stage"
            )
        for out in (o for section in ("outs", "metrics", "plots") for o in body.get(section, ())):
            keys = next(iter(out.values())) if isinstance(out, dict) else {}
            yield from (f"`{key}` of an out" for key in keys if key in OPTIONS)


def _nesting(pipeline: Pipeline) -> Iterator[str]:
    made = [out for outs in pipeline.outs for out in outs]
    for dep, is_folder in (d for i in range(len(pipeline.outs)) for d in pipeline.deps_of(i)):
        for out in made:
            inner = _below(out.keys[0], dep) if is_folder else None
            if inner is not None:
                yield "an out below a folder that a stage depends on"
                if "/" in inner:
                    yield "an out two or more folders below one"
            if any(_below(dep, key) for key in out.keys):
                yield "a dep inside of a folder that is an out"


def _below(path: str, folder: str) -> str | None:
    """`path` as seen from `folder`, None where it is not below it."""
    inner = posixpath.relpath(path, folder)
    return None if inner == "." or inner.startswith("../") else inner


def _executables(pipeline: Pipeline) -> Iterator[str]:
    if pipeline.case.config in EXECUTABLES:
        kinds = {out.kind for outs in pipeline.outs for out in outs}
        if "tool" in kinds:
            yield f"an executable, `cache.type` {pipeline.case.config}"
        if "tool folder" in kinds:
            yield f"an executable in a folder, `cache.type` {pipeline.case.config}"
