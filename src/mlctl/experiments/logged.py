"""What the processes of a run logged becomes part of its record."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from mlctl.adapters.files import copy_file, sync, write_text
from mlctl.errors import MlctlError
from mlctl.experiments import live
from mlctl.experiments.describe import NOTHING, Logged
from mlctl.experiments.keeping import Keeper, keeper
from mlctl.experiments.naming import flat
from mlctl.records.run import Whole
from mlctl.records.run_artifacts import KINDS, Artifact, artifacts_text
from mlctl.records.run_metrics import (
    Key,
    StepLine,
    Summary,
    parse_step,
    series_of,
    step_text,
    summaries,
)
from mlctl.records.run_thinning import LIMIT, thinned
from mlctl.records.secrets import hidden, is_secret
from mlctl.store.hashing import file_md5

METRICS, ARTIFACTS = "metrics.jsonl", "artifacts.jsonl"
PLOT_LIMIT = 200_000  # bytes of a plot that goes into git
PLOTS_LIMIT = 1_000_000  # bytes of all of them
MOST = 2_000  # files of one run that are kept
_PLOTS = (".svg", ".json")


def fold(
    root: str, run_id: str, began: float, folder: Path, elsewhere: Collection[str] = ()
) -> Logged:
    """Write what the run logged into `folder`, its record to be; large files go into DVC's cache.

    `began` is when the run did, in seconds since 1970; `elsewhere` are stages that ran on another
    machine, whose paths mean nothing here. What was logged stays where it is until `live.forget`,
    so that a killed process loses nothing.
    """
    sources = live.sources(root, run_id)
    if not sources:
        return NOTHING
    with ExitStack() as stack:
        kept = _Kept(root, stack)
        found, full = _fold_metrics(live.step_lines(sources, began), folder / METRICS, kept)
        left_out = _fold_files(sources, folder, kept, elsewhere)
    params = {it.stage: hidden("", flat(live.logged_params(it))) for it in sources}
    return Logged(series_of(found), params, full, left_out)


class _Kept:
    """A keeper that is opened when the first file needs one."""

    def __init__(self, root: str, stack: ExitStack) -> None:
        self._root, self._stack = root, stack
        self._keeper: Keeper | None = None

    def take(self, path: str | Path) -> tuple[str, int]:
        if self._keeper is None:
            self._keeper = self._stack.enter_context(keeper(self._root))
        return self._keeper.take(os.fspath(path))


def _fold_metrics(
    lines: Iterable[StepLine], path: Path, kept: _Kept
) -> tuple[dict[Key, Summary], Whole | None]:
    with open(path, "x", encoding="utf-8") as file:
        found = summaries(_written(lines, file))
    size = path.stat().st_size
    if not size:
        path.unlink()
    elif size <= LIMIT:
        sync(path)
    else:
        counts = {key: summary.count for key, summary in found.items()}
        with open(path, encoding="utf-8") as file:
            text = thinned(map(parse_step, file), counts)
        full = Whole(*kept.take(path))
        path.unlink()
        write_text(path, text)
        return found, full
    return found, None


def _written(lines: Iterable[StepLine], file: TextIO) -> Iterator[StepLine]:
    for it in lines:
        file.write(step_text(it))
        yield it


def _fold_files(
    sources: Sequence[live.Source], folder: Path, kept: _Kept, elsewhere: Collection[str]
) -> int:
    """Keep the files, the newest first, each path once; how many were left out."""
    found = ((source, file) for source in sources for file in live.logged_files(source))
    logged = list({file.path: (source, file) for source, file in found}.values())
    artifacts: list[Artifact] = []
    for source, file in reversed(logged):
        if len(artifacts) == MOST:
            break
        if source.stage in elsewhere and not _is_within(file.path, source.folder):
            continue
        try:
            artifact = _keep(source, file, folder, kept)
        except (OSError, MlctlError):
            continue
        if artifact is not None:
            artifacts.append(artifact)
    if artifacts:
        write_text(folder / ARTIFACTS, artifacts_text(reversed(artifacts)))
    return len(logged) - len(artifacts)


def _keep(source: live.Source, file: live.LoggedFile, folder: Path, kept: _Kept) -> Artifact | None:
    """Keep one file, unless it is named like a secret."""
    if is_secret(file.name) or is_secret(os.path.basename(file.path)):
        return None
    place = _place(folder / "plots", file)
    if place is not None:
        place.parent.mkdir(exist_ok=True)
        copy_file(file.path, place)
        sync(place)
        digest, size = f"md5:{file_md5(os.fspath(place))}", place.stat().st_size
    elif _is_within(file.path, source.folder):
        digest, size = kept.take(file.path)
    else:  # it is somebody else's, and stays
        temporary = folder / ".kept"
        copy_file(file.path, temporary)
        digest, size = kept.take(temporary)
        temporary.unlink()
    path = place.relative_to(folder).as_posix() if place else None
    kind = file.kind if file.kind in KINDS else "artifact"
    return Artifact(kind, file.name, path, digest, size, file.step, source.stage)


def _is_within(path: str, folder: str) -> bool:
    return os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep)


def _place(plots: Path, file: live.LoggedFile) -> Path | None:
    """Where in the record a plot goes, None for what does not belong into git."""
    if file.kind != "plot" or not file.path.endswith(_PLOTS) or not os.path.isfile(file.path):
        return None
    there = list(plots.iterdir()) if plots.is_dir() else []
    room = PLOTS_LIMIT - sum(path.stat().st_size for path in there)
    if os.path.getsize(file.path) > min(PLOT_LIMIT, room):
        return None
    name, names = os.path.basename(file.path), {path.name for path in there}
    number = 1
    while name in names:
        number += 1
        name = f"{number}-{os.path.basename(file.path)}"
    return plots / name
