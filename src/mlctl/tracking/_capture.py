"""`mlctl exp capture` beside the script: it notes code and packages while the training begins."""

from __future__ import annotations

import os
import sys
from typing import Optional

# The shell ends at once, so that nobody is left to be waited for.
_BEHIND = 'nice -n 10 "$@" &'


def spawn_capture(root: str, run_id: str) -> bool:
    """Start it, without waiting; whether it was found."""
    mlctl = _mlctl()
    if mlctl is None:
        return False
    asked = [mlctl, "exp", "capture", "-C", root, run_id]
    asked += ["--python", sys.executable] if sys.executable else []
    nothing = [
        (os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY, 0)
        for number in (0, 1, 2)
    ]
    try:
        shell = os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", _BEHIND, "sh", *asked],
            dict(os.environ),
            file_actions=nothing,
            setpgroup=0,  # Ctrl-C is meant for the script
        )
        os.waitpid(shell, 0)
    except ChildProcessError:  # the script waits for all children itself
        return True
    except OSError:
        return False
    return True


def _mlctl() -> Optional[str]:
    """The program beside this Python, or on PATH."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    if sys.executable:
        folders.insert(0, os.path.dirname(sys.executable))
    for folder in folders:
        path = os.path.join(folder, "mlctl")
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None
