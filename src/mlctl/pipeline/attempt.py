"""One stage, from judged to recorded: verify, restore from the run-cache, or run and commit.

The order of things is DVC's (`dvc.stage.Stage.reproduce`), with one difference: missing deps are
found before the outs are removed, so that a stage that cannot run loses nothing.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from mlctl.adapters import clock, dvc
from mlctl.adapters.files import read_text, remove_tree, write_text
from mlctl.errors import AnswerNo, InvalidInput
from mlctl.executors import LOCAL, Exit, Files, Job
from mlctl.pipeline import edit, run_cache
from mlctl.pipeline.context import Context, live_path
from mlctl.pipeline.environment import stage_environment
from mlctl.pipeline.events import Notice, Outcome, StageStarted
from mlctl.pipeline.plan import Reason
from mlctl.pipeline.reading import Reading
from mlctl.pipeline.spec import LockedPath, LockedStage, Out, Stage
from mlctl.store import checkout, links


class Attempt:
    """Brings one changed stage up to date; `exit` and `attempts` tell of its command."""

    def __init__(
        self, context: Context, stage: Stage, reasons: Sequence[Reason], gpus: Sequence[str]
    ) -> None:
        self.context = context
        self.stage = stage
        self.reasons = tuple(reasons)
        self.exit: Exit | None = None
        self.attempts = 1
        self.log: str | None = None
        self._gpus = tuple(gpus)
        self._settle: Callable[[], None] = lambda: None
        self._linked: set[str] = set()  # outs that came from the cache as a whole
        self._observer = context.observer
        self._before = context.book.locked(stage)
        self._reading = Reading(stage, self._before, self._observer)

    def bring_up_to_date(self) -> tuple[Outcome, LockedStage | None]:
        """Do what the stage needs. Raises AnswerNo (and others of ours) where it fails."""
        if self.stage.name is None and (self.stage.cmd or self.stage.is_import):
            return self._by_dvc()
        self._check_outs_are_ours()
        if self.stage.name is None or self.stage.frozen:
            self._check_outs_exist("is missing")
            return "restored", self._save()
        self._check_deps()
        if not self.context.options.force and self._restore():
            return "restored", self._save()
        self._remove_outs()
        self._reading.begin()
        self._run()
        if self.exit and (self.exit.code or self.exit.timed_out or self.exit.cancelled):
            raise AnswerNo(_ending(self.exit, self.stage))
        self._warn_of_changed_deps()
        self._check_outs_exist("was not written")
        locked = self._save()
        self._settle()
        return "ran", locked

    def commit(self, *, save: bool) -> None:
        """Put the outs that are there now into the cache; with `save`, record them as the result.

        Unlike after a run, DVC then keeps a stage with uncached outs in the run-cache, too.
        """
        self._check_outs_are_ours()
        self._check_outs_exist("is missing")
        if save:
            self._save(uncached=True)
            return
        for out in self.stage.outs:
            if out.cache:
                self._commit(out)

    def _by_dvc(self) -> tuple[Outcome, LockedStage | None]:
        """An unfrozen import, or a `.dvc` file with a command, is DVC's own business."""
        force = ["--force"] if self.context.options.force else []
        dvc.dvc("repro", "--single-item", *force, self.stage.file, cwd=self.context.project.root)
        self._observer.forget(out.key for out in self.stage.outs)
        return "ran", None

    def _check_outs_are_ours(self) -> None:
        for out in self.stage.outs:
            if out.cache and out.key in self.context.tracked_outs:
                raise InvalidInput(
                    f"out {out.path!r} is tracked by git",
                    hint=f"`git rm -r --cached {shlex.quote(out.key)}`, then commit, and run again",
                )

    def _check_deps(self) -> None:
        missing = [d.path for d in self.stage.deps if self._observer.digest(d.key) is None]
        if missing and self.context.options.pull:
            dvc.dvc("pull", *missing, cwd=self.context.project.path(self.stage.wdir), check=False)
            self._observer.forget(dep.key for dep in self.stage.deps)
            missing = [d.path for d in self.stage.deps if self._observer.digest(d.key) is None]
        if missing:
            raise AnswerNo(
                f"missing dep: {', '.join(map(repr, missing))}",
                hint=f"look at its path in {self.stage.file}, or fetch it with `mlctl run --pull`",
            )
        if not os.path.isdir(self.context.project.path(self.stage.wdir)):
            raise AnswerNo(
                f"its wdir {self.stage.wdir!r} does not exist",
                hint=f"make it, or correct its `wdir` in {self.stage.file}",
            )
        self._reading.params()

    def _check_outs_exist(self, problem: str) -> None:
        self._observer.forget(out.key for out in self.stage.outs)
        for out in self.stage.outs:
            to_commit = out.cache and self.context.options.commit
            if self._observer.observed(out.key, to_commit=to_commit) is None:
                raise AnswerNo(f"out {out.path!r} {problem}")

    def _restore(self) -> bool:
        """Bring the outs from the cache where this very command on these very inputs is known."""
        if not run_cache.eligible(self.stage):
            return False
        known = self._known_result()
        if known is None:
            return False
        digests = {entry.path: entry.digest for entry in known.outs}
        found = [(out, digests.get(out.path)) for out in self.stage.outs]
        if self.context.options.pull:
            dvc.pull_objects(self.context.project.root, [d.md5 for _, d in found if d])
        whole = [(out, d) for out, d in found if d is not None and self._observer.in_cache(d)]
        if len(whole) < len(found):
            return False
        workspace = self.context.workspace
        copies = workspace.with_copies()  # uncached outs are git's: no link leads into the cache
        for out, digest in whole:
            if not os.path.lexists(workspace.path(out.key)):
                self._linked.add(out.key)
            checkout.checkout(workspace if out.cache else copies, digest, out.key)
        self._observer.forget(out.key for out in self.stage.outs)
        return True

    def _known_result(self) -> LockedStage | None:
        before = self._before
        untouched = all(reason.kind in {"out", "forced"} for reason in self.reasons)
        if (
            before is not None
            and untouched
            and all(
                any(entry.path == out.path and entry.digest for entry in before.outs)
                for out in self.stage.outs
            )
        ):
            return before
        if not self.context.options.run_cache:
            return None
        outs = tuple(LockedPath(out.path, None) for out in self.stage.outs)
        key = run_cache.key(replace(self._reading.to_record(), outs=outs))
        return run_cache.lookup(self._cache_dir, key)

    @property
    def _cache_dir(self) -> str:
        return self.context.workspace.config.cache_dir

    def _remove_outs(self) -> None:
        for out in self.stage.outs:
            path = self.context.workspace.path(out.key)
            if not out.persist:
                links.remove(path)
            elif out.cache and os.path.exists(path):
                links.unprotect(path)
        self._observer.forget(out.key for out in self.stage.outs)

    def _run(self) -> None:
        project, settings = self.context.project, self.stage.settings
        self.log = self.context.log(self.stage)
        log = project.path(self.log)
        os.makedirs(os.path.dirname(log), exist_ok=True)
        job = Job(
            self.stage.address,
            commands(self.stage),
            project.path(self.stage.wdir),
            stage_environment(self.context, self.stage, self._gpus, self._reading.params()),
            log,
            settings.timeout,
            self.context.watcher,
            None if self.context.place(self.stage) == LOCAL else self._files(),
            settings.gpus,
            settings.env_from,
            lambda message: self.context.emit(Notice(message, stage=self.stage.address)),
            project.path(live_path(self.context.run_id, self.stage.address)),
        )
        executor = self.context.executor(self.stage)
        self._settle = partial(executor.settle, job)
        self.context.follow(self.stage.address, log)
        try:
            for self.attempts in range(1, settings.retries + 2):
                if self.attempts > 1:  # what the failed one logged is no part of the result
                    live = live_path(self.context.run_id, self.stage.address)
                    remove_tree(project.path(live))
                self._tell_started()
                self.exit = executor.run(job)
                if self.exit.cancelled or not (self.exit.code or self.exit.timed_out):
                    return
        finally:
            self.context.release(self.stage.address)

    def _files(self) -> Files:
        outs = tuple((out.key, out.cache) for out in self.stage.outs)
        there = [out.key for out in self.stage.outs if out.persist]
        there = [key for key in there if os.path.exists(self.context.workspace.path(key))]
        reads = [dep.key for dep in self.stage.deps] + [dep.key for dep in self.stage.params]
        workspace = self.context.workspace
        params = {dep.key for dep in self.stage.params} - {dep.key for dep in self.stage.deps}
        return Files(
            workspace,
            self.stage.wdir,
            (*reads, *there),
            outs,
            frozenset(there),
            frozenset(params),
            self._reading.params(),
        )

    def _tell_started(self) -> None:
        self.context.emit(
            StageStarted(
                self.stage.address,
                "\n".join(commands(self.stage)),
                self.context.place(self.stage),
                self.reasons,
                self.attempts,
                self.log or "",
                clock.now(),
                self.context.durations.get(self.stage.address),
            )
        )

    def _warn_of_changed_deps(self) -> None:
        for name in self._reading.end():
            message = (
                f"{name} changed while the stage ran: recorded as it was before, "
                "so the stage counts as changed"
            )
            self.context.emit(Notice(message, stage=self.stage.address))

    def _save(self, *, uncached: bool = False) -> LockedStage:
        """Record what is there now: into the cache, the run-cache, `.gitignore` and the lock.

        A stage with uncached outs that are neither metric nor plot stays out of the run-cache,
        unless `uncached` is on.
        """
        commit, stage = self.context.options.commit, self.stage
        locked = replace(self._reading.to_record(), outs=self._locked_outs())
        plain_outs = [out for out in stage.outs if out.kind == "out"]
        if commit:
            for out in stage.outs:
                if out.cache and out.key not in self._linked:
                    self._commit(out)
            if run_cache.eligible(stage) and (uncached or all(out.cache for out in plain_outs)):
                for out in stage.outs:
                    if not out.cache:
                        self._commit(out, relink=False)
                run_cache.save(self._cache_dir, locked)
        if stage.name is None:
            self._write_pointer(locked)
        cached = [out.key for out in stage.outs if out.cache]
        self.context.book.record(stage, locked, cached)
        return locked

    def _commit(self, out: Out, *, relink: bool = True) -> None:
        observed = self._observer.observed(out.key)
        if observed is None:
            return
        workspace = self.context.workspace
        hardlink = relink and workspace.config.link_types[0] == "hardlink"
        workspace.cache.commit(observed, hardlink=hardlink, flush=False)
        if relink:
            checkout.relink(workspace, observed)
            self._observer.forget([out.key])

    def _locked_outs(self) -> tuple[LockedPath, ...]:
        recorded = {e.path: e.digest for e in self._before.outs} if self._before else {}
        locked = []
        for out in self.stage.outs:
            digest = self._observer.current(out.key, recorded.get(out.path))
            if digest is None:
                raise AnswerNo(f"{out.path!r} does not exist")
            if not digest.size and not digest.nfiles:
                self.context.emit(Notice(f"out {out.path!r} is empty", stage=self.stage.address))
            locked.append(LockedPath(out.path, digest))
        return tuple(locked)

    def _write_pointer(self, locked: LockedStage) -> None:
        path = self.context.project.path(self.stage.file)
        before = read_text(path, name=self.stage.file)
        digests = {entry.path: entry.digest for entry in locked.outs}
        outs = [replace(out, digest=digests[out.path]) for out in self.stage.outs]
        after = edit.update_dvc_file(before, outs, name=self.stage.file)
        if after != before:
            write_text(path, after)


def commands(stage: Stage) -> tuple[str, ...]:
    """The shell commands of a stage: a string is one for each of its lines, as in DVC."""
    if stage.cmd is None:
        return ()
    return tuple(stage.cmd.splitlines()) if isinstance(stage.cmd, str) else stage.cmd


def _ending(end: Exit, stage: Stage) -> str:
    if end.cancelled:
        return "cancelled"
    if end.timed_out:
        return f"timed out after {stage.settings.timeout:g} s"
    if end.code < 0:
        return f"killed by signal {-end.code}"
    return f"exit code {end.code}"
