"""One column of a baseline, and its line in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlctl.monitoring.spec import Kind

if TYPE_CHECKING:
    import polars as pl

    from mlctl.monitoring.summaries.categorical import Categorical
    from mlctl.monitoring.summaries.numeric import Numeric

LIMIT = 1000  # bytes of a column's line


@dataclass(frozen=True, slots=True)
class BaselineColumn:
    """A column of the reference. `seasons` has the counts of each season on `season_edges`.

    `integers` tells whole numbers that are categories from text, `learned` is the least effect
    that is unusual between parts of the reference.
    """

    name: str
    kind: Kind
    rows: int
    missing: int
    numeric: Numeric | None = None
    categorical: Categorical | None = None
    integers: bool = False
    learned: float | None = None
    seasons: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def dtype(self) -> pl.DataType:
        """The type that values are read as before they are compared."""
        import polars as pl

        return pl.Int64() if self.integers else pl.String()

    def at(self, season: str) -> Numeric:
        """The numbers of one season, of all where the season is not kept."""
        import numpy as np

        from mlctl.monitoring.summaries.numeric import Numeric

        whole = self.numeric
        assert whole is not None  # noqa: S101 - asked for columns of numbers only
        counts = self.seasons.get(season)
        if counts is None:
            return whole
        row = np.array(counts, dtype=float)
        rows = int(row.sum())
        return Numeric(
            rows, 0, season_edges(whole, len(counts)), row, whole.low, whole.high, whole.mean,
            whole.deviation,
        )  # fmt: skip

    def categories(self, season: str) -> Categorical:
        """The categories of one season, of all where the season is not kept."""
        from mlctl.monitoring.summaries.categorical import Categorical

        whole = self.categorical
        assert whole is not None  # noqa: S101 - asked for columns of categories only
        counts = self.seasons.get(season)
        if counts is None:
            return whole
        labels = list(whole.counts)[: len(counts) - 1]
        known = dict(zip(labels, counts, strict=False))
        return Categorical(sum(counts), 0, known, counts[-1], None, whole.distinct)


def season_edges(whole: Numeric, bins: int) -> Any:
    """The edges of `bins` bins out of those of the whole reference, evenly picked."""
    import numpy as np

    places = np.unique(np.linspace(0, whole.edges.size - 1, bins - 1).round().astype(int))
    return whole.edges[places]


def column_data(column: BaselineColumn) -> dict[str, Any]:
    """The column as JSON-ready data, without what says nothing."""
    data: dict[str, Any] = {"column": column.name, "kind": column.kind, "rows": column.rows}
    if column.missing:
        data["missing"] = column.missing
    if column.numeric is not None:
        side = column.numeric
        data["edges"] = [_plain(edge) for edge in side.edges.tolist()]
        data["counts"] = [int(n) for n in side.counts.tolist()]
        data |= {"low": short(side.low), "high": short(side.high)}
        data |= {"mean": short(side.mean), "sd": short(side.deviation)}
    if column.categorical is not None:
        data["top"] = dict(column.categorical.counts)
        data["other"] = column.categorical.other
        data["distinct"] = column.categorical.distinct
        if column.integers:
            data["integers"] = True
    if column.learned is not None:
        data["learned"] = short(column.learned)
    if column.seasons:
        data["seasons"] = {name: list(counts) for name, counts in column.seasons.items()}
    return data


def parse_column(data: Mapping[str, Any]) -> BaselineColumn:
    """The column that `column_data` made `data` of. Raises KeyError, TypeError or ValueError."""
    import numpy as np

    from mlctl.monitoring.summaries.categorical import Categorical
    from mlctl.monitoring.summaries.numeric import Numeric

    rows, missing = int(data["rows"]), int(data.get("missing", 0))
    numeric = categorical = None
    if "edges" in data:
        edges, counts = (np.array(data[key], dtype=float) for key in ("edges", "counts"))
        if counts.size != edges.size + 1 or (np.diff(edges) <= 0).any():
            raise ValueError("edges and counts do not match")
        numeric = Numeric(
            rows, missing, edges, counts, float(data["low"]), float(data["high"]),
            float(data["mean"]), float(data["sd"]),
        )  # fmt: skip
    if "top" in data:
        top = {str(label): int(n) for label, n in data["top"].items()}
        categorical = Categorical(
            rows, missing, top, int(data["other"]), None, int(data["distinct"])
        )
    return BaselineColumn(
        str(data["column"]), data["kind"], rows, missing, numeric, categorical,
        bool(data.get("integers")), data.get("learned"), data.get("seasons", {}),
    )  # fmt: skip


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def short(value: float) -> float | int:
    """Six digits, which is closer than a bin is wide."""
    rounded = float(f"{value:.6g}")
    return int(rounded) if rounded == int(rounded) and abs(rounded) < 1e15 else rounded
