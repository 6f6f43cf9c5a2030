"""A run's result as its record: pure data, without anything that is of one machine only."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from mlctl.adapters.clock import iso
from mlctl.experiments.naming import flat, params_of
from mlctl.pipeline.plan import Reason
from mlctl.pipeline.results import RunResult, StageResult
from mlctl.pipeline.spec import Digest, LockedPath, Stage
from mlctl.records.run import CodeState, Host, RunHead, Whole
from mlctl.records.run_metrics import Series
from mlctl.records.run_stages import FileRecord, StageRecord
from mlctl.records.secrets import HIDDEN, hidden, is_secret_name

NAMED = 20  # stages that a head names; all of them stand in stages.jsonl
LONGEST_NAME = 200  # characters of a run's name
_SEED = re.compile(r"(?:.*[._:])?(?:seed|random_seed|random_state)", re.IGNORECASE)

Scrub = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Logged:
    """What the processes of a run logged: `params` by stage and dotted name, `left_out` the number
    of files that were not kept.
    """

    series: Mapping[str, Series] = field(default_factory=dict)
    params: Mapping[str | None, Mapping[str, Any]] = field(default_factory=dict)
    full: Whole | None = None
    left_out: int = 0


NOTHING = Logged()


def head_of(
    result: RunResult,
    stages: Iterable[StageRecord],
    metrics: Mapping[str, float],
    *,
    git: CodeState | None,
    env: str | None,
    host: Host,
    scrub: Scrub,
    logged: Logged = NOTHING,
    seeds: Mapping[str, Any] = MappingProxyType({}),
    name: str | None = None,
) -> RunHead:
    """The head of the record of `result`; `env` is the environment's `sha256:…`.

    `seeds` are those that are no parameters.
    """
    stages = tuple(stages)
    outcomes = Counter(stage.outcome for stage in stages)
    params = params_of(stages)
    return RunHead(
        id=result.run_id,
        status=result.status,
        started=iso(result.started),
        ended=iso(result.started + result.seconds),
        seconds=round(result.seconds, 3),
        argv=command_line(result.argv, scrub),
        jobs=result.jobs,
        host=host,
        git=git,
        env=env,
        params=params,
        metrics={**last_values(logged), **metrics},
        outcomes=dict(outcomes),
        ran=tuple(s.address for s in stages if s.outcome == "ran")[:NAMED],
        failed=tuple(s.address for s in stages if s.outcome == "failed")[:NAMED],
        truncated={"artifacts": logged.left_out} if logged.left_out else {},
        name=name[:LONGEST_NAME] if name else None,
        seeds={**seeds_in(params), **seeds},
        series=logged.series,
        full=logged.full,
    )


def last_values(logged: Logged) -> dict[str, float]:
    """The last value of each logged metric."""
    return {name: series.last for name, series in logged.series.items()}


def seeds_in(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that by their names are seeds: `train.seed`, `random_state`."""
    return {name: value for name, value in params.items() if _SEED.fullmatch(name)}


def stage_of(
    result: StageResult,
    metrics: Mapping[str, Mapping[str, float]],
    scrub: Scrub,
    logged: Mapping[str, Any] = MappingProxyType({}),
) -> StageRecord:
    """The line of one stage; `metrics` are by file, `logged` are parameters by dotted name."""
    stage, locked = result.stage, result.locked
    cmd = locked.cmd if locked is not None and locked.cmd is not None else stage.cmd
    keys = {
        **{dep.path: dep.key for dep in stage.deps},
        **{params.path: params.key for params in stage.params},
        **{out.path: out.key for out in stage.outs},
    }
    params = {_key(p, keys, stage): v for p, v in locked.params.items()} if locked else {}
    params = {file: hidden("", values) for file, values in params.items()}
    read = {name: value for values in params.values() for name, value in flat(values).items()}
    return StageRecord(
        address=label(stage.address),
        outcome=result.outcome,
        cmd=scrub(cmd) if isinstance(cmd, str) else cmd and tuple(scrub(c) for c in cmd),
        reasons=tuple(_reason(reason, scrub) for reason in result.reasons),
        started=None if result.started is None else iso(result.started),
        seconds=round(result.seconds, 3),
        exit_code=result.exit_code,
        attempts=result.attempts,
        executor=result.executor,
        params=params,
        metrics={key: values for key, values in metrics.items() if values},
        deps=tuple(_file(d, keys, stage) for d in locked.deps) if locked else (),
        outs=tuple(_file(o, keys, stage) for o in locked.outs) if locked else (),
        message=scrub(result.message) if result.message else None,
        peak_memory=result.peak_memory,
        cpu_seconds=None if result.cpu_seconds is None else round(result.cpu_seconds, 3),
        host=result.host or {},
        # What the script logs of what it reads is said once.
        logged={n: v for n, v in logged.items() if n not in read or read[n] != v},
        usage=result.usage or {},
    )


