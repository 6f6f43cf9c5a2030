"""The tables that monitors read, column by column."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mlctl.errors import InvalidInput
from mlctl.monitoring.cuts import Source
from mlctl.monitoring.spec import Where
from mlctl.plugins import missing_extra

StrPath = str | os.PathLike[str]


@contextmanager
def opened(root: StrPath, where: Where, *, role: str) -> Iterator[Source]:
    """The table that `where` names; `role` is what messages call it (`reference`, `labels`, …).

    Raises InvalidInput where there is no such file or none can be read, NotAble where a database
    cannot be asked, MissingExtra without Polars.
    """
    try:
        import numpy  # noqa: F401, ICN001
        import polars  # noqa: F401, ICN001
    except ModuleNotFoundError as error:
        raise missing_extra(error.name or "polars", "monitor") from error
    from mlctl.monitoring.sources.files import FileSource, find

    if not where.sql and not where.rev:
        yield FileSource.open(root, where.path, find(root, where.path, role))
        return
    with tempfile.TemporaryDirectory(prefix="mlctl-monitor-") as folder:
        if where.rev:
            name = _fetched(root, where, folder)
            source = FileSource.open(folder, where.label, find(folder, name, role))
            yield replace(source, ref=replace(source.ref, path=where.label))
            return
        fetched = _asked(root, where, Path(folder))
        source = FileSource.open(folder, where.sql, [fetched.name])
        yield replace(source, ref=replace(source.ref, path=where.sql, digest=""))


def _fetched(root: StrPath, where: Where, folder: str) -> str:
    """The file or folder as it is in `where.rev`, in `folder`; its name there."""
    from mlctl.data.elsewhere import Elsewhere, get_by_dvc

    name = os.path.basename(where.path.rstrip("/"))
    place = Elsewhere(os.path.abspath(root), where.path)
    get_by_dvc(place, os.path.join(folder, name), rev=where.rev, force=True)
    return name


def _asked(root: StrPath, where: Where, folder: Path) -> Path:
    """The rows of the query, as a file in `folder`."""
    from mlctl.data.importing import fetch

    url = where.url
    if url.startswith("$"):
        url = os.environ.get(url[1:], "")
        if not url:
            raise InvalidInput(
                f"{where.url} is not set, and it is to say where the database is",
                hint=f"export {where.url[1:]}=postgresql://…",
            )
    return fetch(os.fspath(root), url, where.sql, folder, base=os.fspath(root)).file
