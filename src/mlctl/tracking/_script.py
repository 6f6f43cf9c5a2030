"""A run of a script outside of a pipeline: its folder, its lock, its first and its last word.

mlctl makes the record later, from these files: the script waits for nothing.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from typing import Any, Dict, Optional

from ._capture import spawn_capture
from ._encode import json_line
from ._place import RUN, RUN_DIR, make_local_dir

MAIN = "main"  # the folder of what the script itself logs
_HASH_SEED = "PYTHONHASHSEED"


class Script:
    """One such run. Raises OSError where the folder cannot be made."""

    def __init__(self, root: str, run_id: str) -> None:
        self._root = root
        self._id = run_id
        self._folder = os.path.join(make_local_dir(root), "live", run_id)
        self.main = os.path.join(self._folder, MAIN)
        self._lock = -1
        self._before: Dict[str, Optional[str]] = {}

    def begin(self, name: Optional[str]) -> None:
        """From now on others see that it goes on, and children log into it."""
        os.makedirs(self.main, exist_ok=True)
        # Held before the first word is written, for as long as this process lives.
        path = os.path.join(self._folder, "lock")
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        start = {
            "schema": "mlctl.live/1",
            "id": self._id,
            "name": name,
            "started": time.time(),
            "argv": sys.argv,
            "python": sys.executable,
            "pid": os.getpid(),
            "seeds": _seeds(),
            "capture": spawn_capture(self._root, self._id),
        }
        self._say("start.json", start)
        for variable, value in ((RUN, self._id), (RUN_DIR, self.main)):
            self._before[variable] = os.environ.get(variable)
            os.environ[variable] = value

    def end(self, status: str, exception: Optional[str]) -> None:
        """The last word; the record can be made from now on."""
        said = {} if exception is None else {"exception": exception}
        self._say("end.json", {"ended": time.time(), "status": status, **said})
        os.close(self._lock)
        for variable, value in self._before.items():
            if value is None:
                os.environ.pop(variable, None)
            else:
                os.environ[variable] = value

    def _say(self, name: str, data: Dict[str, Any]) -> None:
        path = os.path.join(self._folder, name)
        with open(path + ".tmp", "wb") as file:
            file.write(json_line(data))
        os.replace(path + ".tmp", path)


def _seeds() -> Dict[str, Any]:
    value = os.environ.get(_HASH_SEED, "random")
    return {_HASH_SEED: int(value)} if value.isdigit() else {}
