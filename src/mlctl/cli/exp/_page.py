"""One run as a page to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from mlctl.cli._output import styled
from mlctl.cli._reasons import reason_lines
from mlctl.cli._text import clip, count, duration, value_text
from mlctl.cli.exp._table import STATUS, age, started_at
from mlctl.experiments.table import number_format
from mlctl.pipeline.plan import Reason
from mlctl.records.run import RunHead, run_folder
from mlctl.records.run_events import NO_FACTS, Facts
from mlctl.records.run_stages import FileRecord, StageRecord
from mlctl.records.ulid import short_form
from mlctl.reports.scales import size_text

_MARKS = {
    "ran": ("✓", "32"),
    "restored": ("✓", "32"),
    "unchanged": ("=", "2"),
    "failed": ("✗", "31"),
}
_BAR, _NARROWEST_BAR, _WIDEST_BAR = "━", 10, 40
_LONGEST_NAME = 32


def page_lines(
    head: RunHead,
    stages: Sequence[StageRecord],
    *,
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
    facts: Facts = NO_FACTS,
    now: float,
    width: int,
    verbose: bool = False,
) -> list[str]:
    """The whole record: head, code, metrics, params, stages; with `verbose` their files, too."""
    lines = [_title(head), *_said_of(head, facts, width), *_facts(head, now, width)]
    numbers = {name: number_format([value])(value) for name, value in sorted(metrics.items())}
    texts = {name: value_text(value) for name, value in sorted(params.items())}
    for title, cells, style in (("metrics", numbers, "36"), ("params", texts, "")):
        if cells:
            lines += ["", styled(title, "1"), *_grid(cells, width, style)]
    if stages:
        lines += ["", styled("stages", "1"), *_stages(head, stages, width, verbose)]
    return lines


def _title(head: RunHead) -> str:
    mark, style = STATUS[head.status]
    return (
        f"{styled(mark, style)} {styled(f'run {head.id}', '1')}  "
        f"{styled(head.status, style)} {'after' if head.status != 'finished' else 'in'} "
        f"{duration(head.seconds)}"
    )


def _said_of(head: RunHead, facts: Facts, width: int) -> Iterator[str]:
    """The name, the tags and the notes that the run was given."""
    marks = [word for word, is_so in (("archived", facts.archived), ("kept", facts.kept)) if is_so]
    said = [("name", facts.name or head.name), ("tags", ", ".join([*facts.tags, *marks]))]
    for name, text in said:
        if text:
            yield f"  {styled(f'{name:<8}', '2')}  {clip(text, width - 12)}"
    for note in facts.notes:
        first, *rest = (note.value or "").split("\n")
        yield f"  {styled('note    ', '2')}  {styled(note.time[:10], '2')}  {first}"
        yield from (f"{' ' * 24}{line}" for line in rest)


def _facts(head: RunHead, now: float, width: int) -> Iterator[str]:
    started = datetime.fromisoformat(head.started)
    facts = [
        ("short id", f"{short_form(head.id)}, characters 11 to 16 of its id"),
        ("started", f"{started:%Y-%m-%d %H:%M:%S} UTC, {age(now - started_at(head))} ago"),
        ("from", _origin(head.origin or {})),
        ("command", " ".join(head.argv)),
        ("code", _code(head)),
    ]
    if head.git and head.git.omitted:
        rest = head.truncated.get("omitted", 0)
        more = f" and {rest} more" if rest else ""
        facts.append(("left out", f"{', '.join(head.git.omitted)}{more}"))
    cpus = f", {count(head.host.cpus, 'CPU')}" if head.host.cpus else ""
    known = [text for text in (head.host.python, head.host.platform) if text != "unknown"]
    if known:
        facts.append(("machine", f"{', '.join(known)}{cpus}"))
    if head.env:
        facts.append(("packages", f"runs/_env/{head.env.removeprefix('sha256:')}.txt"))
    facts.append(("record", run_folder(head.id)))
    for name, text in facts:
        if not text:
            continue
        shown = text if name in {"packages", "record"} else clip(text, width - 12)
        yield f"  {styled(f'{name:<8}', '2')}  {shown}"


def _origin(origin: Mapping[str, Any]) -> str:
    """Where a run comes from that no `mlctl run` made."""
    if origin.get("kind") == "import":
        return f"{origin.get('source')}, run {origin.get('id')}"
    return "a script" if origin else ""


def _code(head: RunHead) -> str:
    git = head.git
    if git is None:
        return "no git repository"
    commit = git.commit[:10] if git.commit else "no commit yet"
    text = f"{commit} on {git.branch}" if git.branch else f"{commit}, detached"
    if not git.dirty:
        return text
    kept = f"snapshot {git.snapshot[:10]}" if git.snapshot else "no snapshot"
    return f"{text}, with uncommitted changes ({kept})"


def _grid(cells: Mapping[str, str], width: int, style: str) -> Iterator[str]:
    """`name value` cells, down the columns; one column where they are few."""
    names = max(map(len, cells))
    values = max(map(len, cells.values()))
    fitting = max((width - 2 + 4) // (names + 2 + values + 4), 1)
    columns = min(fitting, 1 + len(cells) // 8)
    rows = -(-len(cells) // columns)
    entries = [
        f"{name:<{names}}  {styled(f'{value:<{values}}', style)}" for name, value in cells.items()
    ]
    for row in range(rows):
        yield "  " + "    ".join(entries[row::rows]).rstrip()


def _stages(
    head: RunHead, stages: Sequence[StageRecord], width: int, verbose: bool
) -> Iterator[str]:
    names = min(max((len(stage.address) for stage in stages), default=0), _LONGEST_NAME)
    said = max((len(_said(stage)) for stage in stages), default=0)
    room = width - (2 + 2 + names + 2 + said + 2 + 8 + 2)
    bar = min(room, _WIDEST_BAR) if room >= _NARROWEST_BAR else 0
    for stage in stages:
        mark, style = _MARKS.get(stage.outcome, ("-", "33"))
        ran = stage.started is not None and stage.seconds > 0
        time = duration(stage.seconds) if ran else ""
        yield (
            f"  {styled(mark, style)} {clip(stage.address, names):<{names}}  "
            f"{styled(f'{_said(stage):<{said}}', style)}  {time:>8}  "
            f"{styled(_time_bar(head, stage, bar), style) if ran else ''}"
        ).rstrip()
        if stage.message and stage.outcome != "ran":
            yield f"      {styled(clip(stage.message, width - 6), '31')}"
        if verbose:
            yield from _details(stage)


def _said(stage: StageRecord) -> str:
    text = stage.outcome
    if stage.outcome == "failed" and stage.exit_code:
        text += f", exit code {stage.exit_code}"
    return f"{text}, {stage.attempts} attempts" if stage.attempts > 1 else text


def _time_bar(head: RunHead, stage: StageRecord, width: int) -> str:
    """Where in the run's time the stage ran, at least one mark wide."""
    if not width or not stage.started:
        return ""
    began = datetime.fromisoformat(stage.started).timestamp() - started_at(head)
    whole = max(head.seconds, began + stage.seconds, 1e-9)
    start = min(max(int(began / whole * width), 0), width - 1)
    end = min(round((began + stage.seconds) / whole * width), width)
    return " " * start + _BAR * max(end - start, 1)


