"""What killed processes left behind: files under way, and claims in DVC's rwlock."""

from __future__ import annotations

import json
import os
import re
import stat as stat_module
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from mlctl.errors import Busy
from mlctl.store.alive import is_at_work
from mlctl.store.config import Config
from mlctl.store.locks import PathLocks

# DVC's `.TOKEN.tmp` and `FILE.TOKEN.tmp`, and ours.
_TEMPORARY = re.compile(
    r"(?:.*\.[0-9A-Za-z_-]{22}|\.[0-9a-f]{24}|\..*\.[0-9]+\.[0-9a-f]{8}|rwlock\.[0-9]+)\.tmp"
)


class Claim(NamedTuple):
    """One entry of `.dvc/tmp/rwlock`."""

    path: str
    pid: int
    cmd: str


def temporary_files(config: Config, folders: Iterable[str], *, before: float) -> Iterator[str]:
    """Files under way that nobody touched since `before`: in the cache, in DVC's and our own
    folder, and in `folders`, where locks and pointers are written.
    """
    for path in _named(config, folders):
        with suppress(OSError):
            status = os.lstat(path)
            if stat_module.S_ISREG(status.st_mode) and status.st_mtime < before:
                yield path


def _named(config: Config, folders: Iterable[str]) -> Iterator[str]:
    # Folders of users are not walked, nor `.dvc/tmp`, where experiments are repositories.
    deep = [os.path.join(config.cache_dir, "files"), os.path.join(config.cache_dir, "runs")]
    legacy = [os.path.join(config.cache_dir, f"{number:02x}") for number in range(256)]
    for top in [*deep, config.local_dir]:
        for folder, _, names in os.walk(top):
            yield from _matching(folder, names)
    for folder in sorted({config.tmp_dir, config.cache_dir, *legacy, *folders}):
        with suppress(OSError):
            yield from _matching(folder, os.listdir(folder))


def _matching(folder: str, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name.endswith(".tmp") and _TEMPORARY.fullmatch(name):
            yield os.path.join(folder, name)


def remove(path: str) -> None:
    """Remove a file under way."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def stale_claims(config: Config) -> list[Claim]:
    """Claims of processes that are dead. Raises ValueError where the file is damaged."""
    try:
        with open(os.path.join(config.tmp_dir, "rwlock"), encoding="utf-8") as file:
            table = json.load(file)
        held = [(path, table["write"][path]) for path in table.get("write", {})]
        held += [(path, h) for path, holders in table.get("read", {}).items() for h in holders]
        claims = {Claim(path, int(h["pid"]), str(h["cmd"])) for path, h in held}
    except FileNotFoundError:
        return []
    except (AttributeError, TypeError, KeyError) as error:
        raise ValueError(str(error)) from None
    return sorted(claim for claim in claims if not is_at_work(config, claim.pid))


def drop(config: Config, claims: Iterable[Claim]) -> None:
    """Take stale claims back, as the next process that wants their paths would."""
    locks = PathLocks(config, "mlctl fsck")
    for path in sorted({claim.path for claim in claims}):
        with suppress(Busy):  # a living process claims it too
            locks.publish([], [path])
            locks.withdraw([], [path])
