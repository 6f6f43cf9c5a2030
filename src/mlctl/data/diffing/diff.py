"""`mlctl data diff`: what differs between the data of two sides, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mlctl.adapters.table_formats import is_table
from mlctl.data.diffing.columns import ColumnChange, compare_columns
from mlctl.data.diffing.files import FileChanges, compare_files
from mlctl.data.diffing.rows import RowChanges, compare_rows
from mlctl.data.diffing.versions import Side, Version
from mlctl.errors import InvalidInput, suggestion

Change = Literal["added", "removed", "changed", "renamed"]
LARGEST = 250_000_000  # bytes whose rows are compared unasked, since both sides lie in memory


@dataclass(frozen=True, slots=True)
class DataChange:
    """One file or folder that differs; `old` or `new` is None where that side has none.

    `counts` are numbers of rows (old, new), exact, None where no profile tells. `columns` are there
    where both sides have a profile, `rows` where both sides have the tables. `notes` say what is
    not told, and why.
    """

    change: Change
    old: Version | None
    new: Version | None
    counts: tuple[int | None, int | None] = (None, None)
    files: FileChanges | None = None
    columns: tuple[ColumnChange, ...] = ()
    label: str | None = None
    rows: RowChanges | None = None
    notes: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Where it lies now, or lay."""
        one = self.new or self.old
        return one.path if one is not None else ""


@dataclass(frozen=True, slots=True)
class DataDiff:
    """All that differs between the sides `a` and `b`, by path."""

    a: str
    b: str
    data: tuple[DataChange, ...]


def compare_data(
    old: Side, new: Side, wanted: Sequence[str] = (), *, rows: bool | None = None
) -> DataDiff:
    """Compare what DVC tracks (or the data `wanted`, from the root) on two sides.

    `rows` says whether tables are compared row by row: None for data of at most 250 MB that is at
    hand. Raises InvalidInput for data that no side tracks, and for a table that does not parse.
    """
    paths = sorted({*old.data, *new.data})
    for name in wanted:
        if not any(_is_in(path, name) for path in paths):
            hint = suggestion(name, paths) or "`mlctl data add` tracks data"
            raise InvalidInput(f"{name}: tracked by DVC on neither side", hint=hint)
    asked = {path for path in paths if not wanted or any(_is_in(path, name) for name in wanted)}
    before, after = (
        {path: version.digest.md5 for path, version in side.data.items() if path in asked}
        for side in (old, new)
    )
    found = compare_files(before, after)
    changes = [
        *(_one_sided(None, new, path) for path in found.added),
        *(_one_sided(old, None, path) for path in found.removed),
        *(DataChange("renamed", old.data[a], new.data[b]) for a, b in found.renamed),
        *(_changed(old, new, path, rows) for path in found.changed),
    ]
    return DataDiff(old.name, new.name, tuple(sorted(changes, key=lambda change: change.path)))


def _is_in(path: str, name: str) -> bool:
    return path == name or path.startswith(f"{name}/") or name.startswith(f"{path}/")


def _one_sided(old: Side | None, new: Side | None, path: str) -> DataChange:
    counts = []
    for side in (old, new):
        profile = side.profile(side.data[path])[0] if side is not None else None
        counts.append(profile.rows if profile is not None else None)
    return DataChange(
        "added" if old is None else "removed",
        None if old is None else old.data[path],
        None if new is None else new.data[path],
        (counts[0], counts[1]),
    )


def _changed(old: Side, new: Side, path: str, rows: bool | None) -> DataChange:
    before, after = old.data[path], new.data[path]
    files, notes = _files(old, new, before, after)
    left, why_left = old.profile(before)
    right, why_right = new.profile(after)
    columns: tuple[ColumnChange, ...] = ()
    if left is not None and right is not None:
        columns = compare_columns(left.columns, right.columns)
    elif is_table(path) or any(profile and profile.columns for profile in (left, right)):
        notes.append(f"columns: {why_left or why_right}")
    row_changes, why = _rows(old, new, before, after, files, rows)
    notes += [f"rows: {why}"] if why else []
    return DataChange(
        change="changed",
        old=before,
        new=after,
        counts=(left.rows if left else None, right.rows if right else None),
        files=files,
        columns=columns,
        label=(right and right.label) or (left and left.label) or None,
        rows=row_changes,
        notes=tuple(notes),
    )


def _files(
    old: Side, new: Side, before: Version, after: Version
) -> tuple[FileChanges | None, list[str]]:
    """The files of a folder that differ; or None, and for two folders a note."""
    if not before.digest.isdir or not after.digest.isdir:
        return None, []
    left, right = old.listing(before), new.listing(after)
    if left is None or right is None:
        name = old.name if left is None else new.name
        return None, [f"files: neither the cache nor a profile lists those of {name}"]
    return compare_files(left, right), []


def _rows(
    old: Side, new: Side, before: Version, after: Version, files: FileChanges | None,
    asked: bool | None,
) -> tuple[RowChanges | None, str]:  # fmt: skip
    """The rows that differ, or None and why they were not compared; no reason where none is due."""
    if asked is False or before.digest.isdir != after.digest.isdir:
        return None, ""
    theirs: Sequence[str] | None = None
    ours: Sequence[str] | None = None
    if files is not None:  # equal files hold equal rows
        theirs, ours = [*files.changed, *files.removed], [*files.changed, *files.added]
    elif not is_table(before.path):
        return None, ""
    left, right = old.tables(before, theirs), new.tables(after, ours)
    if left is None or right is None:
        side = old if left is None else new
        return None, f"the data of {side.name} is neither in the workspace nor in the cache"
    if not left or not right:
        return None, ""
    if asked is None and max(before.digest.size or 0, after.digest.size or 0) > LARGEST:
        return None, "larger than 250 MB; --rows compares them in memory"
    marks = new.marks(after)
    return compare_rows(left, right, marks if marks.contracts else old.marks(before)), ""
