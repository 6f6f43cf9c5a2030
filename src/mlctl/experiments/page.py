"""The page of a run: `reports/run/<id>.html`, drawn from its record and its plots.

A plot shows what the run wrote, not what lies in the work tree today: a file whose digest is no
longer that of the record is taken from DVC's cache, and left out, with a word, where it is gone.
"""

from __future__ import annotations

import json
import os
import posixpath
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mlctl.adapters import files, yaml
from mlctl.errors import MlctlError
from mlctl.experiments.query import find_run, load_stages
from mlctl.pipeline.project import Project
from mlctl.records.run import RunHead
from mlctl.records.run_stages import FileRecord, StageRecord
from mlctl.reports import dvc_plots, html
from mlctl.reports.markup import Html, element, join
from mlctl.reports.plots import Task, gantt
from mlctl.reports.scales import duration, short, size_text
from mlctl.store.cache import Cache
from mlctl.store.hashing import file_md5

FOLDER = "reports/run"
TONES = {"finished": "good", "ran": "good", "failed": "bad", "interrupted": "unsure"}
IMAGE_LIMIT = 500_000  # bytes of one image: it is inlined, and git keeps the page
PLOT_LIMIT = 60


@dataclass(frozen=True, slots=True)
class RunPage:
    """A page that was written; `left_out` says why a plot is not on it."""

    run_id: str
    path: str
    plots: int
    left_out: tuple[str, ...] = ()


@dataclass(slots=True)
class _Source:
    """The files of the plots as the run left them."""

    root: str
    cache: Cache
    digests: Mapping[str, str]
    left_out: list[str] = field(default_factory=list)

    def read(self, key: str) -> bytes | None:
        """The bytes of a file, or None (noted) where this run's are not to be had."""
        path, digest = os.path.join(self.root, key), self.digests.get(key)
        if os.path.isfile(path) and (digest is None or file_md5(path) == digest):
            return Path(path).read_bytes()
        if digest is not None and os.path.isfile(self.cache.path(digest)):
            return Path(self.cache.path(digest)).read_bytes()
        self.left_out.append(f"{key}: no longer there as this run wrote it")
        return None


def write_run_page(root: str, name: str) -> RunPage:
    """Write the page of the run that `name` (an id, its end, or `last`) names.

    Raises InvalidInput where there is no such run, ConfigError for a pipeline that is wrong.
    """
    head = find_run(root, name)
    stages = load_stages(root, head.id)
    project = Project.open(root)
    cache = Cache(project.config)
    source = _Source(root, cache, _digests(stages, cache))
    figures = [figure for plot in _definitions(project, source) for figure in _draw(plot, source)]
    left_out = tuple(dict.fromkeys(source.left_out))
    path = f"{FOLDER}/{head.id}.html"
    files.write_text(os.path.join(root, path), run_page(head, stages, figures, left_out))
    return RunPage(head.id, path, len(figures), left_out)


def run_page(
    head: RunHead, stages: Sequence[StageRecord], plots: Sequence[Html], left_out: Sequence[str]
) -> str:
    """The whole page, from data alone."""
    sections = [html.Section("Run", _summary(head))]
    if head.metrics:
        rows = [[name, value] for name, value in sorted(head.metrics.items())]
        sections.append(html.Section("Metrics", html.table(["metric", "value"], rows)))
    if plots or left_out:
        note = "; ".join(left_out)
        sections.append(
            html.Section("Plots", html.grid(plots), f"Left out: {note}" if note else "")
        )
    tasks = _tasks(stages)
    if tasks:
        sections.append(html.Section("Timeline", gantt(tasks, title="stages along time")))
    sections.append(html.Section("Stages", _stages(stages)))
    if head.params:
        rows = [[name, _value(value)] for name, value in sorted(head.params.items())]
        sections.append(html.Section("Parameters", html.table(["parameter", "value"], rows)))
    moved = [row for stage in stages for row in _moved(stage)]
    if moved:
        heads = ["stage", "", "path", "size", "digest"]
        sections.append(html.Section("Dependencies and outputs", html.table(heads, moved)))
    subtitle = join(["started ", head.started, " · ", html.code(_command(head.argv))])
    return html.page(f"Run {head.id}", subtitle, sections, footer="mlctl report run")


def _summary(head: RunHead) -> Html:
    figures: dict[str, object] = {
        "status": html.badge(head.status, TONES.get(head.status, "")),
        "took": duration(head.seconds),
        "jobs": head.jobs,
    }
    figures |= {name: count for name, count in sorted(head.outcomes.items()) if count}
    if head.git and head.git.commit:
        dirty = " + changes" if head.git.dirty else ""
        figures["commit"] = join([html.code(head.git.commit[:10]), dirty])
    if head.git and head.git.branch:
        figures["branch"] = head.git.branch
    figures["Python"] = head.host.python
    return html.cards(figures)


def _stages(stages: Sequence[StageRecord]) -> Html:
    rows: list[list[object]] = []
    for stage in stages:
        command = "\n".join(stage.cmd) if isinstance(stage.cmd, tuple) else stage.cmd or ""
        said = [html.code(command)]
        if stage.message:
            said.append(element("div", stage.message, class_="note"))
        took = html.Cell(duration(stage.seconds), stage.seconds, right=True)
        badge = html.badge(stage.outcome, TONES.get(stage.outcome, ""))
        rows.append([stage.address, badge, took, stage.executor, join(said)])
    return html.table(["stage", "outcome", "took", "on", "command"], rows)


