"""What the processes of a job log on a host, as it grows, in a folder here.

Who watches a run (`mlctl exp watch`) reads the same files as of a stage of this machine.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

_SUFFIX = ".jsonl"


class Mirror:
    """The folder, which is made with the first line. It is only looked at: what cannot be written
    is brought with all the rest when the job has ended.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def known(self) -> dict[str, int]:
        """How many bytes of each file are here."""
        try:
            names = os.listdir(self._folder)
        except OSError:
            return {}
        paths = {name: os.path.join(self._folder, name) for name in names}
        return {name: os.path.getsize(path) for name, path in paths.items() if _grows(name)}

    def add(self, lines: Mapping[str, Any]) -> None:
        """Append `text` to `file`, of which `offset` bytes are here."""
        with suppress(OSError, KeyError, TypeError, ValueError):  # a host may say anything
            name = str(lines["file"])
            if not _grows(name):
                return
            os.makedirs(self._folder, exist_ok=True)
            with open(os.path.join(self._folder, name), "ab") as file:
                if file.tell() == lines["offset"]:
                    file.write(lines["text"].encode("latin-1"))


def _grows(name: str) -> bool:
    """Whether this is a name of such a file, and of nothing elsewhere: a host is not believed."""
    return name.endswith(_SUFFIX) and os.path.basename(name) == name
