"""The files that a run logged: `artifacts.jsonl`, a line for each (docs/formats/run.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from mlctl.errors import ConfigError
from mlctl.records.canonical import line

KINDS = ("image", "plot", "artifact")


@dataclass(frozen=True, slots=True)
class Artifact:
    """One logged file. `path` is its place in the record, None for one that is in DVC's cache by
    its digest (`md5:…`, `md5:….dir` for a folder); `size` is in bytes.
    """

    kind: str
    name: str
    path: str | None
    digest: str
    size: int
    step: float | None = None
    stage: str | None = None


def artifacts_text(artifacts: Iterable[Artifact]) -> str:
    """JSON Lines, in the given order; a step and a stage that say nothing are left out."""
    return "".join(line(_data(artifact)) for artifact in artifacts)


def parse_artifacts(text: str, *, name: str) -> tuple[Artifact, ...]:
    """The artifacts in `text`. Raises ConfigError that names the file and the line."""
    found = []
    for place, row in enumerate(text.split("\n"), start=1):
        if not row:
            continue
        try:
            found.append(_artifact(json.loads(row)))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ConfigError(
                f"not an artifact of a run: {type(error).__name__}: {error}",
                file=name,
                line=place,
                hint=f"restore it from git: git checkout HEAD -- {name}",
            ) from None
    return tuple(found)


def _data(artifact: Artifact) -> dict[str, Any]:
    optional = ("step", "stage")
    data = asdict(artifact)
    return {key: value for key, value in data.items() if key not in optional or value is not None}


def _artifact(data: dict[str, Any]) -> Artifact:
    return Artifact(
        data["kind"],
        data["name"],
        data["path"],
        data["digest"],
        data["size"],
        data.get("step"),
        data.get("stage"),
    )
