"""A plan's steps as `mlctl status` and `mlctl plan` print them, and as JSON.

No rich here: `status` is asked all the time, and has a tenth of a second in all.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlctl.cli._output import print_json, say, styled
from mlctl.cli._reasons import MANY, reason_json, reason_lines
from mlctl.cli._text import count, counted, duration, kinds, width
from mlctl.pipeline.forecast import Forecast, forecast, waves
from mlctl.pipeline.plan import Step

if TYPE_CHECKING:
    from mlctl.pipeline.lockmerge import Merge

_NAMES = 28  # the widest column of names; a longer name takes a line of its own
_NARROWEST = 24  # reasons are never wrapped into less
_COLOURS = {
    "changed": "33",
    "failed": "31",
    "cancelled": "31",
    "skipped": "2",
    "running": "36",
    "ran": "32",
    "restored": "32",
    "unchanged": "32",
    "join": "2",
}


def status_lines(steps: Sequence[Step], *, show_all: bool = False) -> list[str]:
    """The changed steps with their reasons (with `show_all` the others too), and what to do."""
    changed = [step for step in steps if step.changed]
    if not steps:
        return ["There are no stages."]
    lines: list[str] = []
    if changed:
        lines += [f"Changed {kinds(_addresses(changed))}:", *_rows(changed)]
    if show_all and len(changed) < len(steps):
        names = _addresses([step for step in steps if not step.changed])
        head = f"Unchanged {kinds(names)}:"
        lines += ["", head] if changed else [head]
        lines += [f"  {styled(name, '2')}" for name in names]
    if not changed:
        return [*lines, styled("Pipeline is up to date.", "32")]
    rest = len(steps) - len(changed)
    total = f"{len(changed)} of {counted(_addresses(steps))} changed" + (
        f", {rest} unchanged." if rest else "."
    )
    return [*lines, "", f"{total} " + styled("Run `mlctl run` to bring them up to date.", "2")]


def plan_lines(steps: Sequence[Step], *, jobs: int, show_all: bool = False) -> list[str]:
    """What `mlctl run` would do: numbered in serial order, in waves that may run side by side."""
    order = waves(steps)
    if not order:
        return status_lines(steps, show_all=show_all)
    changed = [step for step in steps if step.changed]
    numbers = {step.stage.address: number for number, step in enumerate(changed, 1)}
    lines = [_plan_head(steps, len(order), jobs)]
    for index, wave in enumerate(order, 1):
        if len(order) > 1:
            side = f", {len(wave)} side by side" if len(wave) > 1 else ""
            lines += ["", styled(f"Wave {index}{side}", "2")]
        else:
            lines.append("")
        lines += _rows(wave, numbers=numbers, among=changed)
    if show_all and len(changed) < len(steps):
        lines += ["", "Unchanged:"]
        lines += [f"  {styled(s.stage.address, '2')}" for s in steps if not s.changed]
    return lines


def show_merges(merges: Mapping[str, Merge]) -> None:
    """Say which locks with conflict markers were judged as merged; nothing is written."""
    if merges:
        from mlctl.pipeline.mending import summary

        for key, merge in merges.items():
            say(f"{summary(key, merge)}; `mlctl run` writes it")
        say()


def merges_json(merges: Mapping[str, Merge]) -> list[dict[str, Any]]:
    """The locks with conflict markers: `lock kept dropped`, each the names of stages."""
    return [
        {"lock": key, "kept": list(merge.kept), "dropped": list(merge.dropped)}
        for key, merge in merges.items()
    ]


def show_plan(
    steps: Sequence[Step],
    merges: Mapping[str, Merge],
    *,
    jobs: int,
    json: bool,
    show_all: bool = False,
) -> int:
    """Print a plan, for people or for machines; always 0."""
    if json:
        print_json("plan", {**plan_json(steps, jobs=jobs), "unmerged": merges_json(merges)})
    else:
        show_merges(merges)
        for line in plan_lines(steps, jobs=jobs, show_all=show_all):
            say(line)
    return 0


def drawn(label: str, state: str | None) -> str:
    """A label of `draw.terminal` in the colour of its state; give it as `style`."""
    return styled(label, _COLOURS[state]) if state in _COLOURS else label


def step_json(step: Step) -> dict[str, Any]:
    """One step: `stage file name cmd changed reasons needs expected_seconds executor frozen`.

    `stage` is the address; `reasons` are as `reason_json` writes them; `needs` are addresses;
    `executor` is what the stage itself asks for, null where it runs where the run does.
    """
    stage = step.stage
    return {
        "stage": stage.address,
        "file": stage.file,
        "name": stage.name,
        "cmd": list(stage.cmd) if isinstance(stage.cmd, tuple) else stage.cmd,
        "changed": step.changed,
        "reasons": [reason_json(reason) for reason in step.reasons],
        "needs": list(step.needs),
        "expected_seconds": step.expected,
        "executor": stage.settings.on,
        "frozen": stage.frozen,
    }


def plan_json(steps: Sequence[Step], *, jobs: int) -> dict[str, Any]:
    """`steps` in serial order, `waves` (lists of addresses), `jobs`, and the time to expect."""
    expected = forecast(steps, jobs)
    return {
        "steps": [step_json(step) for step in steps],
        "waves": [[step.stage.address for step in wave] for wave in waves(steps)],
        "jobs": jobs,
        "expected_seconds": expected.seconds,
        "expected_unknown": list(expected.unknown),
    }


def _addresses(steps: Sequence[Step]) -> list[str]:
    return [step.stage.address for step in steps]


def _plan_head(steps: Sequence[Step], depth: int, jobs: int) -> str:
    changed = sum(step.changed for step in steps)
    shape = f"{changed} of {counted(_addresses(steps))} would run"
    if depth > 1:
        shape += f", in {depth} waves"
    expected = _expected(forecast(steps, jobs))
    return f"{shape}, {count(jobs, 'job')}{f', {expected}' if expected else ''}."


def _expected(expected: Forecast) -> str:
    if expected.seconds is None:
        return ""
    new = len(expected.unknown)
    unknown = f" and {count(new, 'stage')} of unknown time" if new else ""
    return f"about {duration(expected.seconds)}{unknown}"


def _rows(
    steps: Sequence[Step],
    *,
    numbers: dict[str, int] | None = None,
    among: Sequence[Step] | None = None,
) -> list[str]:
    """Aligned columns: number, name, time, executor, reasons; `among` is what they align with."""
    everything = among or steps
    sizes = [len(step.stage.address) for step in everything]
    names = max((size for size in sizes if size <= _NAMES), default=8)
    times = max((len(_time(step)) for step in everything), default=0) if numbers else 0
    places = max((len(_place(step)) for step in everything), default=0) if numbers else 0
    digits = len(str(len(numbers))) if numbers else 0
    lines: list[str] = []
    for step in steps:
        number = f"{numbers[step.stage.address]:>{digits}}  " if numbers else ""
        middle = "".join(
            f"  {text:>{size}}" if size else ""
            for text, size in ((_time(step), times), (_place(step), places))
        )
        lines += _row(number, step, names, middle)
    return lines


def _row(number: str, step: Step, names: int, middle: str) -> list[str]:
    address = step.stage.address
    left = len(number) + names + len(middle) + 4
    reasons = [
        styled(line, colour)
        for text, colour in reason_lines(step.reasons, limit=MANY)
        for line in _wrap(text, left)
    ]
    head = f"  {styled(number, '2')}{styled(address, '1')}"
    if len(address) > names:
        first = " " * (left - len(middle) - 2) + styled(middle, "2")
        tail = [f"{first}  {reasons[0]}", *(" " * left + line for line in reasons[1:])]
        return [head, *tail]
    head += " " * (names - len(address)) + styled(middle, "2")
    return [f"{head}  {reasons[0]}", *(" " * left + line for line in reasons[1:])]


def _wrap(text: str, left: int) -> list[str]:
    columns = width()
    if columns is None:
        return [text]
    return textwrap.wrap(
        text, max(columns - left, _NARROWEST), subsequent_indent="  ", break_on_hyphens=False
    )


def _time(step: Step) -> str:
    return "" if step.expected is None else f"~{duration(step.expected)}"


def _place(step: Step) -> str:
    return f"on {step.stage.settings.on}" if step.stage.settings.on else ""
