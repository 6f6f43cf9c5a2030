"""The head of a run's record: `runs/<yyyymmdd>/<ulid>/run.json` (docs/formats/run.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from mlctl.errors import ConfigError
from mlctl.records.canonical import line, number, plain, pretty
from mlctl.records.run_metrics import Series
from mlctl.records.schema import load_record
from mlctl.records.ulid import ulid_seconds

KIND, VERSION = "run", 1
SCHEMA = f"mlctl.{KIND}/{VERSION}"
PARAMS = "params.json"  # the file with all parameters of a run without stages
HEAD_LIMIT = 8192  # bytes: a listing reads every head, and git keeps every one
STATUSES = ("finished", "failed", "interrupted")

# What gives way, in this order, when a head would be larger. All of it stands in stages.jsonl,
# params.json or metrics.jsonl, but for `argv`, `omitted` and what a script itself calls a seed.
_GIVES_WAY = ("params", "metrics", "series", "ran", "failed", "omitted", "seeds", "argv")
_NOTE = 32  # bytes that the note of what gave way takes itself
# Fields that came after the first release: left out where they say nothing.
_LATER = ("name", "origin", "seeds", "series", "full")


@dataclass(frozen=True, slots=True)
class CodeState:
    """What lay in the work tree when the run began. Object names are git's own.

    `commit` is None before the first one, `branch` on a detached HEAD. `tree` is the whole tree
    that was read: that of the `snapshot`, a commit of the dirty tree, or of `commit` where nothing
    had changed. `omitted` are changed paths, from git's top level, that the snapshot leaves out:
    secrets and large untracked files.
    """

    commit: str | None
    branch: str | None
    tree: str | None
    dirty: bool
    snapshot: str | None = None
    omitted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Host:
    """The kind of machine, and nothing that says whose."""

    cpus: int | None
    python: str
    platform: str


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole of what the record has a part of, in DVC's cache: `md5:…`, and its bytes."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class RunHead:
    """One run in short. Times are `2026-11-23T23:02:05.123Z`; `env` is `sha256:…`.

    `ran` and `failed` are addresses of stages; `truncated` counts what gave way, by field.
    `name` is the one that the run began with: a later one is an event. `origin` has a `kind`
    (`python`, or `import` with the `source` and the `id` that the run has there) where no pipeline
    ran. `series` sums up the logged metrics; `full` is all of metrics.jsonl where that is thinned.
    """

    id: str
    status: str
    started: str
    ended: str
    seconds: float
    argv: tuple[str, ...]
    jobs: int
    host: Host
    git: CodeState | None = None
    env: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    ran: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    truncated: Mapping[str, int] = field(default_factory=dict)
    name: str | None = None
    origin: Mapping[str, Any] | None = None
    seeds: Mapping[str, Any] = field(default_factory=dict)
    series: Mapping[str, Series] = field(default_factory=dict)
    full: Whole | None = None


def run_folder(run_id: str) -> str:
    """The key of a run's folder: `runs/20261123/01KA…`. Raises ValueError for what is no ULID."""
    day = datetime.fromtimestamp(ulid_seconds(run_id), UTC)
    return f"runs/{day:%Y%m%d}/{run_id}"


def head_text(head: RunHead) -> str:
    """The head as it is written: canonical JSON of at most `HEAD_LIMIT` bytes.

    Where it would be larger, entries give way: of maps the longest first, of lists from the end.
    """
    data: dict[str, Any] = plain({"schema": SCHEMA, **asdict(head)})
    for name in _LATER:
        if not data[name]:
            del data[name]
    text = pretty(data)
    for name in _GIVES_WAY:
        over = len(text.encode()) - HEAD_LIMIT
        if over <= 0:
            break
        place = (data["git"] or {}) if name == "omitted" else data
        before = len(place.get(name, ()))
        if before:
            place[name] = _shortened(place[name], over + _NOTE)
            data["truncated"][name] = head.truncated.get(name, 0) + before - len(place[name])
            text = pretty(data)
    return text


def _shortened(section: Any, excess: int) -> Any:
    """The map or list without so many entries that at least `excess` bytes are saved."""
    if isinstance(section, list):
        kept = list(section)
        while kept and excess > 0:
            excess -= len(line(kept.pop()).encode())
        return kept
    sizes = {key: _entry_size(key, value) for key, value in section.items()}
    rest = dict(section)
    for key in sorted(sizes, key=lambda k: (-sizes[k], k)):
        if excess <= 0:
            break
        del rest[key]
        excess -= sizes[key]
    return rest


def _entry_size(key: str, value: Any) -> int:
    """The bytes of an entry of a map in the head: its lines, indented once more, and a comma."""
    text = pretty({key: value}).removeprefix("{\n").removesuffix("\n}\n")
    return len(text.encode()) + text.count("\n") + 1 + len(",\n")


def parse_head(text: str, *, name: str) -> RunHead:
    """The head in `text`; `name` is its file, for messages.

    Raises ConfigError for a newer version, another kind of record, or one that lacks a field.
    Fields that a later mlctl of the same version may add are passed over.
    """
    data = load_record(text, kind=KIND, newest=VERSION, name=name)
    try:
        return _head(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"not a record of a run: {type(error).__name__}: {error}",
            file=name,
            hint=f"restore it from git: git checkout HEAD -- {name}",
        ) from None


def _head(data: dict[str, Any]) -> RunHead:
    git, host, full = data.get("git"), data["host"], data.get("full")
    if data["status"] not in STATUSES:
        raise ValueError(f"no status of a run: {data['status']!r}")
    return RunHead(
        id=data["id"],
        status=data["status"],
        started=data["started"],
        ended=data["ended"],
        seconds=data["seconds"],
        argv=tuple(data["argv"]),
        jobs=data["jobs"],
        host=Host(host["cpus"], host["python"], host["platform"]),
        git=_code(git) if git else None,
        env=data.get("env"),
        params=data["params"],
        metrics={key: number(value) for key, value in data["metrics"].items()},
        outcomes=data["outcomes"],
        ran=tuple(data["ran"]),
        failed=tuple(data["failed"]),
        truncated=data["truncated"],
        name=data.get("name"),
        origin=data.get("origin"),
        seeds=data.get("seeds", {}),
        series={name: _series(it) for name, it in data.get("series", {}).items()},
        full=Whole(full["digest"], full["size"]) if full else None,
    )


def _series(data: dict[str, Any]) -> Series:
    return Series(
        last=number(data["last"]),
        min=number(data["min"]),
        max=number(data["max"]),
        min_step=number(data["min_step"]),
        max_step=number(data["max_step"]),
        n=data["n"],
    )


def _code(data: dict[str, Any]) -> CodeState:
    return CodeState(
        data["commit"],
        data["branch"],
        data["tree"],
        data["dirty"],
        data["snapshot"],
        tuple(data["omitted"]),
    )
