"""A scratch work tree of git: the code of a run, beside the user's files and never among them.

It lies under `.mlctl/scratch`, has the project's own cache, and goes when its block ends.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from mlctl.adapters import clock
from mlctl.adapters.files import (
    hold,
    is_locked,
    read_text,
    remove_file,
    remove_tree,
    write_text,
)
from mlctl.adapters.git import git, toplevel
from mlctl.errors import NotAble
from mlctl.records.ulid import new_ulid
from mlctl.store.config import load_config
from mlctl.store.state import make_local_dir

_FOLDER = "scratch"
_SECTION = re.compile(r"\s*\[\s*cache\s*\]\s*(?:[#;].*)?", re.IGNORECASE)
_OPTION = re.compile(r"\s*dir\s*=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scratch:
    """`top` is the work tree, `root` the DVC root in it."""

    top: str
    root: str


@contextmanager
def scratch(root: str, revision: str, *, keep: bool = False) -> Iterator[Scratch]:
    """A work tree of the commit `revision`, with the cache of the project at `root`.

    It is removed when the block ends, unless `keep`. Raises NotAble where git cannot make it, or
    where the commit has no DVC project at this place.
    """
    top = toplevel(root)
    if top is None:
        raise NotAble(f"{root} is not in a git repository")
    prefix = os.path.relpath(os.path.realpath(root), os.path.realpath(top))
    folder = os.path.join(root, ".mlctl", _FOLDER)
    make_local_dir(os.path.join(root, ".mlctl"))
    os.makedirs(folder, exist_ok=True)
    _sweep(root, folder)
    place = os.path.join(folder, new_ulid(clock.now(), os.urandom(10)))
    with _held(place):
        try:
            _make(root, place, revision)
            inside = os.path.normpath(os.path.join(place, prefix))
            _settle(root, inside)
            yield Scratch(place, inside)
        finally:
            if not keep:
                remove(root, place)


def remove(root: str, place: str) -> None:
    """Remove a scratch work tree, and git's note of it."""
    git("worktree", "remove", "--force", "--force", place, cwd=root, check=False)
    remove_tree(place)
    git("worktree", "prune", cwd=root, check=False)


def _make(root: str, place: str, revision: str) -> None:
    # The user's hooks (post-checkout) are for the user's own work tree.
    quiet = ("-c", "core.hooksPath=/dev/null", "-c", "core.sparseCheckout=false")
    git(*quiet, "worktree", "add", "--detach", "--quiet", place, revision, cwd=root)
    if os.path.exists(os.path.join(place, ".gitmodules")):
        _make_submodules(root, place)


def _make_submodules(root: str, place: str) -> None:
    """Submodules come from those of the user's clone, and where it has none from their URLs."""
    common = git("rev-parse", "--path-format=absolute", "--git-common-dir", cwd=root).stdout.strip()
    asked = ("config", "-f", ".gitmodules", "--name-only", "--get-regexp", r"\.path$")
    options = []
    for row in git(*asked, cwd=place, check=False).stdout.splitlines():
        name = row.removeprefix("submodule.").removesuffix(".path")
        if os.path.isdir(here := os.path.join(common, "modules", name)):
            options += ["-c", f"submodule.{name}.url={here}", "-c", "protocol.file.allow=always"]
    update = ("submodule", "update", "--init", "--recursive", "--quiet")
    done = git(*options, *update, cwd=place, check=False)
    if done.code:
        said = (done.stderr.strip() or "no output").splitlines()[-1]
        raise NotAble(
            f"the submodules of the run's code cannot be had: {said}",
            hint="`git submodule update --init --recursive` must work in a clone of this project",
        )


def _settle(root: str, inside: str) -> None:
    """Make the scratch a DVC project on the same cache, with what is local of its settings."""
    if not os.path.isdir(inside):
        raise NotAble(f"the run's code has no folder {os.path.basename(inside)!r}")
    dvc = os.path.join(inside, ".dvc")
    os.makedirs(dvc, exist_ok=True)
    ignored = os.path.join(dvc, ".gitignore")
    if not os.path.exists(ignored):
        write_text(ignored, "/config.local\n/tmp\n/cache\n", durable=False)
    local = ".dvc/config.local"
    text = ""
    with suppress(FileNotFoundError):
        text = read_text(os.path.join(root, local), name=local)
    cache = load_config(root).cache_dir
    write_text(os.path.join(inside, local), with_cache_dir(text, cache), durable=False)


def with_cache_dir(text: str, cache_dir: str) -> str:
    """The text of a DVC configuration whose cache is `cache_dir`."""
    lines, inside, done = [], False, False
    for line in text.splitlines():
        if line.lstrip().startswith("["):
            inside = _SECTION.fullmatch(line) is not None
            lines.append(line)
            if inside and not done:
                lines.append(f"    dir = {cache_dir}")
                done = True
        elif not (inside and _OPTION.match(line)):
            lines.append(line)
    if not done:
        lines += ["[cache]", f"    dir = {cache_dir}"]
    return "\n".join(lines) + "\n"


@contextmanager
def _held(place: str) -> Iterator[None]:
    """Hold a file beside the work tree, which says that its process lives."""
    path = f"{place}.lock"
    with open(path, "w", encoding="utf-8") as file:
        hold(file.fileno())
        try:
            yield
        finally:
            remove_file(path)


def _sweep(root: str, folder: str) -> None:
    """Remove what killed processes left: a work tree whose lock nobody holds was not kept."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        with suppress(FileNotFoundError):  # another process is as quick
            if name.endswith(".lock") and not is_locked(path):
                remove(root, path.removesuffix(".lock"))
                remove_file(path)
