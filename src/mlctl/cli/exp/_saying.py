"""What the verbs share that say something of runs: finding these, committing it, telling it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from mlctl.cli._output import print_json, say

if TYPE_CHECKING:
    from mlctl.experiments.commit import CommitResult
    from mlctl.records.run import RunHead


def runs_root() -> str:
    """The project whose runs are looked at. Raises InvalidInput outside of any."""
    from mlctl.experiments.live import project_root
    from mlctl.store.config import find_root

    root = project_root(os.getcwd())
    ours = (".dvc", "runs", ".mlctl", "mlctl.yaml")
    if any(os.path.exists(os.path.join(root, name)) for name in ours):
        return root
    return find_root(root)


def found(root: str, names: Sequence[str]) -> list[RunHead]:
    """The runs that are named, each once."""
    from mlctl.experiments.query import find_run

    return list({head.id: head for head in (find_run(root, name) for name in names)}.values())


def commit_said(root: str, keys: Sequence[str], message: str) -> CommitResult | None:
    """Commit what was written, where the project's settings say so."""
    from mlctl.projects.settings import load_settings

    settings = load_settings(root)
    if not keys or not settings.records_commit:
        return None
    from mlctl.experiments.commit import commit_record

    return commit_record(root, keys, message, branch=settings.records_branch)


def commit_json(made: CommitResult | None) -> dict[str, str | None]:
    """What came of a commit, for machines; all null where none was wanted."""
    return {
        "commit": made.commit if made else None,
        "stored": made.stored if made else None,
        "reason": made.reason if made else None,
    }


def tell(
    verb: str,
    heads: Sequence[RunHead],
    keys: Sequence[str],
    made: CommitResult | None,
    *,
    json: bool,
    text: str,
    more: Mapping[str, object] = MappingProxyType({}),
) -> int:
    """Print what was done, and `more` of it for machines; 0."""
    if json:
        said = {"runs": [h.id for h in heads], "written": list(keys), **commit_json(made), **more}
        print_json(f"exp.{verb}", said)
        return 0
    say(text)
    if made is not None and made.reason is not None:
        say(f"Not committed: {made.reason}.")
    return 0
