"""Importing data: fetch from a source, put it at a path, track it, and keep its origin."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from mlctl import plugins
from mlctl.adapters import clock
from mlctl.adapters.files import copy_file, replacing
from mlctl.data import pointer, source, tracking
from mlctl.errors import InvalidInput
from mlctl.pipeline.project import Project
from mlctl.store.hashing import file_md5


@dataclass(frozen=True, slots=True)
class Imported:
    """An import's end; `added.change` is `unchanged` where the source gave the same bytes again."""

    added: tracking.Added
    origin: Mapping[str, Any]


def import_data(root: str, text: str, path: str, *, force: bool = False) -> Imported:
    """Import the source `text` (`sklearn:wine`, a URL, a file) to `path` (from the root).

    A file at `path` that is not tracked, or was changed since, is only overwritten with `force`.
    Raises InvalidInput for wrong arguments, NotAble where the source cannot be had.
    """
    scheme, reference = source.split(text)
    plugin = cast(
        "source.Source",
        plugins.load("mlctl.data.sources", scheme, kind="data source", extra=_extra(scheme)),
    )
    tracking.check_may_be_tracked(Project.open(root), path)
    target = Path(root, path)
    if target.is_dir():
        raise InvalidInput(f"{path}: is a folder", hint="name the file to write")
    with tempfile.TemporaryDirectory(prefix="mlctl-import-") as folder:
        fetched = plugin.fetch(reference, Path(folder))
        ready = _in_format_of(fetched.file, target)
        same = target.is_file() and file_md5(str(ready)) == file_md5(str(target))
        if not same:
            if not force:
                _refuse_to_lose(root, path)
            with replacing(target) as temporary:
                copy_file(ready, temporary)
    added = tracking.add(root, [path])[0]
    return Imported(added, _keep_origin(root, path, fetched, added))


def _extra(scheme: str) -> str | None:
    return "sklearn" if scheme == "sklearn" else None


def _in_format_of(file: Path, target: Path) -> Path:
    """`file` itself, or converted where `target` has another table format's ending."""
    if file.suffix.lower() == target.suffix.lower():
        return file
    from mlctl.adapters import tables

    if file.suffix.lower() not in tables.FORMATS or target.suffix.lower() not in tables.FORMATS:
        return file
    converted = file.with_name(f"converted{target.suffix}")
    tables.write(tables.read(file), converted)
    return converted


def _refuse_to_lose(root: str, path: str) -> None:
    """Raises InvalidInput where the file at `path` exists nowhere else."""
    target = os.path.join(root, path)
    if not os.path.exists(target):
        return
    file = pointer.pointer_of(path)
    tracked = os.path.isfile(os.path.join(root, file))
    if tracked and pointer.read(root, file).md5 == file_md5(target):
        return
    what = "was changed since it was tracked" if tracked else "exists and is not tracked"
    raise InvalidInput(f"{path} {what}", hint="--force overwrites it")


def _keep_origin(
    root: str, path: str, fetched: source.Fetched, added: tracking.Added
) -> Mapping[str, Any]:
    """Write the origin down; an import that changed nothing leaves the pointer as it is."""
    file = pointer.pointer_of(path)
    before = pointer.read(root, file).origin
    if added.change == "unchanged" and before.get("source") == fetched.source:
        return before
    origin = {
        "source": fetched.source,
        "retrieved": clock.iso(clock.now()),
        **fetched.details,
    }
    pointer.set_origin(root, file, origin)
    return origin