def _details(stage: StageRecord) -> Iterator[str]:
    if stage.cmd:
        for command in (stage.cmd,) if isinstance(stage.cmd, str) else stage.cmd:
            yield f"      {styled('$', '2')} {command}"
    for text, colour in reason_lines([_reason(reason) for reason in stage.reasons]):
        yield f"      {styled('because', '2')} {styled(text, colour)}"
    if stage.peak_memory is not None or stage.cpu_seconds is not None:
        parts = [f"peak memory {size_text(stage.peak_memory)}"] if stage.peak_memory else []
        parts += [f"CPU time {duration(stage.cpu_seconds)}"] if stage.cpu_seconds else []
        yield f"      {styled(f'on {stage.executor}, ' + ', '.join(parts), '2')}"
    longest = max((len(file.path) for file in (*stage.deps, *stage.outs)), default=0)
    for kind, files in (("dep", stage.deps), ("out", stage.outs)):
        for file in files:
            yield f"      {styled(kind, '2')} {_file(file, longest)}"
    if stage.deps or stage.outs:
        yield ""


def _reason(data: Mapping[str, Any]) -> Reason:
    """A later mlctl may have written more fields than this one knows."""
    known = {field.name for field in fields(Reason)}
    return Reason(**{name: value for name, value in data.items() if name in known})


def _file(file: FileRecord, longest: int) -> str:
    size = "" if file.size is None else f"  {size_text(file.size)}"
    files = "" if file.nfiles is None else f" in {count(file.nfiles, 'file')}"
    return f"{file.path:<{longest}}  " + styled((file.digest or "no digest") + size + files, "2")
