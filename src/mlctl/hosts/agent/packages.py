"""The packages that a job sees: what its `python` has installed.

The other interpreter is asked while the job runs, so that nobody waits for its start.
"""

from __future__ import annotations

import subprocess
from typing import Mapping, Sequence

_PATIENCE = 10.0  # seconds at the end of a job
# The names of metadata folders say all: reading the metadata itself takes a second.
_ASK = """
import os, platform, sys
print(platform.python_implementation(), platform.python_version())
print(platform.system(), platform.machine())
for folder in sys.path:
    try:
        names = os.listdir(folder or ".")
    except OSError:
        continue
    for name in names:
        stem, ending = os.path.splitext(name)
        if ending == ".dist-info":
            package, _, version = stem.rpartition("-")
            print(package, version, sep="==")
"""


class Packages:
    """Asks the first Python on the PATH of `environment`, or the one that `command` starts."""

    def __init__(
        self, environment: Mapping[str, str], command: Sequence[str] | None = None
    ) -> None:
        import shutil  # which takes its time to be imported

        path = environment.get("PATH")
        python = shutil.which("python", path=path) or shutil.which("python3", path=path)
        argv = command or ([python] if python is not None else [])
        self._asked: subprocess.Popen[str] | None = None
        if argv:
            try:
                self._asked = subprocess.Popen(
                    [*argv, "-c", _ASK],
                    env={"PATH": path or ""},
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    universal_newlines=True,
                )
            except OSError:
                pass

    def lines(self) -> list[str]:
        """Its Python, the machine, and `name==version` for each; empty where nothing answers."""
        if self._asked is None:
            return []
        try:
            said, _ = self._asked.communicate(timeout=_PATIENCE)
        except (subprocess.TimeoutExpired, ValueError):
            self._asked.kill()
            return []
        return said.splitlines() if self._asked.returncode == 0 else []
