"""The packages that stages see: what `python` on PATH has installed."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from mlctl.adapters.process import call, find_tool

# Printed by the other interpreter; it runs on Python 3.8 and later.
_ASK = """
import platform, sys
from importlib.metadata import distributions
sys.stdout.reconfigure(encoding="utf-8")
print(platform.python_implementation(), platform.python_version())
print(platform.system(), platform.machine())
for d in distributions():
    print(d.metadata["Name"], d.version, sep="==")
"""


def environment(python: str | None = None) -> str | None:
    """The packages of an interpreter (`python` on PATH unless given), as a requirements file.

    The first lines say which Python and which kind of machine; then `name==version`, sorted. The
    text names no path, no host and no user. None where there is no such interpreter.
    """
    chosen = find_tool(python or "python") or (None if python else find_tool("python3"))
    if chosen is None:
        return None
    if _is_ours(chosen):
        return _text(_own_lines())
    asked = call([chosen, "-c", _ASK], check=False)
    return _text(asked.stdout.splitlines()) if asked.code == 0 else None


def environment_of(lines: list[str]) -> str:
    """The same of another machine: its Python, its kind, and `name==version` of each package."""
    return _text(lines)


def environment_digest(text: str) -> str:
    """The sha256 of the text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def machine() -> tuple[str, str]:
    """This interpreter and the kind of machine: `CPython 3.11.9`, `Linux x86_64`."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return python, f"{platform.system()} {platform.machine()}"


def described(text: str) -> tuple[str, str]:
    """The Python and the machine that an environment's text names."""
    python, kind, *_ = text.splitlines()
    return python.removeprefix("# "), kind.removeprefix("# ")


def _is_ours(python: str) -> bool:
    # A virtual environment's python is a link to the one that made it: the folder tells them apart.
    return os.path.realpath(os.path.dirname(python)) == os.path.realpath(
        os.path.dirname(sys.executable)
    )


def _own_lines() -> list[str]:
    return [*machine(), *(package for folder in sys.path for package in _installed(folder or "."))]


def _installed(folder: str) -> Iterator[str]:
    """The packages in one folder of `sys.path`, by the names of their metadata folders.

    Reading the metadata of each would cost a second; the name is `{name}-{version}.dist-info`
    (https://packaging.python.org/en/latest/specifications/recording-installed-packages).
    """
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        stem, ending = os.path.splitext(name)
        if ending == ".dist-info":
            package, _, version = stem.rpartition("-")
            yield f"{package}=={version}"
        elif ending == ".egg-info":
            from importlib.metadata import PathDistribution

            found = PathDistribution(Path(folder, name))
            yield f"{found.metadata['Name']}=={found.version}"


def _text(lines: list[str]) -> str:
    python, machine, *packages = lines
    found: dict[str, str] = {}
    for package in packages:
        name, _, version = package.partition("==")
        if name and name != "None":  # what a broken installation leaves behind
            # The first on sys.path is the one that is imported.
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    pins = (f"{name}=={version}" for name, version in sorted(found.items()))
    return "\n".join([f"# {python}", f"# {machine}", *pins]) + "\n"
