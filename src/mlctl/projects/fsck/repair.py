"""Bringing damaged objects back: from the workspace's own files, then from the remote.

Nothing is taken out of the cache that is sound, and what is taken out is kept until its like is
there again. The repository's lock is held only while objects change places.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field, replace

from mlctl.adapters import dvc
from mlctl.errors import MlctlError
from mlctl.projects.fsck.findings import Finding, Mended
from mlctl.projects.fsck.objects import Checker, Use
from mlctl.store import leftovers, salvage
from mlctl.store.locks import repo_lock
from mlctl.store.verify import Object
from mlctl.store.workspace import Workspace

_PATIENCE = 30.0  # seconds for the repository's lock, which nobody holds for long


@dataclass
class Repair:
    """What became of each object: where it is set aside, and whence a sound one came."""

    aside: dict[Object, str] = field(default_factory=dict)
    mended: dict[Object, Mended] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def repair_objects(workspace: Workspace, checker: Checker) -> Repair:
    """Mend the flaws that `checker` knows, and those that show once a listing is there again."""
    done = Repair()
    asked: set[Object] = set()
    _salvage(workspace, checker, done)
    # Once; and once more where a listing came back that names files which are damaged too.
    while items := checker.flaws.keys() - asked:
        asked |= items
        _fetch(workspace, checker, done, items)
        checker.check_needed()
        _salvage(workspace, checker, done, leave=asked)
    uses = checker.uses(done.aside)
    for item in done.aside.keys() & done.mended.keys():
        users = [workspace.path(use.path) for use in uses[item]]
        salvage.replaced(workspace.cache, item, done.aside.pop(item), users)
    return done


def _fetch(workspace: Workspace, checker: Checker, done: Repair, items: Set[Object]) -> None:
    """Let DVC bring the outs that need `items`."""
    wanted = {use.need.out for uses in checker.uses(items).values() for use in uses}
    if not wanted:
        return
    said = dvc.fetch(workspace.root, sorted(wanted))
    checker.check_again(items)
    done.mended.update(dict.fromkeys(items & checker.sound, "remote"))
    if said and items & checker.flaws.keys():
        done.notes += (f"dvc fetch: {said}",)


def _salvage(
    workspace: Workspace, checker: Checker, done: Repair, *, leave: Collection[Object] = ()
) -> None:
    """Bring back what the workspace has, and then what the listings name that came back."""
    tried = set(leave)
    while items := checker.flaws.keys() - tried:
        tried |= items
        _swap(workspace, checker, done, items)
        checker.check_needed()


def _swap(workspace: Workspace, checker: Checker, done: Repair, items: Set[Object]) -> None:
    """Set the damaged ones of `items` aside, and copy sound ones from the workspace."""
    uses = checker.uses(items)
    restored = set()
    with repo_lock(workspace.config, wait=_PATIENCE):
        for item in items:
            try:
                if checker.flaws[item].problem in {"damaged", "torn"}:
                    aside = salvage.set_aside(workspace.cache, item)
                    if aside is not None:
                        done.aside[item] = aside
                gone = not os.path.exists(workspace.cache.path(item.md5, legacy=item.legacy))
                if gone and _restore(workspace, item, uses[item]):
                    restored.add(item)
            except (
                OSError,
                MlctlError,
            ) as error:  # a read-only cache, say: told, and left as it is
                done.notes += (f"{item.md5}: {error}",)
        with suppress(OSError):
            workspace.cache.flush()
    checker.check_again(items)
    done.mended.update(dict.fromkeys(restored & checker.sound, "workspace"))


def _restore(workspace: Workspace, item: Object, uses: Sequence[Use]) -> bool:
    cache = workspace.cache
    for use in uses:
        if not item.md5.endswith(".dir"):
            if salvage.restore_file(cache, item, workspace.path(use.path)):
                return True
            continue
        seen = workspace.observe(use.path, legacy=item.legacy)
        if seen is not None and seen.digest.md5 == item.md5:
            return salvage.restore_folder(cache, item, seen)
    return False


def tidy(workspace: Workspace, findings: Sequence[Finding]) -> list[Finding]:
    """Remove what dead processes left, and set damaged run-cache entries aside."""
    if not findings:
        return []
    config = workspace.config
    with repo_lock(config, wait=_PATIENCE):
        if any(finding.kind == "rwlock" and not finding.damage for finding in findings):
            leftovers.drop(config, leftovers.stale_claims(config))
        return [_tidied(workspace, finding) for finding in findings]


def _tidied(workspace: Workspace, finding: Finding) -> Finding:
    try:
        if finding.kind == "temporary":
            leftovers.remove(finding.what)
            return replace(finding, mended="removed")
        if finding.kind == "run-cache":
            aside = salvage.move_aside(workspace.cache, finding.what)
            shown = os.path.relpath(aside, workspace.root) if aside else None
            return replace(finding, mended="set aside", aside=shown)
    except OSError as error:
        return replace(finding, hint=f"left as it is: {error.strerror}")
    if finding.kind == "rwlock" and not finding.damage:
        left = {claim.path for claim in leftovers.stale_claims(workspace.config)}
        return finding if finding.what in left else replace(finding, mended="removed")
    return finding
