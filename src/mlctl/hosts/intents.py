"""Which job was begun for a stage: on disk before the host hears of it, until it is recorded.

`.mlctl/jobs/<stage>.json` is how a later run takes up what an earlier one began.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from mlctl.adapters.files import write_text
from mlctl.store.state import make_local_dir

# In a spec, but no part of what is asked for: as in DVC's lock, that is the command, the deps, the
# parameters and the outs. Code that is no dep may change while the job runs.
_OF_THE_MOMENT = ("submitted", "code", "user", "modules", "uv")
_OF_THE_RUN = ("MLCTL_RUN_ID", "MLCTL_RUN")
_LONGEST = 200  # characters of a file's name


@dataclass(frozen=True, slots=True)
class Intent:
    """A job on a host, for what `asked` (the digest of its spec) says."""

    host: str
    job: str
    asked: str


def digest(spec: Mapping[str, Any]) -> str:
    """What tells two requests apart."""
    kept = {key: value for key, value in spec.items() if key not in _OF_THE_MOMENT}
    kept["env"] = {key: value for key, value in spec["env"].items() if key not in _OF_THE_RUN}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def read(local_dir: str, stage: str) -> Intent | None:
    """The stage's intent, or None; a damaged file counts as none."""
    with suppress(OSError, ValueError, TypeError), open(_path(local_dir, stage)) as file:
        return Intent(**json.load(file))
    return None


def write(local_dir: str, stage: str, intent: Intent) -> None:
    """Remember it, durably."""
    make_local_dir(local_dir)
    write_text(_path(local_dir, stage), json.dumps(asdict(intent)))


def forget(local_dir: str, stage: str) -> None:
    """The stage is recorded, or its job is no more."""
    with suppress(FileNotFoundError):
        os.unlink(_path(local_dir, stage))


def _path(local_dir: str, stage: str) -> str:
    name = quote(stage, safe="@-_. ")
    if len(name) > _LONGEST:
        name = hashlib.sha256(stage.encode(errors="surrogateescape")).hexdigest()
    return os.path.join(local_dir, "jobs", name + ".json")
