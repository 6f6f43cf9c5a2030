"""What two revisions say of metrics, parameters, plots, data, validations, monitors and runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from mlctl.adapters.git import git
from mlctl.data.diffing.diff import DataDiff, compare_data
from mlctl.data.diffing.versions import Side
from mlctl.data.validated import FOLDER as VALIDATIONS
from mlctl.errors import InvalidInput, MlctlError
from mlctl.outputs import collect
from mlctl.outputs.plots import Plot, differ, plots
from mlctl.outputs.trees import WORKSPACE, Tree, is_revision, merge_base, open_tree
from mlctl.outputs.values import Change, FileValues, compare
from mlctl.pipeline.project import Project, open_workspace
from mlctl.projects.pull_request.monitored import Monitored, monitored
from mlctl.records.run import RunHead, parse_head
from mlctl.records.secrets import hidden

MOST_RUNS = 20  # whose heads are read and shown, the newest
_RECORD = re.compile(r"runs/[0-9]{8}/([0-9A-Z]{26})/run\.json")
_SHALLOW = "this clone is shallow: `git fetch --unshallow`, or `fetch-depth: 0` in a workflow"
_PACK = re.compile(r"runs/[0-9]{6}\.[0-9a-f]{8}\.jsonl")


@dataclass(frozen=True, slots=True)
class Validation:
    """A verdict that only the newer side has; `failures` are as its `report` has them."""

    dataset: str
    data: str
    valid: bool
    checks: int
    failures: tuple[dict[str, Any], ...]
    report: str


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs that only the newer side has: how many, the newest of them, and `before`, the newest
    finished run of the older side.
    """

    total: int = 0
    newest: tuple[RunHead, ...] = ()
    before: RunHead | None = None


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What differs between the revisions `a` and `b`; `notes` say what could not be read."""

    a: str
    b: str
    metrics: tuple[Change, ...]
    params: tuple[Change, ...]
    runs: Runs
    validations: tuple[Validation, ...]
    monitored: tuple[Monitored, ...]
    data: DataDiff | None
    plots: tuple[Plot, ...]
    notes: tuple[str, ...]


def gather(project: Project, asked: str) -> PullRequest:
    """What `asked` (`A..B`, or `A...B` for B against where it left A) changes.

    Raises InvalidInput for an unknown revision, ConfigError where a pipeline does not parse.
    """
    a, b = _sides(project, asked)
    notes: list[str] = []
    with ExitStack() as stack:
        workspace = stack.enter_context(open_workspace(project))
        old, new = (stack.enter_context(open_tree(project, name)) for name in (a, b))
        before, after = (
            Side(tree, workspace, is_workspace=tree.name == WORKSPACE) for tree in (old, new)
        )
        data: DataDiff | None = None
        try:
            data = compare_data(before, after)
        except MlctlError as error:
            notes.append(f"data: {error}")
        return PullRequest(
            a,
            b,
            metrics=_values(collect.metrics, old, new, notes),
            params=tuple(map(_without_secret, _values(collect.params, old, new, notes))),
            runs=_runs(old, new, notes),
            validations=tuple(_validations(old, new, notes)),
            monitored=tuple(monitored(old, new, notes)),
            data=data,
            plots=tuple(_plots(old, new, notes)),
            notes=tuple(dict.fromkeys(notes)),
        )


def _sides(project: Project, asked: str) -> tuple[str, str]:
    a, dots, b = asked.partition("...") if "..." in asked else asked.partition("..")
    a, b = a or "HEAD", b or "HEAD"
    try:
        _check_known(project, a, b)
        return (merge_base(project, a, b) if dots == "..." else a), b
    except InvalidInput as error:
        hint = _SHALLOW if _is_shallow(project) else error.hint
        raise InvalidInput(error.message, hint=hint) from None


def _check_known(project: Project, *names: str) -> None:
    for name in names:
        if project.config.git_root and name != WORKSPACE and not is_revision(project, name):
            raise InvalidInput(f"git knows no revision {name!r}", hint="see `git branch -a`")


def _is_shallow(project: Project) -> bool:
    said = git("rev-parse", "--is-shallow-repository", cwd=project.root, check=False)
    return said.stdout.strip() == "true"


def _values(read: Any, old: Tree, new: Tree, notes: list[str]) -> tuple[Change, ...]:
    before: Sequence[FileValues] = read(old)
    after: Sequence[FileValues] = read(new)
    notes += [file.error for file in (*before, *after) if file.error]
    return tuple(compare(before, after))


def _without_secret(change: Change) -> Change:
    old, new = (hidden(change.name, value) for value in (change.old, change.new))
    return replace(change, old=old, new=new)


def _plots(old: Tree, new: Tree, notes: list[str]) -> Iterator[Plot]:
    try:
        found = plots([old, new])
    except MlctlError as error:
        notes.append(f"plots: {error}")
        return
    yield from (plot for plot in found if differ(plot, [old.name, new.name]))


def _validations(old: Tree, new: Tree, notes: list[str]) -> Iterator[Validation]:
    known = set(old.expand(VALIDATIONS))
    for key in new.expand(VALIDATIONS):
        if key in known or not key.endswith(".json"):
            continue
        try:
            said = json.loads(new.text(key))
            if not _is_current(new, said["data"]):
                continue
            yield Validation(
                str(said["dataset"]),
                str(said["data"]["path"]),
                bool(said["valid"]),
                int(said["checks"]),
                tuple(said["failures"]),
                key,
            )
        except (MlctlError, ValueError, KeyError, TypeError) as error:
            notes.append(f"{key}: {error}")


def _is_current(tree: Tree, data: dict[str, Any]) -> bool:
    """Whether a verdict is on the data that the tree has, as far as DVC tracks it there."""
    tracked = tree.tracked.get(data["path"])
    judged = str(data["digest"]).removeprefix("md5:").removesuffix(".dir")
    return tracked is None or tracked.md5.removesuffix(".dir") == judged


def _runs(old: Tree, new: Tree, notes: list[str]) -> Runs:
    before, after = _places(old, notes), _places(new, notes)
    added = sorted(after.keys() - before.keys(), reverse=True)
    newest = tuple(_heads(new, after, added[:MOST_RUNS], notes))
    earlier = sorted(before, reverse=True)[:MOST_RUNS] if added else []
    finished = (head for head in _heads(old, before, earlier, notes) if head.status == "finished")
    return Runs(len(added), newest, next(finished, None))


def _places(tree: Tree, notes: list[str]) -> dict[str, str]:
    """Where each run of a tree stands: the key of its head, or the pack and its line."""
    found: dict[str, str] = {}
    for key in tree.expand("runs"):
        if match := _RECORD.fullmatch(key):
            found[match[1]] = key
        elif _PACK.fullmatch(key):
            try:
                found.update({json.loads(line)["id"]: key for line in tree.text(key).splitlines()})
            except (MlctlError, ValueError, KeyError, TypeError) as error:
                notes.append(f"{key}: {error}")
    return found


def _heads(
    tree: Tree, places: dict[str, str], run_ids: Sequence[str], notes: list[str]
) -> Iterator[RunHead]:
    """The heads of some runs; one that is damaged is noted."""
    if tree.checkout is not None:
        tree.checkout.fetch([places[run_id] for run_id in run_ids])
    for run_id in run_ids:
        key = places[run_id]
        try:
            yield parse_head(_head_text(tree, key, run_id), name=key)
        except (MlctlError, ValueError, KeyError, TypeError) as error:
            notes.append(f"{key}: {error}")


def _head_text(tree: Tree, key: str, run_id: str) -> str:
    if not _PACK.fullmatch(key):
        return tree.text(key)
    rows = (json.loads(line) for line in tree.text(key).splitlines())
    return json.dumps(next(row["head"] for row in rows if row["id"] == run_id))
