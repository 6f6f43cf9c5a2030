"""What several stages share: the parameters, the features, and how rows are shared out."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:  # a stage that reads no table need not wait for Polars
    import polars as pl


def read_params() -> dict[str, Any]:
    return yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))


def write_json(path: Path, data: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def feature_names(table: pl.DataFrame, *, target: str, id: str) -> list[str]:
    """The columns to learn from. Raises ValueError where one is not a number."""
    names = [name for name in table.columns if name not in (target, id)]
    dtypes = table.schema
    other = [n for n in names if not (dtypes[n].is_numeric() or dtypes[n].to_python() is bool)]
    if other:
        raise ValueError(f"not numbers: {', '.join(other)}; encode or drop them in src/split.py")
    return names


def share_out(rows: int, shares: Sequence[float], seed: int) -> list[list[int]]:
    """Row numbers in random groups: one group for each share, and last the rows that are left."""
    if min(shares) <= 0 or sum(shares) >= 1:
        raise ValueError(f"shares must be positive and leave rows over: {list(shares)}")
    order = list(range(rows))
    random.Random(seed).shuffle(order)
    groups = []
    for share in shares:
        size = round(rows * share)
        groups.append(sorted(order[:size]))
        order = order[size:]
    return [*groups, sorted(order)]
