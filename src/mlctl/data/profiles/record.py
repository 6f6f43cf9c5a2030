"""Where a profile lies and which data it is of, without any of the libraries that read it whole."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

from mlctl.adapters.files import read_text
from mlctl.errors import ConfigError, Unmerged
from mlctl.records.schema import load_record, version_of
from mlctl.store.digest import Digest

KIND, VERSION = "profile", 1
SCHEMA = f"mlctl.{KIND}/{VERSION}"
FOLDER = "profiles"


@dataclass(frozen=True, slots=True)
class DataRef:
    """The data that a profile is of, with DVC's digest (`md5:…`, `md5:….dir`, or of DVC 2
    `md5-dos2unix:…`), bytes and files."""

    path: str
    digest: str
    size: int
    files: int


def ref_of(path: str, digest: Digest) -> DataRef:
    """How a profile names the data at `path`."""
    kind = "md5-dos2unix" if digest.legacy else "md5"
    files = (digest.nfiles or 0) if digest.isdir else 1
    return DataRef(path, f"{kind}:{digest.md5}", digest.size or 0, files)


def profile_path(path: str) -> str:
    """`data/raw.csv` -> `profiles/data/raw.csv.json`."""
    return f"{FOLDER}/{path}.json"


def load(text: str, *, name: str) -> tuple[dict[str, Any], DataRef]:
    """The whole record, and which data it is of.

    Raises ConfigError (naming the file `name`) for what is no profile, one in which git left
    conflict markers, and one that is newer than this mlctl.
    """
    if text.startswith("<<<<<<< ") or "\n<<<<<<< " in text:
        raise Unmerged("git left conflict markers in it", file=name, hint=_again(name))
    data = load_record(text, kind=KIND, newest=VERSION, name=name)
    try:
        ref = DataRef(**{key: data["data"][key] for key in DataRef.__slots__})
    except (KeyError, TypeError) as error:
        raise damaged(name, error) from None
    if not isinstance(ref.digest, str) or not isinstance(ref.path, str):
        raise damaged(name, ValueError("the data has no path or no digest"))
    return data, ref


def damaged(name: str, error: Exception) -> ConfigError:
    """The error for a record that says what no profile says."""
    said = f"not a profile: {type(error).__name__}: {error}"
    return ConfigError(said, file=name, hint=_again(name))


def is_newer(text: str) -> bool:
    """Whether a newer mlctl wrote the record, which this one must not replace unasked."""
    try:
        schema = json.loads(text)["schema"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    return (version_of(schema, KIND) or 0) > VERSION


def _again(name: str) -> str:
    path = name.removeprefix(f"{FOLDER}/").removesuffix(".json")
    return f"`mlctl data profile --force {path}` writes it anew"


def read_ref(root: str, path: str) -> DataRef | None:
    """Which data the profile of `path` is of; None where there is no profile."""
    name = profile_path(path)
    try:
        text = read_text(os.path.join(root, name), name=name)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return load(text, name=name)[1]
