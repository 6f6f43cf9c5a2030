"""The `schema` field of a record: which format it is, and how new."""

from __future__ import annotations

import json
import re
from typing import Any

from mlctl.errors import ConfigError

_FORM = re.compile(r"mlctl\.([a-z_-]+)/([0-9]+)")


def load_record(text: str, *, kind: str, newest: int, name: str) -> dict[str, Any]:
    """The JSON object of a record whose `schema` is `mlctl.<kind>/<version>`.

    Raises ConfigError (naming the file `name`) for what is no JSON object, another kind of record,
    or a version newer than `newest`.
    """
    data = load_json(text, name=name)
    _check_schema(data.get("schema"), kind, newest, name)
    return data


def load_json(text: str | bytes, *, name: str) -> dict[str, Any]:
    """The JSON object in a file of a record. Raises ConfigError (naming the file `name`)."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f"not a record: no valid JSON ({error})",
            file=name,
            line=getattr(error, "lineno", None),
            hint=f"restore it from git: git checkout HEAD -- {name}",
        ) from None
    if not isinstance(data, dict):
        raise ConfigError("not a record: no JSON object", file=name)
    return data


def version_of(schema: Any, kind: str) -> int | None:
    """The version in `mlctl.<kind>/<version>`, None where `schema` is anything else."""
    found = _FORM.fullmatch(schema) if isinstance(schema, str) else None
    return int(found[2]) if found is not None and found[1] == kind else None


def _check_schema(schema: Any, kind: str, newest: int, name: str) -> None:
    version = version_of(schema, kind)
    if version is None:
        raise ConfigError(
            f"not a record of a {kind}: its schema is {schema!r}, not 'mlctl.{kind}/{newest}'",
            file=name,
            where="schema",
        )
    if version > newest:
        raise ConfigError(
            f"written by a newer mlctl: {schema}, and this one knows up to mlctl.{kind}/{newest}",
            file=name,
            where="schema",
            hint="update mlctl to read it",
        )
