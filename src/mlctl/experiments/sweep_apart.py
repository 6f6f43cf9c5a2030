"""A sweep in which several combinations run at one time, each in a work tree of its own.

A work tree has the code as it lies here, changed and new files too, and the data from the cache.
Each is a process of mlctl, whose record is brought here when it ends. The workspace stays as it is.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

from mlctl.adapters.files import copy_file, rename, write_text
from mlctl.adapters.git import git
from mlctl.adapters.process import Result, call
from mlctl.data.versions.checkout import checkout
from mlctl.errors import MlctlError, NotAble
from mlctl.experiments.again.scratch import Scratch, scratch
from mlctl.experiments.code import code_state
from mlctl.experiments.sweep import Combination, Texts, prepared
from mlctl.experiments.sweep_run import Sweep, Tried
from mlctl.pipeline.project import Project
from mlctl.pipeline.spec import lock_key
from mlctl.records.run import CodeState, run_folder

Told = Callable[[int, Tried], None]


@dataclass(frozen=True, slots=True)
class Apart:
    """How many combinations run at one time, and with which arguments of `mlctl exp run`."""

    at_once: int
    arguments: Sequence[str]


def sweep_apart(project: Project, found: Sequence[Combination], how: Apart, told: Told) -> Sweep:
    """Run the combinations; `told` hears of each when it has ended, with its number.

    Raises NotAble outside of a git repository and before its first commit, and InvalidInput where a
    combination names no parameter.
    """
    texts = prepared(project, found)
    state = _code(project)
    tried: dict[int, Tried] = {}
    ended = None
    with ThreadPoolExecutor(how.at_once) as pool:
        waiting = {
            pool.submit(_try, project, state, combination, texts[number], how): number
            for number, combination in enumerate(found)
        }
        try:
            for future in as_completed(waiting):
                tried[waiting[future]] = future.result()
                told(waiting[future], future.result())
        except KeyboardInterrupt:  # the terminal has told the processes as well
            ended = signal.SIGINT
            pool.shutdown(cancel_futures=True)
    for future, number in waiting.items():
        if number not in tried and not future.cancelled():
            tried[number] = future.result()
    return Sweep(tuple(tried[number] for number in sorted(tried)), ended)


def _code(project: Project) -> CodeState:
    products = {out.key for stage in project.stages for out in stage.outs if not out.cache}
    state = code_state(project.root, products=products)
    if state is None or state.commit is None:
        raise NotAble(
            "a work tree of its own needs a git repository with a commit",
            hint="commit first, or run the combinations one after another",
        )
    return state


def _try(
    project: Project, state: CodeState, combination: Combination, texts: Texts, how: Apart
) -> Tried:
    try:
        with scratch(project.root, str(state.commit)) as place:
            _lay_out(project, state, place, texts)
            argv = [sys.executable, "-m", "mlctl", "exp", "run", *how.arguments, "--json"]
            argv += ["--no-record-commit", "--name", combination.name]
            cwd = os.path.join(place.root, project.cwd)
            done = call(argv, cwd=cwd, check=False)
            answer = _answer(done)
            if answer is None:
                return Tried(combination, "failed", None, done.stderr.strip())
            record = _bring(project.root, place.root, answer["id"]) if answer["id"] else None
            said = done.stderr.strip() if answer["status"] != "finished" else ""
            return Tried(combination, answer["status"], record, said)
    except MlctlError as error:
        return Tried(combination, "failed", None, str(error))


def _lay_out(project: Project, state: CodeState, place: Scratch, texts: Texts) -> None:
    """The code as it lies here, its locks, the data of these, and the parameters to try."""
    if state.snapshot is not None:
        git("read-tree", "-u", "--reset", state.snapshot, cwd=place.top)
    here = os.path.realpath(os.path.join(project.root, os.path.relpath(place.top, place.root)))
    for path in state.omitted:  # secrets and what is too large for a snapshot
        _copy(os.path.join(here, path), os.path.join(place.top, path))
    for file in project.files:
        lock = lock_key(file.file)
        _copy(project.path(lock), os.path.join(place.root, lock))
    checkout(Project.open(place.root), [])
    for path, text in texts.items():
        write_text(os.path.join(place.root, os.path.relpath(path, project.root)), text)


def _copy(source: str, target: str) -> None:
    if os.path.isfile(source):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        copy_file(source, target)


def _answer(done: Result) -> Mapping[str, Any] | None:
    """What the process says of its one run."""
    try:
        runs = json.loads(done.stdout)["runs"]
    except (ValueError, KeyError, TypeError):
        return None
    return runs[0] if runs else None


def _bring(root: str, scratch_root: str, run_id: str) -> str:
    """Move a record here, after the packages that it names; its key."""
    key = run_folder(run_id)
    packages = os.path.join(scratch_root, "runs", "_env")
    for name in os.listdir(packages) if os.path.isdir(packages) else []:
        target = os.path.join(root, "runs", "_env", name)
        if not os.path.exists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            rename(os.path.join(packages, name), target)
    target = os.path.join(root, key)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    rename(os.path.join(scratch_root, key), target)
    return key
