"""What nothing refers to any more, in the cache or on a remote: `mlctl data gc`.

What is kept is found by its name alone: every MD5 in a pointer, a lock, a run's record or the
registry, whatever else these files say. So a file that cannot be parsed, or in which git left
conflict markers, keeps all that it names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mlctl.adapters.git import git
from mlctl.data.versions.place import Place, open_place
from mlctl.errors import InvalidInput
from mlctl.pipeline.project import discover
from mlctl.pipeline.spec import lock_key
from mlctl.records.refs import KEPT, RUNS
from mlctl.store import links
from mlctl.store.cache import Cache, MissingObjects
from mlctl.store.config import Config, load_config
from mlctl.store.ignore import Ignore
from mlctl.store.locks import claimed
from mlctl.store.tree import parse_tree
from mlctl.store.verify import Object, objects_in
from mlctl.store.workspace import Workspace, open_workspace

_MD5 = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?:\.dir)?(?![0-9a-f])")
_POINTERS = ("*.dvc", "*dvc.lock")
_IN_RECORDS = ("stages.jsonl", "artifacts.jsonl", "run.json")
_RECORDS = (*(f"runs/**/{name}" for name in _IN_RECORDS), "runs/*.jsonl", "registry/**")
_BATCH = 200  # commits on one command line


@dataclass(frozen=True, slots=True)
class Scope:
    """What keeps its objects: the workspace always, and the commits that are asked for."""

    branches: bool = False
    tags: bool = False
    commits: bool = False
    revisions: tuple[str, ...] = ()
    runs: bool = True
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Garbage:
    """What nothing refers to in one place: the cache (`remote` is None) or a remote.

    `unread` are folders whose listing is not there, so that it does not say what it names.
    """

    remote: str | None
    objects: int
    size: int
    kept: int
    kept_size: int
    unread: int
    removed: bool


def collect(
    start: str,
    scope: Scope,
    *,
    cloud: bool = False,
    remote: str | None = None,
    jobs: int | None = None,
    remove: bool = False,
) -> list[Garbage]:
    """Find what nothing in `scope` refers to, and with `remove` delete it.

    Raises Busy where a stage, `dvc` or mlctl works in the repository while something is deleted.
    """
    workspace = open_workspace(start)
    try:
        if not remove:
            return list(_collect(workspace, scope, cloud, remote, jobs, remove=False))
        with claimed(workspace.config, "mlctl data gc", [workspace.root]):
            return list(_collect(workspace, scope, cloud, remote, jobs, remove=True))
    finally:
        workspace.state.close()


def _collect(
    workspace: Workspace,
    scope: Scope,
    cloud: bool,
    remote: str | None,
    jobs: int | None,
    *,
    remove: bool,
) -> Iterator[Garbage]:
    kept = _named(workspace.config, scope)
    for project in scope.projects:
        kept |= _named(load_config(os.path.abspath(project)), scope)
    place = open_place(workspace.config, remote, jobs) if cloud else None
    children, unread = _listed(workspace.cache, None, kept)
    there = ((item, _size(workspace.cache, item)) for item in objects_in(workspace.cache))
    yield _sort(there, kept | children, unread, None, _Local(workspace.cache) if remove else None)
    if place is not None:
        children, unread = _listed(workspace.cache, place, kept)
        every = place.objects()
        yield _sort(every, kept | children, unread, place.name, place if remove else None)


def named_in(text: str) -> set[str]:
    """The MD5s in a text, with their `.dir`. Pure."""
    return set(_MD5.findall(text))


def _named(config: Config, scope: Scope) -> set[str]:
    found = set()
    for path in _files(config, runs=scope.runs):
        with open(path, encoding="utf-8", errors="replace") as file:
            found |= named_in(file.read())
    commits = _commits(config, scope) + _own_branches(config, scope)
    patterns = [*_POINTERS, *(f":(glob){name}" for name in _RECORDS if scope.runs)]
    for begin in range(0, len(commits), _BATCH):
        said = git(
            "grep", "-a", "-h", "-o", "-E", r"[0-9a-f]{32}(\.dir)?",
            *commits[begin : begin + _BATCH], "--", *patterns,
            cwd=config.root, check=False,
        )  # fmt: skip
        if said.code > 1:
            raise InvalidInput(f"git cannot read the commits: {said.stderr.strip()}")
        found |= named_in(said.stdout)
    return found


def _files(config: Config, *, runs: bool) -> Iterator[str]:
    """Files of the workspace that name objects, and what a killed run had finished."""
    for key in discover(config, Ignore(config.root)):
        pointer = key if key.endswith(".dvc") else lock_key(key)
        path = os.path.join(config.root, pointer)
        if os.path.isfile(path):
            yield path
    folders = [os.path.join(config.local_dir, "journal")]
    if runs:
        folders += [os.path.join(config.root, name) for name in ("runs", "registry")]
    records = os.path.join(config.root, "runs")
    for folder in folders:
        for top, _, names in os.walk(folder):
            everything = top == records or not top.startswith(records)
            yield from (
                os.path.join(top, name) for name in names if everything or name in _IN_RECORDS
            )


def _own_branches(config: Config, scope: Scope) -> list[str]:
    """The branch of what kept runs refer to, and that of the records where runs count."""
    if config.git_root is None:
        return []
    names = [KEPT, RUNS] if scope.runs else [KEPT]
    said = git("for-each-ref", "--format=%(objectname)", *names, cwd=config.root, check=False)
    return said.stdout.split()


def _commits(config: Config, scope: Scope) -> list[str]:
    asked = [
        name
        for name, wanted in (
            ("--branches", scope.branches),
            ("--tags", scope.tags),
            ("--all", scope.commits),
        )
        if wanted
    ]
    if config.git_root is None or not (asked or scope.revisions):
        return []
    walk = [] if scope.commits else ["--no-walk"]
    argv = ["rev-list", *walk, *asked, *scope.revisions, "--"]
    said = git(*argv, cwd=config.root, check=False)
    if said.code:
        raise InvalidInput(f"git: {said.stderr.strip()}", hint="name commits, branches or tags")
    return said.stdout.split()


def _listed(cache: Cache, place: Place | None, kept: Iterable[str]) -> tuple[set[str], int]:
    """What the listings of kept folders name, and how many of them could not be read."""
    found: set[str] = set()
    unread = 0
    for md5 in kept:
        if not md5.endswith(".dir"):
            continue
        entries = None
        for legacy in (False, True):
            try:
                entries = cache.tree(md5, legacy=legacy)
            except MissingObjects:
                if place is not None:
                    try:
                        entries = parse_tree(place.read(Object(md5, legacy)), md5)
                    except FileNotFoundError:
                        continue
        if entries is None:
            unread += 1
        else:
            found.update(entry.md5 for entry in entries)
    return found, unread


class _Local:
    """The cache, as a place from which objects are removed."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def remove(self, items: Sequence[Object]) -> None:
        """Remove objects."""
        for item in items:
            links.remove(self._cache.path(item.md5, legacy=item.legacy))


def _sort(
    there: Iterable[tuple[Object, int | None]],
    kept: set[str],
    unread: int,
    remote: str | None,
    place: Place | _Local | None,
) -> Garbage:
    """Count, and remove from `place` if there is one: listings first, so that none stands alone."""
    kept_objects = kept_size = 0
    waste: list[Object] = []
    size = 0
    for item, each in there:
        if item.md5 in kept:
            kept_objects += 1
            kept_size += each or 0
        else:
            waste.append(item)
            size += each or 0
    if place is not None and waste:
        waste.sort(key=lambda item: not item.md5.endswith(".dir"))
        split = sum(item.md5.endswith(".dir") for item in waste)
        place.remove(waste[:split])
        place.remove(waste[split:])
    return Garbage(remote, len(waste), size, kept_objects, kept_size, unread, place is not None)


def _size(cache: Cache, item: Object) -> int:
    try:
        return os.stat(cache.path(item.md5, legacy=item.legacy)).st_size
    except FileNotFoundError:
        return 0
