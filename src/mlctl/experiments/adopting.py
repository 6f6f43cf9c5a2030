"""Runs of scripts outside of a pipeline (`mlctl.start_run`) become records once they are over.

The script only logs, as the processes of a stage do; whoever looks at runs next makes the record.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from mlctl.adapters import clock
from mlctl.adapters.files import is_locked, try_hold, write_text
from mlctl.errors import MlctlError
from mlctl.experiments import live
from mlctl.experiments.capture import machine_scrubber, write_code
from mlctl.experiments.code import code_state
from mlctl.experiments.describe import (
    LONGEST_NAME,
    Logged,
    Scrub,
    command_line,
    last_values,
    seeds_in,
)
from mlctl.experiments.environment import described, environment, machine
from mlctl.experiments.logged import fold
from mlctl.experiments.naming import flat
from mlctl.experiments.publish import HEAD, new_record, write_environment
from mlctl.pipeline.context import logs_folder
from mlctl.records.canonical import pretty
from mlctl.records.run import PARAMS, STATUSES, CodeState, Host, RunHead, head_text, run_folder
from mlctl.records.secrets import hidden
from mlctl.records.ulid import ulid_seconds

CODE = "code.json"  # what `capture` writes
_CLAIM = "adopting"  # held by the process that makes the record
_PATIENCE = 10.0  # seconds that a capture which has begun may take
_ABANDONED = 600.0  # seconds without a word, after which a run that has no process is given up
_LONGEST_WORD = 500  # characters of the exception that ended a run


@dataclass(frozen=True, slots=True)
class _Begun:
    """What a script and the capture at its start say of its run; times are seconds since 1970."""

    run_id: str
    start: Mapping[str, Any]
    end: Mapping[str, Any]
    code: Mapping[str, Any]
    started: float
    ended: float


def adopt(root: str, *, strict: bool = False) -> list[str]:
    """Make records of the scripts' runs that are over; their keys. Costs one look where none is.

    What a killed `mlctl run` has left is removed. Several processes may do this at once. A run of
    which no record can be made is left for the next time; with `strict` its error is raised.
    """
    made = []
    for run_id in live.live_runs(root):
        try:
            if not live.is_of_python(root, run_id):
                _forget_abandoned(root, run_id)
            elif live.has_ended(root, run_id):
                with _claimed(root, run_id) as ours:
                    if ours and (key := _adopt(root, run_id)):
                        made.append(key)
        except (OSError, MlctlError):
            if strict:
                raise
    return made


def capture(root: str, run_id: str, python: str | None = None) -> None:
    """Note the code and the packages (of the interpreter `python`) that a live run begins with."""
    products: set[str] = set()
    if os.path.isdir(os.path.join(root, ".dvc")):
        products = _products()
    code, packages = code_state(root, products=products), environment(python)
    folder = live.live_folder(root, run_id)
    if os.path.isdir(folder):  # it may be over already
        said = {"git": None if code is None else asdict(code), "environment": packages}
        write_text(os.path.join(folder, CODE), pretty(said))


def _products() -> set[str]:
    from mlctl.pipeline.project import Project

    try:
        stages = Project.open().stages
    except MlctlError:  # that the pipeline is broken is no matter of a script's
        return set()
    return {out.key for stage in stages for out in stage.outs if not out.cache}


@contextmanager
def _claimed(root: str, run_id: str) -> Iterator[bool]:
    """Whether the run is ours to adopt; no other process does meanwhile."""
    path = os.path.join(live.live_folder(root, run_id), _CLAIM)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:  # another was quicker, or the checkout is read-only
        yield False
        return
    try:
        yield try_hold(handle) and live.is_of_python(root, run_id)
    finally:
        os.close(handle)


def _adopt(root: str, run_id: str) -> str | None:
    key = run_folder(run_id)
    if not os.path.lexists(os.path.join(root, key)):
        begun = _read(root, run_id)
        waits = begun.start.get("capture") and not begun.code
        if waits and clock.now() < begun.started + _PATIENCE:
            return None
        _write(root, begun)
    live.forget(root, run_id)
    return key


def _read(root: str, run_id: str) -> _Begun:
    folder = live.live_folder(root, run_id)
    start, end, code = (
        live.read_object(os.path.join(folder, name)) for name in (live.START, live.END, CODE)
    )
    started = _seconds(start.get("started")) or ulid_seconds(run_id)
    ended = _seconds(end.get("ended")) or max(last_word(folder), started)
    return _Begun(run_id, start, end, code, started, ended)


def _write(root: str, begun: _Begun) -> None:
    scrub = machine_scrubber(root)
    with new_record(root, begun.run_id) as folder:
        logged = fold(root, begun.run_id, begun.started, folder)
        params = _params(begun, logged)
        head = _head(root, begun, logged, params, scrub)
        write_code(root, head, folder)
        write_text(folder / "stages.jsonl", "")
        if params:
            write_text(folder / PARAMS, pretty(params))
        write_text(folder / HEAD, head_text(head))


def _params(begun: _Begun, logged: Logged) -> dict[str, Any]:
    given = begun.start.get("params")
    params = hidden("", flat(given)) if isinstance(given, Mapping) else {}
    for values in logged.params.values():
        params.update(values)
    return params


def _head(
    root: str, begun: _Begun, logged: Logged, params: Mapping[str, Any], scrub: Scrub
) -> RunHead:
    start, end = begun.start, begun.end
    packages, name, argv = begun.code.get("environment"), start.get("name"), start.get("argv")
    # Without a capture nobody knows which Python the script had: it need not be ours.
    python, platform = described(packages) if packages else ("unknown", machine()[1])
    status = end.get("status") if end else "interrupted"
    seeds = start.get("seeds")
    return RunHead(
        id=begun.run_id,
        status=status if status in STATUSES else "finished",
        started=clock.iso(begun.started),
        ended=clock.iso(begun.ended),
        seconds=round(max(begun.ended - begun.started, 0.0), 3),
        argv=command_line(tuple(map(str, argv)), scrub) if isinstance(argv, list) else (),
        jobs=1,
        host=Host(os.cpu_count(), python, platform),
        git=_code(begun),
        env=write_environment(root, packages) if packages else None,
        params=params,
        metrics=last_values(logged),
        truncated={"artifacts": logged.left_out} if logged.left_out else {},
        name=str(name)[:LONGEST_NAME] if name else None,
        origin=_origin(end, scrub),
        seeds={**seeds_in(params), **(seeds if isinstance(seeds, Mapping) else {})},
        series=logged.series,
        full=logged.full,
    )


def _origin(end: Mapping[str, Any], scrub: Scrub) -> dict[str, Any]:
    word = end.get("exception")
    said = {"exception": scrub(str(word))[:_LONGEST_WORD]} if word else {}
    return {"kind": "python", **said}


def _code(begun: _Begun) -> CodeState | None:
    """The code as it was captured, or as far as the script itself could tell."""
    captured = begun.code.get("git")
    if isinstance(captured, Mapping):
        return CodeState(**{**captured, "omitted": tuple(captured["omitted"])})
    told = begun.start.get("git")
    if begun.code or not isinstance(told, Mapping) or not told.get("commit"):
        return None
    return CodeState(told["commit"], told.get("branch"), None, bool(told.get("dirty")))


def _seconds(value: Any) -> float | None:
    """Seconds since 1970 of a number, or of a text as records have it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    try:
        return datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        return None


def last_word(folder: str) -> float:
    """When a file below `folder` was last written, in seconds since 1970; 0 where there is none."""
    files = (os.path.join(top, name) for top, _, names in os.walk(folder) for name in names)
    written = (path for path in files if os.path.basename(path) not in (_CLAIM, live.LOCK))
    return max((os.lstat(path).st_mtime for path in written), default=0.0)


def _forget_abandoned(root: str, run_id: str) -> None:
    """Remove what a killed run of the pipeline has left: it gets no record any more."""
    logs = os.path.join(root, logs_folder(run_id))
    names = os.listdir(logs) if os.path.isdir(logs) else []
    if any(is_locked(os.path.join(logs, name)) for name in names):
        return
    folder = live.live_folder(root, run_id)
    try:
        if max(last_word(folder), os.stat(folder).st_mtime) < clock.now() - _ABANDONED:
            live.forget(root, run_id)
    except FileNotFoundError:  # its own run has ended just now, and made its record
        return
