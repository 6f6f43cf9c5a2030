"""What need not be found out twice: `.mlctl/verdicts/`, a small JSON file for each thing known.

A key names everything that the answer depends on, so an entry never becomes wrong and is never
changed. The folder is this work tree's own and may be deleted; a damaged file counts as none.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from mlctl import __version__
from mlctl.data.contracts.outcome import Failure, Verdict

FOLDER = "verdicts"
JUDGING = 1  # one more whenever the same data and contract may get another verdict


class Memory:
    """The memory of the work tree whose local folder is `local_dir`."""

    def __init__(self, local_dir: str) -> None:
        self._local_dir = local_dir

    def get(self, *key: str) -> Any:
        """What is known by `key`, or None."""
        with suppress(OSError, ValueError), open(self._path(key), "rb") as file:
            return json.loads(file.read())
        return None

    def put(self, value: Any, *key: str) -> None:
        """Remember `value` (of JSON) by `key`; where that cannot be written, do without."""
        from mlctl.adapters.files import write_text
        from mlctl.store.state import make_local_dir

        with suppress(OSError):
            make_local_dir(self._local_dir)
            write_text(self._path(key), json.dumps(value, ensure_ascii=False), durable=False)

    def recall(self, kind: str, text: str, find_out: Callable[[], Any]) -> Any:
        """What `find_out` once made of `text`; asked only where that is not known."""
        known = self.get(kind, text)
        if known is None:
            known = find_out()
            self.put(known, kind, text)
        return known

    def verdict(self, data: str, contract: str) -> Verdict | None:
        """The verdict on the data by the contract that have these digests, if there was one."""
        known = self.get("verdict", str(JUDGING), data, contract)
        try:
            failures = tuple(Failure(**_tuples(item)) for item in known["failures"])
            return Verdict(known["rows"], known["columns"], known["checks"], failures)
        except (TypeError, KeyError):
            return None

    def remember(self, verdict: Verdict, data: str, contract: str) -> None:
        """Keep a verdict by the digests of data and contract."""
        from dataclasses import asdict

        self.put(asdict(verdict), "verdict", str(JUDGING), data, contract)

    def _path(self, key: tuple[str, ...]) -> str:
        text = "\0".join((__version__, *key))
        name = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        return os.path.join(self._local_dir, FOLDER, name[:2], f"{name[2:]}.json")


def _tuples(item: dict[str, Any]) -> dict[str, Any]:
    return {key: _tuple(value) if isinstance(value, list) else value for key, value in item.items()}


def _tuple(value: list[Any]) -> tuple[Any, ...]:
    return tuple(_tuple(item) if isinstance(item, list) else item for item in value)
