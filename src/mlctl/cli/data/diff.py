"""`mlctl data diff`: what differs between the data of two revisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._options import Check, Directory, Json

if TYPE_CHECKING:
    from mlctl.data.diffing.diff import DataDiff
    from mlctl.pipeline.project import Project

app = typer.Typer()


@app.command()
def diff(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[A..B] [DATA]...",
            help="Git revisions, `A` alone against the workspace; then data, default: all.",
        ),
    ] = None,
    rows: Annotated[
        bool | None,
        typer.Option("--rows/--no-rows", help="Compare row by row; default: up to 250 MB."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Name every file and column, the unchanged ones too.")
    ] = False,
    check: Check = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", "--md", help="Print Markdown, for a pull request.")
    ] = False,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Compare the data that DVC tracks in two revisions: files, columns, labels and rows.

    Without a revision, HEAD is compared with the workspace; `A...B` starts where B left A. Data
    that is not at hand is compared by its committed profiles. What is an estimate says so.

    Examples:

        $ mlctl data diff

        $ mlctl data diff main..feature data/raw.csv --markdown

        $ mlctl data diff HEAD~1 --check
    """
    from contextlib import ExitStack

    from mlctl.cli._output import print_json, say
    from mlctl.cli._values import open_trees
    from mlctl.data.diffing.diff import compare_data
    from mlctl.data.diffing.render import to_dict, to_markdown
    from mlctl.data.diffing.versions import Side
    from mlctl.data.paths import from_root
    from mlctl.outputs.trees import WORKSPACE
    from mlctl.pipeline.project import Project, open_workspace
    from mlctl.records import canonical

    project = Project.open()
    names, data = _asked(project, what or [])
    keys = list(dict.fromkeys(from_root(project.root, path) for path in data))
    with ExitStack() as stack:
        workspace = stack.enter_context(open_workspace(project))
        trees = {tree.name: tree for tree in open_trees(stack, project, names)}
        old, new = (Side(trees[name], workspace, is_workspace=name == WORKSPACE) for name in names)
        found = compare_data(old, new, keys, rows=rows)
    if json:
        print_json("data.diff", canonical.plain(to_dict(found)))
    elif markdown:
        say(to_markdown(found, everything=everything).removesuffix("\n"))
    else:
        _show(found, everything=everything)
    return int(check and bool(found.data))


def _asked(project: Project, words: list[str]) -> tuple[tuple[str, str], list[str]]:
    """The two sides, and the paths that follow."""
    from mlctl.outputs.trees import WORKSPACE, is_revision, merge_base

    first = words[0] if words else ""
    if "..." in first:
        a, _, b = first.partition("...")
        new = b or WORKSPACE
        return (merge_base(project, a or "HEAD", "HEAD" if new == WORKSPACE else new), new), words[
            1:
        ]
    if ".." in first and not first.startswith(("../", "./")):
        a, _, b = first.partition("..")
        return (a or "HEAD", b or WORKSPACE), words[1:]
    if first and (first == WORKSPACE or is_revision(project, first)):
        return (first, WORKSPACE), words[1:]
    return ("HEAD", WORKSPACE), words


def _show(found: DataDiff, *, everything: bool) -> None:
    from mlctl.cli._output import say, styled
    from mlctl.cli._text import visible
    from mlctl.data.diffing.words import LEGEND, cells, file_lines, sentences, shown_columns, sizes

    if not found.data:
        say(f"No data differs between {found.a} and {found.b}.")
        return
    say(styled(f"{found.a} → {found.b}", "2"))
    colours = {"added": "32", "removed": "31", "changed": "33", "renamed": "36"}
    for change in found.data:
        name = change.path
        if change.change == "renamed" and change.old is not None:
            name = f"{change.old.path} → {name}"
        facts = styled(", ".join(sizes(change)), "2")
        say(f"{styled(f'{change.change:<8}', colours[change.change])} {visible(name)}  {facts}")
        told = sentences(change)
        width = max((len(head) for head, _ in told), default=0)
        for head, text in told:
            say(f"  {styled(f'{head:<{width}}', '2')}  {visible(text)}")
        for line in file_lines(change, None if everything else 10):
            say(f"    {visible(line)}")
        shown, rest = shown_columns(change, everything=everything)
        _print_columns([[visible(cell) for cell in cells(column)] for column in shown])
        if rest:
            say(styled(f"  {rest}{'' if everything else ' (--all shows them)'}", "2"))
    if any(change.columns for change in found.data):
        say(styled(LEGEND, "2"))


def _print_columns(rows: list[list[str]]) -> None:
    """A table of what shifted; columns without any word in them are left out."""
    from mlctl.cli._output import say, styled
    from mlctl.data.diffing.words import HEAD

    kept = [at for at in range(len(HEAD)) if any(row[at] for row in rows)]
    widths = {at: max(len(line[at]) for line in [list(HEAD), *rows]) for at in kept}
    if rows:
        say("  " + styled("  ".join(f"{HEAD[at]:<{widths[at]}}" for at in kept).rstrip(), "2"))
    for row in rows:
        say("  " + "  ".join(f"{row[at]:<{widths[at]}}" for at in kept).rstrip())
