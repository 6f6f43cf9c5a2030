"""`-S key=value`: parameters written into their files before a run, as `dvc exp run -S` does."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from mlctl.adapters.files import read_text, write_text
from mlctl.errors import InvalidInput
from mlctl.pipeline.project import Project
from mlctl.pipeline.setparams import set_params

DEFAULT_FILE = "params.yaml"


def set_parameters(project: Project, overrides: Sequence[str]) -> None:
    """Write `[FILE:]KEY=VALUE` overrides into their parameter files, all or none.

    Raises InvalidInput for a file that does not exist or an unknown key.
    """
    write_texts(edited(project, overrides))


def edited(project: Project, overrides: Sequence[str]) -> dict[str, str]:
    """What `overrides` make of the parameter files: path -> text. Nothing is written.

    Raises InvalidInput as `set_parameters` does.
    """
    by_file: dict[str, list[str]] = {}
    for override in overrides:
        file, assignment = split_file(override)
        by_file.setdefault(file, []).append(assignment)
    texts = {}
    for file, assignments in by_file.items():
        path = project.path(os.path.normpath(os.path.join(project.cwd, file)))
        if not os.path.isfile(path):
            raise InvalidInput(
                f"-S {assignments[0]}: there is no {file}", hint="name it: -S FILE:KEY=VALUE"
            )
        text = read_text(path, name=file)
        texts[path] = set_params(text, os.path.splitext(file)[1], assignments)
    return texts


def write_texts(texts: Mapping[str, str]) -> None:
    """Write each text to its path."""
    for path, text in texts.items():
        write_text(path, text)


def split_file(override: str) -> tuple[str, str]:
    """The file that an override is for, and the rest of it. Raises InvalidInput."""
    before, equals, _ = override.partition("=")
    if not equals and not override.startswith("~"):
        raise InvalidInput(f"-S {override}: expected KEY=VALUE")
    file, colon, _ = before.rpartition(":")
    return (file, override[len(file) + 1 :]) if colon else (DEFAULT_FILE, override)