def _moved(stage: StageRecord) -> Iterator[list[object]]:
    for role, entries in (("dep", stage.deps), ("out", stage.outs)):
        for entry in entries:
            size = "–" if entry.size is None else size_text(entry.size)
            cell = html.Cell(size, -1 if entry.size is None else entry.size, right=True)
            shown = element("code", _short_digest(entry), title=entry.digest)
            yield [stage.address, role, entry.path, cell, shown]


def _short_digest(entry: FileRecord) -> str:
    kind, _, value = (entry.digest or "–").rpartition(":")
    folder = ".dir" if value.endswith(".dir") else ""
    return f"{kind}:{value[:10]}…{folder}" if kind else value


def _tasks(stages: Sequence[StageRecord]) -> list[Task]:
    moments = [(s, datetime.fromisoformat(s.started).timestamp()) for s in stages if s.started]
    return [Task(s.address, moment, s.seconds, s.outcome) for s, moment in moments]


def _command(argv: Sequence[str]) -> str:
    return shlex.join(argv)


def _value(value: Any) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return short(float(value)) if isinstance(value, float) else value
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _digests(stages: Sequence[StageRecord], cache: Cache) -> dict[str, str]:
    """File key -> md5 of all that the run wrote, the files of folders too where the cache tells."""
    found: dict[str, str] = {}
    for entry in (entry for stage in stages for entry in stage.outs):
        kind, _, md5 = (entry.digest or "").partition(":")
        if kind != "md5":
            continue
        if not md5.endswith(".dir"):
            found[entry.path] = md5
        elif cache.exists(md5):
            tree = cache.tree(md5)
            found |= {posixpath.join(entry.path, item.relpath): item.md5 for item in tree}
    return found


def _definitions(project: Project, source: _Source) -> list[dvc_plots.Definition]:
    """Every plot of the pipeline: the top-level ones, then outs that those do not show."""
    plots = [
        plot
        for file in project.files
        for entry in dvc_plots.definitions(file.plots, posixpath.dirname(file.file))
        for plot in _unpacked(entry, source)
    ]
    shown = {key for plot in plots for key in plot.files}
    outs = [out for stage in project.stages for out in stage.outs if out.kind == "plot"]
    own = [p for o in outs for p in _unpacked(dvc_plots.Definition(o.key, o.options), source)]
    plots += [plot for plot in own if not shown.issuperset(plot.files)]
    if len(plots) > PLOT_LIMIT:
        source.left_out.append(f"{len(plots) - PLOT_LIMIT} more plots")
    return plots[:PLOT_LIMIT]


def _unpacked(plot: dvc_plots.Definition, source: _Source) -> Iterator[dvc_plots.Definition]:
    """A plot whose id is a folder is one for each file in it."""
    key = plot.files[0]
    inside = f"{key}/"
    found = [path for path in source.digests if path.startswith(inside)]
    folder = Path(source.root, key)
    if not found and folder.is_dir() and not isinstance(plot.options.get("y"), Mapping):
        here = (path for path in folder.rglob("*") if path.is_file())
        found = [path.relative_to(source.root).as_posix() for path in here]
    if not found:
        yield plot
    known = (*dvc_plots.TABLES, *dvc_plots.IMAGES)
    for path in sorted(path for path in found if path.lower().endswith(known)):
        yield dvc_plots.Definition(path, plot.options)


def _draw(plot: dvc_plots.Definition, source: _Source) -> Iterator[Html]:
    """The figure of a plot; nothing, but a word in `left_out`, where it cannot be drawn."""
    contents = {key: source.read(key) for key in plot.files}
    if any(data is None for data in contents.values()):
        return
    try:
        drawing = _drawing(plot, {key: data or b"" for key, data in contents.items()})
    except (ValueError, MlctlError) as error:
        source.left_out.append(f"{plot.id}: {error}")
        return
    yield html.figure(drawing, plot.title, plot.id if plot.title != plot.id else "")


def _drawing(plot: dvc_plots.Definition, contents: Mapping[str, bytes]) -> Html:
    suffix = posixpath.splitext(plot.files[0])[1].lower()
    if suffix not in dvc_plots.IMAGES:
        return dvc_plots.draw(plot, {key: _table(key, d, plot) for key, d in contents.items()})
    data = contents[plot.files[0]]
    if len(data) > IMAGE_LIMIT:
        raise ValueError(f"an image of {size_text(len(data))} is too large for the page")
    return html.image(data, suffix, plot.title)


def _table(key: str, data: bytes, plot: dvc_plots.Definition) -> Sequence[dvc_plots.Row]:
    text, suffix = data.decode("utf-8-sig"), posixpath.splitext(key)[1].lower()
    if suffix in {".csv", ".tsv"}:
        header = bool(plot.options.get("header", True))
        return dvc_plots.parse_separated(text, tabs=suffix == ".tsv", header=header)
    if suffix not in dvc_plots.TABLES:
        raise ValueError("not a file that is plotted (CSV, TSV, JSON, YAML or an image)")
    return dvc_plots.rows_of(json.loads(text) if suffix == ".json" else yaml.load(text, name=key))
