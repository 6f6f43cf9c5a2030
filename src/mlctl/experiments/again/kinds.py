"""What a file that a stage reads is: code, data from outside, or made by a stage. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable
from typing import Literal

from mlctl.records.run_stages import StageRecord

Kind = Literal["code", "data", "derived"]

_CODE = frozenset(
    {".py", ".pyi", ".pyx", ".ipynb", ".sh", ".bash", ".r", ".jl", ".sql", ".js", ".ts", ".c"}
    | {".cc", ".cpp", ".cu", ".h", ".hpp", ".rs", ".go", ".java", ".scala", ".pl", ".rb", ".lua"}
    | {".m", ".cmake", ".toml", ".cfg", ".ini"}
)
_DATA = frozenset(
    {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".feather", ".arrow", ".npy"}
    | {".npz", ".txt", ".xlsx", ".h5", ".hdf5", ".png", ".jpg", ".jpeg", ".gif", ".tif", ".wav"}
    | {".mp3", ".flac", ".zip", ".gz", ".tar", ".db", ".sqlite", ".bin", ".pkl", ".pt", ".onnx"}
    | {".dvc"}
)
_TEXTS = frozenset({".md", ".rst"})


def kind_of(path: str, outs: Collection[str], tracked: Collection[str]) -> Kind:
    """The kind of a dep. `outs` are the paths that stages make, `tracked` the files in git.

    A file goes by its ending, and without a telling one by whether git tracks it.
    """
    if any(is_inside(path, out) or is_inside(out, path) for out in outs):
        return "derived"
    ending = posixpath.splitext(path)[1].lower()
    if ending in _CODE:
        return "code"
    if ending in _DATA or "://" in path or path.startswith("external:"):
        return "data"
    is_in_git = path in tracked or any(is_inside(file, path) for file in tracked)
    return "code" if is_in_git else "data"


def is_code(path: str) -> bool:
    """Whether a file that git tracks is code: all but data, texts, and settings of tools."""
    ending = posixpath.splitext(path)[1].lower()
    return ending not in _DATA and ending not in _TEXTS and "/.dvc/" not in f"/{path}"


def outs_of(stages: Iterable[StageRecord]) -> frozenset[str]:
    """The paths that stages with a command make."""
    return frozenset(out.path for stage in stages if stage.cmd for out in stage.outs)


def is_inside(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or lies in it."""
    return path == folder or path.startswith(f"{folder}/")
