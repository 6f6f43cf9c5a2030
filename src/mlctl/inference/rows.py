"""Rows on their way through a model: read as the signature says, predicted, joined to the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mlctl.errors import AnswerNo
from mlctl.models import output
from mlctl.models.model import Model

if TYPE_CHECKING:
    import polars as pl

_SHOWN = 5


class Rows:
    """One pass over a table. `done` counts the rows predicted so far.

    `retype` gives the columns to keep of a text format the types that they seem to have, for an
    output that keeps types; otherwise they are carried over as they are.
    """

    def __init__(self, model: Model, kept: Sequence[str], data: str, *, retype: bool) -> None:
        self._model = model
        self._features = model.description.features
        self._kept = list(kept)
        self._data = data
        self._retype = retype
        self.done = 0

    def predicted(self, lazy: pl.LazyFrame, batch_rows: int) -> Iterator[pl.DataFrame]:
        """The output, a frame for each batch of rows."""
        from polars.exceptions import PolarsError

        from mlctl.adapters import tables

        names = [feature.name for feature in self._features]
        columns = list(dict.fromkeys([*self._kept, *names]))
        kinds = self._kinds_of_kept() if self._retype else {}
        try:
            for frame in tables.batches(lazy.select(columns), batch_rows):
                if frame.height:
                    yield self._predict(frame, kinds)
        except PolarsError as error:
            raise tables.unreadable(self._data, error) from None

    def schema_of_nothing(self, lazy: pl.LazyFrame) -> pl.Schema:
        """The output's columns where there is no row to predict."""
        import polars as pl

        kept = lazy.select(self._kept).collect_schema()
        description = self._model.description
        made: dict[str, pl.DataType] = dict.fromkeys(output.columns(description), pl.Float64())
        if description.classes:
            made["prediction"] = pl.Series(description.classes, strict=False).dtype
        return pl.Schema({**kept, **made})

    def _predict(self, frame: pl.DataFrame, kinds: dict[str, str]) -> pl.DataFrame:
        import polars as pl

        features = self._typed(frame, {f.name: f.dtype for f in self._features})
        kept = self._typed(frame, kinds) if kinds else frame.select(self._kept)
        try:
            made = self._model.predictor.predict(features)
        except (ValueError, TypeError, RuntimeError) as error:
            first, last = self.done + 1, self.done + frame.height
            raise AnswerNo(
                f"{self._data}: the model cannot predict rows {first} to {last}: {error}"
            ) from error
        self.done += frame.height
        return pl.concat([kept, made], how="horizontal")

    def _typed(self, frame: pl.DataFrame, kinds: dict[str, str]) -> pl.DataFrame:
        """The columns named in `kinds`, read as these. Raises AnswerNo naming rows that are not."""
        import polars as pl

        from mlctl.adapters import tables

        found = []
        faults = []
        for name, kind in kinds.items():
            series = frame[name]
            if series.dtype == pl.String and kind != "str":
                typed = frame.select(tables.parse(name, kind)).to_series()
            else:
                typed = series.cast(tables.canonical(kind), strict=False)
            bad = (typed.is_null() & series.is_not_null()).arg_true().head(_SHOWN)
            faults += [self._fault(name, kind, at, series[at]) for at in bad.to_list()]
            found.append(typed)
        if faults:
            raise AnswerNo(
                f"{self._data} does not fit the model:\n" + "\n".join(faults),
                hint="rows are counted from 1, without the header",
            )
        return pl.DataFrame(found)

    def _fault(self, name: str, kind: str, at: int, value: object) -> str:
        return f"row {self.done + at + 1}, column {name!r}: {value!r} is not {kind}"

    def _kinds_of_kept(self) -> dict[str, str]:
        from mlctl.adapters import tables

        schema = tables.scan(self._data).select(self._kept).collect_schema()
        return {name: tables.kind_of(dtype) or "str" for name, dtype in schema.items()}
