"""Runs of other tools become records of ours: the same run the same record, whoever imports it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlctl import plugins
from mlctl.adapters.clock import iso
from mlctl.adapters.files import copy_file, write_text
from mlctl.errors import InvalidInput, MlctlError
from mlctl.experiments.describe import LONGEST_NAME, seeds_in
from mlctl.experiments.foreign import ForeignFile, ForeignRun, Unread
from mlctl.experiments.keeping import Keeper, keeper
from mlctl.experiments.naming import flat
from mlctl.experiments.publish import HEAD, new_record
from mlctl.experiments.query import list_runs
from mlctl.records.canonical import pretty
from mlctl.records.run import PARAMS, CodeState, Host, RunHead, Whole, head_text, run_folder
from mlctl.records.run_artifacts import Artifact, artifacts_text
from mlctl.records.run_events import Event, event_text
from mlctl.records.run_metrics import keys_of, series_of, steps_text, summaries
from mlctl.records.run_thinning import LIMIT, thinned
from mlctl.records.secrets import hidden, is_secret
from mlctl.records.ulid import RANDOM_BYTES, new_ulid

PACKAGE = "mlctl.experiments.importers"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp")


@dataclass(slots=True)
class Imported:
    """What came of an import: keys of new records, ids that were there, and what was not read."""

    source: str
    records: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    skipped: list[Unread] = field(default_factory=list)
    damaged: list[Unread] = field(default_factory=list)

    @property
    def found(self) -> int:
        unread = len(self.skipped) + len(self.damaged)
        return len(self.records) + len(self.present) + unread


def import_runs(
    root: str, path: str, source: str | None = None, *, artifacts: bool = False, dry: bool = False
) -> Imported:
    """Make a record of every run that `path` holds and that has none yet.

    `source` is the tool, found by the look of `path` where it is None. With `artifacts`, the files
    of the runs go into DVC's cache; with `dry` nothing is written. Raises InvalidInput where `path`
    holds no runs of a tool that is known.
    """
    source = source or _source_of(path)
    importer = plugins.load(PACKAGE, source, kind="source of runs")
    done = Imported(source)
    heads = list_runs(root)
    ids = {head.id for head in heads}
    known = {(head.origin.get("source"), head.origin.get("id")) for head in heads if head.origin}
    for found in importer.read(path):
        if isinstance(found, Unread):
            (done.damaged if found.damaged else done.skipped).append(found)
        elif (found.source, found.id) in known or found.ours in ids:
            done.present.append(found.id)
        else:
            known.add((found.source, found.id))
            _import_one(root, found, done, artifacts=artifacts, dry=dry)
    if not done.found:
        raise InvalidInput(f"{path} holds no runs of {source}")
    return done


def _source_of(path: str) -> str:
    names = plugins.names(PACKAGE)
    for name in names:
        if plugins.load(PACKAGE, name, kind="source of runs").claims(path):
            return name
    raise InvalidInput(
        f"{path} does not look like runs of another tool",
        hint=f"name the tool with --from: {', '.join(names)}",
    )


def _import_one(root: str, run: ForeignRun, done: Imported, *, artifacts: bool, dry: bool) -> None:
    """Make the record of one run. A value that is not of its kind makes it a damaged one."""
    try:
        run_id = run_id_of(run)
        key = run_folder(run_id)
        if not dry:
            _write(root, run_id, run, artifacts=artifacts)
    except (MlctlError, ValueError, TypeError, OverflowError) as error:
        reason = f"its record cannot be made: {error}"
        done.damaged.append(Unread(f"{run.source} run {run.id}", reason, damaged=True))
    else:
        done.records.append(key)


def run_id_of(run: ForeignRun) -> str:
    """The id of a foreign run here: its start, and of its name there what tells it from others."""
    return new_ulid(run.started, _chance(run))


def _chance(run: ForeignRun, *more: str) -> bytes:
    name = "\0".join((run.source, run.id, *more))
    return hashlib.sha256(name.encode("utf-8", "replace")).digest()[:RANDOM_BYTES]


def _write(root: str, run_id: str, run: ForeignRun, *, artifacts: bool) -> None:
    params = hidden("", flat(run.params))
    with new_record(root, run_id) as folder:
        full = _write_steps(root, run, folder)
        kept = _write_files(root, run.files, folder) if artifacts else 0
        write_text(folder / "stages.jsonl", "")
        if params:
            write_text(folder / PARAMS, pretty(params))
        for name, text in _later(run):
            (folder / name).parent.mkdir(exist_ok=True)
            write_text(folder / name, text)
        head = _head(run_id, run, params, full, left_out=len(run.files) - kept)
        write_text(folder / HEAD, head_text(head))


def _head(
    run_id: str, run: ForeignRun, params: Mapping[str, Any], full: Whole | None, *, left_out: int
) -> RunHead:
    series = series_of(summaries(run.steps))
    origin = {"kind": "import", "source": run.source, "id": run.id, "parent": run.parent}
    return RunHead(
        id=run_id,
        status=run.status,
        started=iso(run.started),
        ended=iso(run.ended),
        seconds=round(max(run.ended - run.started, 0.0), 3),
        argv=run.argv,
        jobs=1,
        host=Host(None, run.python or "unknown", run.platform or "unknown"),
        git=_code(run),
        params=params,
        metrics={**{name: it.last for name, it in series.items()}, **run.metrics},
        truncated={"artifacts": left_out} if left_out else {},
        name=run.name[:LONGEST_NAME] if run.name else None,
        origin={key: value for key, value in origin.items() if value is not None},
        seeds=seeds_in(params),
        series=series,
        full=full,
    )


def _code(run: ForeignRun) -> CodeState | None:
    if run.commit is None or not _COMMIT.fullmatch(run.commit):
        return None
    return CodeState(run.commit, run.branch, None, dirty=False)


def _write_steps(root: str, run: ForeignRun, folder: Path) -> Whole | None:
    text = steps_text(run.steps)
    path = folder / "metrics.jsonl"
    if len(text.encode()) <= LIMIT:
        if text:
            write_text(path, text)
        return None
    counts: dict[Any, int] = {}
    for it in run.steps:
        for key in keys_of(it):
            counts[key] = counts.get(key, 0) + 1
    write_text(path, text)
    with keeper(root) as kept:
        whole = Whole(*kept.take(str(path)))
    path.unlink()
    write_text(path, thinned(run.steps, counts))
    return whole


def _write_files(root: str, files: Iterable[ForeignFile], folder: Path) -> int:
    """Put the files into DVC's cache; how many came there. A file named like a secret does not."""
    with keeper(root) as kept:
        artifacts = list(_kept(kept, files, folder / ".kept"))
    if artifacts:
        write_text(folder / "artifacts.jsonl", artifacts_text(artifacts))
    return len(artifacts)


def _kept(kept: Keeper, files: Iterable[ForeignFile], temporary: Path) -> Iterator[Artifact]:
    for file in files:
        if is_secret(file.name):
            continue
        with suppress(OSError):
            copy_file(file.path, temporary)  # the other tool's own stays what it is
            digest, size = kept.take(str(temporary))
            kind = "image" if file.name.lower().endswith(_IMAGES) else "artifact"
            yield Artifact(kind, file.name, None, digest, size)
        temporary.unlink(missing_ok=True)


def _later(run: ForeignRun) -> Iterator[tuple[str, str]]:
    """The notes and the tags, which are what people said of a run."""
    if run.notes:
        yield "notes.md", run.notes.rstrip("\n") + "\n"
    for tag in dict.fromkeys(run.tags):
        event_id = new_ulid(run.ended, _chance(run, "tag", tag))
        yield f"events/{event_id}.json", event_text(Event(event_id, "tag", tag, iso(run.ended)))
