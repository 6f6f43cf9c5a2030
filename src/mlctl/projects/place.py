"""What stands in a folder before `mlctl init`: nothing, files, a git or a DVC repository."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlctl.adapters import git
from mlctl.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Place:
    """`git` and `dvc` are the roots that hold `path` (which may be one of them), or None.

    `empty` is a folder that is missing, or has nothing but a git repository without a commit.
    """

    path: Path
    empty: bool
    git: Path | None
    dvc: Path | None


def look(path: Path) -> Place:
    """What stands at `path`, which need not exist. Raises InvalidInput where it is a file."""
    path = path.resolve()
    existing = next(entry for entry in (path, *path.parents) if entry.exists())
    if not existing.is_dir():
        raise InvalidInput(f"{existing} is a file, not a folder")
    entries = {entry.name for entry in path.iterdir()} if path.is_dir() else set()
    top = git.toplevel(existing)
    begun = ".git" in entries and git.head(path) is not None
    return Place(
        path=path,
        empty=not entries - {".git"} and not begun,
        git=Path(top).resolve() if top else None,
        dvc=next((f for f in (path, *path.parents) if (f / ".dvc").is_dir()), None),
    )


def check(place: Place, *, scm: bool, subdir: bool, driver: bool | None = None) -> None:
    """Raise InvalidInput where a repository of its own at `place` would surprise."""
    if driver and not scm:
        raise InvalidInput("--merge-driver is git's, and --no-scm excludes it")
    if subdir and not scm:
        raise InvalidInput("--subdir and --no-scm exclude one another", hint="give one of them")
    if subdir and place.git is None:
        raise InvalidInput(
            f"--subdir needs a git repository around {place.path}", hint="leave --subdir out"
        )
    if place.empty or subdir:
        return
    around = place.dvc or (place.git if scm else None)
    if around is not None and around != place.path:
        kind = "DVC" if place.dvc else "git"
        raise InvalidInput(
            f"{place.path} has files and lies inside the {kind} repository {around}",
            hint=f"`mlctl init {around}`, or --subdir for a project of its own in that repository",
        )
