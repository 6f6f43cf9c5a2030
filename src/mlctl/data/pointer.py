"""`.dvc` files: the pointer in git to data in DVC's cache, and where the data came from.

The origin stands under `meta.mlctl`, which DVC ignores and keeps.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlctl.adapters import yaml
from mlctl.adapters.files import read_text, write_text
from mlctl.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Pointer:
    """One `.dvc` file with one out. Paths are from the root; `origin` is `meta.mlctl`."""

    file: str
    path: str
    md5: str | None
    size: int | None
    nfiles: int | None
    origin: Mapping[str, Any] = field(default_factory=dict)


def pointer_of(path: str) -> str:
    """The `.dvc` file that tracks `path`."""
    return f"{path}.dvc"


def read(root: str, file: str) -> Pointer:
    """The pointer in `file` (from the root). Raises ConfigError where it is no `.dvc` file."""
    text = read_text(os.path.join(root, file), name=file)
    loaded = yaml.load(text, name=file)
    outs = loaded.get("outs") if isinstance(loaded, dict) else None
    if not isinstance(outs, list) or not outs or not isinstance(outs[0], dict):
        raise ConfigError("not a `.dvc` file: it has no outs", file=file, where="outs")
    out = outs[0]
    folder = os.path.join(os.path.dirname(file), str(loaded.get("wdir") or "."))
    meta = loaded.get("meta")
    origin = meta.get("mlctl") if isinstance(meta, dict) else None
    return Pointer(
        file=file,
        path=os.path.normpath(os.path.join(folder, str(out.get("path")))),
        md5=out.get("md5"),
        size=out.get("size"),
        nfiles=out.get("nfiles"),
        origin=origin if isinstance(origin, dict) else {},
    )


def set_origin(root: str, file: str, origin: Mapping[str, Any]) -> None:
    """Put `origin` under `meta.mlctl` of a `.dvc` file, and leave all else in it as it is."""
    path = os.path.join(root, file)
    data = yaml.load_roundtrip(read_text(path, name=file), name=file)
    data.setdefault("meta", {})["mlctl"] = dict(origin)
    write_text(path, yaml.dump_roundtrip(data))
