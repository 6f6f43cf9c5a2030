"""`mlctl fsck`: looks at everything, changes nothing; with `mend`, hands over to `repair`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from mlctl.adapters import clock
from mlctl.pipeline import run_cache
from mlctl.pipeline.needs import Needs, Unreadable, read_needs
from mlctl.projects.fsck.findings import Finding, Report
from mlctl.projects.fsck.objects import Checker, Use
from mlctl.projects.fsck.repair import Repair, repair_objects, tidy
from mlctl.store import leftovers
from mlctl.store.config import Config
from mlctl.store.run_cache import entries
from mlctl.store.verify import Flaw, Progress
from mlctl.store.workspace import Workspace, open_workspace

DAY = 86_400


def fsck(
    start: str,
    *,
    everything: bool = False,
    mend: bool = False,
    jobs: int | None = None,
    progress: Progress = lambda _size, _objects: None,
) -> Report:
    """Check the repository around `start`: the objects that it needs, or all that are there.

    With `mend`, what is damaged is set aside and brought back from where it is to be had, and what
    dead processes left is removed. Raises InvalidInput outside of a repository, Busy where another
    process holds it while something is to be mended.
    """
    begin = clock.monotonic()
    workspace = open_workspace(start)
    try:
        config = workspace.config
        needs = read_needs(config, workspace.ignore)
        checker = Checker(workspace.cache, needs.outs, jobs or os.cpu_count() or 1, progress)
        checker.check_needed()
        if everything:
            checker.check_all()
        entry_flaws, entry_count = _entries(config)
        others = [*entry_flaws, *_leftovers(config, needs)]
        done = Repair()
        if mend:
            done = repair_objects(workspace, checker)
            others = tidy(workspace, others)
        # What is sound now and was not mended here, somebody else mended meanwhile.
        found = {
            item: flaw
            for item, flaw in checker.found.items()
            if item in checker.flaws or item in done.mended
        }
        uses = checker.uses(found)
        findings = [
            *(_unreadable(file) for file in needs.unreadable),
            *(_object(workspace, flaw, uses[flaw.object], done, mend) for flaw in found.values()),
            *others,
        ]
        return Report(
            objects=len(checker.sound | found.keys()),
            size=checker.hashed,
            entries=entry_count,
            files=len(needs.files) + needs.locks,
            seconds=clock.monotonic() - begin,
            findings=tuple(findings),
            notes=done.notes,
        )
    finally:
        workspace.state.close()


def _unreadable(file: Unreadable) -> Finding:
    return Finding("file", "unreadable", file.file, detail=file.problem, hint=file.hint)


def _object(
    workspace: Workspace, flaw: Flaw, uses: Sequence[Use], done: Repair, mend: bool
) -> Finding:
    item = flaw.object
    outs = tuple(dict.fromkeys(use.path for use in uses))
    stages = tuple(dict.fromkeys(use.need.stage for use in uses if use.need.stage is not None))
    aside = done.aside.get(item)
    mended = done.mended.get(item)
    if mended is None and aside is not None and not uses:
        mended = "set aside"
    return Finding(
        "object",
        flaw.problem,
        item.md5,
        detail=flaw.detail,
        outs=outs,
        stages=stages,
        mended=mended,
        aside=os.path.relpath(aside, workspace.root) if aside else None,
        # While a damaged object is still trusted, its stage would not run.
        hint=_hint(outs, stages) if mend and mended is None else None,
    )


def _hint(outs: Sequence[str], stages: Sequence[str]) -> str | None:
    if stages:
        return f"`mlctl run {stages[0]}` makes it again"
    return f"nothing here makes {outs[0]}: add it again where it is whole" if outs else None


def _entries(config: Config) -> tuple[list[Finding], int]:
    found, count = [], 0
    for path in entries(config.cache_dir):
        count += 1
        problem = run_cache.flaw(path)
        if problem is not None:
            found.append(Finding("run-cache", "damaged", path, detail=problem))
    return found, count


def _leftovers(config: Config, needs: Needs) -> Iterable[Finding]:
    folders = {os.path.dirname(os.path.join(config.root, file)) for file in needs.files}
    before = clock.now() - DAY
    for path in leftovers.temporary_files(config, folders | {config.root}, before=before):
        yield Finding("temporary", "left over", path, damage=False)
    try:
        for claim in leftovers.stale_claims(config):
            detail = f"claimed by process {claim.pid} ({claim.cmd}), which is dead"
            yield Finding("rwlock", "stale", claim.path, damage=False, detail=detail)
    except ValueError as error:
        path = os.path.join(config.tmp_dir, "rwlock")
        hint = "delete it if neither dvc nor mlctl is running"
        yield Finding("rwlock", "damaged", path, detail=str(error), hint=hint)
