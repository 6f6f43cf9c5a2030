"""Fetching data without tracking it: `mlctl data get`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path, PurePosixPath

from mlctl.adapters.files import copy_file, replacing
from mlctl.data.elsewhere import elsewhere, get_by_dvc
from mlctl.data.importing import fetch, in_format_of
from mlctl.errors import InvalidInput


def get(
    text: str,
    target: str | None,
    *,
    rev: str | None = None,
    query: str | None = None,
    force: bool = False,
) -> str:
    """Fetch the source `text` to the path `target`, or to its own name here; the path written.

    Works outside of a repository too. Raises InvalidInput where the path exists and `force` is off.
    """
    place = elsewhere(text)
    if place is not None:
        path = target or PurePosixPath(place.path or place.url).name
        _refuse_existing(path, force=force)
        get_by_dvc(place, path, rev=rev, force=force)
        return path
    with tempfile.TemporaryDirectory(prefix="mlctl-get-") as folder:
        fetched = fetch(os.getcwd(), text, query, Path(folder), base=".")
        path = target or fetched.file.name
        _refuse_existing(path, force=force)
        ready = in_format_of(fetched.file, Path(path))
        with replacing(os.path.abspath(path)) as temporary:
            copy_file(ready, temporary)
    return path


def _refuse_existing(path: str, *, force: bool) -> None:
    if os.path.isdir(path):
        raise InvalidInput(f"{path}: is a folder", hint="name the file to write: -o PATH")
    if os.path.lexists(path) and not force:
        raise InvalidInput(f"{path} exists", hint="-o PATH writes another, --force replaces it")
