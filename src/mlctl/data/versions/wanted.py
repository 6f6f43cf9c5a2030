"""Which outs a verb is about: all that DVC caches, or those that the targets name."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlctl.errors import InvalidInput
from mlctl.pipeline.project import Project
from mlctl.pipeline.spec import Out, Stage
from mlctl.store.digest import Digest


@dataclass(frozen=True, slots=True)
class Wanted:
    """One recorded out; `inside` is the path in it that was asked for, empty for all of it."""

    stage: Stage
    out: Out
    digest: Digest
    inside: str = ""

    @property
    def key(self) -> str:
        """What was asked for, from the root."""
        return posixpath.join(self.out.key, self.inside) if self.inside else self.out.key

    @property
    def comes_from_elsewhere(self) -> bool:
        """Whether it is an import, which `dvc` can bring from its source."""
        return self.stage.is_import

    @property
    def is_of_other_repository(self) -> bool:
        """Whether another repository keeps it, so that it is never pushed."""
        data = self.stage.data or {}
        return any("repo" in dep for dep in data.get("deps") or ())


def find_wanted(project: Project, targets: Sequence[str]) -> list[Wanted]:
    """The recorded outs that DVC caches, of the targets or of all; each once.

    A target is a `.dvc` file, a stage, an out, or a file or folder inside an out. Raises
    InvalidInput for one that names nothing.
    """
    if not targets:
        return list(_of_stages(project, project.stages))
    found: dict[str, Wanted] = {}
    for target in targets:
        mine = list(_of_target(project, target))
        found.update({item.key: item for item in mine})
    return list(found.values())


def _of_target(project: Project, target: str) -> Iterator[Wanted]:
    path = posixpath.normpath(posixpath.join(project.cwd, target))
    for item in _of_stages(project, project.stages):
        if path == item.out.key:
            yield item
            return
        if path.startswith(f"{item.out.key}/"):
            if not item.digest.isdir:
                raise InvalidInput(f"{target}: {item.out.key} is a file, not a folder")
            inside = path.removeprefix(f"{item.out.key}/")
            yield Wanted(item.stage, item.out, item.digest, inside)
            return
    under = [i for i in _of_stages(project, project.stages) if i.out.key.startswith(f"{path}/")]
    if under:
        yield from under
        return
    chosen = project.select([target], single=True)
    yield from _of_stages(project, [project.stages[index] for index in chosen])


def _of_stages(project: Project, stages: Sequence[Stage]) -> Iterator[Wanted]:
    for stage in stages:
        locked = project.locked(stage)
        recorded = {item.path: item.digest for item in locked.outs} if locked else {}
        for out in stage.outs:
            digest = recorded.get(out.path)
            if out.cache and "://" not in out.key and digest is not None and digest.md5:
                yield Wanted(stage, out, digest)


def by_remote(items: Sequence[Wanted], remote: str | None) -> dict[str | None, list[Wanted]]:
    """Which outs belong to which remote: an out's own, else `remote`, else the default (None).

    With a `remote`, outs that name another one are left out, as in DVC.
    """
    groups: dict[str | None, list[Wanted]] = {}
    for item in items:
        if remote and item.out.remote and item.out.remote != remote:
            continue
        groups.setdefault(item.out.remote or remote, []).append(item)
    return groups