def scrubber(places: Mapping[str, str]) -> Scrub:
    """Takes this machine out of a text: each folder of `places` becomes its name (`.` or `~`)."""
    forms = [
        (re.compile(rf"(?<![\w./~-]){re.escape(place.rstrip('/'))}(?![\w.-])"), name)
        for place, name in places.items()
        if place.rstrip("/")
    ]

    def scrub(text: str) -> str:
        for form, name in forms:
            text = form.sub(name, text)
        return text

    return scrub


def digest_text(digest: Digest) -> str | None:
    """`md5:…` (`.dir` at the end for a folder), or the etag that an import has instead."""
    if digest.md5:
        return f"{'md5-dos2unix' if digest.legacy else 'md5'}:{digest.md5}"
    for kind in ("etag", "checksum", "version_id"):
        if digest.extra.get(kind):
            return f"{kind}:{digest.extra[kind]}"
    return None


def _file(path: LockedPath, keys: Mapping[str, str], stage: Stage) -> FileRecord:
    digest = path.digest
    if digest is None:
        return FileRecord(_key(path.path, keys, stage))
    return FileRecord(_key(path.path, keys, stage), digest_text(digest), digest.size, digest.nfiles)


def _key(path: str, keys: Mapping[str, str], stage: Stage) -> str:
    if path in keys:
        return label(keys[path])
    if "://" in path:
        return label(path)
    return label(posixpath.normpath(posixpath.join(stage.wdir, path)))


def label(key: str) -> str:
    """A key that means the same on every machine: what lies outside is named by its last part."""
    if "://" in key:
        parts = urlsplit(key)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    outside = key.startswith(("/", "../", "~"))
    return f"external:{posixpath.basename(key.rstrip('/'))}" if outside else key


def command_line(argv: tuple[str, ...], scrub: Scrub) -> tuple[str, ...]:
    """A command line without what is of this machine only, and without secrets."""
    program = tuple(posixpath.basename(name) for name in argv[:1])
    return (*program, *(_argument(argument, scrub) for argument in argv[1:]))


def _argument(argument: str, scrub: Scrub) -> str:
    text = scrub(argument)
    name, equals, value = text.partition("=")
    if equals and value and is_secret_name(name):
        return f"{name}={HIDDEN}"
    if equals and name.startswith("-") and value.startswith("/"):
        return f"{name}={label(value)}"
    return label(text) if text.startswith("/") else text


def _reason(reason: Reason, scrub: Scrub) -> dict[str, Any]:
    names = (field.name for field in fields(reason))
    data = {name: value for name in names if (value := getattr(reason, name)) is not None}
    if reason.path is not None:
        data["path"] = label(reason.path)
    if reason.kind == "param":
        sides = [side for side in ("old", "new") if side in data]
        data.update({side: hidden(reason.name or "", data[side]) for side in sides})
    if reason.kind == "cmd":
        for side in ("old", "new"):
            if isinstance(data.get(side), str):
                data[side] = scrub(data[side])
    return data
