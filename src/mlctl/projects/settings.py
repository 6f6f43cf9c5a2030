"""A project's settings: `mlctl.yaml` (committed), under `.mlctl/local.yaml` (personal)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from mlctl.adapters import yaml
from mlctl.adapters.files import read_text
from mlctl.errors import ConfigError

SETTINGS = "mlctl.yaml"
LOCAL_SETTINGS = ".mlctl/local.yaml"


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """`exists` says whether there is an `mlctl.yaml`: without one, the project is an adopted one.

    `records_commit` is `records: {commit: auto}`; `jobs` the stages at one time, None where unsaid;
    `hosts` the settings of each host by its name in `~/.ssh/config`.
    """

    exists: bool = False
    records_commit: bool = False
    jobs: int | None = None
    hosts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def default_jobs(self, asked: int | None = None) -> int:
        """Stages at one time: as asked, as set, else one for each processor.

        An adopted repository runs one at a time: its stages may share files that nobody declared.
        """
        return asked or self.jobs or ((os.cpu_count() or 1) if self.exists else 1)


def load_settings(root: str) -> ProjectSettings:
    """The settings of the project at `root`; what is personal wins over what is committed.

    Raises ConfigError (file, YAML path and line) for an unknown key or a value of the wrong kind.
    """
    committed, local = _File.read(root, SETTINGS), _File.read(root, LOCAL_SETTINGS)
    files = [file for file in (local, committed) if file is not None]
    commits = [value for file in files if (value := file.records_commit()) is not None]
    jobs = [number for file in files if (number := file.jobs()) is not None]
    hosts: dict[str, Mapping[str, Any]] = {}
    for file in reversed(files):
        hosts.update(file.hosts())
    return ProjectSettings(
        exists=committed is not None,
        records_commit=commits[0] if commits else False,
        jobs=jobs[0] if jobs else None,
        hosts=hosts,
    )


@dataclass(frozen=True, slots=True)
class _File:
    """One settings file, read and checked piece by piece."""

    name: str
    text: str
    data: Mapping[str, Any]

    @classmethod
    def read(cls, root: str, name: str) -> _File | None:
        path = os.path.join(root, name)
        if not os.path.isfile(path):
            return None
        text = read_text(path, name=name)
        data = yaml.load(text, name=name)
        file = cls(name, text, data if isinstance(data, Mapping) else {})
        if data is not None and not isinstance(data, Mapping):
            raise ConfigError("must be a mapping, as `jobs: 4` is", file=name, line=1)
        file.only(file.data, ("records", "jobs", "hosts"), ())
        return file

    def records_commit(self) -> bool | None:
        records = self.mapping("records")
        self.only(records, ("commit",), ("records",))
        value = records.get("commit")
        if value is None:
            return None
        if value in ("auto", "off") or isinstance(value, bool):
            return value in ("auto", True)
        raise self.error(f"must be `auto` or `off`, not {value!r}", ("records", "commit"))

    def jobs(self) -> int | None:
        value = self.data.get("jobs")
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise self.error(f"must be a whole number from 1, not {value!r}", ("jobs",))
        return value

    def hosts(self) -> dict[str, Mapping[str, Any]]:
        hosts = self.mapping("hosts")
        for name, value in hosts.items():
            if value is not None and not isinstance(value, Mapping):
                raise self.error("must be a mapping of the host's settings", ("hosts", name))
        return {str(name): value or {} for name, value in hosts.items()}

    def mapping(self, name: str) -> Mapping[str, Any]:
        value = self.data.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self.error(f"must be a mapping, not {value!r}", (name,))
        return value

    def only(self, data: Mapping[str, Any], known: tuple[str, ...], path: tuple[str, ...]) -> None:
        for key in data:
            if key not in known:
                close = get_close_matches(str(key), known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
                raise self.error(f"unknown key {key!r}", (*path, key), hint=hint)

    def error(self, message: str, path: tuple[Any, ...], hint: str | None = None) -> ConfigError:
        where = ".".join(str(step) for step in path)
        line = yaml.line_of(self.text, path)
        return ConfigError(message, file=self.name, where=where, line=line, hint=hint)
