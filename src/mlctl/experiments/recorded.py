"""A run with its record: the code is captured before the first stage, the rest at the end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlctl.adapters import clock
from mlctl.pipeline.events import Emit, Notice, RunFinished
from mlctl.pipeline.project import Project
from mlctl.pipeline.request import Options, Request, Where
from mlctl.pipeline.results import RunResult
from mlctl.pipeline.run import run
from mlctl.records.ulid import new_ulid, short_form

if TYPE_CHECKING:
    from mlctl.experiments.commit import CommitResult
    from mlctl.records.run import CodeState


_HERE = Where()


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a run, and, where there are such, its record's key and the commit of it."""

    result: RunResult
    record: str | None = None
    commit: CommitResult | None = None


def run_and_record(
    project: Project,
    indices: Sequence[int],
    *,
    argv: Sequence[str],
    jobs: int,
    options: Options,
    emit: Emit,
    commit: bool,
    where: Where = _HERE,
    name: str | None = None,
    logs: bool = False,
    branch: bool = False,
) -> Recorded:
    """Run the stages and record what ran; nothing is recorded where all was up to date.

    Stages that name no place run `where` that says, or here.

    With `commit`, the record and the files that the run changed are committed, as
    `experiments.commit` says; with `branch`, the record to the records' own branch. `name` is the
    run's; `logs` keeps the end of each stage's log in the record.
    """
    run_id = new_ulid(clock.now(), os.urandom(10))
    request = Request(run_id, tuple(argv), tuple(indices), jobs, options, where)
    captured: list[CodeState | None] = []

    def capture() -> None:
        from mlctl.experiments.code import code_state

        products = {out.key for stage in project.stages for out in stage.outs if not out.cache}
        captured.append(code_state(project.root, products=products))

    result = run(project, request, emit, before_first=capture)
    recorded = Recorded(result)
    if result.touched:
        key, changed = _record(project.root, result, captured[0], name=name, logs=logs)
        made = _commit(project.root, result, changed, branch=branch) if commit else None
        recorded = Recorded(result, key, made)
        if made is not None and made.reason is not None:
            what = "what the run changed" if made.stored else "the record"
            emit(Notice(f"{what} is not committed: {made.reason}", "info"))
    counts: dict[str, int] = {}
    for stage in result.stages:
        counts[stage.outcome] = counts.get(stage.outcome, 0) + 1
    emit(RunFinished(counts, result.seconds, recorded.record))
    return recorded


def _record(
    root: str,
    result: RunResult,
    code: CodeState | None,
    *,
    name: str | None,
    logs: bool,
) -> tuple[str, list[str]]:
    """Write the record; its key, and all that is to be committed."""
    # Imported here: a run that finds nothing to do is asked for all the time, and needs none of it.
    from mlctl.experiments.adopting import adopt
    from mlctl.experiments.capture import write_record
    from mlctl.experiments.environment import environment

    key = write_record(root, result, code, environment(), name=name, logs=logs)
    return key, [*_paths(key, result), *adopt(root)]


def _commit(root: str, result: RunResult, paths: list[str], *, branch: bool) -> CommitResult:
    from mlctl.experiments.commit import commit_record

    return commit_record(root, paths, _message(result), branch=branch)


def _paths(record: str, result: RunResult) -> list[str]:
    """The record, and what the run changed: locks, pointers, ignore files, outs in git."""
    outs = [out for done in result.stages for out in done.stage.outs if done.outcome != "unchanged"]
    in_git = [out.key for out in outs if not out.cache and not out.key.startswith("/")]
    return [record, "runs/_env", *result.written_files, *in_git]


def _message(result: RunResult) -> str:
    ran = [s.stage.address for s in result.stages if s.outcome in {"ran", "failed", "cancelled"}]
    shown = ", ".join(ran[:3]) + (f" and {len(ran) - 3} more" if len(ran) > 3 else "")
    return f"Record run {short_form(result.run_id)}: {shown} ({result.status})"
