"""What a pipeline is: stages as frozen data, after templating and validation.

A *key* says where a file lies, in one form for every comparison: a POSIX path relative to the DVC
root (`data/raw.csv`), an absolute POSIX path for what lies outside it, or a URL. A *path* is what
the stage wrote, relative to its `wdir`, and what `dvc.lock` records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mlctl.store.digest import Digest as Digest

OutKind = Literal["out", "metric", "plot"]


def lock_key(pipeline_file: str) -> str:
    """`sub/dvc.yaml` -> `sub/dvc.lock`."""
    return pipeline_file.removesuffix("dvc.yaml") + "dvc.lock"


@dataclass(frozen=True, slots=True)
class Dep:
    """A file, folder or URL that a stage reads."""

    path: str
    key: str


@dataclass(frozen=True, slots=True)
class ParamsDep:
    """Parameters that a stage reads from one file; no names means the whole file."""

    path: str
    key: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Out:
    """A file or folder that a stage writes, with DVC's options for it.

    `digest` is set for `.dvc` files only: there the pointer itself holds it.
    `options` keeps annotations and plot options (`desc type labels meta template x y …`).
    """

    path: str
    key: str
    kind: OutKind = "out"
    cache: bool = True
    persist: bool = False
    push: bool = True
    remote: str | None = None
    digest: Digest | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Each:
    """How `mlctl each` goes about the items of a stage; `jobs` are the stage's `cpus` unless said.

    What it is to write stands in the command (docs/formats/each.md).
    """

    jobs: int | None = None
    keep_going: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """`meta.mlctl` of a stage: how it is scheduled. Nothing here may change what a stage writes."""

    on: str | None = None
    cpus: int = 1
    gpus: int = 0
    memory: int | None = None  # bytes
    timeout: float | None = None  # seconds
    retries: int = 0
    mutex: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    env_from: tuple[str, ...] = ()
    each: Each = Each()


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a `dvc.yaml` (it has a `name`) or one `.dvc` file (it has none).

    `file` and `wdir` are keys; `group` is the `foreach`/`matrix` stage that generated this one.
    `data` holds, for `.dvc` files only, the parsed file (import details, stage checksum).
    """

    file: str
    name: str | None
    wdir: str = ""
    cmd: str | tuple[str, ...] | None = None
    deps: tuple[Dep, ...] = ()
    params: tuple[ParamsDep, ...] = ()
    outs: tuple[Out, ...] = ()
    frozen: bool = False
    always_changed: bool = False
    desc: str | None = None
    group: str | None = None
    settings: Settings = Settings()
    data: Mapping[str, Any] | None = None

    @property
    def address(self) -> str:
        """Its name for users, seen from the DVC root: `train`, `sub/dvc.yaml:train`, `x.dvc`."""
        if self.name is None:
            return self.file
        return self.name if self.file == "dvc.yaml" else f"{self.file}:{self.name}"

    @property
    def where(self) -> str:
        """The YAML path of the definition in its file; a `.dvc` file is one by itself."""
        return f"stages.{self.group or self.name}" if self.name is not None else ""

    @property
    def record_file(self) -> str:
        """The key of the file that holds what is recorded of it: its `dvc.lock`, or itself."""
        return self.file if self.name is None else lock_key(self.file)

    @property
    def is_import(self) -> bool:
        """A `.dvc` file with a source: made by `dvc import`, `import-url` or `import-db`."""
        return self.name is None and bool(self.data and self.data.get("deps"))

    @property
    def is_callback(self) -> bool:
        """A command with neither deps nor outs always runs, as in DVC."""
        return self.cmd is not None and not (self.deps or self.params or self.outs)


@dataclass(frozen=True, slots=True)
class PipelineFile:
    """One resolved `dvc.yaml`: its stages, and the top-level lists kept as written.

    `reads` are the keys of every file that templating read (params files, vars): when one of them
    changes, the file must be resolved again.
    """

    file: str
    stages: tuple[Stage, ...]
    params: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    plots: tuple[Any, ...] = ()
    artifacts: Mapping[str, Any] = field(default_factory=dict)
    datasets: tuple[Any, ...] = ()
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LockedPath:
    """One `deps` or `outs` entry of the lock; no digest where the lock entry has none."""

    path: str
    digest: Digest | None


@dataclass(frozen=True, slots=True)
class LockedStage:
    """What `dvc.lock` holds of one stage: what it ran, read and wrote when it was last recorded.

    `params` maps a params file (as written) to its dotted names and their values.
    """

    cmd: str | tuple[str, ...] | None
    deps: tuple[LockedPath, ...] = ()
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    outs: tuple[LockedPath, ...] = ()
