"""What is wrong with the pointers that are about to be committed, or to be pushed.

Everything is read from git's index or from a commit; of the work tree only `dvc.yaml` files count,
which say what a `dvc.lock` does not. Nothing is written but mlctl's own memory of parsed files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from mlctl.adapters import git, yaml
from mlctl.data import staged
from mlctl.data.findings import Finding, Suite
from mlctl.data.profiles.record import FOLDER as PROFILES
from mlctl.data.profiles.record import profile_path
from mlctl.data.staged import StagedOut
from mlctl.errors import ConfigError, InvalidInput, Unmerged
from mlctl.reports.scales import size_text
from mlctl.store.cache import Cache, MissingObjects
from mlctl.store.config import load_config

Rules = Mapping[tuple[str, str, str], StagedOut]

_BEFORE = ("HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD")  # what these hold is no news
_FILES = ("100644", "100755")


@dataclass(frozen=True, slots=True)
class Asked:
    """What to check: the files called `names` (from the root; None: all) of the index.

    `revision` and `before` are commits that take the place of the index and of HEAD. `large` are
    the bytes from which on a file belongs to DVC; `remote` has the remotes asked, too.
    """

    names: frozenset[str] | None
    large: int
    remote: bool = False
    revision: str | None = None
    before: str | None = None


class _Pointer(NamedTuple):
    """A pointer file: its text, the outs that it records, and those of them that are news."""

    file: str
    text: str
    outs: list[StagedOut]
    new: list[StagedOut]


class _Look(NamedTuple):
    """What is looked at: all files by path, the objects in the commits before, and what counts."""

    root: str
    blobs: Mapping[str, git.Blob]
    before: Sequence[Mapping[str, str]]
    chosen: Collection[str]

    def older(self, paths: Iterable[str]) -> list[tuple[str, str]]:
        """Path and object of each earlier version of `paths`."""
        return [(path, tree[path]) for path in paths for tree in self.before if path in tree]


def check(root: str, asked: Asked) -> tuple[Suite, list[str]]:
    """All findings, and notes of what was not asked."""
    look = _look(root, asked)
    rules, notes = _rules(look)
    pointers, faults = _read(look, rules)
    picked = [pointer for pointer in pointers if pointer.file in look.chosen]
    cache = Cache(load_config(root))
    if asked.remote:
        missing = list(_missing_everywhere(root, cache, picked))
    else:
        missing = list(_missing(cache, picked))
        notes += _not_asked(cache, picked) if asked.names is None else []
    doubles = list(_tracked_twice(look, pointers))
    findings = [
        *_large(look, asked, leave={finding.file for finding in doubles}),
        *doubles,
        *(fault for fault in faults if fault.file in look.chosen),
        *missing,
        *_stale_profiles(look, pointers),
    ]
    findings.sort(key=lambda finding: (finding.file, finding.line, finding.rule))
    summary = f"{len(look.chosen)} files, {len(picked)} pointers"
    return Suite("pointers", len(look.chosen), tuple(findings), summary), notes


def _look(root: str, asked: Asked) -> _Look:
    names: Sequence[str] = _BEFORE
    if asked.revision is None:
        listed = git.staged(root)
    else:
        listed = git.committed(root, asked.revision)
        names = [asked.before] if asked.before else []
    blobs = {blob.path: blob for blob in listed}
    before = [{blob.path: blob.oid for blob in git.committed(root, name)} for name in names]
    chosen = blobs.keys() if asked.names is None else blobs.keys() & asked.names
    return _Look(root, blobs, before, chosen)


def _rules(look: _Look) -> tuple[Rules, list[str]]:
    """What the pipelines say of the outs in locks, and a note where they cannot be read."""
    if not any(map(staged.is_lock, look.blobs)):
        return {}, []
    try:
        return staged.pipeline_rules(look.root), []
    except ConfigError as error:
        return {}, [f"outs of pipelines were not checked: {error}"]


def _read(look: _Look, rules: Rules) -> tuple[list[_Pointer], list[Finding]]:
    """The pointers that can be read, and what is wrong with the others."""
    files = [path for path in look.blobs if staged.is_pointer(path)]
    oids = [look.blobs[path].oid for path in files]
    old = set(look.older(files))
    known = _outs_of(look.root, old - set(zip(files, oids, strict=True)), rules)
    pointers, faults = [], []
    for path, oid, data in zip(files, oids, git.contents(oids, look.root), strict=True):
        text = data.decode("utf-8", "replace")
        try:
            if look.blobs[path].stage:
                raise Unmerged("is unmerged", file=path, hint="resolve the merge conflict")
            outs = staged.outs(text, path, rules)
        except ConfigError as error:
            faults.append(_fault(path, error))
            continue
        news = outs if (path, oid) not in old else []
        pointers.append(
            _Pointer(path, text, outs, [o for o in news if (path, o.path, o.md5) not in known])
        )
    return pointers, faults


def _outs_of(
    root: str, versions: Iterable[tuple[str, str]], rules: Rules
) -> set[tuple[str, str, str]]:
    """Pointer, path and hash of each out that these versions of pointers record."""
    items = sorted(versions)
    texts = git.contents([oid for _, oid in items], root)
    return {
        (path, out.path, out.md5)
        for (path, _), data in zip(items, texts, strict=True)
        for out in staged.readable_outs(data, path, rules)
    }


def _fault(path: str, error: ConfigError) -> Finding:
    rule = "conflict" if isinstance(error, Unmerged) else "unreadable"
    hint = f"{error.hint}; then `git add {path}`" if error.hint else f"mend it and `git add {path}`"
    return Finding(rule, path, f"{path}: {error.message}", path, error.line or 1, hint)


def _large(look: _Look, asked: Asked, *, leave: Collection[str]) -> Iterator[Finding]:
    """Large files that DVC does not track; with names, only those that were not as large before."""
    paths = [
        path
        for path in sorted(look.chosen)
        if look.blobs[path].mode in _FILES and path not in leave and not _is_ours(path)
    ]
    sizes = git.sizes([look.blobs[path].oid for path in paths], look.root)
    large = {path: size for path, size in zip(paths, sizes, strict=True) if size > asked.large}
    if asked.names is not None:
        old = look.older(large)
        sizes = git.sizes([oid for _, oid in old], look.root)
        for (path, _), size in zip(old, sizes, strict=True):
            if size > asked.large:
                large.pop(path, None)
    for path, size in large.items():
        yield Finding(
            "large-file",
            path,
            f"{path}: {size_text(size)} in git, more than {size_text(asked.large)}",
            path,
            hint=f"`git rm --cached {path}` and `mlctl data add {path}`, or raise "
            "`data: {large_file: …}` in mlctl.yaml",
            properties={"bytes": size},
        )


def _is_ours(path: str) -> bool:
    """Whether the file belongs to git whatever its size: a pointer, a lock or a profile."""
    return staged.is_pointer(path) or path.startswith(f"{PROFILES}/")


def _tracked_twice(look: _Look, pointers: Sequence[_Pointer]) -> Iterator[Finding]:
    """Files of DVC's that git holds as well."""
    owners = {out.path: pointer for pointer in pointers for out in pointer.outs if out.cached}
    for path in look.blobs:
        owner = next((owners[key] for key in _and_parents(path) if key in owners), None)
        if owner is not None and (path in look.chosen or owner.file in look.chosen):
            message = f"{path}: git tracks it, and so does DVC, by {owner.file}"
            hint = f"`git rm --cached {path}`: git needs the pointer only"
            yield Finding("tracked-twice", path, message, path, hint=hint)


