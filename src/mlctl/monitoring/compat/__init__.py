"""The numbers of other tools, to compare while moving over: one file each, never the default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from mlctl import plugins
from mlctl.monitoring.results import Compat

if TYPE_CHECKING:
    import polars as pl


def compare(
    tool: Literal["evidently", "nannyml"],
    reference: pl.DataFrame,
    current: pl.DataFrame,
    columns: Sequence[str],
) -> Compat:
    """What `tool` would say of these columns with its defaults."""
    module = plugins.load("mlctl.monitoring.compat", tool, kind="tool", extra="monitor")
    found: Compat = module.compare(reference, current, columns)
    return found
