"""The interpreters of this machine that a stage may have."""

import os
import shutil
import sys
from pathlib import Path

OLDEST = (3, 8)


def _found() -> list[str]:
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    oldest = ".".join(map(str, OLDEST))
    found = [str(path) for path in pyenv.glob(f"versions/{oldest}.*/bin/python")]
    on_path = shutil.which(f"python{oldest}")
    return found + ([on_path] if on_path else [])


OURS = os.path.realpath(sys.executable)  # the one that the tests' environment was made of
PYTHONS = [OURS, *_found()[:1]]  # and the oldest that is supported, if it is there
