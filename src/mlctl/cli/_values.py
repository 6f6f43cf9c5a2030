"""What `metrics`, `params` and `plots` share: options, revisions, tables and JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlctl.cli._output import print_json, say, styled

if TYPE_CHECKING:
    from mlctl.outputs.trees import Tree
    from mlctl.outputs.values import Change, FileValues
    from mlctl.pipeline.project import Project

    Read = Callable[[Tree, Sequence[str]], list[FileValues]]

Old = Annotated[str, typer.Argument(metavar="[A]", help="The old git revision.")]
New = Annotated[
    str, typer.Argument(metavar="[B]", help="The new one; `workspace` is the files as they are.")
]
Targets = Annotated[
    list[str] | None, typer.Option("--target", metavar="PATH", help="Only this file (repeatable).")
]
Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PATH]...", help="Files; default: all that the pipeline names."),
]
All = Annotated[bool, typer.Option("--all", help="Show what is the same, too.")]
Deps = Annotated[bool, typer.Option("--deps", help="Only what stages depend on.")]
Markdown = Annotated[bool, typer.Option("--md", help="Print a Markdown table.")]
Precision = Annotated[
    int, typer.Option("--precision", metavar="N", min=1, help="Significant digits of numbers.")
]
Branches = Annotated[bool, typer.Option("-a", "--all-branches", help="Every branch, too.")]
Tags = Annotated[bool, typer.Option("-T", "--all-tags", help="Every tag, too.")]
Commits = Annotated[bool, typer.Option("-A", "--all-commits", help="Every commit, too.")]
Rev = Annotated[
    list[str] | None,
    typer.Option("--rev", metavar="REV", help="This git revision instead (repeatable)."),
]
Open = Annotated[bool, typer.Option("--open", help="Open the page in a browser.")]
Output = Annotated[
    str | None, typer.Option("-o", "--out", metavar="FILE", help="The page to write.")
]


@dataclass(frozen=True, slots=True)
class Look:
    """How values are shown; without a `precision`, whole and without a column of differences."""

    json: bool
    markdown: bool
    precision: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which revisions `show` is asked for: those of `--rev` alone, or the workspace and more."""

    revisions: list[str] | None
    branches: bool
    tags: bool
    commits: bool

    def names(self, project: Project) -> list[str]:
        """The revisions' names, the workspace first."""
        from mlctl.outputs.trees import WORKSPACE, revisions

        if self.revisions:
            return self.revisions
        found = revisions(project, branches=self.branches, tags=self.tags, commits=self.commits)
        return [WORKSPACE, *found]


def show_values(
    noun: str, read: Read, paths: Sequence[str] | None, asked: Asked, look: Look
) -> int:
    """`mlctl metrics show` and `mlctl params show`: what `read` finds in each revision."""
    from mlctl.outputs import collect
    from mlctl.pipeline.project import Project

    project = Project.open()
    targets = collect.keys(project, paths or [])
    with ExitStack() as stack:
        trees = open_trees(stack, project, asked.names(project))
        shown = {tree.name: read(tree, targets) for tree in trees}
    if look.json:
        print_json(f"{noun}.show", show_json(shown))
    else:
        print_shown(shown, _title(noun), look)
    return 0


def diff_values(
    noun: str,
    read: Read,
    paths: Sequence[str] | None,
    sides: tuple[str, str],
    look: Look,
    *,
    unchanged: bool,
    check: bool,
) -> int:
    """`mlctl metrics diff` and `mlctl params diff`: what differs between two revisions."""
    from mlctl.outputs import collect
    from mlctl.outputs.values import compare
    from mlctl.pipeline.project import Project

    project = Project.open()
    targets = collect.keys(project, paths or [])
    with ExitStack() as stack:
        trees = {tree.name: tree for tree in open_trees(stack, project, sides)}
        old, new = (read(trees[side], targets) for side in sides)
    changes = compare(old, new, unchanged=unchanged)
    warn([file.error for file in (*old, *new) if file.error])
    if look.json:
        print_json(f"{noun}.diff", diff_json(*sides, changes))
    else:
        print_diff(*sides, changes, _title(noun), look)
    return int(check and any(change.changed for change in changes))


