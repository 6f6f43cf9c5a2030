"""The demo: what a first hour with mlctl looks like, as the commands that one would type."""

from __future__ import annotations

from pathlib import Path

from mlctl.errors import InvalidInput
from mlctl.projects.doctor import check_stage_python
from mlctl.projects.place import look

MODULES = ("lightgbm", "polars", "sklearn", "yaml")
STEPS: tuple[tuple[str, ...], ...] = (
    ("data", "import", "sklearn:breast_cancer", "data/raw.csv"),
    ("data", "infer", "data/raw.csv", "--name", "raw"),
    ("validate",),
    ("run", "-j", "2"),
    ("exp", "ls"),
    ("predict", "models/best", "data/splits/heldback.parquet", "-o", "predictions/heldback.csv"),
    ("monitor", "run"),
    ("report", "run", "last"),
)
NEXT = (
    "git add -A && git commit -m 'A first model'",
    "mlctl run -S train.deep.num_leaves=63",
    "mlctl exp ls",
)
MADE = (
    ("the model", "models/best/model.txt"),
    ("the run's record", "runs/*/*/run.json"),
    ("the predictions", "predictions/heldback.csv"),
    ("the validation", "reports/validation/**/*.md"),
    ("a page on a day of requests", "reports/monitoring/**/*.html"),
    ("a page on the run", "reports/run/**/*.html"),
)


def first_step(directory: str) -> tuple[str, ...]:
    """The command that makes the project; the others of `STEPS` run inside it."""
    return ("init", directory, "--template", "tabular", "--defaults")


def check(directory: Path) -> None:
    """Raise InvalidInput where `directory` has files, NotAble where its stages could not run."""
    place = look(directory)
    if not place.empty or (place.path / ".git").exists():
        raise InvalidInput(
            f"{directory} is not empty, and the demo wants a folder of its own",
            hint="give the name of a new one: mlctl demo another-folder",
        )
    check_stage_python(MODULES, extra="demo")


def made(root: Path) -> list[tuple[str, str]]:
    """(what it is, path) for what a finished demo left, paths relative to `root`."""
    return [
        (name, path.relative_to(root).as_posix())
        for name, pattern in MADE
        for path in sorted(root.glob(pattern))
    ]
