"""A project's settings: `mlctl.yaml` (committed), under `.mlctl/local.yaml` (personal)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlctl.adapters.files import read_text

if TYPE_CHECKING:
    from mlctl.records.document import Document

SETTINGS = "mlctl.yaml"
LOCAL_SETTINGS = ".mlctl/local.yaml"
HOST_KEYS = ("python", "home", "env", "labels")


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
    committed, local = _read(root, SETTINGS), _read(root, LOCAL_SETTINGS)
    documents = [document for document in (local, committed) if document is not None]
    commits = [value for d in documents if (value := _records_commit(d)) is not None]
    jobs = [number for d in documents if (number := d.whole("jobs", least=1)) is not None]
    hosts: dict[str, Mapping[str, Any]] = {}
    for document in reversed(documents):
        hosts.update(_hosts(document))
    return ProjectSettings(
        exists=committed is not None,
        records_commit=commits[0] if commits else False,
        jobs=jobs[0] if jobs else None,
        hosts=hosts,
    )


def _read(root: str, name: str) -> Document | None:
    path = os.path.join(root, name)
    if not os.path.exists(path):
        return None
    from mlctl.records.document import Document  # an adopted repository needs no YAML for this

    document = Document.parse(read_text(path, name=name), file=name, empty=True)
    document.keys(known=("records", "jobs", "hosts"))
    document.keys("records", known=("commit",))
    return document


def _records_commit(document: Document) -> bool | None:
    value = document.get("records", "commit")
    if value is None:
        return None
    if value in ("auto", "off") or isinstance(value, bool):
        return value in ("auto", True)
    raise document.wrong(("records", "commit"), "`auto` or `off`")


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
        env = hosts[str(name)].get("env", "auto")
        if env not in ("auto", "none") and not env.startswith("conda:"):
            raise document.wrong(("hosts", name, "env"), "`auto`, `none` or `conda:NAME`")
    return hosts
