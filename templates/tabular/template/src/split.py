"""Share the rows of the raw table out to training, testing and monitoring."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from common import read_params, share_out

FOLDER = Path("data/splits")


def main() -> None:
    params = read_params()
    table = pl.read_csv("data/raw.csv", infer_schema_length=None)
    names = ("test", "heldback", "train")
    shares = [params["split"]["test"], params["split"]["heldback"]]
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, rows in zip(names, share_out(table.height, shares, params["seed"]), strict=True):
        table[rows].write_parquet(FOLDER / f"{name}.parquet")
        print(f"{name}: {len(rows)} rows")


if __name__ == "__main__":
    main()
