"""What git and pre-commit say to a hook, by their environment variables."""

from __future__ import annotations

import os

_MARKS = ("GIT_INDEX_FILE", "PRE_COMMIT")  # git sets one for its commit hooks


def in_hook() -> bool:
    """Whether we run inside a git hook."""
    return any(mark in os.environ for mark in _MARKS)


def by_pre_commit() -> bool:
    """Whether pre-commit runs us: it starts hooks at git's top and names files from there."""
    return "PRE_COMMIT" in os.environ


def is_push() -> bool:
    """Whether this is before a push."""
    return by_pre_commit() and "PRE_COMMIT_REMOTE_NAME" in os.environ


def commits() -> tuple[str | None, str | None]:
    """The commit that counts in place of the index, and the one before it; None for the index.

    The first push of a branch names the branch alone.
    """
    if not by_pre_commit():
        return None, None
    branch = os.environ.get("PRE_COMMIT_LOCAL_BRANCH") if is_push() else None
    return os.environ.get("PRE_COMMIT_TO_REF") or branch, os.environ.get("PRE_COMMIT_FROM_REF")
