"""Making the workspace what its pointers and locks say, from the cache."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mlctl.data.versions.wanted import Wanted, find_wanted
from mlctl.errors import InvalidInput
from mlctl.pipeline.project import Project, open_workspace
from mlctl.store.cache import MissingObjects
from mlctl.store.checkout import Changes, checkout_part
from mlctl.store.checkout import checkout as checkout_out
from mlctl.store.locks import claimed
from mlctl.store.workspace import Workspace

Outcome = Literal["added", "modified", "unchanged", "missing", "refused"]


@dataclass(frozen=True, slots=True)
class CheckedOut:
    """What became of one out; `missing` is not in the cache, `refused` would lose content."""

    path: str
    outcome: Outcome
    added: int = 0
    modified: int = 0
    deleted: int = 0
    message: str | None = None


def checkout(project: Project, targets: Sequence[str], *, force: bool = False) -> list[CheckedOut]:
    """Link the targets (or every out) from the cache, touching only files that differ.

    An out that cannot be had, or whose content is nowhere else and `force` is off, is left as it
    is and said so. Raises Busy where a stage works on one of them.
    """
    wanted = find_wanted(project, targets)
    paths = [project.path(item.key) for item in wanted]
    claim = claimed(project.config, "mlctl data checkout", paths)
    with open_workspace(project) as workspace, claim:
        return [_one(workspace, item, force) for item in wanted]


def _one(workspace: Workspace, item: Wanted, force: bool) -> CheckedOut:
    existed = os.path.lexists(workspace.path(item.key))
    try:
        if item.inside:
            changes = checkout_part(workspace, item.digest, item.out.key, item.inside, force=force)
        else:
            changes = checkout_out(workspace, item.digest, item.out.key, force=force)
    except MissingObjects as error:
        return CheckedOut(item.key, "missing", message=str(error))
    except InvalidInput as error:
        if force:
            raise
        return CheckedOut(item.key, "refused", message=str(error))
    return CheckedOut(item.key, _outcome(changes, existed), *_counts(changes))


def _outcome(changes: Changes, existed: bool) -> Outcome:
    if not changes:
        return "unchanged"
    return "modified" if existed else "added"


def _counts(changes: Changes) -> tuple[int, int, int]:
    return len(changes.added), len(changes.modified), len(changes.deleted)
