"""The code that a run reads, taken before it starts; a dirty tree as a snapshot commit.

A snapshot is made with a temporary index, so that the user's index and work tree stay as they are.
It is deterministic (its parent's date, a fixed author): one tree gives one commit, however many
runs read it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mlctl.adapters.files import copy_file
from mlctl.adapters.git import OUR_NAME, begin, git
from mlctl.adapters.process import Result, ToolFailed
from mlctl.errors import NotAble
from mlctl.records.run import CodeState
from mlctl.records.secrets import is_secret

UNTRACKED_LIMIT = 1_000_000  # bytes of one untracked file
UNTRACKED_TOTAL = 64_000_000  # bytes of all of them
PATCH_LIMIT = 64 * 1024

# What mlctl itself writes: no run is dirty for it, and the folders are in no snapshot.
OWN_FOLDERS = ("runs", "reports", "profiles", "studies", ".mlctl")
OWN_FILES = ("dvc.lock", ".gitignore")

_PLACES = ("rev-parse", "--show-toplevel", "--git-path", "index")
_STATUS = ("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--no-renames")
_HEAD = ("log", "-1", "--no-show-signature", "--format=%T %ct", "HEAD")


@dataclass(frozen=True, slots=True)
class _Status:
    commit: str | None
    branch: str | None
    changed: tuple[str, ...]
    untracked: tuple[str, ...]


def code_state(root: str, *, products: Collection[str] = ()) -> CodeState | None:
    """The state of the repository around `root`, or None where there is none (or no git).

    `products` are keys of outs that git tracks, and so are no reason to call the tree dirty. Takes
    three calls of git, and four more for a dirty tree. A tree of which git cannot make a snapshot
    (an unreadable file) is dirty with none.
    """
    try:  # side by side: each is a start of a process and little else
        asked = [begin(*question, cwd=root, check=False) for question in (_PLACES, _STATUS, _HEAD)]
    except NotAble:
        return None
    places, shown, head = [end() for end in asked]
    if places.code:
        return None
    top, index = places.stdout.splitlines()
    status = _status(_good(shown))
    head_tree, date = _good(head).split() if status.commit else (None, None)
    own = _Own(_prefix(root, top), frozenset(products))
    if all(own.writes(path) for path in (*status.changed, *status.untracked)):
        return CodeState(status.commit, status.branch, head_tree, dirty=False)
    paths, omitted = _chosen(top, status, own)
    try:
        tree, snapshot = _snapshot(top, os.path.join(root, index), status.commit, date, paths)
    except ToolFailed:
        tree, snapshot = None, None
    if tree == head_tree:
        snapshot = None  # all that changed is left out
    return CodeState(status.commit, status.branch, tree, True, snapshot, omitted)


def keep_snapshot(root: str, run_id: str, snapshot: str) -> None:
    """Name the snapshot by `refs/mlctl/snapshots/<run id>`, so that `git gc` keeps it."""
    git("update-ref", f"refs/mlctl/snapshots/{run_id}", snapshot, cwd=root)


def write_patch(root: str, code: CodeState, path: str) -> None:
    """Write the snapshot as a patch of its commit to `path`, where that is small (`PATCH_LIMIT`).

    git writes the file itself: a patch holds the bytes of files in any encoding.
    """
    if code.commit is None or code.snapshot is None:
        return
    options = ("--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
    target = (f"--output={path}", "--src-prefix=a/", "--dst-prefix=b/")
    git("diff-tree", "-p", *options, *target, code.commit, code.snapshot, cwd=root)
    if os.path.getsize(path) > PATCH_LIMIT:
        os.unlink(path)


def _good(result: Result) -> str:
    """What git answered. Raises ToolFailed where it could not."""
    if result.code:
        raise ToolFailed(result)
    return result.stdout


def _status(shown: str) -> _Status:
    commit = branch = None
    changed, untracked = [], []
    for entry in shown.split("\0"):
        if entry.startswith("# branch.oid "):
            commit = None if entry.endswith("(initial)") else entry.removeprefix("# branch.oid ")
        elif entry.startswith("# branch.head "):
            name = entry.removeprefix("# branch.head ")
            branch = None if name == "(detached)" else name
        elif entry.startswith("1 "):
            changed.append(entry.split(" ", 8)[8])
        elif entry.startswith("u "):
            changed.append(entry.split(" ", 10)[10])
        elif entry.startswith("? "):
            untracked.append(entry[2:])
    return _Status(commit, branch, tuple(changed), tuple(untracked))


@dataclass(frozen=True, slots=True)
class _Own:
    """The paths, from git's top level, that mlctl or a stage writes; `prefix` is the DVC root's."""

    prefix: str
    products: frozenset[str]

    def writes(self, path: str) -> bool:
        """Whether a change of `path` is no reason to call the tree dirty."""
        if path.rsplit("/", 1)[-1] in OWN_FILES or self.in_folder(path):
            return True
        inside = path.startswith(self.prefix)
        return inside and not self.products.isdisjoint(_ancestors(path.removeprefix(self.prefix)))

    def in_folder(self, path: str) -> bool:
        """Whether `path` lies in a folder of records."""
        inside = path.startswith(self.prefix)
        return inside and path.removeprefix(self.prefix).split("/", 1)[0] in OWN_FOLDERS


def _prefix(root: str, top: str) -> str:
    folder = os.path.relpath(os.path.realpath(root), top)
    return "" if folder == "." else folder + "/"


def _ancestors(key: str) -> Iterator[str]:
    while key:
        yield key
        key = key.rpartition("/")[0]


def _chosen(top: str, status: _Status, own: _Own) -> tuple[list[str], tuple[str, ...]]:
    """The changed paths that go into a snapshot, and those that are left out."""
    paths = [p for p in status.changed if not is_secret(p) and not own.in_folder(p)]
    omitted = [p for p in status.changed if is_secret(p)]
    room = UNTRACKED_TOTAL
    for path in status.untracked:
        if own.in_folder(path):
            continue
        size = _size(os.path.join(top, path))
        if path.endswith("/") or is_secret(path) or size > min(UNTRACKED_LIMIT, room):
            omitted.append(path)
        else:
            room -= size
            paths.append(path)
    return paths, tuple(sorted(omitted))


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _snapshot(
    top: str, index: str, commit: str | None, date: str | None, paths: list[str]
) -> tuple[str, str]:
    """The tree of `commit` with the work tree's `paths`, and a commit of it.

    Starts from a copy of the user's index for its stat data, so that git reads only what changed;
    `read-tree --reset` puts HEAD's entries in place of what is staged.
    """
    with tempfile.TemporaryDirectory(prefix="mlctl-") as folder:
        mine = os.path.join(folder, "index")
        env = {"GIT_INDEX_FILE": mine}
        if commit is not None:
            if os.path.exists(index):
                written = os.stat(index)
                copy_file(index, mine)
                # git reads a file again that changed as late as its index was written: a copy that
                # is younger would pass over an edit within that second.
                os.utime(mine, ns=(written.st_atime_ns, written.st_mtime_ns))
            git("read-tree", "--reset", commit, cwd=top, env=env)
        options = ("--add", "--remove", "--replace", "-z", "--stdin")
        git("update-index", *options, cwd=top, env=env, stdin="\0".join(paths))
        tree = git("write-tree", cwd=top, env=env).stdout.strip()
    when = f"@{date or 0} +0000"  # without the @, git takes a small number for a year
    env = {**OUR_NAME, "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    parent = ("-p", commit) if commit else ()
    message = "mlctl: the work tree that a run read"
    made = git("commit-tree", "--no-gpg-sign", "-m", message, *parent, tree, cwd=top, env=env)
    return tree, made.stdout.strip()
