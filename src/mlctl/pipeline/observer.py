"""What the files of stages are now: digests through the state database, parameters parsed once.

One observer serves one command. What it has seen it remembers until told to forget.
"""

from __future__ import annotations

import posixpath
import threading
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from mlctl.adapters import clock
from mlctl.errors import ConfigError, InvalidInput
from mlctl.pipeline import params
from mlctl.pipeline.fingerprint import Seen, same
from mlctl.pipeline.project import Project
from mlctl.pipeline.spec import Digest, LockedPath, LockedStage, ParamsDep, Stage
from mlctl.store.observed import Observed
from mlctl.store.workspace import Workspace


class Observer:
    """Looks at the files of `workspace`, for several threads at once."""

    def __init__(self, project: Project, workspace: Workspace) -> None:
        self.project = project
        self.workspace = workspace
        self._seen: dict[tuple[str, bool], Observed | None] = {}
        self._params: dict[str, Mapping[str, Any] | None] = {}
        self._below: dict[str, set[str]] = {}  # folder -> what was seen inside it
        self._walked: dict[str, float] = {}  # when each folder was last looked at
        self._cached: set[tuple[str, bool]] = set()
        self._lock = threading.Lock()

    def observed(
        self, key: str, *, legacy: bool = False, to_commit: bool = False
    ) -> Observed | None:
        """The file or folder `key` with its digest, or None where there is none.

        `to_commit` says that it goes into the cache next.
        """
        memo = (key, legacy)
        with self._lock:
            if memo in self._seen:
                return self._seen[memo]
        began = clock.monotonic()
        found = self.workspace.observe(key, legacy=legacy, to_commit=to_commit)
        with self._lock:
            self._seen[memo] = found
            if found is not None and found.digest.isdir:
                self._walked[key] = began
            for folder in _folders(key):
                self._below.setdefault(folder, set()).add(key)
        return found

    def digest(self, key: str, like: Digest | None = None) -> Digest | None:
        """The digest of `key` now, of the kind that `like` has; a URL's comes from DVC."""
        if "://" in key:
            from mlctl.adapters import dvc

            return _external(dvc.external_entry(self.workspace.root, key))
        found = self.observed(key, legacy=like is not None and like.legacy)
        return found.digest if found else None

    def current(self, key: str, recorded: Digest | None) -> Digest | None:
        """The digest to record for `key` now.

        A DVC 2 digest is kept while the content is the same; it becomes a plain one after that.
        """
        now = self.digest(key, recorded)
        if recorded is not None and recorded.legacy and not same(recorded, now):
            return self.digest(key)
        return now

    def params(self, dep: ParamsDep) -> Mapping[str, Any] | None:
        """The values of `dep`'s names that exist now, or None where the file is missing."""
        with self._lock:
            known = dep.key in self._params
            values = self._params.get(dep.key)
        if not known:
            values = self.project.params_file(dep.key)
            with self._lock:
                self._params[dep.key] = values
                for folder in _folders(dep.key):
                    self._below.setdefault(folder, set()).add(dep.key)
        return None if values is None else params.select(values, dep.names)

    def in_cache(self, digest: Digest) -> bool:
        """Whether all of `digest` is in the cache, as DVC judges it."""
        memo = (digest.md5, digest.legacy)
        if memo not in self._cached:
            if not self.workspace.cache.has(digest):
                return False
            self._cached.add(memo)
        return True

    def seen(self, stage: Stage, locked: LockedStage | None, *, ask_cache: bool = True) -> Seen:
        """Everything that the judgement of `stage` asks for.

        Without `ask_cache`, all of its outs count as cached. A check of an object sets its
        mode to 0444, and so takes that of an executable away from the links to it.
        """
        before_deps = _by_path(locked.deps if locked else ())
        before_outs = _by_path(locked.outs if locked else ())
        deps = {}
        if not stage.frozen:
            deps = {d.key: self.digest(d.key, before_deps.get(d.path)) for d in stage.deps}
        outs = {o.key: self.digest(o.key, before_outs.get(o.path)) for o in stage.outs}
        cached = frozenset(
            out.key
            for out in stage.outs
            if not ask_cache
            or (out.cache and (d := before_outs.get(out.path)) is not None and self.in_cache(d))
        )
        values = {} if stage.frozen else self._values(stage)
        return Seen(deps, values, outs, cached)

    def _values(self, stage: Stage) -> dict[str, Mapping[str, Any] | None]:
        try:
            return {dep.key: self.params(dep) for dep in stage.params}
        except ConfigError:
            raise
        except InvalidInput as error:  # a name that is a pattern of several
            with self.project.naming_lines():
                raise ConfigError(
                    error.message, file=stage.file, where=f"{stage.where}.params", hint=error.hint
                ) from None

    def refresh(self, keys: Iterable[str], seconds: float) -> None:
        """Look again at `keys` when asked; at folders only if that was so long ago or longer."""
        now = clock.monotonic()
        self.forget([key for key in keys if now - self._walked.get(key, 0.0) >= seconds])

    def forget(self, keys: Iterable[str]) -> None:
        """Files at or below or above `keys` may have changed: look again when asked."""
        with self._lock:
            for key in keys:
                for gone in (key, *_folders(key), *self._below.pop(key, ())):
                    self._seen.pop((gone, False), None)
                    self._seen.pop((gone, True), None)
                    self._params.pop(gone, None)


def _by_path(entries: Iterable[LockedPath]) -> dict[str, Digest | None]:
    return {entry.path: entry.digest for entry in entries}


def _external(entry: dict[str, Any] | None) -> Digest | None:
    if entry is None:
        return None
    known = {"path", "hash", "md5", "size", "nfiles"}
    extra = {name: value for name, value in entry.items() if name not in known}
    return Digest(entry.get("md5", ""), entry.get("size"), entry.get("nfiles"), extra=extra)


@lru_cache(maxsize=16_384)
def _folders(key: str) -> tuple[str, ...]:
    """The folders that `key` lies in, from the nearest to the root."""
    found = []
    while key not in {"", "/"}:
        key = posixpath.dirname(key)
        found.append(key)
    return tuple(found)
