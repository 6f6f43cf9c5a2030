"""The packages of a run, built once as a virtual environment under `.mlctl/envs`."""

from __future__ import annotations

import os
import re

from mlctl.adapters.files import remove_tree, write_text
from mlctl.adapters.process import ToolFailed, call, find_tool
from mlctl.errors import NotAble
from mlctl.experiments.again.side import environment_text
from mlctl.records.run import RunHead
from mlctl.store.state import make_local_dir

# mlctl gives itself to stages, and a venv brings its own installers.
_LEFT_OUT = re.compile(r"(?:mlctl|pip|setuptools|wheel)==")


def programs_of(root: str, head: RunHead) -> str:
    """The folder of programs of an environment with the packages that the run had.

    It is made where it is not there yet, by venv and pip. Raises NotAble where it cannot be made.
    """
    text = environment_text(root, head)
    if head.env is None or text is None:
        raise NotAble("the packages of the run are not recorded here", hint="`mlctl exp pull`")
    local = os.path.join(root, ".mlctl")
    make_local_dir(local)
    folder = os.path.join(local, "envs", head.env.removeprefix("sha256:")[:16])
    ready = os.path.join(folder, "mlctl-ready")
    if not os.path.exists(ready):
        remove_tree(folder)
        _make(folder, text)
        write_text(ready, "")
    return os.path.join(folder, "bin")


def _make(folder: str, text: str) -> None:
    python = _python(text)
    wanted = [line for line in text.splitlines() if not _LEFT_OUT.match(line)]
    try:
        call([python, "-m", "venv", folder])
        requirements = os.path.join(folder, "requirements.txt")
        write_text(requirements, "\n".join(wanted) + "\n")
        pip = os.path.join(folder, "bin", "python")
        call([pip, "-m", "pip", "install", "--quiet", "--no-deps", "-r", requirements])
    except ToolFailed as error:
        said = (error.result.stderr.strip() or "no output").splitlines()[-1]
        raise NotAble(f"the packages of the run cannot be installed: {said}") from None


def _python(text: str) -> str:
    """The interpreter of the version that the text names."""
    version = re.search(r"([0-9]+\.[0-9]+)", text.splitlines()[0])
    name = f"python{version[1]}" if version else "python3"
    found = find_tool(name)
    if found is None:
        raise NotAble(f"{name} is not installed, and the run had it", hint=f"install {name}")
    return found
