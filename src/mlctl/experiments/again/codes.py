"""How the code of two runs differs, as far as it is here."""

from __future__ import annotations

from dataclasses import dataclass

from mlctl.errors import NotAble
from mlctl.experiments.again.kinds import is_inside, outs_of
from mlctl.experiments.again.reproducing import params_files
from mlctl.experiments.again.revision import (
    FileChange,
    code_changes,
    patch_text,
    prefix_of,
    revision_of,
)
from mlctl.experiments.again.side import Side


@dataclass(frozen=True, slots=True)
class CodeDifference:
    """`same` is None where it cannot be said, for `reason`; `patch` is there where asked for.

    `old` and `new` are the commits of the runs.
    """

    same: bool | None
    old: str | None
    new: str | None
    files: tuple[FileChange, ...] = ()
    patch: str | None = None
    reason: str | None = None


def compare_code(root: str, a: Side, b: Side, *, patch: bool = False) -> CodeDifference:
    """The files that differ between the trees that two runs read, without data and parameters."""
    old, new = a.head.git, b.head.git
    commits = (old.commit if old else None, new.commit if new else None)
    if old is None or new is None or old.tree is None or new.tree is None:
        return CodeDifference(None, *commits, reason="a run has no code recorded")
    if old.tree == new.tree:
        return CodeDifference(True, *commits, patch="" if patch else None)
    try:
        for side in (a, b):
            revision_of(root, side.head)
    except NotAble as error:
        reason = f"{error.message}; {error.hint}" if error.hint else error.message
        return CodeDifference(False, *commits, reason=reason)
    outs, prefix = outs_of((*a.stages, *b.stages)), prefix_of(root)
    files = tuple(
        file
        for file in code_changes(root, old.tree, new.tree)
        if not file.path.endswith(".dvc")  # data
        and not any(is_inside(file.path, prefix + key) for key in (*outs, *params_files(a, b)))
    )
    text = patch_text(root, old.tree, new.tree) if patch else None
    return CodeDifference(not files, *commits, files, text)
