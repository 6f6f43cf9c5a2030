"""Removing the records of runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from mlctl.adapters.files import remove_tree, rename
from mlctl.adapters.git import git, toplevel
from mlctl.errors import InvalidInput
from mlctl.experiments.query import run_facts
from mlctl.records.run import run_folder
from mlctl.records.ulid import short_form
from mlctl.store.state import make_local_dir

_REGISTRY = "registry"


def check_removable(root: str, run_ids: Iterable[str], *, force: bool) -> None:
    """Raise InvalidInput for a run that is kept, that a model of the registry came from, that is
    packed or on the records' branch, or (but with `force`) that git could not bring back.
    """
    named = dict(_registered(root))
    for run_id in run_ids:
        short = short_form(run_id)
        if run_facts(root, run_id).kept:
            raise InvalidInput(
                f"{short} is kept", hint=f"`mlctl exp keep {short} --undo` lets it go"
            )
        for file, text in named.items():
            if run_id in text:
                raise InvalidInput(f"{file} refers to {short}: its record stays")
        if not os.path.isfile(os.path.join(root, run_folder(run_id), "run.json")):
            raise InvalidInput(
                f"the record of {short} is no folder of the work tree",
                hint=f"`mlctl exp archive {short}` leaves it out of listings",
            )
        if not force and not _is_committed(root, run_folder(run_id)):
            raise InvalidInput(
                f"the record of {short} is not committed as it is: it would be gone for good",
                hint="`mlctl exp commit` commits records; --force removes it all the same",
            )


def remove_record(root: str, run_id: str) -> str:
    """Remove the folder of a run's record, whole or not at all; its key."""
    key = run_folder(run_id)
    make_local_dir(os.path.join(root, ".mlctl"))
    away = os.path.join(root, ".mlctl", "tmp", f"removed-{run_id}-{os.getpid()}")
    os.makedirs(os.path.dirname(away), exist_ok=True)
    rename(os.path.join(root, key), away)
    remove_tree(away)
    return key


def _is_committed(root: str, key: str) -> bool:
    if toplevel(root) is None:
        return False
    options = ("--porcelain", "--untracked-files=all", "--ignored=matching")
    return git("status", *options, "--", f":(literal){key}", cwd=root).stdout == ""


def _registered(root: str) -> Iterator[tuple[str, str]]:
    """The files of the model registry, by key, with their text."""
    for top, _, names in os.walk(os.path.join(root, _REGISTRY)):
        for name in names:
            path = os.path.join(top, name)
            with open(path, encoding="utf-8", errors="replace") as file:
                yield os.path.relpath(path, root), file.read()
