"""What one side of a comparison has of its data: digests, listings, profiles, tables."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mlctl.adapters.table_formats import is_table
from mlctl.data.profiles.marks import Contracts, Marks, marks_of, parsed
from mlctl.data.profiles.opening import TableFile
from mlctl.data.profiles.profile import Profile, parse_profile, profile_text
from mlctl.data.profiles.profiling import data_paths, profile_of, table_file
from mlctl.data.profiles.record import DataRef, profile_path, ref_of
from mlctl.errors import InvalidInput
from mlctl.pipeline.spec import Stage
from mlctl.store.cache import MissingObjects
from mlctl.store.digest import Digest
from mlctl.store.observed import Observed
from mlctl.store.workspace import Workspace

LARGEST = 1_000_000_000  # bytes that are profiled unasked


class Revision(Protocol):
    """A git revision or the workspace, as `mlctl.outputs.trees.Tree` gives it."""

    @property
    def name(self) -> str: ...
    @property
    def stages(self) -> Sequence[Stage]: ...
    @property
    def tracked(self) -> Mapping[str, Digest]: ...

    def has(self, key: str) -> bool: ...
    def text(self, key: str) -> str: ...
    def expand(self, key: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Version:
    """One file or folder as one side has it; `seen` is what lies in the workspace, where that is
    the side."""

    path: str
    digest: Digest
    seen: Observed | None = None

    @property
    def ref(self) -> DataRef:
        """How a profile names it."""
        return ref_of(self.path, self.digest)


class Side:
    """One side. Data that is not in the workspace is looked for in the cache, never fetched."""

    def __init__(self, revision: Revision, workspace: Workspace, *, is_workspace: bool) -> None:
        self.name = revision.name
        self._revision = revision
        self._workspace = workspace
        self._contracts = _contracts(revision)
        self._listings: dict[str, Mapping[str, str] | None] = {}
        self.data = {
            version.path: version
            for path in data_paths(revision.stages)
            if (version := self._version(path, observed=is_workspace)) is not None
        }

    def _version(self, path: str, *, observed: bool) -> Version | None:
        known = self._revision.tracked.get(path)
        seen = None
        if observed:
            legacy = known is not None and known.legacy
            seen = self._workspace.observe(path, legacy=legacy)
        if seen is not None:
            return Version(path, seen.digest, seen)
        return Version(path, known) if known is not None else None

    def marks(self, version: Version) -> Marks:
        """What this side's contracts say of the data."""
        return marks_of(self._contracts, version.path, self._table_names(version))

    def listing(self, version: Version) -> Mapping[str, str] | None:
        """relpath -> digest of a folder's files; None for a file, and where nobody knows them."""
        if version.path not in self._listings:
            self._listings[version.path] = self._listed(version)
        return self._listings[version.path]

    def _listed(self, version: Version) -> Mapping[str, str] | None:
        if not version.digest.isdir:
            return None
        if version.seen is not None:
            return {entry.relpath: entry.md5 for entry in version.seen.entries}
        try:
            tree = self._workspace.cache.tree(version.digest.md5, legacy=version.digest.legacy)
        except (MissingObjects, InvalidInput):
            profile, _ = self._committed(version)
            return profile.listing if profile is not None else None
        return {entry.relpath: entry.md5 for entry in tree}

    def tables(self, version: Version, only: Sequence[str] | None = None) -> list[TableFile] | None:
        """The tables of the data (of a folder `only` those), None where one is not at hand."""
        found = []
        for name in self._table_names(version, relative=True):
            if only is not None and name not in only:
                continue
            place = self._place(version, name)
            if place is None:
                return None
            found.append(table_file(version.path, name, place))
        return found

    def profile(self, version: Version) -> tuple[Profile | None, str]:
        """The committed profile if it is of this data, else one made now from the data if that is
        at hand; or None, and why there is none."""
        profile, why = self._committed(version)
        if profile is not None:
            return profile, ""
        files = self.tables(version)
        if not files:
            return None, f"{why}, and its data is not at hand"
        if (version.digest.size or 0) > LARGEST:
            return None, f"{why}, and its data is larger than 1 GB: see `mlctl data profile`"
        made = profile_of(version.ref, files, self.marks(version), None)
        # Through its text, so that figures are the same whether it is committed or not.
        return parse_profile(profile_text(made), name=profile_path(version.path)), ""

    def _committed(self, version: Version) -> tuple[Profile | None, str]:
        place = profile_path(version.path)
        if not self._revision.has(place):
            return None, f"{self.name} has no profile of it"
        try:
            profile = parse_profile(self._revision.text(place), name=place)
        except InvalidInput as error:
            return None, f"the profile of {self.name} cannot be read: {error}"
        if profile.data.digest != version.ref.digest:
            return None, f"the profile of {self.name} is of other data"
        return profile, ""

    def _table_names(self, version: Version, *, relative: bool = False) -> list[str]:
        if not version.digest.isdir:
            name = "" if relative else version.path
            return [name] if is_table(version.path) else []
        names = [name for name in self.listing(version) or () if is_table(name)]
        return names if relative else [f"{version.path}/{name}" for name in names]

    def _place(self, version: Version, name: str) -> str | None:
        if version.seen is not None:
            return os.path.join(version.seen.path, name)
        md5 = (self.listing(version) or {}).get(name) if name else version.digest.md5
        cache, legacy = self._workspace.cache, version.digest.legacy
        if md5 is None or not cache.exists(md5, legacy=legacy):
            return None
        return cache.path(md5, legacy=legacy)


def _contracts(revision: Revision) -> Contracts:
    """The side's contracts; one that this mlctl cannot read counts as none, so that nothing more is
    shown than it allows."""
    found = []
    for key in revision.expand("contracts"):
        name = os.path.basename(key).removesuffix(".yaml")
        if not key.endswith(".yaml") or not revision.has(key):
            continue
        try:
            found.append(parsed(name, revision.text(key)))
        except InvalidInput:
            continue
    return found
