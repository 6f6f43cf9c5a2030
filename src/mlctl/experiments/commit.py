"""Committing a run's record, and nothing else of what the user has at hand."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from mlctl.adapters.git import git
from mlctl.adapters.process import Result
from mlctl.errors import NotAble

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


@dataclass(frozen=True, slots=True)
class CommitResult:
    """The commit that was made, or the reason why there is none."""

    commit: str | None
    reason: str | None = None


def commit_record(root: str, paths: Iterable[str], message: str) -> CommitResult:
    """Commit exactly `paths` (keys: the record's folder, and the lock, pointers and ignore files
    that the run changed) on the current branch, as `git commit --only -- PATHS` does.

    What the user has staged stays staged, and is not in the commit. The user's pre-commit and
    commit-msg hooks do not run: they judge code, and none is in it. Nothing is committed, and the
    result says why, outside of a repository, before its first commit, on a detached HEAD, inside a
    hook, and while a merge, rebase, cherry-pick or revert is under way.
    """
    try:
        hindrance = _hindrance(root)
    except NotAble as error:
        hindrance = error.message
    if hindrance:
        return CommitResult(None, hindrance)
    known, new, ignored = _sorted_paths(root, list(paths))
    if ignored:
        return CommitResult(None, f"git ignores {ignored[0]}")
    if not known and not new:
        return CommitResult(None, "nothing has changed")
    return _commit(root, [*known, *new], new, message)


def _hindrance(root: str) -> str | None:
    if any(os.environ.get(name) for name in ("GIT_DIR", "GIT_INDEX_FILE")):
        return "inside a git hook"
    asked = git("rev-parse", "--absolute-git-dir", cwd=root, check=False)
    if asked.code:
        return "not a git repository"
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


def _commit(root: str, paths: list[str], new: list[str], message: str) -> CommitResult:
    # `commit --only` takes no path that git does not know. "Intent to add" makes it known and no
    # more, so that what the user staged of other paths, and of these, is as it was on a failure.
    if new and (failed := _failure(_with(root, ("add", "--force", "--intent-to-add"), new))):
        return CommitResult(None, failed)
    done = False
    try:
        command = ("commit", "--only", "--no-verify", "--quiet", "-m", message)
        failed = _failure(_with(root, command, paths))
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
