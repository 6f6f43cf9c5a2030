"""Batch prediction: a table in, a table with predictions out, a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from mlctl.adapters import clock
from mlctl.errors import AnswerNo, InvalidInput, suggestion
from mlctl.inference.rows import Rows
from mlctl.models import output, signature
from mlctl.models.model import Model

if TYPE_CHECKING:
    import polars as pl

# Fixed, because a linear model's last bit can depend on how many rows one product has.
BATCH_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class Predicted:
    """What was written. `ignored` are columns that are neither features nor kept."""

    out: str
    rows: int
    seconds: float
    columns: tuple[str, ...]
    kept: tuple[str, ...]
    ignored: tuple[str, ...]


class BrokenSignature(AnswerNo):
    """The data does not have what the model reads; the message names every fault."""


def predict(
    model: Model,
    data: str,
    out: str,
    *,
    keep: Sequence[str] | None = None,
    batch_rows: int = BATCH_ROWS,
) -> Predicted:
    """Predict every row of the table `data` into the table `out`, in the same order.

    `keep` are the columns of `data` to carry over, by default all that are no features. `out` is
    written whole or not at all. Raises BrokenSignature for data that the model cannot read,
    AnswerNo for rows that it refuses, and InvalidInput for files that are no tables and for
    columns to keep that do not exist or have the name of a prediction.
    """
    from mlctl.adapters import tables

    began = clock.monotonic()
    text = tables.is_text(data)
    lazy = tables.scan(data, text=text)
    kinds = _kinds(lazy, data, text=text)
    mismatch = signature.check(model.description.features, kinds)
    if not mismatch.fits:
        raise BrokenSignature(f"{data} does not fit the model:\n{mismatch.message()}")
    kept = _kept(model, mismatch.extra if keep is None else keep, kinds, data)
    rows = Rows(model, kept, data, retype=text and not tables.is_text(out))
    frames = rows.predicted(lazy, batch_rows)
    first = next(frames, None)
    schema = rows.schema_of_nothing(lazy) if first is None else first.schema
    everything = chain([first], frames) if first is not None else frames
    tables.write_batches((frame.cast(schema) for frame in everything), schema, out)
    return Predicted(
        out=out,
        rows=rows.done,
        seconds=clock.monotonic() - began,
        columns=tuple(schema),
        kept=kept,
        ignored=tuple(name for name in mismatch.extra if name not in kept),
    )


def _kinds(lazy: pl.LazyFrame, data: str, *, text: bool) -> Mapping[str, str | None]:
    from polars.exceptions import PolarsError

    from mlctl.adapters import tables

    try:
        schema = lazy.collect_schema()
    except PolarsError as error:
        raise tables.unreadable(data, error) from None
    return {name: "text" if text else tables.kind_of(dtype) for name, dtype in schema.items()}


def _kept(
    model: Model, wanted: Sequence[str], kinds: Mapping[str, str | None], data: str
) -> tuple[str, ...]:
    made = output.columns(model.description)
    for name in wanted:
        if name not in kinds:
            hint = suggestion(name, kinds)
            raise InvalidInput(f"{data} has no column {name!r} to keep", hint=hint)
        if name in made:
            raise InvalidInput(
                f"{data} has a column {name!r}, which is the name of a prediction",
                hint="name the columns to keep with --keep",
            )
    return tuple(dict.fromkeys(wanted))
