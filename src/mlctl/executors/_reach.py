"""`mlctl` within reach of stages where PATH has none, as the cmd `mlctl each …` needs it.

The folder that mlctl is installed in cannot be added to PATH: its `python` and its other programs
would be found where the project's own are missing. A folder with one link in it adds one name, and
at the end of PATH it shadows nothing.
"""

from __future__ import annotations

import os
import shutil
import sys

from mlctl.adapters.files import replacing
from mlctl.store.state import make_local_dir


def path_with_mlctl(path: str, local_dir: str) -> str:
    """`path`, a value of PATH, with a folder at its end that has `mlctl`, unless it has one."""
    if shutil.which("mlctl", path=path):
        return path
    script = _own_script()
    if script is None:
        return path
    link = os.path.join(local_dir, "bin", "mlctl")
    try:
        if not os.path.islink(link) or os.readlink(link) != script:
            make_local_dir(local_dir)
            with replacing(link) as temporary:
                os.symlink(script, temporary)
    except OSError:  # what only some stages need must not stop the others
        return path
    return f"{path}{os.pathsep}{os.path.dirname(link)}"


def _own_script() -> str | None:
    """The script beside our interpreter, or else the one that was called."""
    for script in (os.path.join(os.path.dirname(sys.executable), "mlctl"), sys.argv[0]):
        named = os.path.isabs(script) and os.path.basename(script) == "mlctl"
        if named and os.path.isfile(script) and os.access(script, os.X_OK):
            return script
    return None
