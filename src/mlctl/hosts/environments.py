"""The environment that a host makes for a project's jobs, from the project's lock file.

`env` of a host's settings says which: `auto` (the first of FILES that there is, unless said),
`none` (the Python that the host's shell finds), or `conda:NAME`.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlctl.adapters.files import read_text
from mlctl.adapters.process import call, find_tool
from mlctl.errors import ConfigError, NotAble

FILES = ("uv.lock", "pylock.toml", "requirements.txt")

_CUDA = re.compile(r"^nvidia-[a-z-]+-cu(\d+)\b|\+cu(\d\d)\d\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a project needs: its requirements as pip reads them, and which Pythons will do."""

    file: str
    requirements: bytes
    python: str | None = None  # as in requires-python


def wanted(root: str, setting: str = "auto") -> Wanted | None:
    """What the project at `root` needs on a host, or None where nothing is to be made there.

    Raises ConfigError for a lock file that cannot be read, NotAble where `uv.lock` needs uv.
    """
    if setting != "auto":
        return None
    for file in FILES:
        path = os.path.join(root, file)
        if os.path.exists(path):
            return _READERS[file](root, read_text(path, name=file))
    return None


def _from_uv(root: str, text: str) -> Wanted:
    lock = _toml(text, "uv.lock")
    options = ("--frozen", "--no-emit-project", "--no-header", "--format", "requirements-txt")
    try:
        exported = call(["uv", "export", "-q", *options], cwd=root).stdout
    except NotAble as error:
        hint = "install uv here, or export a pylock.toml or a requirements.txt"
        raise NotAble(f"uv.lock: {error.message}", hint=hint) from error
    return Wanted("uv.lock", exported.encode(), lock.get("requires-python"))


def _from_pylock(_root: str, text: str) -> Wanted:
    """PEP 751: each package at its version, with the hashes of its files."""
    lock = _toml(text, "pylock.toml")
    lines = []
    for number, package in enumerate(lock.get("packages", [])):
        where = f"packages[{number}]"
        if "name" not in package or "version" not in package:
            message = "only packages with a name and a version can be installed on a host"
            raise ConfigError(message, file="pylock.toml", where=where)
        line = f"{package['name']}=={package['version']}"
        if "marker" in package:
            line += f" ; {package['marker']}"
        files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
        hashes = [f"{kind}:{value}" for file in files for kind, value in file["hashes"].items()]
        lines.append(" ".join([line, *(f"--hash={digest}" for digest in hashes)]))
    return Wanted("pylock.toml", "\n".join([*lines, ""]).encode(), lock.get("requires-python"))


def _from_requirements(_root: str, text: str) -> Wanted:
    return Wanted("requirements.txt", text.encode())


_READERS = {
    "uv.lock": _from_uv,
    "pylock.toml": _from_pylock,
    "requirements.txt": _from_requirements,
}


def _toml(text: str, file: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML: {error}", file=file) from None


def uv_for(machine: str) -> str:
    """Our uv, for a host that is a `machine` (`Linux x86_64`). Raises NotAble where it has none."""
    system = os.uname()
    ours = f"{system.sysname} {system.machine}"
    path = find_tool("uv")
    if path is None:
        raise NotAble("`uv: send` needs uv here", hint="https://docs.astral.sh/uv/")
    if machine != ours:
        raise NotAble(f"`uv: send`: the host is {machine}, and our uv is for {ours}")
    return os.path.realpath(path)


def mismatches(need: Wanted, *, python: str, cuda: str | None) -> list[str]:
    """Why the environment cannot work on a host with this Python and this driver's newest CUDA.

    A program built for a CUDA of one major version runs on drivers of that or a later one. Source:
    NVIDIA, CUDA Compatibility, "minor version compatibility".
    """
    from packaging.specifiers import SpecifierSet

    found = []
    if need.python and not SpecifierSet(need.python).contains(python, prereleases=True):
        found.append(f"{need.file} wants Python {need.python}, the host has {python}")
    majors = [int(a or b) for a, b in _CUDA.findall(need.requirements.decode(errors="replace"))]
    if majors and cuda and max(majors) > int(cuda.partition(".")[0]):
        found.append(f"{need.file} is built for CUDA {max(majors)}, the driver runs {cuda} at most")
    return found
