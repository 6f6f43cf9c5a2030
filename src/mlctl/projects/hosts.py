"""The hosts of a project, in `mlctl.yaml`, or in `.mlctl/local.yaml` where they are one's own.

A host goes by its name in `~/.ssh/config`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mlctl.adapters import yaml
from mlctl.adapters.files import read_text, write_text
from mlctl.errors import InvalidInput, suggestion
from mlctl.hosts.client import Host
from mlctl.projects.settings import LOCAL_SETTINGS, SETTINGS, load_settings
from mlctl.store.state import make_local_dir


def open_host(root: str, name: str) -> Host:
    """The host `name` of the project. Raises InvalidInput for one that it does not have."""
    known = load_settings(root).hosts
    if name not in known:
        hint = suggestion(name, known) if known else None
        raise InvalidInput(
            f"no host is called {name!r}", hint=hint or f"`mlctl host add {name}` makes it known"
        )
    return Host(name, known[name])


def add(root: str, name: str, options: Mapping[str, Any], *, local: bool) -> str:
    """Write the host down; the file's path from the root. Replaces what was said of it."""
    file = LOCAL_SETTINGS if local else SETTINGS
    data = _read(root, file)
    data.setdefault("hosts", {})
    if data["hosts"] is None:
        data["hosts"] = {}
    data["hosts"][name] = dict(options)
    _write(root, file, data)
    return file


def remove(root: str, name: str) -> list[str]:
    """Take the host out of the settings; the files that named it. Raises InvalidInput."""
    changed = []
    for file in (SETTINGS, LOCAL_SETTINGS):
        data = _read(root, file)
        if name in (data.get("hosts") or {}):
            del data["hosts"][name]
            if not data["hosts"]:
                del data["hosts"]
            _write(root, file, data)
            changed.append(file)
    if not changed:
        open_host(root, name)  # says what there is
    return changed


def _read(root: str, file: str) -> Any:
    path = os.path.join(root, file)
    if not os.path.exists(path):
        return {}
    load_settings(root)  # refuses what is wrong, with its place
    return yaml.load_roundtrip(read_text(path, name=file), name=file) or {}


def _write(root: str, file: str, data: Any) -> None:
    if file == LOCAL_SETTINGS:
        make_local_dir(os.path.join(root, os.path.dirname(file)))
    write_text(os.path.join(root, file), yaml.dump_roundtrip(data) if data else "")
