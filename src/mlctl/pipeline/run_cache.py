"""The run-cache for stages: when one may use it, and its entries as LockedStage."""

from __future__ import annotations

import json
import os
import re
from typing import Any, NoReturn

from mlctl.adapters import files, yaml
from mlctl.errors import AnswerNo, ConfigError
from mlctl.pipeline import lockfile
from mlctl.pipeline.lockschema import check_stage
from mlctl.pipeline.spec import LockedStage, Stage
from mlctl.store import run_cache as store


def eligible(stage: Stage) -> bool:
    """Whether DVC would keep this stage's results: a command with local deps and local outs."""
    if stage.is_callback or stage.always_changed or stage.cmd is None:
        return False
    if not stage.outs or not (stage.deps or stage.params):
        return False
    if any("://" in dep.key for dep in stage.deps):
        return False
    return all(_is_inside(out.key) and not out.persist for out in stage.outs)


def _is_inside(key: str) -> bool:
    return not key.startswith("/") and "://" not in key


def key(locked: LockedStage) -> str:
    """The digest of what goes in: command, deps, params, and the paths of the outs.

    Raises AnswerNo for a parameter that has no digest, such as a date, where DVC fails, too.
    """
    try:
        return store.key(lockfile.entry(locked))
    except TypeError as error:
        raise _has_no_digest(locked, error) from None


def _has_no_digest(locked: LockedStage, error: TypeError) -> AnswerNo:
    names = [
        f"{f}: {n!r}" for f, vs in locked.params.items() for n, v in vs.items() if not _json(v)
    ]
    kind = re.search(r"type (\w+)", str(error))
    return AnswerNo(
        f"{', '.join(names)} holds a {kind[1] if kind else 'value'}, which DVC cannot record",
        hint="write it as a quoted string, or as a list",
    )


def _json(value: Any) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


def value(locked: LockedStage) -> str:
    """The digest of the whole entry."""
    return store.value(lockfile.entry(locked))


def lookup(cache_dir: str, key: str) -> LockedStage | None:
    """The newest entry of `key`, or None; a corrupt one is removed, as DVC does."""
    entry = store.lookup(cache_dir, key, _check)
    return None if entry is None else lockfile.locked_stage(entry)


def save(cache_dir: str, locked: LockedStage) -> None:
    """Keep what the stage made of its inputs, unless it is kept already."""
    store.save(cache_dir, lockfile.entry(locked), lockfile.entry_text(locked), _check)


def flaw(path: str) -> str | None:
    """What is wrong with the entry in the file `path`, None where it is sound or gone."""
    try:
        text = files.read_text(path, name="entry")
        entry = yaml.load(text, name="entry")
        _check(entry)
        names = store.key(entry), store.value(entry)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"unreadable: {error.strerror}"
    except ConfigError as error:
        return "empty" if not text else f"no entry: {error.message}"
    except (TypeError, ValueError) as error:  # data that JSON has no form for
        return f"no entry: {error}"
    folder, name = os.path.split(path)
    if names == (os.path.basename(folder), name):
        return None
    return "its name does not match its content"


def _check(entry: Any) -> None:
    def fail(message: str, where: str, hint: str | None = None) -> NoReturn:
        raise ConfigError(message, file="run-cache entry", where=where, hint=hint)

    check_stage(entry, "entry", fail)
