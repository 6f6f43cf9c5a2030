"""Project templates: rendering one with copier, and laying files down where none stand."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlctl import plugins
from mlctl.adapters import files, yaml
from mlctl.errors import InvalidInput

NOT_LAID = ((".git",), (".dvc", "tmp"))


@contextmanager
def staging() -> Iterator[Path]:
    """An empty folder, far from the user's, that goes when the block ends."""
    with tempfile.TemporaryDirectory(prefix="mlctl-init-") as folder:
        yield Path(folder)


def questions(template: Path) -> dict[str, dict[str, Any]]:
    """The questions of a template, by name: copier's `type`, `help`, `default`, `choices`."""
    return {name: asked for name, asked in _config(template).items() if not name.startswith("_")}


def render(
    template: Path,
    target: Path,
    *,
    answers: Mapping[str, str],
    suggested: Mapping[str, Any],
    ask: bool,
) -> dict[str, Any]:
    """Render `template` into the empty folder `target`; returns every answer that was used.

    `suggested` are better defaults than the template's. With `ask`, copier asks on the terminal for
    what `answers` leaves open. Raises MissingExtra without copier, InvalidInput for a bad answer.
    """
    try:
        import copier
    except ModuleNotFoundError as error:
        raise plugins.missing_extra("copier", "init") from error
    from copier.errors import CopierAnswersInterrupt, CopierError

    _check_numbers(template, answers)
    try:
        worker = copier.run_copy(
            str(template),
            target,
            data=dict(answers),
            user_defaults=dict(suggested),
            exclude=["__pycache__"],  # pip compiles what a wheel ships, templates too
            defaults=not ask,
            quiet=True,
        )
    except CopierAnswersInterrupt:
        raise KeyboardInterrupt from None
    except (CopierError, ValueError, TypeError) as error:
        raise InvalidInput(_one_line(error)) from None
    combined: Mapping[str, Any] = worker.answers.combined
    return {name: combined[name] for name in questions(template)}


def closing_commands(template: Path, answers: Mapping[str, Any]) -> tuple[str, ...]:
    """The commands in the template's `_message_after_copy`, a line each, `answers` filled in."""
    from jinja2.sandbox import SandboxedEnvironment

    text = str(_config(template).get("_message_after_copy", ""))
    rendered = SandboxedEnvironment().from_string(text).render(**answers)
    return tuple(line for line in rendered.splitlines() if line.strip())


def lay_down(source: Path, target: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Copy the files under `source` to `target` and return (added, kept), as relative POSIX paths.

    A file that stands in `target` is kept as it is. Each file appears whole or not at all. Raises
    InvalidInput, before anything is written, where a file stands in the place of a folder.
    """
    names = [path.relative_to(source) for path in sorted(source.rglob("*")) if path.is_file()]
    names = [n for n in names if not any(n.parts[: len(p)] == p for p in NOT_LAID)]
    for name in names:
        for parent in (target / name).parents:
            if os.path.lexists(parent) and not parent.is_dir():
                raise InvalidInput(f"{parent} is a file, and the template needs a folder there")
    added, kept = [], []
    for name in names:
        if os.path.lexists(target / name):
            kept.append(name.as_posix())
        else:
            files.write_bytes(target / name, (source / name).read_bytes())
            added.append(name.as_posix())
    return tuple(added), tuple(kept)


def _config(template: Path) -> dict[str, Any]:
    file = template / "copier.yml"
    loaded: dict[str, Any] = yaml.load(files.read_text(file), name=str(file))
    return loaded


def _check_numbers(template: Path, answers: Mapping[str, str]) -> None:
    """copier's own message would not name the question."""
    for name, asked in questions(template).items():
        if name in answers and asked["type"] == "int":
            try:
                int(answers[name])
            except ValueError:
                raise InvalidInput(
                    f"bad answer for {name!r}: {answers[name]!r} is not a whole number"
                ) from None


def _one_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.replace("Validation error for question", "bad answer for") if text else repr(error)
