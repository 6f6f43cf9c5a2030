"""Write the baseline of a monitor."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from mlctl.adapters import files
from mlctl.errors import InvalidInput
from mlctl.monitoring import baseline, choosing
from mlctl.monitoring.baseline import Baseline
from mlctl.monitoring.parse import filled, monitor_file
from mlctl.monitoring.running import load_monitor
from mlctl.monitoring.sources import opened
from mlctl.monitoring.spec import Where

StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Frozen:
    """A written baseline: its `path` and `size` in bytes; `used` where the monitor names it."""

    baseline: Baseline
    path: str
    size: int
    changed: bool
    used: bool


def freeze(
    root: StrPath, name: str, *, reference: str | None = None, output: str | None = None
) -> Frozen:
    """Make the baseline of the monitor `name` of its reference, or of the data at `reference`.

    Raises InvalidInput where there is no data, ConfigError for a wrong monitor.
    """
    spec = load_monitor(root, name)
    where = Where(path=reference) if reference is not None else spec.reference.where
    if where is None:
        raise InvalidInput(
            f"{monitor_file(name)}: the reference is no data that could be frozen",
            hint="--reference PATH names some",
        )
    named = spec.reference.baseline or (
        f"{spec.reference.model}/{baseline.FILE}" if spec.reference.model else ""
    )
    path = output or named or baseline.default_path(name)
    if path.startswith(("/", "~")) or ".." in path.split("/"):
        raise InvalidInput(f"{path!r} lies outside of the repository")
    with ExitStack() as stack:
        source = stack.enter_context(opened(root, where, role="reference"))
        known = filled(spec, source.schema)
        columns = choosing.choose(known, source.schema, file=monitor_file(name))
        performance = None
        if known.performance is not None:
            from mlctl.monitoring.performance.preparing import fit
            from mlctl.monitoring.row_tables import scored_columns

            performance = fit(known, source.read(scored_columns(known, source)))
        found = baseline.make(known, columns, source, performance=performance)
    text = baseline.text(found)
    target = Path(root, path)
    changed = not target.is_file() or target.read_text(encoding="utf-8") != text
    if changed:
        files.write_text(target, text)
    return Frozen(found, path, len(text.encode()), changed, path == named)
