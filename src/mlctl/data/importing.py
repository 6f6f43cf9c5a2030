"""Importing data: fetch from a source, put it at a path, track it, and keep its origin."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from mlctl import plugins
from mlctl.adapters import clock
from mlctl.adapters.files import copy_file, replacing
from mlctl.adapters.table_formats import is_table
from mlctl.data import pointer, source, tracking
from mlctl.errors import InvalidInput
from mlctl.pipeline.project import Project
from mlctl.store.hashing import file_md5


@dataclass(frozen=True, slots=True)
class Imported:
    """An import's end; `added.change` is `unchanged` where the source gave the same bytes again."""

    added: tracking.Added
    origin: Mapping[str, Any]


def import_data(
    root: str,
    text: str,
    path: str,
    *,
    query: str | None = None,
    base: str = ".",
    force: bool = False,
) -> Imported:
    """Import the source `text` (`sklearn:wine`, a URL, a file) to `path` (from the root).

    `query` is for a database. A file that the source names is looked for from the folder `base`. A
    file at `path` that is not tracked, or was changed since, is only overwritten with `force`.
    Raises InvalidInput for wrong arguments, NotAble where the source cannot be had.
    """
    tracking.check_may_be_tracked(Project.open(root), path)
    target = Path(root, path)
    if target.is_dir():
        raise InvalidInput(f"{path}: is a folder", hint="name the file to write")
    with tempfile.TemporaryDirectory(prefix="mlctl-import-") as folder:
        fetched = fetch(root, text, query, Path(folder), base=base)
        ready = in_format_of(fetched.file, target)
        same = target.is_file() and file_md5(str(ready)) == file_md5(str(target))
        if not same:
            if not force:
                _refuse_to_lose(root, path)
            with replacing(target) as temporary:
                copy_file(ready, temporary)
    added = tracking.add(root, [path])[0]
    return Imported(added, _keep_origin(root, path, fetched, added))


def fetch(root: str, text: str, query: str | None, folder: Path, *, base: str) -> source.Fetched:
    """Fetch a source into `folder`; its origin names a file in the repository from the root.

    Raises InvalidInput for wrong arguments, NotAble where the source cannot be had.
    """
    scheme, reference = source.split(text)
    extra = source.EXTRAS.get(scheme)
    plugin = cast(
        "source.Source",
        plugins.load("mlctl.data.sources", scheme, kind="data source", extra=extra),
    )
    if not hasattr(plugin, "fetch_query"):
        if query is not None:
            raise InvalidInput(f"{text}: is no database, so it takes no query")
        return plugin.fetch(reference, folder)
    if query is None:
        raise InvalidInput(
            f"{text}: say what to read", hint="--query 'SELECT …', --query-file FILE"
        )
    if scheme not in source.FILES:
        fetched = plugin.fetch_query(reference, query, folder)
        return replace(fetched, details={"query": query, **fetched.details})
    file = os.path.abspath(os.path.join(base, reference.removeprefix("//")))
    fetched = plugin.fetch_query(file, query, folder)
    inside = os.path.relpath(file, root)
    public = fetched.source if inside.startswith("..") else f"{scheme}:{inside}"
    return replace(fetched, source=public, details={"query": query, **fetched.details})


def in_format_of(file: Path, target: Path) -> Path:
    """`file` itself, or converted where `target` has another table format's ending."""
    if file.suffix.lower() == target.suffix.lower():
        return file
    if not (is_table(file) and is_table(target)):
        return file
    from mlctl.adapters import tables

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
    same = all(before.get(k) == v for k, v in fetched.details.items() if k == "query")
    if added.change == "unchanged" and before.get("source") == fetched.source and same:
        return before
    origin = {
        "source": fetched.source,
        "retrieved": clock.iso(clock.now()),
        **fetched.details,
    }
    pointer.set_origin(root, file, origin)
    return origin
