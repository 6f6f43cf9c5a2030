"""Writing profiles: `mlctl data profile`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mlctl.adapters.files import read_text, write_text
from mlctl.adapters.table_formats import is_table
from mlctl.data.profiles.marks import Contracts, Marks, marks_of, read_contracts
from mlctl.data.profiles.opening import TableFile
from mlctl.data.profiles.record import DataRef, is_newer, load, profile_path, ref_of
from mlctl.errors import Busy, ConfigError, InvalidInput
from mlctl.pipeline.project import Project, open_workspace
from mlctl.pipeline.spec import Stage
from mlctl.store.observed import Observed
from mlctl.store.workspace import Workspace

if TYPE_CHECKING:
    from mlctl.data.profiles.profile import Profile

Change = Literal["written", "unchanged"]
MOST_FILES = 20_000  # of a folder that are listed


@dataclass(frozen=True, slots=True)
class Profiled:
    """The profile of one file or folder: where it lies (from the root), and its size in bytes.

    `rows` is None where there is no table.
    """

    data: DataRef
    file: str
    size: int
    change: Change
    rows: int | None
    columns: int


def write_profiles(
    project: Project, wanted: Sequence[str] = (), *, force: bool = False
) -> list[Profiled]:
    """Write the profiles of the data at `wanted` (from the root), or of all tables and folders that
    DVC tracks and that are there.

    Where data and contracts are as the committed profile says, nothing is read but the digests,
    unless `force` is on. Raises InvalidInput for what is no table and no folder, ConfigError for a
    wrong contract or a profile by a newer mlctl, Busy for data that is being written.
    """
    contracts = read_contracts(project.root)
    for path in wanted:
        _check_place(project, path)
    legacy = _legacy(project)
    done = []
    with open_workspace(project) as workspace:
        for path in wanted or _tracked(project):
            seen = workspace.observe(path, legacy=path in legacy)
            if seen is not None:
                done.append(_write(project, workspace, seen, contracts, force=force))
            elif wanted:
                hint = "restore it with `mlctl data pull`"
                raise InvalidInput(f"{path}: no such file or folder", hint=hint)
    return done


def data_paths(stages: Iterable[Stage]) -> list[str]:
    """The outs inside of the repository that are data: kept in the cache, no metrics, no plots."""
    outs = [out for stage in stages for out in stage.outs if out.kind == "out" and out.cache]
    return sorted({out.key for out in outs if not out.key.startswith("/") and "://" not in out.key})


def profile_of(
    ref: DataRef, files: Sequence[TableFile], marks: Marks, listing: Mapping[str, str] | None
) -> Profile:
    """The profile of data whose tables are `files`; see `Profile`."""
    from mlctl.data.profiles.building import build
    from mlctl.data.profiles.profile import Profile

    table = build(files, marks) if files else None
    columns = table.columns if table else ()
    label = marks.label if marks.label in {column.name for column in columns} else None
    return Profile(
        data=ref,
        rows=table.rows if table else None,
        tables=len(files) if table else 0,
        columns=columns,
        listing=listing,
        contracts=marks.contracts,
        label=label,
    )


def _tracked(project: Project) -> list[str]:
    """The tables and folders among what DVC tracks in the repository."""
    paths = data_paths(project.stages)
    return [path for path in paths if is_table(path) or os.path.isdir(project.path(path))]


def _legacy(project: Project) -> set[str]:
    """What is tracked by the hash of DVC 2, so that its profile is named by that too."""
    found = set()
    for stage in project.stages:
        locked = project.locked(stage)
        known = {out.path: out.digest for out in locked.outs} if locked else {}
        found |= {o.key for o in stage.outs if (digest := known.get(o.path)) and digest.legacy}
    return found


def _check_place(project: Project, path: str) -> None:
    """Raise InvalidInput where the profile of `path` would be data itself."""
    place = profile_path(path)
    for out in (out for stage in project.stages for out in stage.outs):
        if place == out.key or place.startswith(f"{out.key}/"):
            raise InvalidInput(
                f"{place} would lie in {out.key}, which DVC tracks",
                hint="profiles are files of git: move that data to another folder",
            )


def _write(
    project: Project, workspace: Workspace, seen: Observed, contracts: Contracts, *, force: bool
) -> Profiled:
    _check_place(project, seen.key)
    is_folder = seen.digest.isdir
    names = [entry.relpath for entry in seen.entries] if is_folder else [""]
    tables = [name for name in names if is_table(name or seen.key)]
    if not is_folder and not tables:
        raise InvalidInput(f"{seen.key}: neither a table nor a folder")
    marks = marks_of(contracts, seen.key, [_joined(seen.key, name) for name in tables])
    ref = ref_of(seen.key, seen.digest)
    known = _unchanged(project.root, ref, marks, force=force)
    if known is not None:
        return known
    files = [table_file(seen.key, name, os.path.join(seen.path, name)) for name in tables]
    listing = None
    if is_folder and len(names) <= MOST_FILES:
        listing = {entry.relpath: entry.md5 for entry in seen.entries}
    profile = profile_of(ref, files, marks, listing)
    again = workspace.observe(seen.key, legacy=seen.digest.legacy)
    if again is None or again.digest.md5 != seen.digest.md5:
        raise Busy(f"{seen.key}: changed while it was read", hint="wait until it is written")
    from mlctl.data.profiles.profile import profile_text

    place, text = profile_path(seen.key), profile_text(profile)
    write_text(project.path(place), text)
    size, columns = len(text.encode()), len(profile.columns)
    return Profiled(ref, place, size, "written", profile.rows, columns)


def _unchanged(root: str, ref: DataRef, marks: Marks, *, force: bool) -> Profiled | None:
    """The profile that stands there, if it is of this data and these contracts.

    None also for one that is damaged or unmerged. Raises ConfigError for one by a newer mlctl.
    """
    place = profile_path(ref.path)
    text = ""
    try:
        text = read_text(os.path.join(root, place), name=place)
        data, known = load(text, name=place)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ConfigError:
        if not force and is_newer(text):
            raise
        return None
    if force or known != ref or data.get("contracts", {}) != marks.contracts:
        return None
    columns = len(data.get("columns", ()))
    return Profiled(ref, place, len(text.encode()), "unchanged", data.get("rows"), columns)


def table_file(path: str, name: str, place: str) -> TableFile:
    """The table `name` of the data at `path` (empty for a file), whose bytes lie at `place`."""
    shown = _joined(path, name)
    return TableFile(place.rstrip("/"), os.path.splitext(shown)[1], shown)


def _joined(path: str, name: str) -> str:
    return f"{path}/{name}" if name else path
