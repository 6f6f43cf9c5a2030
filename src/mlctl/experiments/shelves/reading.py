"""Parts of records that are no folder of the work tree: in packs, and on the records' branch."""

from __future__ import annotations

import os
from dataclasses import dataclass

from mlctl.experiments.shelves import branch
from mlctl.experiments.shelves.pack import parse_line

BRANCH = "branch"  # as a place; `branch:<key>` is a pack that is on it


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record is: `folder`, `branch`, or a pack, and there its line in bytes."""

    place: str
    at: int
    length: int


def read_packed(root: str, place: Place | None, run_id: str, name: str) -> bytes | None:
    """A file of a record at a place; None where it has none."""
    if place is None or place.place == "folder":
        return None
    if not place.place.startswith(BRANCH):
        with open(os.path.join(root, place.place), "rb") as file:
            file.seek(place.at)
            return parse_line(file.read(place.length), name=place.place)[1].get(name)
    commit = branch.tip(root, branch.git_folder(root))
    if commit is None:
        return None
    if place.place == BRANCH:
        entry = branch.parts(root, commit, run_id).get(name)
        return branch.read(root, [entry])[0] if entry else None
    key = place.place.removeprefix(f"{BRANCH}:")
    entry = branch.files(root, commit).get(key)
    if entry is None:
        return None
    (data,) = branch.read(root, [entry])
    return parse_line(data[place.at : place.at + place.length], name=key)[1].get(name)
