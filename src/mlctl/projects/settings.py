"""A project's settings: `mlctl.yaml` (committed), under `.mlctl/local.yaml` (personal)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from mlctl.adapters.files import read_text

if TYPE_CHECKING:
    from mlctl.records.document import Document

SETTINGS = "mlctl.yaml"
LOCAL_SETTINGS = ".mlctl/local.yaml"
HOST_KEYS = ("python", "home", "env", "labels", "remote", "uv")
LARGE_FILE = 500_000  # bytes
_UNITS = {"": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """`exists` says whether there is an `mlctl.yaml`: without one, the project is an adopted one.

    `records_commit` is `records: {commit: auto}`; `records_logs` keeps the end of each stage's log
    in a run's record; `records_branch` is `records: {store: branch}`: records go to the branch
    `mlctl/runs`; `jobs` the stages at one time, None where unsaid;
    `hosts` the settings of each host by its name in `~/.ssh/config`; `show_values` is whether
    validation reports hold failing values, and `large_file` the bytes from which on a file belongs
    to DVC. `tolerances` are how far a metric may be off when a run is reproduced, by its name.
    """

    exists: bool = False
    records_commit: bool = False
    jobs: int | None = None
    hosts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    show_values: bool = False
    large_file: int = LARGE_FILE
    records_logs: bool = False
    records_branch: bool = False
    tolerances: Mapping[str, float] = field(default_factory=dict)

    def default_jobs(self, asked: int | None = None) -> int:
        """Stages at one time: as asked, as set, else one for each processor.

        An adopted repository runs one at a time: its stages may share files that nobody declared.
        """
        return asked or self.jobs or ((os.cpu_count() or 1) if self.exists else 1)


def load_settings(root: str) -> ProjectSettings:
    """The settings of the project at `root`; what is personal wins over what is committed.

    Raises ConfigError (file, YAML path and line) for an unknown key or a value of the wrong kind.
    """
    committed, local = _read(root, SETTINGS), _read(root, LOCAL_SETTINGS)
    documents = [document for document in (local, committed) if document is not None]
    hosts: dict[str, Mapping[str, Any]] = {}
    for document in reversed(documents):
        hosts.update(_hosts(document))
    return ProjectSettings(
        exists=committed is not None,
        records_commit=_first([_records_commit(d) for d in documents], False),
        records_logs=_first([d.get("records", "logs") for d in documents], False),
        records_branch=_first([_records_branch(d) for d in documents], False),
        jobs=_first([d.whole("jobs", least=1) for d in documents], None),
        hosts=hosts,
        show_values=_first([d.get("validate", "show_values") for d in documents], False),
        large_file=_first([_large_file(d) for d in documents], LARGE_FILE),
        tolerances={n: v for d in reversed(documents) for n, v in _tolerances(d).items()},
    )


def _read(root: str, name: str) -> Document | None:
    path = os.path.join(root, name)
    if not os.path.exists(path):
        return None
    from mlctl.records.document import Document  # an adopted repository needs no YAML for this

    document = Document.parse(read_text(path, name=name), file=name, empty=True)
    document.keys(known=("records", "jobs", "hosts", "validate", "data", "reproduce"))
    document.keys("records", known=("commit", "logs", "store"))
    document.flag("records", "logs", default=False)
    document.keys("validate", known=("show_values",))
    document.flag("validate", "show_values", default=False)
    document.keys("data", known=("large_file",))
    document.keys("reproduce", known=("tolerances",))
    return document


def _records_commit(document: Document) -> bool | None:
    value = document.get("records", "commit")
    if value is None:
        return None
    if value in ("auto", "off") or isinstance(value, bool):
        return value in ("auto", True)
    raise document.wrong(("records", "commit"), "`auto` or `off`")


def _records_branch(document: Document) -> bool | None:
    value = document.get("records", "store")
    if value not in (None, "tree", "branch"):
        raise document.wrong(("records", "store"), "`tree` or `branch`")
    return None if value is None else bool(value == "branch")


def _large_file(document: Document) -> int | None:
    value = document.get("data", "large_file")
    size = value if isinstance(value, int) and not isinstance(value, bool) else None
    size = parse_size(value) if isinstance(value, str) else size
    if value is not None and (size is None or size < 1):
        raise document.wrong(("data", "large_file"), "a size, such as 500kB or 2MB")
    return size


def _tolerances(document: Document) -> dict[str, float]:
    found = {}
    for name, value in document.mapping("reproduce", "tolerances").items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not value >= 0:
            raise document.wrong(("reproduce", "tolerances", name), "a number, 0 or greater")
        found[str(name)] = float(value)
    return found


def parse_size(text: str) -> int | None:
    """The bytes of `500`, `500kB` or `1.5 MB`; None for anything else."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?(|[kMG]?B)", text)
    return round(float(found[1]) * _UNITS[found[2]]) if found else None


def _first(values: Sequence[_T | None], default: _T) -> _T:
    """The first that is said."""
    return next((value for value in values if value is not None), default)


def _hosts(document: Document) -> dict[str, Mapping[str, Any]]:
    hosts = {}
    for name in document.mapping("hosts"):
        document.keys("hosts", name, known=HOST_KEYS)
        hosts[str(name)] = document.mapping("hosts", name)
        for key in hosts[str(name)]:
            if key == "labels":
                document.items("hosts", name, key, of="labels")
            else:
                document.text("hosts", name, key)
        if hosts[str(name)].get("uv", "send") != "send":
            raise document.wrong(("hosts", name, "uv"), "`send`")
        env = hosts[str(name)].get("env", "auto")
        if env not in ("auto", "none") and not env.startswith("conda:"):
            raise document.wrong(("hosts", name, "env"), "`auto`, `none` or `conda:NAME`")
    return hosts
