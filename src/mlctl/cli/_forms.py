"""`--format`: what a check found, in the forms that CI systems read, to files and to stdout."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, cast

import typer

from mlctl.errors import InvalidInput

if TYPE_CHECKING:
    from mlctl.data.findings import Suite
    from mlctl.data.forms import Form

_PACKAGE = "mlctl.data.forms"
_SUMMARY = "GITHUB_STEP_SUMMARY"

Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="FORM[=FILE]",
        help="As junit, sarif, github, gitlab or markdown; to stdout without FILE; repeatable.",
    ),
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One form that was asked for; `file` is None for stdout."""

    name: str
    form: Form
    file: str | None


def wanted(asked: Sequence[str] | None, *, json: bool) -> list[Wanted]:
    """The forms named by the options. Raises InvalidInput where two want stdout."""
    from mlctl import plugins

    found = []
    for text in asked or ():
        name, _, file = text.partition("=")
        form = cast("Form", plugins.load(_PACKAGE, name, kind="form"))
        found.append(Wanted(name, form, file or None))
    spoken = [item.name for item in found if item.file is None] + ["--json"] * json
    if len(spoken) > 1:
        raise InvalidInput(
            f"{' and '.join(spoken)} both want stdout", hint="give one of them a file: FORM=FILE"
        )
    return found


def to_stdout(forms: Sequence[Wanted]) -> bool:
    """Whether a form takes the place of what a person would read."""
    return any(item.file is None for item in forms)


def write(forms: Sequence[Wanted], suites: Sequence[Suite], root: str) -> None:
    """Write each form. Places in it are from the git repository's top, as CI systems want them."""
    if not forms:
        return
    from mlctl.adapters.files import append_text, write_text
    from mlctl.cli._output import say
    from mlctl.data.forms import markdown

    suites = _from_top(suites, root)
    for item in forms:
        text = item.form.render(suites).encode("utf-8", "replace").decode("utf-8")
        if item.file is not None:
            write_text(item.file, text)
        elif text:
            say(text.removesuffix("\n"))
        summary = os.environ.get(_SUMMARY)
        if item.name == "github" and summary:
            append_text(summary, markdown.render(suites) + "\n")


def _from_top(suites: Sequence[Suite], root: str) -> list[Suite]:
    from mlctl.store.config import load_config

    top = load_config(root).git_root or root
    if top == root:
        return list(suites)
    folder = os.path.relpath(root, top).replace(os.sep, "/")
    return [
        replace(
            suite,
            findings=tuple(replace(f, file=f"{folder}/{f.file}") for f in suite.findings),
        )
        for suite in suites
    ]
