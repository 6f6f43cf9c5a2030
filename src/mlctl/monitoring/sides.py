"""What the current data of a monitor is held against, opened."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mlctl.errors import InvalidInput
from mlctl.monitoring import baseline
from mlctl.monitoring.baseline import Baseline
from mlctl.monitoring.sources import opened
from mlctl.monitoring.spec import MonitorSpec, Where

if TYPE_CHECKING:
    import polars as pl

    from mlctl.monitoring.cuts import Source

StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Sides:
    """The reference, as rows or as a baseline; `schema` has the columns that can be compared.

    `labels`, `features` and `training` are the tables of late labels, of the features that training
    saw (for skew) and of the training rows (for feedback), None where none is declared.
    """

    versus: Literal["data", "baseline", "periods"]
    schema: Mapping[str, pl.DataType]
    reference: Source | Baseline
    labels: Source | None = None
    features: Source | None = None
    training: Source | None = None

    @classmethod
    def open(cls, stack: ExitStack, root: StrPath, spec: MonitorSpec, current: Source) -> Sides:
        """Everything that `spec` names beside the current data, until `stack` closes.

        Raises InvalidInput where a file is missing or cannot be read, ConfigError for a baseline
        that is none.
        """

        def table(where: Where | None, role: str) -> Source | None:
            if where is None:
                return None
            return stack.enter_context(opened(root, where, role=role))

        extra = {
            "labels": table(spec.labels.where if spec.labels else None, "labels"),
            "features": table(spec.skew.where if spec.skew else None, "features"),
            "training": table(spec.feedback.training if spec.feedback else None, "training"),
        }
        if spec.reference.before:
            return cls("periods", current.schema, current, **extra)
        if spec.reference.where is not None:
            source = stack.enter_context(opened(root, spec.reference.where, role="reference"))
            if not source.ref.rows:
                raise InvalidInput(f"{source.ref.path}: the reference has no rows")
            return cls("data", source.schema, source, **extra)
        kept = baseline.load(root, spec)
        schema = {name: kind for name, kind in current.schema.items() if name in kept.columns}
        return cls("baseline", schema, kept, **extra)

    @property
    def source(self) -> Source | None:
        """The reference's rows, None for a baseline, which has none."""
        return None if isinstance(self.reference, Baseline) else self.reference

    @property
    def baseline(self) -> Baseline | None:
        """The reference as a baseline, None where it is rows."""
        return self.reference if isinstance(self.reference, Baseline) else None
