"""What a run has recorded so far, and bringing it into `dvc.lock` and `.gitignore`.

Each finished stage is one line in a journal; a *fold* writes the journal's stages into the locks,
in serial order, so that the bytes do not depend on which stage was faster. Until its fold, a stage
stays claimed in DVC's rwlock: a stock `dvc` beside us cannot take it for stale.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from mlctl.adapters import clock
from mlctl.adapters.files import read_text, sync_folder, write_text
from mlctl.errors import Busy
from mlctl.pipeline import lockfile
from mlctl.pipeline.events import Emit, Notice
from mlctl.pipeline.ignoring import Ignoring
from mlctl.pipeline.journal import Journal
from mlctl.pipeline.project import Project
from mlctl.pipeline.spec import Dep, LockedStage, ParamsDep, Stage, lock_key
from mlctl.store.locks import PathLocks, repo_lock
from mlctl.store.workspace import Workspace

FOLD_EVERY = 2.0  # seconds
_LOOK_AGAIN = 0.2  # seconds between two looks at a lock that another process holds
_LEFT = "the repository is still locked: what is done is brought into the lock by the next mlctl"


class Book:
    """The records of one run; `serial` are its stages in DVC's order."""

    def __init__(
        self,
        project: Project,
        workspace: Workspace,
        claims: PathLocks,
        journal: Journal,
        serial: Sequence[Stage],
        emit: Emit,
    ) -> None:
        self._project = project
        self._workspace = workspace
        self._claims = claims
        self._emit = emit
        self._lock = threading.Lock()
        self._rank = {stage.address: rank for rank, stage in enumerate(serial)}
        self._done: dict[str, LockedStage] = {}
        self._texts: dict[str, str] = {}  # the same as `dvc.lock` has it
        self._locks: dict[str, _LockText] = {}
        self._versions = dict(project.lock_versions)
        self._others: dict[str, dict[str, LockedStage]] = {}  # locks that others wrote meanwhile
        self._stopped = threading.Event()
        outs = [out.key for stage in serial for out in stage.outs if out.cache]
        deps = {dep.key for stage in serial for dep in stage.deps}
        self._ignoring = Ignoring(project.config, outs, deps)
        self._claimed: dict[str, Stage] = {}  # claimed and not recorded
        self._ahead: dict[str, float] = {}  # of these, what has not started: when it was claimed
        self._unfolded: dict[str, Stage] = {}  # recorded, and claimed until they are in the locks
        self._journal = journal
        self._folded_at = clock.monotonic()

    def locked(self, stage: Stage) -> LockedStage | None:
        """What is recorded of `stage` now: in this run, or before it."""
        with self._lock:
            return self._done.get(stage.address) or self._before(stage)

    def _before(self, stage: Stage) -> LockedStage | None:
        """What the lock had of the stage before this run recorded it, as far as we have read it."""
        if stage.name is not None and stage.file in self._others:
            return self._others[stage.file].get(stage.name)
        return self._project.locked(stage)

    def record(self, stage: Stage, locked: LockedStage, cached_outs: Sequence[str]) -> None:
        """`stage` is up to date as `locked` says; its cached outs are git's to ignore."""
        with self._lock:
            if stage.name is not None:
                text = self._texts[stage.address] = lockfile.stage_text(stage.name, locked)
                before = self._before(stage)
                was = None if before is None else lockfile.stage_text(stage.name, before)
                self._journal.append(stage.record_file, stage.name, text, was)
            if self._ignoring.add(cached_outs):
                self._patiently(self._ignoring.write)
            self._done[stage.address] = locked
            self._unfolded[stage.address] = stage
            self._claimed.pop(stage.address, None)

    def claim_ahead(self, stages: Sequence[Stage]) -> None:
        """Claim stages that are about to start, in one edit, where no other process holds any.

        An edit costs as much as a short stage does. What cannot be claimed here, `claim` waits for.
        """
        with self._lock:
            fresh = [stage for stage in stages if stage.address not in self._claimed]
        with suppress(Busy):
            self._claims.publish(*self._paths(fresh))
            now = clock.monotonic()
            with self._lock:
                self._claimed.update({stage.address: stage for stage in fresh})
                self._ahead.update({stage.address: now for stage in fresh})

    def release_ahead(self, seconds: float) -> None:
        """Give back what was claimed ahead so long ago or longer and has not started."""
        limit = clock.monotonic() - seconds
        with self._lock:
            stale = [address for address, at in self._ahead.items() if at <= limit]
            stages = [self._claimed.pop(address) for address in stale]
            for address in stale:
                del self._ahead[address]
        if stages:
            self._claims.withdraw(*self._paths(stages))

    def is_claimed(self, stage: Stage) -> bool:
        """Whether this run holds the stage's paths."""
        with self._lock:
            return stage.address in self._claimed

    @contextmanager
    def claim(self, stage: Stage, *, wait: bool) -> Iterator[bool]:
        """Hold the stage's deps for reading and its outs for writing against other processes.

        Yields whether another process may have brought the stage up to date meanwhile. Raises Busy
        where another process holds one of them and `wait` is off.
        """
        with self._lock:
            self._ahead.pop(stage.address, None)
        wait = wait and "DVC_STAGE" not in os.environ
        waited = not self.is_claimed(stage) and self._wait_for(stage, wait=wait)
        try:
            with self._lock:
                rewritten = stage.name is not None and self._look_at_lock(stage.file)
            yield waited or rewritten
        finally:
            self.release(stage)

    def release(self, stage: Stage) -> None:
        """The stage needs nothing more; once it is recorded, its paths are held until the fold."""
        with self._lock:
            self._ahead.pop(stage.address, None)
            held = self._claimed.pop(stage.address, None)
        if held is not None:
            self._claims.withdraw(*self._paths([stage]))

    def fold(self) -> None:
        """Bring what is recorded into the locks, if it is time to.

        It does not wait for another process that holds the repository: the journal has everything,
        and the next call tries again.
        """
        with self._lock, suppress(Busy):
            self._ignoring.write_if_due()
            if clock.monotonic() - self._folded_at >= FOLD_EVERY:
                self._fold(0)

    def _fold(self, wait: float) -> None:
        self._folded_at = clock.monotonic()
        if not self._unfolded:
            return
        self._ignoring.write(wait)
        self._workspace.cache.flush()
        with repo_lock(self._project.config, wait=wait):
            for file in sorted({s.file for s in self._unfolded.values() if s.name is not None}):
                self._fold_lock(file)
        self._journal.clear()
        self._claims.withdraw(*self._paths(self._unfolded.values()))
        self._unfolded.clear()

    def close(self) -> None:
        """The last fold, and the end of the journal and of all claims.

        Another process that holds the repository is waited for until `stop_waiting`: then the
        journal stays, and whoever recovers it has the last fold to do.
        """
        with self._lock:
            if not self._patiently(self._fold):
                self.abandon()
                self._emit(Notice(_LEFT))
                return
        self._claims.withdraw(*self._paths(self._claimed.values()))
        self._claimed.clear()
        self._journal.close()

    def abandon(self) -> None:
        """The run broke off: nothing is held any more; the journal is there to be recovered."""
        held = {**self._claimed, **self._unfolded}
        self._journal.abandon()
        self._claims.withdraw(*self._paths(held.values()))

    def _paths(self, stages: Iterable[Stage]) -> tuple[list[str], list[str]]:
        """What the stages read and what they write, as absolute paths."""
        reads: list[str] = []
        writes: list[str] = []
        path = self._workspace.path
        for stage in stages:
            deps: tuple[Dep | ParamsDep, ...] = (*stage.deps, *stage.params)
            reads += [path(dep.key) for dep in deps if "://" not in dep.key]
            writes += [path(out.key) for out in stage.outs]
        return reads, writes

    def stop_waiting(self) -> None:
        """Whoever waits for another process gives up."""
        self._stopped.set()

    def _patiently(self, work: Callable[[float], None]) -> bool:
        """Do `work(seconds to wait)` once no other process holds the repository.

        Returns whether it was done, and not given up for `stop_waiting`.
        """
        told = False
        while True:
            try:
                work(_LOOK_AGAIN)
            except Busy as busy:
                if self._stopped.is_set():
                    return False
                if not told:
                    self._emit(Notice(f"waiting: {busy}", "info"))
                    told = True
            else:
                return True

    def _wait_for(self, stage: Stage, *, wait: bool) -> bool:
        """Claim the stage's paths; whether that took waiting."""
        told = False
        while True:
            try:
                self._claims.publish(*self._paths([stage]))
            except Busy as busy:
                if not wait or self._stopped.is_set():
                    raise
                if not told:
                    self._emit(Notice(f"waiting: {busy}", "info", stage.address))
                    told = True
                self._stopped.wait(_LOOK_AGAIN)
            else:
                with self._lock:
                    self._claimed[stage.address] = stage
                return told

    def _look_at_lock(self, file: str) -> bool:
        """Read the lock again if another process wrote it since we did; whether one did."""
        version = self._project.lock_version(file)
        if version == self._versions.get(file):
            return False
        self._versions[file] = version
        self._others[file] = self._project.read_lock(lock_key(file))
        return True

    def _fold_lock(self, file: str) -> None:
        self._look_at_lock(file)
        key = lock_key(file)
        path = self._project.path(key)
        now = read_text(path, name=key) if os.path.exists(path) else None
        text = self._locks.setdefault(file, _LockText(now))
        if now != text.written:  # somebody else wrote it since: their text is the new base
            text.base = now
        new = {s.address: s.name for s in self._unfolded.values() if s.file == file and s.name}
        text.done |= new
        serial = sorted(text.done.items(), key=lambda item: self._rank[item[0]])
        updates = {name: self._done[address] for address, name in serial}
        texts = {name: self._texts[address] for address, name in serial}
        text.written = lockfile.splice(text.base, updates, list(updates), texts)
        if text.written != now:
            write_text(path, text.written)
            sync_folder(os.path.dirname(path))  # the journal, which has the same, goes after this
            self._versions[file] = self._project.lock_version(file)


class _LockText:
    """One lock's text before this run wrote to it, and as this run wrote it last."""

    def __init__(self, text: str | None) -> None:
        self.base = text
        self.written = text
        self.done: dict[str, str] = {}  # what this run has recorded: address -> name
