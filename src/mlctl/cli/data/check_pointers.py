"""`mlctl data check-pointers`: what is wrong with what is about to be committed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mlctl.cli._forms import Formats
from mlctl.cli._options import Directory, Json

if TYPE_CHECKING:
    from mlctl.data.findings import Suite

app = typer.Typer()

_SHOWN = 50


@app.command()
def check_pointers(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE]...", help="Files; default: the whole index."),
    ] = None,
    remote: Annotated[
        bool, typer.Option("--remote", help="Ask the remotes, too; always done before a push.")
    ] = False,
    large_file: Annotated[
        str | None,
        typer.Option("--large-file", metavar="SIZE", help="What belongs to DVC; default: 500kB."),
    ] = None,
    formats: Formats = None,
    directory: Directory = None,
    json: Json = False,
) -> int:
    """Check the pointers to data that are staged in git, before they are committed.

    Finds large files that DVC does not track, data that git tracks beside DVC, pointers whose
    content is in no cache (with `--remote`: in no remote), locks and `.dvc` files with conflict
    markers, and profiles of other data than their pointer names. Pointers are read from git's
    index, not from the work tree. Ends with 1 where anything is found.

    Without `--remote`, content that is not in the cache is a finding only where its pointer
    changed. With file names, as a hook gives them, a large file is one that was not as large
    before.

    Examples:

        $ mlctl data check-pointers

        $ mlctl data check-pointers --remote --large-file 2MB
    """
    from mlctl.cli import _forms, _hook
    from mlctl.data.pointer_checks import Asked, check
    from mlctl.store.config import find_root

    forms = _forms.wanted(formats, json=json)
    root = find_root(".")
    revision, before = _hook.commits()
    asked = Asked(
        frozenset(_from_root(root, files)) if files else None,
        _large(root, large_file),
        remote=remote or _hook.is_push(),
        revision=revision,
        before=before,
    )
    suite, notes = check(root, asked)
    _forms.write(forms, [suite], root)
    if json:
        _print_json(suite, notes)
    elif not _forms.to_stdout(forms):
        _show(suite, notes)
    return 1 if suite.findings else 0


def _from_root(root: str, files: Sequence[str]) -> list[str]:
    """The files as paths from `root`. pre-commit names them from git's top, whatever -C says."""
    from mlctl.cli import _hook

    start = "."
    if _hook.by_pre_commit():
        from mlctl.store.config import load_config

        start = load_config(root).git_root or root
    return [os.path.relpath(os.path.join(start, file), root) for file in files]


def _large(root: str, asked: str | None) -> int:
    from mlctl.errors import InvalidInput
    from mlctl.projects.settings import load_settings, parse_size

    if asked is None:
        return load_settings(root).large_file
    size = parse_size(asked)
    if not size:
        raise InvalidInput(f"--large-file: {asked!r} is no size", hint="for example 500kB or 2MB")
    return size


def _print_json(suite: Suite, notes: Sequence[str]) -> None:
    from dataclasses import asdict

    from mlctl.cli._output import print_json

    findings = [asdict(finding) for finding in suite.findings]
    print_json("data.check-pointers", {"findings": findings, "notes": list(notes)})


def _show(suite: Suite, notes: Sequence[str]) -> None:
    from mlctl.cli._output import say, styled
    from mlctl.cli._text import visible

    for finding in suite.findings[:_SHOWN]:
        say(f"{visible(finding.file)}:{finding.line}: {styled(finding.rule, '31')}")
        say(f"  {visible(finding.message)}")
        if finding.hint:
            say(f"  {styled(visible(finding.hint), '2')}")
    if len(suite.findings) > _SHOWN:
        say(f"and {len(suite.findings) - _SHOWN} more; --json has them all")
    for note in notes:
        say(styled(f"note: {note}", "2"))
    ending = styled(f"{len(suite.findings)} found", "31") if suite.findings else styled("ok", "32")
    say(f"{suite.summary}  {ending}")
