"""Which files are tables, by their ending: known without the library that reads them."""

from __future__ import annotations

import os

FORMATS = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".arrow", ".feather")


def is_table(name: str | os.PathLike[str]) -> bool:
    """Whether a file's name says that it holds a table."""
    return os.path.splitext(name)[1].lower() in FORMATS
