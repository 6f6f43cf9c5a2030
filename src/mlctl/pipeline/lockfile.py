"""`dvc.lock`: reading it, and writing it with the bytes that DVC 3 writes.

DVC loads the whole lock through ruamel's round trip and dumps it again for every stage. That
changes nothing but the stage in a lock that DVC wrote; so here only the changed stages' text is
written anew, and the rest is kept, where it is in the form that survives the round trip. A lock
in any other form (comments, other quotes or indents) goes through the round trip as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

from mlctl.adapters import yaml
from mlctl.errors import ConfigError, Unmerged
from mlctl.pipeline import emit, locktext
from mlctl.pipeline.lockschema import check_stage
from mlctl.pipeline.spec import Digest, LockedPath, LockedStage

SCHEMA = "2.0"
_RESTORE = (
    "restore it (`git checkout -- FILE`), or delete it: what is known comes from the run-cache"
)
HEAD = locktext.HEAD
DEFAULT_PARAMS = "params.yaml"


class Load(Protocol):
    """Reads YAML text; `name` is the file for messages."""

    def __call__(self, text: str, *, name: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class Lock:
    """A read lock: `stages` in the order of the file, `datasets` and `text` as they were read."""

    stages: Mapping[str, LockedStage] = field(default_factory=dict)
    datasets: tuple[Any, ...] = ()
    text: str = ""


def parse_text(text: str, load: Load = yaml.load, *, name: str) -> Lock:
    """The lock in `text`. Raises ConfigError (file, YAML path and line) where it is not a lock."""
    conflict = "<<<<<<<" in text and yaml.CONFLICT.search(text)
    if conflict:
        raise Unmerged(
            "holds git conflict markers",
            file=name,
            line=text.count("\n", 0, conflict.start()) + 1,
            hint="`mlctl run` merges it, stage by stage",
        )
    bodies = locktext.bodies(text)
    try:
        data = load(text, name=name) if bodies is None else {"schema": SCHEMA, "stages": bodies}
        return parse(data, name=name, text=text)
    except ConfigError as error:
        if error.line is None and error.where:
            error.line = yaml.line_of(text, _steps(error.where))
        error.hint = error.hint or _RESTORE.replace("FILE", name)
        raise


def _steps(where: str) -> tuple[str | int, ...]:
    return tuple(int(step) if step.isdigit() else step for step in where.split("."))


def parse(data: Any, *, name: str, text: str = "") -> Lock:
    """The lock in YAML `data`; None or an empty one is a lock without stages.

    Raises ConfigError naming the file and the YAML path.
    """

    def fail(message: str, where: str, hint: str | None = None) -> NoReturn:
        raise ConfigError(message, file=name, where=where or None, hint=hint)

    if data is None or data == {}:
        return Lock(text=text)
    if not isinstance(data, Mapping):
        fail("a lock file is a mapping with `schema` and `stages`", "")
    _check_schema(data, fail)
    for key in data:
        if key not in ("schema", "datasets", "stages"):
            fail("unknown key in a lock file", str(key))
    raw = data.get("stages", {})
    if not isinstance(raw, Mapping):
        fail("must be a mapping of stages", "stages")
    stages = {}
    for stage, body in raw.items():
        if not isinstance(stage, str):
            fail("a stage's name must be a string", f"stages.{stage}", "put it in quotes")
        check_stage(body, f"stages.{stage}", fail)
        stages[stage] = locked_stage(body)
    datasets = data.get("datasets") or ()
    return Lock(stages, tuple(datasets) if isinstance(datasets, list) else (datasets,), text)


def _check_schema(data: Mapping[Any, Any], fail: Callable[..., NoReturn]) -> None:
    version = data.get("schema")
    if version == SCHEMA:
        return
    if version is None:
        fail(
            "no `schema`: this lock was written by DVC 1, which DVC 3 does not read either",
            "schema",
            "delete the file and run the pipeline again",
        )
    numbers = re.fullmatch(r"([0-9]+)\.([0-9]+)", str(version))
    if numbers and (int(numbers[1]), int(numbers[2])) > (2, 0):
        fail(
            f"schema {version} is newer than {SCHEMA}, the newest one known here",
            "schema",
            "upgrade mlctl, or restore the lock that an older version wrote (git checkout)",
        )
    fail(f"invalid schema version {version!r}, expected '{SCHEMA}'", "schema")


def locked_stage(body: Mapping[str, Any]) -> LockedStage:
    """The checked `body` of a stage in a lock or of a run-cache entry."""
    cmd = body["cmd"]
    return LockedStage(
        cmd=tuple(cmd) if isinstance(cmd, (list, tuple)) else cmd,
        deps=tuple(_locked_path(item) for item in body.get("deps", ())),
        params={path: dict(values) for path, values in body.get("params", {}).items()},
        outs=tuple(_locked_path(item) for item in body.get("outs", ())),
    )


def _locked_path(item: Mapping[str, Any]) -> LockedPath:
    extra = {key: value for key, value in item.items() if key not in _KNOWN}
    md5 = item.get("md5")
    if not md5 and not extra:
        return LockedPath(item["path"], None)
    digest = Digest(
        md5=str(md5) if md5 else "",
        size=item.get("size"),
        nfiles=item.get("nfiles"),
        isexec=bool(item.get("isexec", False)),
        legacy=bool(md5) and "hash" not in item,
        extra=extra,
    )
    return LockedPath(item["path"], digest)


_KNOWN = frozenset({"path", "hash", "md5", "size", "nfiles", "isexec"})


def entry(stage: LockedStage) -> dict[str, Any]:
    """What DVC writes of `stage`: keys in DVC's order, paths sorted, empty sections left out."""
    cmd = stage.cmd
    body: dict[str, Any] = {"cmd": list(cmd) if isinstance(cmd, tuple) else cmd}
    if stage.deps:
        body["deps"] = _path_entries(stage.deps)
    if stage.params:
        files = sorted(stage.params, key=lambda path: (path != DEFAULT_PARAMS, path))
        body["params"] = {
            path: {key: stage.params[path][key] for key in sorted(stage.params[path])}
            for path in files
        }
    if stage.outs:
        body["outs"] = _path_entries(stage.outs)
    return body


