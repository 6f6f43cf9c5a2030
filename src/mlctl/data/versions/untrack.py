"""Untracking data, and making its files writable: `mlctl data rm` and `mlctl data unprotect`."""

from __future__ import annotations

from collections.abc import Sequence

from mlctl.adapters import dvc
from mlctl.adapters.files import remove_file
from mlctl.data.versions.pointed import changing, exists, find_pointed
from mlctl.data.versions.wanted import find_wanted
from mlctl.errors import InvalidInput
from mlctl.pipeline.project import Project, open_workspace
from mlctl.pipeline.spec import Out
from mlctl.store import gitignore, links


def untrack(
    project: Project, targets: Sequence[str], *, outs: bool = False, force: bool = False
) -> list[str]:
    """Remove the `.dvc` files of the targets and their `.gitignore` entries; the keys of the data.

    The data stays, as plain files, unless `outs` removes it too: only where the cache has it, or
    with `force`. Raises InvalidInput before anything is touched.
    """
    found = [find_pointed(project, target) for target in targets]
    if outs and not force:
        for item in found:
            for out in item.stage.outs:
                _refuse_loss(project, out)
    keys = [out.key for item in found for out in item.stage.outs]
    if project.config.autostage:
        more = ["--outs"] if outs else []
        dvc.ask("remove", *more, "--", *(item.file for item in found), cwd=project.root)
        return keys
    with changing(project, keys):
        for item in found:
            for out in item.stage.outs:
                if outs:
                    links.remove(project.path(out.key))
                elif exists(project, out.key):
                    links.unprotect(project.path(out.key))
            gitignore.unignore(project.config, [out.key for out in item.stage.outs if out.cache])
            remove_file(project.path(item.file))
    return keys


def _refuse_loss(project: Project, out: Out) -> None:
    with open_workspace(project) as workspace:
        seen = workspace.observe(out.key)
        if seen is None or workspace.cache.has(seen.digest):
            return
    raise InvalidInput(
        f"{out.key} would be lost: its content is not in the cache",
        hint="`mlctl data add` keeps it, --force throws it away",
    )


def unprotect(project: Project, targets: Sequence[str]) -> list[str]:
    """Make files that are links to the cache plain, writable copies; the keys.

    A target is data or an out, or a file or folder in it. Raises InvalidInput for what is not
    there, Busy where a stage works on it.
    """
    keys = [item.key for item in find_wanted(project, targets)]
    for key in keys:
        if not exists(project, key):
            raise InvalidInput(f"{key}: is not in the workspace", hint="`mlctl data checkout`")
    with changing(project, keys):
        for key in keys:
            links.unprotect(project.path(key))
    return keys
