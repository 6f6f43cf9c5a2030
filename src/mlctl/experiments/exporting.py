"""Runs in the form that another tool reads."""

from __future__ import annotations

import os
from collections.abc import Sequence

from mlctl import plugins
from mlctl.errors import InvalidInput
from mlctl.experiments.exported import load_exported
from mlctl.experiments.query import find_run, search_runs
from mlctl.experiments.search import Search

PACKAGE = "mlctl.experiments.exporters"
_ENDINGS = {".parquet": "parquet", ".csv": "csv", ".json": "json", ".jsonl": "json"}


def export_runs(
    root: str,
    target: str,
    form: str | None = None,
    *,
    names: Sequence[str] = (),
    where: str | None = None,
) -> tuple[int, list[str]]:
    """Write the runs `names`, or all that fulfil `where`, the oldest first, to `target`.

    The form is told by the ending of `target` where it is None. Returns how many runs were written
    and the files or folders that hold them. Raises InvalidInput where there is no run.
    """
    exporter = plugins.load(PACKAGE, form or _form_of(target), kind="form", extra="validate")
    if names:
        heads = [find_run(root, name) for name in names]
    else:
        heads = search_runs(root, Search(where=where)).heads
    if not heads:
        raise InvalidInput("there is no run to export")
    runs = [load_exported(root, head) for head in sorted(heads, key=lambda head: head.id)]
    return len(runs), exporter.write(runs, target, project=os.path.basename(os.path.abspath(root)))


def _form_of(target: str) -> str:
    form = _ENDINGS.get(os.path.splitext(target)[1].lower())
    if form is None:
        raise InvalidInput(
            f"the name of {target} does not say in which form it is to be",
            hint=f"name it with --to: {', '.join(plugins.names(PACKAGE))}",
        )
    return form
