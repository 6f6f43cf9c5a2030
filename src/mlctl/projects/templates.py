"""The project templates that mlctl ships, by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import mlctl
from mlctl.adapters import scaffold
from mlctl.errors import InvalidInput, suggestion

NONE = "none"


def names() -> list[str]:
    """Every template, sorted, and last `none`, which renders nothing."""
    found = sorted(path.parent.name for path in _folder().glob("*/copier.yml"))
    return [*found, NONE]


def find(name: str) -> Path:
    """The folder of the template `name`. Raises InvalidInput for an unknown one."""
    known = names()
    if name not in known or name == NONE:
        raise InvalidInput(f"no template is called {name!r}", hint=suggestion(name, known))
    return _folder() / name


def check_answers(template: str, given: Iterable[str]) -> None:
    """Raise InvalidInput where `given` answers a question that `template` does not ask."""
    known = list(scaffold.questions(find(template))) if template != NONE else []
    for name in given:
        if name not in known:
            hint = suggestion(name, known) or "give --template to have questions"
            raise InvalidInput(f"template {template!r} has no question {name!r}", hint=hint)


def _folder() -> Path:
    package = Path(mlctl.__file__).parent
    shipped = package / "_templates"  # in the wheel; a checkout has them beside `src`
    return shipped if shipped.is_dir() else package.parents[1] / "templates"
