"""Refreshing imports from where they came: `mlctl data update`."""

from __future__ import annotations

import os
from collections.abc import Sequence

from mlctl.data import pointer, tracking
from mlctl.data.elsewhere import update_by_dvc
from mlctl.data.importing import import_data
from mlctl.errors import InvalidInput
from mlctl.pipeline.project import Project


def update(
    root: str, paths: Sequence[str], *, rev: str | None = None, force: bool = False
) -> list[tracking.Added]:
    """Fetch each of `paths` (from the root) again from its origin.

    Raises InvalidInput for what was not imported, or whose origin cannot be found again.
    """
    stages = {stage.file: stage for stage in Project.open(root).stages}
    done = []
    for path in paths:
        file = pointer.pointer_of(path)
        if file not in stages:
            raise InvalidInput(f"{path}: no `.dvc` file tracks it")
        if stages[file].is_import:
            done.append(update_by_dvc(root, path, rev=rev))
            continue
        origin = pointer.read(root, file).origin
        text = origin.get("source")
        if text is None:
            raise InvalidInput(f"{path}: was not imported", hint="`mlctl data add` after an edit")
        if rev is not None:
            raise InvalidInput(f"{path}: {text} has no revisions")
        _require_place(root, path, text)
        query = origin.get("query")
        done.append(import_data(root, text, path, query=query, base=root, force=force).added)
    return done


def _require_place(root: str, path: str, text: str) -> None:
    scheme, _, name = text.partition(":")
    if scheme == "file" or (scheme == "sqlite" and not os.path.isfile(os.path.join(root, name))):
        raise InvalidInput(
            f"{path}: came from {name!r} outside of the repository, whose place is not recorded",
            hint=f"import it again from there: mlctl data import {scheme}:…/{name} {path} …",
        )