def _and_parents(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]


def _missing(cache: Cache, pointers: Sequence[_Pointer]) -> Iterator[Finding]:
    """The news whose content is not in the cache."""
    for pointer in pointers:
        for out in pointer.new:
            if _needs(out) and _lacks(cache, out):
                yield _lost(pointer, out, "in no cache here; no remote was asked")


def _not_asked(cache: Cache, pointers: Sequence[_Pointer]) -> list[str]:
    """A note of the other outs that are not in the cache, which is usual in a fresh clone."""
    old = [out for pointer in pointers for out in pointer.outs if out not in pointer.new]
    gone = sum(_needs(out) and _lacks(cache, out) for out in old)
    said = f"{gone} outs that did not change are not in the cache; --remote asks the remotes"
    return [said] if gone else []


def _missing_everywhere(root: str, cache: Cache, pointers: Sequence[_Pointer]) -> Iterator[Finding]:
    """Outs whose content no remote has, and those that are never pushed and not in the cache."""
    from mlctl.adapters import dvc

    needed = [(pointer, out) for pointer in pointers for out in pointer.outs if _needs(out)]
    keys = [(out.md5, out.legacy, out.remote) for _, out in needed if out.pushed]
    there = dvc.in_remotes(root, keys) if keys else set()
    for pointer, out in needed:
        if (out.md5, out.legacy, out.remote) in there:
            continue
        if _lacks(cache, out):
            where = "in no cache and no remote" if out.pushed else "in no cache, and never pushed"
            yield _lost(pointer, out, where)
        elif out.pushed:
            message = f"{out.path}: its content ({out.md5[:8]}…) is in the cache here alone"
            yield _at(pointer, out, "not-pushed", message, f"`mlctl data push {out.path}`")


