"""DVC's configuration, as far as the store and the engine need it, read without DVC.

The levels shadow one another as in DVC 3.67: system, global, `.dvc/config`, `.dvc/config.local`.
The files are ConfigObj's dialect of INI. The lines that DVC itself writes are read here; any
construct beyond them is left to ConfigObj, so that there is never a doubt about the meaning.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlctl.adapters.files import read_text
from mlctl.errors import ConfigError, InvalidInput

LINK_TYPES = ("reflink", "hardlink", "symlink", "copy")
Section = dict[str, Any]

_SECTION = re.compile(r"\[\s*(?:'([^']*)'|\"([^\"]*)\"|([^\[\]'\"]*?))\s*\]\s*(?:#.*)?")
_OPTION = re.compile(r"([\w.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^'\",#]*?))\s*(?:#.*)?")
_NAMED = re.compile(r'\s*(remote|machine|db)\s*"(.*)"\s*')


@dataclass(frozen=True, slots=True)
class Config:
    """One repository's settings; paths are absolute.

    `git_root` is the work tree that holds `root` (they differ in a `--subdir` repository), and None
    without one or with `core.no_scm`. `shared` is `cache.shared = group`.
    """

    root: str
    cache_dir: str
    link_types: tuple[str, ...] = ("reflink", "copy")
    shared: bool = False
    remote: str | None = None
    autostage: bool = False
    hardlink_lock: bool = False
    no_scm: bool = False
    parsing_bool: str = "store_true"
    parsing_list: str = "nargs"
    git_root: str | None = None

    @property
    def tmp_dir(self) -> str:
        return os.path.join(self.root, ".dvc", "tmp")

    @property
    def local_dir(self) -> str:
        """Where mlctl keeps what one work tree alone needs."""
        return os.path.join(self.root, ".mlctl")


def find_root(start: str) -> str:
    """The nearest folder at or above `start` that has a `.dvc` folder, up to the mount point.

    Raises InvalidInput outside of a DVC repository.
    """
    folder = os.path.abspath(start)
    if not os.path.isdir(folder):
        raise InvalidInput(f"{start}: no such folder")
    while not os.path.isdir(os.path.join(folder, ".dvc")):
        parent = os.path.dirname(folder)
        if parent == folder or os.path.ismount(folder):
            raise InvalidInput(
                f"{os.path.abspath(start)} is not inside a DVC repository",
                hint="make one with `mlctl init`, or with `dvc init` in an existing project",
            )
        folder = parent
    return folder


def load_config(root: str) -> Config:
    """The merged configuration at `root`. Raises ConfigError for what DVC refuses."""
    merged: dict[str, Section] = {}
    origin: dict[str, str] = {}
    for file in _files(root):
        for name, section in _read(file, _shown(file, root)).items():
            if name == "cache" and isinstance(section.get("dir"), str):
                section["dir"] = _resolve(section["dir"], os.path.dirname(file))
            if name.startswith("remote ") and isinstance(section.get("url"), str):
                section["url"] = _resolve(section["url"], os.path.dirname(file))
            merged.setdefault(name, {}).update(section)
            origin.update({f"{name}.{option}": file for option in section})
    return _config(root, merged, origin)


def _config(root: str, merged: Mapping[str, Section], origin: Mapping[str, str]) -> Config:
    values = _Values(root, merged, origin)
    no_scm = values.flag("core", "no_scm")
    cache_dir = values.text("cache", "dir") or os.path.join(root, ".dvc", "cache")
    local = values.text("cache", "local")
    if local is not None:
        cache_dir = str(merged.get(f"remote {local.lower()}", {}).get("url", cache_dir))
    if "://" in cache_dir:
        raise values.error("cache", "dir", f"a cache at {cache_dir!r} is not a local folder")
    return Config(
        root=root,
        cache_dir=os.path.normpath(cache_dir),
        link_types=values.link_types(),
        shared=values.choice("cache", "shared", ("group",)) is not None,
        remote=(values.text("core", "remote") or "").lower() or None,
        autostage=values.flag("core", "autostage"),
        hardlink_lock=values.flag("core", "hardlink_lock"),
        no_scm=no_scm,
        parsing_bool=values.choice("parsing", "bool", ("store_true", "boolean_optional"))
        or "store_true",
        parsing_list=values.choice("parsing", "list", ("nargs", "append")) or "nargs",
        git_root=None if no_scm else _git_root(root),
    )


@dataclass(frozen=True, slots=True)
class _Values:
    """Typed access to the merged sections; an error names the file that says the value."""

    root: str
    merged: Mapping[str, Section]
    origin: Mapping[str, str]

    def text(self, section: str, option: str) -> str | None:
        value = self.merged.get(section, {}).get(option)
        if isinstance(value, list):
            return ",".join(value)
        return None if value is None else str(value)

    def flag(self, section: str, option: str) -> bool:
        return self.choice(section, option, ("true", "false")) == "true"

    def choice(self, section: str, option: str, allowed: tuple[str, ...]) -> str | None:
        value = self.text(section, option)
        if value is not None and value.lower() not in allowed:
            raise self.error(
                section, option, f"{value!r} is not allowed: expected {' or '.join(allowed)}"
            )
        return None if value is None else value.lower()

    def link_types(self) -> tuple[str, ...]:
        value = self.text("cache", "type")
        types = tuple(t.strip() for t in (value or "").split(",") if t.strip())
        unknown = sorted(set(types) - set(LINK_TYPES))
        if unknown:
            raise self.error("cache", "type", f"no link type is called {', '.join(unknown)}")
        return types or ("reflink", "copy")

    def error(self, section: str, option: str, message: str) -> ConfigError:
        where = f"{section}.{option}"
        file = self.origin.get(where) or os.path.join(self.root, ".dvc", "config")
        hint = f"correct it there, or unset it: `dvc config --unset {where}`"
        shown, line = _shown(file, self.root), _line_of(file, option)
        return ConfigError(message, file=shown, where=where, line=line, hint=hint)


def _files(root: str) -> list[str]:
    xdg_home, xdg_dirs = os.environ.get("XDG_CONFIG_HOME"), os.environ.get("XDG_CONFIG_DIRS")
    if sys.platform == "darwin":
        home, system = (
            os.path.expanduser("~/Library/Application Support"),
            "/Library/Application Support",
        )
    else:
        home, system = os.path.expanduser("~/.config"), "/etc/xdg"
    folders = [
        os.environ.get("DVC_SYSTEM_CONFIG_DIR")
        or os.path.join((xdg_dirs or system).split(os.pathsep)[0], "dvc"),
        os.environ.get("DVC_GLOBAL_CONFIG_DIR") or os.path.join(xdg_home or home, "dvc"),
    ]
    files = [os.path.join(folder, "config") for folder in folders]
    return [
        *files,
        os.path.join(root, ".dvc", "config"),
        os.path.join(root, ".dvc", "config.local"),
    ]


def _shown(file: str, root: str) -> str:
    """The name of a config file in messages: inside the repository, from its root."""
    return os.path.relpath(file, root) if file.startswith(f"{root}{os.sep}") else file


def _line_of(file: str, option: str) -> int | None:
    """The line that sets `option`, where just one line of the file does."""
    try:
        lines = read_text(file).splitlines()
    except (OSError, ConfigError):
        return None
    found = [n for n, line in enumerate(lines, 1) if line.partition("=")[0].strip() == option]
    return found[0] if len(found) == 1 else None


def _read(file: str, name: str) -> dict[str, Section]:
    try:
        text = read_text(file, name=name)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    parsed = _parse(text)
    raw = parsed if parsed is not None else _configobj(text, name)
    result: dict[str, Section] = {}
    for name, section in raw.items():
        if not isinstance(section, dict):
            continue
        named = _NAMED.fullmatch(name)
        key = f"{named[1]} {named[2]}" if named else name
        result[key.lower()] = {str(k).lower(): v for k, v in section.items()}
    return result


def _parse(text: str) -> dict[str, Section] | None:
    """Sections of plain `name = value` lines, or None where the text holds anything else."""
    if '"""' in text or "'''" in text or "%(" in text or "$" in text:
        return None
    sections: dict[str, Section] = {}
    current: Section | None = None
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        header = _SECTION.fullmatch(line)
        if header:
            name = next(group for group in header.groups() if group is not None)
            if name in sections:
                return None
            current = sections[name] = {}
            continue
        option = _OPTION.fullmatch(line)
        if option is None or current is None or option[1] in current:
            return None
        current[option[1]] = next(group for group in option.groups()[1:] if group is not None)
    return sections


def _configobj(text: str, file: str) -> dict[str, Any]:
    configobj = importlib.import_module("configobj")
    try:
        parsed: dict[str, Any] = configobj.ConfigObj(text.splitlines()).dict()
    except configobj.ConfigObjError as error:
        first = next(iter(getattr(error, "errors", ())), error)  # of several
        line = getattr(first, "line_number", None)
        raise ConfigError(
            re.sub(r" at line \d+\.$", "", str(first)),
            file=file,
            line=line,
            hint="a config has `[section]` and `name = value` lines; see `dvc config --help`",
        ) from None
    return parsed


def _resolve(path: str, folder: str) -> str:
    if re.match(r"\w+://", path):
        return path
    return os.path.abspath(os.path.join(folder, os.path.expanduser(path)))


def _git_root(root: str) -> str | None:
    folder = root
    while True:
        if os.path.exists(os.path.join(folder, ".git")):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
