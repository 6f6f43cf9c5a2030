"""What runs have left and nothing needs any more: `mlctl exp gc`. Records are not removed here."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from mlctl.adapters import clock
from mlctl.adapters.files import is_locked, remove_tree
from mlctl.adapters.git import contents, git, toplevel
from mlctl.adapters.git_objects import delete_refs, refs
from mlctl.errors import NotAble
from mlctl.experiments import pins
from mlctl.experiments.again.scratch import remove as remove_scratch
from mlctl.experiments.branch_store import tree_prefix
from mlctl.experiments.live import forget, live_folder, live_runs
from mlctl.experiments.shelves.folder import days, names_in
from mlctl.experiments.shelves.pack import packs
from mlctl.records.refs import SNAPSHOTS
from mlctl.records.ulid import is_ulid, ulid_seconds

DAY = 86_400.0
_TEMPORARY = ("run-", "live-", "removed-")  # of records that came, were adopted, or went
_IN_PACK = re.compile(rb'"id":\s*"([0-9A-Z]{26})"')


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing that can go: a `live` or `temporary` folder, a `scratch` work tree, or the
    `snapshot` or `pin` of a run that has no record any more. `size` is in bytes; what git holds is
    freed by git itself, later, and counts as none.
    """

    kind: str
    name: str
    size: int


def collect(root: str, *, older_than: float = DAY, remove: bool = False) -> list[Leftover]:
    """Find what nobody has touched for `older_than` seconds and no record needs; with `remove`, let
    it go. A run counts while its record is in the work tree, in another work tree of the
    repository, on a branch or a tag, in a pack or on the records' own branch.
    """
    before = clock.now() - older_than
    found = [*_of_folders(root, before), *_of_git(root, before)]
    if remove:
        for _, let_go in found:
            let_go()
    return [leftover for leftover, _ in found]


_Found = tuple[Leftover, Callable[[], object]]


def _of_folders(root: str, before: float) -> Iterator[_Found]:
    here = _in_work_tree(root)
    for run_id in live_runs(root):
        folder = live_folder(root, run_id)
        if run_id in here and last_change(folder) < before:
            yield Leftover("live", _key(root, folder), _size(folder)), partial(forget, root, run_id)
    for name in names_in(os.path.join(root, ".mlctl", "tmp")):
        folder = os.path.join(root, ".mlctl", "tmp", name)
        if name.startswith(_TEMPORARY) and last_change(folder) < before:
            left = Leftover("temporary", _key(root, folder), _size(folder))
            yield left, partial(remove_tree, folder)
    for name in names_in(os.path.join(root, ".mlctl", "scratch")):
        folder = os.path.join(root, ".mlctl", "scratch", name)
        if os.path.isdir(folder) and not _is_held(folder) and ulid_age(name, before):
            left = Leftover("scratch", _key(root, folder), _size(folder))
            yield left, partial(remove_scratch, root, folder)


def _of_git(root: str, before: float) -> Iterator[_Found]:
    try:
        if toplevel(root) is None:
            return
    except NotAble:  # git is not installed
        return
    names = {name.removeprefix(SNAPSHOTS) for name in refs(root, SNAPSHOTS)}
    old = {run_id for run_id in names | pins.pinned_runs(root) if ulid_age(run_id, before)}
    gone = sorted(old - known_runs(root)) if old else []
    for run_id in gone:
        if run_id in names:
            ref = f"{SNAPSHOTS}{run_id}"
            yield Leftover("snapshot", ref, 0), partial(delete_refs, root, [ref])
        else:
            yield Leftover("pin", run_id, 0), partial(pins.forget, root, [run_id])


def known_runs(root: str) -> set[str]:
    """The ids of the runs that have a record anywhere in the repository: in a work tree, or in the
    latest commit of a branch, a remote's branch or a tag.
    """
    prefix = tree_prefix(root)
    listed = git("worktree", "list", "--porcelain", cwd=root).stdout.splitlines()
    trees = [line.removeprefix("worktree ") for line in listed if line.startswith("worktree ")]
    found = _in_work_tree(root)
    for tree in trees:
        found |= _in_work_tree(os.path.join(tree, prefix))
    tips = {"HEAD", *refs(root, "refs/heads", "refs/remotes", "refs/tags", "refs/mlctl/remotes")}
    asked = "".join(f"{tip}:{prefix}runs\n" for tip in sorted(tips))
    said = git("cat-file", "--batch-check", cwd=root, stdin=asked).stdout
    for tree in {line.split()[0] for line in said.splitlines() if line.split()[1] == "tree"}:
        found |= _in_tree(root, tree)
    return found


def last_change(folder: str) -> float:
    """When something below `folder` was last written, in seconds since 1970."""
    times = [os.lstat(folder).st_mtime] if os.path.lexists(folder) else [0.0]
    for top, folders, files in os.walk(folder):
        times += [_mtime(os.path.join(top, name)) for name in (*folders, *files)]
    return max(times)


def ulid_age(name: str, before: float) -> bool:
    """Whether the ULID `name` was made before that moment; what is none was not."""
    return is_ulid(name) and ulid_seconds(name) < before


def _in_work_tree(root: str) -> set[str]:
    runs = os.path.join(root, "runs")
    found = {n for day in days(root) for n in names_in(os.path.join(runs, day)) if is_ulid(n)}
    for pack in packs(root):
        with open(os.path.join(root, pack), "rb") as file:
            found |= _ids(file.read())
    return found


def _in_tree(root: str, tree: str) -> set[str]:
    """The runs in a tree of records, `<day>/<id>/…` and packs."""
    listed = git("ls-tree", "-r", "-t", "-z", "--full-tree", tree, cwd=root).stdout.split("\0")
    found: set[str] = set()
    packed = []
    for line in filter(None, listed):
        facts, _, path = line.partition("\t")
        parts = path.split("/")
        if len(parts) == len(("day", "id")) and is_ulid(parts[1]):
            found.add(parts[1])
        elif len(parts) == 1 and path.endswith(".jsonl"):
            packed.append(facts.split(" ")[2])
    for data in contents(packed, root):
        found |= _ids(data)
    return found


def _ids(pack: bytes) -> set[str]:
    return {found.decode() for found in _IN_PACK.findall(pack)}


def _is_held(folder: str) -> bool:
    lock = f"{folder}.lock"
    return os.path.exists(lock) and is_locked(lock)


def _size(folder: str) -> int:
    files = (os.path.join(top, name) for top, _, names in os.walk(folder) for name in names)
    return sum(os.lstat(file).st_size for file in files if os.path.lexists(file))


def _mtime(path: str) -> float:
    try:
        return os.lstat(path).st_mtime
    except FileNotFoundError:
        return 0.0


def _key(root: str, path: str) -> str:
    return os.path.relpath(path, root)
