"""Committing a run's record, and nothing else of what the user has at hand."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from mlctl.adapters.git import git
from mlctl.adapters.git_objects import make_commit
from mlctl.adapters.process import Result, ToolFailed
from mlctl.errors import NotAble
from mlctl.experiments.branch_store import (
    FOLDER,
    store_records,
    tree_prefix,
    untracked_records,
)

_UNDER_WAY = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "sequencer": "a cherry-pick or revert",
}
_LITERAL = {"GIT_LITERAL_PATHSPECS": "1"}
_STDIN = ("--pathspec-from-file=-", "--pathspec-file-nul")
_MANY = 100  # files, from which on git is given one pack of them
UNCHANGED = "nothing has changed"


@dataclass(frozen=True, slots=True)
class CommitResult:
    """The commit that was made, or the reason why there is none.

    `stored` is the commit on the records' own branch, where they go there.
    """

    commit: str | None
    reason: str | None = None
    stored: str | None = None


def commit_record(
    root: str, paths: Iterable[str], message: str, *, branch: bool = False
) -> CommitResult:
    """Commit exactly `paths` (keys: the record's folder, and the lock, pointers and ignore files
    that the run changed) on the current branch, as `git commit --only -- PATHS` does.

    What the user has staged stays staged, and is not in the commit. The user's pre-commit and
    commit-msg hooks do not run: they judge code, and none is in it. Nothing is committed, and the
    result says why, outside of a repository, before its first commit, on a detached HEAD, inside a
    hook, and while a merge, rebase, cherry-pick or revert is under way.

    With `branch`, what lies below `runs/` moves to the branch `mlctl/runs` instead (but for
    records that the user's branch has already); only the first and the fifth of these hinder that.
    """
    paths = list(paths)
    stored = None
    try:
        if (hindrance := _no_repository(root)) is None:
            if branch:
                stored, paths = _store(root, paths, message)
            hindrance = _hindrance(root)
    except NotAble as error:
        hindrance = error.message
    done = CommitResult(None, hindrance) if hindrance else _commit_paths(root, paths, message)
    idle = stored is not None and (not paths or done.reason == UNCHANGED)
    return CommitResult(done.commit, None if idle else done.reason, stored)


def _store(root: str, paths: list[str], message: str) -> tuple[str | None, list[str]]:
    """Store the records among `paths`; the branch's commit, and the paths that are left."""
    ours = [path for path in paths if path == FOLDER or path.startswith(f"{FOLDER}/")]
    stored = store_records(root, untracked_records(root, ours), message)
    left = [path for path in ours if os.path.exists(os.path.join(root, path))]
    return stored, [*(path for path in paths if path not in ours), *left]


def _commit_paths(root: str, paths: list[str], message: str) -> CommitResult:
    known, new, ignored = _sorted_paths(root, paths)
    if ignored:
        return CommitResult(None, f"git ignores {ignored[0]}")
    if not known and not new:
        return CommitResult(None, UNCHANGED)
    if len(known) + len(new) > _MANY:
        _pack(root, [*known, *new])
    return _commit(root, known, new, message, in_short=_in_short(new, known, paths))


def _in_short(new: list[str], known: list[str], asked: list[str]) -> list[str]:
    """The new files, or the asked folders in which all is new: git compares each path with all."""
    folders = set(asked) - {folder for path in known for folder in _folders(path)}
    short = (next((it for it in _folders(path) if it in folders), path) for path in new)
    return list(dict.fromkeys(short))


def _folders(path: str) -> Iterator[str]:
    while path := os.path.dirname(path):
        yield path


def _no_repository(root: str) -> str | None:
    if any(os.environ.get(name) for name in ("GIT_DIR", "GIT_INDEX_FILE")):
        return "inside a git hook"
    asked = git("rev-parse", "--is-inside-work-tree", cwd=root, check=False)
    return None if asked.stdout == "true\n" else "not a git repository"


def _hindrance(root: str) -> str | None:
    asked = git("rev-parse", "--absolute-git-dir", cwd=root)
    folder = asked.stdout.removesuffix("\n")
    for name, work in _UNDER_WAY.items():
        if os.path.exists(os.path.join(folder, name)):
            return f"{work} is under way"
    if git("symbolic-ref", "-q", "HEAD", cwd=root, check=False).code:
        return "HEAD is detached"
    if git("rev-parse", "-q", "--verify", "HEAD", cwd=root, check=False).code:
        return "the repository has no commit yet"
    return None


def _sorted_paths(root: str, paths: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Changed paths that git knows, new ones, and those of `paths` that git ignores.

    A folder stands for the files in it. A file in a folder of ours that some general pattern
    (`*.json`) ignores is new all the same.
    """
    if not paths:
        return [], [], []
    options = ("-z", "--no-renames", "--untracked-files=all", "--ignored=matching")
    asked = git("status", "--porcelain=v1", *options, "--", *paths, cwd=root, env=_LITERAL).stdout
    prefix = git("rev-parse", "--show-prefix", cwd=root).stdout.removesuffix("\n")
    known: list[str] = []
    new: list[str] = []
    ignored: list[str] = []
    for entry in filter(None, asked.split("\0")):
        path = os.path.relpath(entry[3:], prefix or ".")
        if entry[:2] == "!!" and not any(path.startswith(f"{folder}/") for folder in paths):
            ignored.append(path)
        else:
            (new if entry[:2] in {"??", "!!"} else known).append(path)
    return known, new, ignored


def _pack(root: str, paths: list[str]) -> None:
    """Give git the records among `paths`, and their folders, in one pack.

    The commit itself then finds them there, and writes no loose object for each.
    """
    prefix, head = tree_prefix(root), git("rev-parse", "HEAD", cwd=root).stdout.strip()
    content: dict[str, bytes] = {}
    for path in paths:
        whole = os.path.join(root, path)
        if path.startswith(f"{FOLDER}/") and os.path.isfile(whole):
            with open(whole, "rb") as file:
                content[prefix + path] = file.read()
    with suppress(ToolFailed):  # the commit works without, or says itself why it does not
        make_commit(root, "records", content, parent=head)


def _commit(
    root: str, known: list[str], new: list[str], message: str, *, in_short: list[str]
) -> CommitResult:
    # `commit --only` takes no path that git does not know. "Intent to add" makes it known and no
    # more, so that what the user staged of other paths, and of these, is as it was on a failure.
    add = ("add", "--force", "--intent-to-add")
    if new and (failed := _failure(_with(root, add, in_short))):
        return CommitResult(None, failed)
    done = False
    try:
        command = ("commit", "--only", "--no-verify", "--quiet", "-m", message)
        failed = _failure(_with(root, command, [*known, *in_short]))
        done = failed is None
    finally:
        if new and not done:
            _with(root, ("rm", "--cached", "--quiet", "--ignore-unmatch"), new)
    if failed:
        return CommitResult(None, failed)
    return CommitResult(git("rev-parse", "HEAD", cwd=root).stdout.strip())


def _with(root: str, command: tuple[str, ...], paths: list[str]) -> Result:
    stdin = "\0".join(paths)
    return git(*command, *_STDIN, cwd=root, env=_LITERAL, stdin=stdin, check=False)


def _failure(result: Result) -> str | None:
    if result.code == 0:
        return None
    said = (result.stderr.strip() or result.stdout.strip() or "no output").splitlines()
    return f"git {result.argv[1]}: {said[-1] if 'hint' not in said[-1] else said[0]}"