def open_trees(stack: ExitStack, project: Project, names: Sequence[str]) -> list[Tree]:
    """The trees of the revisions, each once; they live as long as `stack`."""
    from mlctl.outputs.trees import open_tree

    return [stack.enter_context(open_tree(project, name)) for name in dict.fromkeys(names)]


def show_json(shown: Mapping[str, Sequence[FileValues]]) -> dict[str, Any]:
    """`revisions` -> revision -> path -> `data`, or `error` where it could not be read."""
    from mlctl.records.canonical import plain

    return {
        "revisions": {
            rev: {
                file.path: {"error": file.error} if file.error else {"data": plain(file.data)}
                for file in files
            }
            for rev, files in shown.items()
        }
    }


def diff_json(a: str, b: str, changes: Sequence[Change]) -> dict[str, Any]:
    """`a`, `b`, and `changes` with `path name old new diff changed`."""
    from mlctl.records.canonical import plain

    return {
        "a": a,
        "b": b,
        "changes": [
            {
                "path": change.path,
                "name": change.name,
                "old": plain(change.old),
                "new": plain(change.new),
                "diff": plain(change.diff),
                "changed": change.changed,
            }
            for change in changes
        ],
    }


def print_shown(shown: Mapping[str, Sequence[FileValues]], title: str, look: Look) -> None:
    """A row for each value; the revision is named where there are several."""
    from mlctl.outputs.values import flatten

    rows = [
        [rev, here(file.path), name, number(value, look.precision)]
        for rev, files in shown.items()
        for file in files
        if not file.error
        for name, value in flatten(file.data).items()
    ]
    head = ["Revision", "Path", title, "Value"]
    if len(shown) == 1:
        head, rows = head[1:], [row[1:] for row in rows]
    warn([file.error for files in shown.values() for file in files if file.error])
    print_table(head, rows, markdown=look.markdown, right=(len(head) - 1,))


def print_diff(a: str, b: str, changes: Sequence[Change], title: str, look: Look) -> None:
    """Old, new and (with a precision) the difference of every value that `changes` holds."""
    precision = look.precision
    rows = [
        [
            here(change.path),
            change.name,
            number(change.old, precision),
            number(change.new, precision),
            _signed(change.diff, precision),
        ]
        for change in changes
    ]
    if not rows:
        say(f"No difference between {a} and {b}.")
        return
    head = ["Path", title, a, b, "Change"]
    if precision is None or all(change.diff is None for change in changes):
        head, rows = head[:-1], [row[:-1] for row in rows]
    print_table(head, rows, markdown=look.markdown, right=(2, 3, 4))


def print_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    markdown: bool = False,
    right: Sequence[int] = (),
) -> None:
    """Aligned columns under bold heads, or a Markdown table."""
    if markdown:
        from mlctl.reports.markdown import table

        sides = "".join("r" if at in right else " " for at in range(len(head)))
        sys.stdout.write(table(head, rows, right=sides))
        return
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(size) if at in right else cell.ljust(size)
            for at, (cell, size) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(padded).rstrip()

    say(styled(line(head), "1"))
    for row in rows:
        say(line(row))


def warn(messages: Sequence[str]) -> None:
    """What could not be read, each once, on stderr."""
    for message in dict.fromkeys(messages):
        sys.stderr.write(f"warning: {message}\n")


def number(value: Any, precision: int | None) -> str:
    """A value in a table: `-` for none, numbers with so many significant digits, or with all."""
    if value is None or isinstance(value, bool):
        return "-" if value is None else str(value).lower()
    return f"{value:.{precision}g}" if precision and isinstance(value, float) else str(value)


def here(key: str) -> str:
    """A key as a path from the current folder."""
    from mlctl.store.config import find_root

    root = find_root(".")
    return key if "://" in key else os.path.relpath(os.path.join(root, key), os.path.realpath("."))


def _title(noun: str) -> str:
    return noun[:-1].capitalize()


def _signed(value: float | None, precision: int | None) -> str:
    if value is None or precision is None:
        return "-"
    return f"{value:+.{precision}g}" if isinstance(value, float) else f"{value:+d}"