def _path_entries(paths: Sequence[LockedPath]) -> list[dict[str, Any]]:
    ordered = sorted(paths, key=lambda item: item.path)
    return [path_entry(item) for item in ordered]


def path_entry(item: LockedPath) -> dict[str, Any]:
    """One entry of `deps` or `outs`, in DVC's key order."""
    digest = item.digest
    if digest is None:
        return {"path": item.path, "hash": "md5"}
    extra = dict(digest.extra)
    if "dataset" in extra:
        return {"path": item.path, **extra}
    written: dict[str, Any] = {"path": item.path}
    if not digest.legacy:
        written["hash"] = "md5"
    if "files" in extra and not digest.md5:
        return written | extra
    if digest.md5:
        written["md5"] = digest.md5
    else:  # what a URL has in place of a digest stands first
        written |= {key: extra.pop(key) for key in ("etag", "checksum") if key in extra}
    return written | digest_fields(digest) | extra


def digest_fields(digest: Digest) -> dict[str, Any]:
    """`size`, `nfiles` and `isexec` as far as they are known, in DVC's order."""
    fields: dict[str, Any] = {}
    if digest.size is not None:
        fields["size"] = digest.size
    if digest.nfiles is not None:
        fields["nfiles"] = digest.nfiles
    if digest.isexec:
        fields["isexec"] = True
    return fields


def stage_text(name: str, locked: LockedStage) -> str:
    """The lines that DVC writes for this stage, indented as they stand under `stages:`."""
    body = {name: entry(locked)}
    try:
        return "".join(emit.mapping_lines(body, 2))
    except emit.NotPlain:
        return yaml.dump({"stages": _unshared(body)}).removeprefix("stages:\n")


def entry_text(locked: LockedStage) -> str:
    """The entry alone, as DVC writes it into the run-cache."""
    body = entry(locked)
    try:
        return "".join(emit.mapping_lines(body, 0))
    except emit.NotPlain:
        return yaml.dump(_unshared(body))


def _unshared(value: Any) -> Any:
    """A copy in which no two places hold the same object, or ruamel would write anchors."""
    if isinstance(value, Mapping):
        return {key: _unshared(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_unshared(item) for item in value]
    return value


def splice(
    text: str | None,
    updates: Mapping[str, LockedStage],
    order: Sequence[str],
    texts: Mapping[str, str] | None = None,
) -> str:
    """The text of the lock after `updates`, as DVC would write it.

    Stages that are there keep their place; new ones are appended in `order` (those that `order`
    does not name come last). Stages that are not updated keep their bytes. `texts` are the
    `stage_text` of the updates, where a caller has them.
    """
    if not updates:
        return text or ""
    ordered = sorted(updates, key=_rank(order))
    texts = texts or {name: stage_text(name, updates[name]) for name in ordered}
    if not text or not text.strip():
        return HEAD + "".join(texts[name] for name in ordered)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    parts = locktext.split(text)
    if parts is None:
        return _round_trip(text, updates, ordered)
    before, stages, after = parts
    for name in ordered:
        new = texts[name]
        if name in stages and stages[name] != new and locktext.has_comments(stages[name]):
            return _round_trip(text, updates, ordered)
        stages[name] = new
    return before + "".join(stages.values()) + after


def _rank(order: Sequence[str]) -> Callable[[str], tuple[int, str]]:
    place = {name: number for number, name in enumerate(order)}
    return lambda name: (place.get(name, len(place)), "" if name in place else name)


def _round_trip(text: str, updates: Mapping[str, LockedStage], ordered: Sequence[str]) -> str:
    data = yaml.load_roundtrip(text, name="dvc.lock") or {}
    if not data:
        data["schema"] = SCHEMA
    data["stages"] = data.get("stages", {})
    for name in ordered:
        data["stages"][name] = _unshared(entry(updates[name]))
    return yaml.dump_roundtrip(data)
