"""The stages of a run's record: `stages.jsonl`, a line for each (docs/formats/run.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from mlctl.errors import ConfigError
from mlctl.records.canonical import line, number


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One dep or out: its path from the DVC root, and its digest with its kind (`md5:…`)."""

    path: str
    digest: str | None = None
    size: int | None = None
    nfiles: int | None = None


@dataclass(frozen=True, slots=True)
class StageRecord:
    """One stage of a run. `params` and `metrics` are by file; memory is in bytes.

    `reasons` are the fields of the plan's reasons that say something, as JSON has them.
    `logged` are the parameters that the script logged, by dotted name; `usage` is the use of the
    machine over time (docs/formats/run.md).
    """

    address: str
    outcome: str
    cmd: str | tuple[str, ...] | None = None
    reasons: tuple[Mapping[str, Any], ...] = ()
    started: str | None = None
    seconds: float = 0.0
    exit_code: int | None = None
    attempts: int = 1
    executor: str = "local"
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    deps: tuple[FileRecord, ...] = ()
    outs: tuple[FileRecord, ...] = ()
    message: str | None = None
    peak_memory: int | None = None
    cpu_seconds: float | None = None
    host: Mapping[str, Any] = field(default_factory=dict)
    logged: Mapping[str, Any] = field(default_factory=dict)
    usage: Mapping[str, Any] = field(default_factory=dict)


_FIELDS = tuple(field.name for field in fields(StageRecord))


def stages_text(stages: Iterable[StageRecord]) -> str:
    """JSON Lines, in the given order; fields that say nothing are left out."""
    return "".join(line(_stage_data(stage)) for stage in stages)


def parse_stages(text: str, *, name: str) -> tuple[StageRecord, ...]:
    """The stages in `text`. Raises ConfigError that names the file and the line."""
    stages = []
    for place, row in enumerate(text.split("\n"), start=1):
        if not row:
            continue
        try:
            stages.append(_stage(json.loads(row)))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ConfigError(
                f"not a stage of a run: {type(error).__name__}: {error}",
                file=name,
                line=place,
                hint=f"restore it from git: git checkout HEAD -- {name}",
            ) from None
    return tuple(stages)


def _stage_data(stage: StageRecord) -> dict[str, Any]:
    # Not `asdict`, which copies every value deeply: a run has as many of these as it has stages.
    data = {name: getattr(stage, name) for name in _FIELDS}
    data["deps"] = [_file_data(file) for file in stage.deps]
    data["outs"] = [_file_data(file) for file in stage.outs]
    empty: tuple[Any, ...] = (None, (), [], {})
    return {name: value for name, value in data.items() if value not in empty}


def _file_data(file: FileRecord) -> dict[str, Any]:
    data = {"path": file.path, "digest": file.digest, "size": file.size, "nfiles": file.nfiles}
    return {name: value for name, value in data.items() if value is not None}


def _stage(data: dict[str, Any]) -> StageRecord:
    cmd = data.get("cmd")
    metrics = data.get("metrics", {})
    return StageRecord(
        address=data["address"],
        outcome=data["outcome"],
        cmd=tuple(cmd) if isinstance(cmd, list) else cmd,
        reasons=tuple(data.get("reasons", ())),
        started=data.get("started"),
        seconds=data["seconds"],
        exit_code=data.get("exit_code"),
        attempts=data["attempts"],
        executor=data["executor"],
        params=data.get("params", {}),
        metrics={
            file: {key: number(value) for key, value in named.items()}
            for file, named in metrics.items()
        },
        deps=tuple(_file(file) for file in data.get("deps", ())),
        outs=tuple(_file(file) for file in data.get("outs", ())),
        message=data.get("message"),
        peak_memory=data.get("peak_memory"),
        cpu_seconds=data.get("cpu_seconds"),
        host=data.get("host", {}),
        logged=data.get("logged", {}),
        usage=data.get("usage", {}),
    )


def _file(data: dict[str, Any]) -> FileRecord:
    return FileRecord(data["path"], data.get("digest"), data.get("size"), data.get("nfiles"))