def _needs(out: StagedOut) -> bool:
    return out.cached and bool(out.md5) and "://" not in out.path


def _lacks(cache: Cache, out: StagedOut) -> bool:
    """Whether the cache lacks an object of the out. Looks only, and deletes nothing."""
    if not os.path.exists(cache.path(out.md5, legacy=out.legacy)):
        return True
    if not out.md5.endswith(".dir"):
        return False
    with suppress(MissingObjects, InvalidInput):
        entries = cache.tree(out.md5, legacy=out.legacy)
        return not all(os.path.exists(cache.path(e.md5, legacy=out.legacy)) for e in entries)
    return True


def _lost(pointer: _Pointer, out: StagedOut, where: str) -> Finding:
    message = f"{out.path}: its content ({out.md5[:8]}…) is {where}"
    fetch = f"`mlctl data fetch {out.path}`"
    hint = f"{fetch} where it was pushed, else make or add it again and stage that"
    return _at(pointer, out, "missing-object", message, hint)


def _at(pointer: _Pointer, out: StagedOut, rule: str, message: str, hint: str) -> Finding:
    line = yaml.line_of(pointer.text, (*out.where, "md5")) or 1
    properties = {"path": out.path, "md5": out.md5}
    return Finding(rule, out.path, message, pointer.file, line, hint, properties)


def _stale_profiles(look: _Look, pointers: Sequence[_Pointer]) -> Iterator[Finding]:
    """Committed profiles of other data than the pointer names."""
    items = [
        (out, file)
        for pointer in pointers
        for out in pointer.outs
        if out.digest and (file := profile_path(out.path)) in look.blobs
        if pointer.file in look.chosen or file in look.chosen
    ]
    texts = git.contents([look.blobs[file].oid for _, file in items], look.root)
    for (out, file), data in zip(items, texts, strict=True):
        digest = _digest_of_profile(data)
        if digest != out.digest:
            said = f"of {digest[:12]}…" if digest else "of no known data"
            message = f"{out.path}: its profile is {said}, its pointer of {out.digest[:12]}…"
            hint = f"`mlctl data profile {out.path}` and `git add {file}`"
            line = data[: max(data.find(b'"digest"'), 0)].count(b"\n") + 1
            yield Finding("stale-profile", out.path, message, file, line, hint)


def _digest_of_profile(data: bytes) -> str:
    with suppress(ValueError, TypeError, KeyError):
        return str(json.loads(data)["data"]["digest"])
    return ""
