"""Reading `dvc.yaml` and `.dvc` files of a project into the engine's types.

The shell around the pure modules: schema -> template -> stages.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from typing import Any

from mlctl.adapters import yaml
from mlctl.adapters.files import read_text
from mlctl.errors import ConfigError
from mlctl.pipeline import params, pointers, stages
from mlctl.pipeline.keys import key_of
from mlctl.pipeline.schema import check_dvc_file, check_pipeline
from mlctl.pipeline.spec import PipelineFile, Stage
from mlctl.pipeline.stages import Place
from mlctl.pipeline.template import Parsing, resolve
from mlctl.records.source import Source, YamlPath

__all__ = ["Parsing", "load_dvc_file", "load_pipeline_file"]


_DEFAULT_PARSING = Parsing()


def load_pipeline_file(root: str, key: str, *, parsing: Parsing = _DEFAULT_PARSING) -> PipelineFile:
    """The resolved `dvc.yaml` at `key` under the DVC root.

    Of the top-level lists, `params` and `metrics` are keys; `plots`, `artifacts` and `datasets`
    stay as written, templates resolved. `reads` names every params file that was looked for, also
    one that is not there. Raises ConfigError for a file that DVC would refuse, FileNotFoundError
    where it is missing.
    """
    try:
        return _load_pipeline_file(os.path.realpath(root), key, parsing)
    except RecursionError:
        raise ConfigError(
            "nested too deeply", file=key, hint="look for a YAML alias that holds itself"
        ) from None


def load_dvc_file(root: str, key: str) -> Stage:
    """The `.dvc` file at `key` under the DVC root, as a stage without a name.

    Raises ConfigError for a file that DVC would refuse, FileNotFoundError where it is missing.
    """
    root = os.path.realpath(root)
    data, source = _read(root, key)
    check_dvc_file(data, source)
    return pointers.build(data, source=source, root=root)


def line_of(root: str, key: str, where: str) -> int | None:
    """The line in the file at `key` that the dotted YAML path `where` stands on, if it is there."""
    try:
        text = read_text(os.path.join(root, key), name=key)
    except (OSError, ConfigError):
        return None
    steps = where.replace("[", ".").replace("]", "").split(".")
    return yaml.line_of(text, tuple(int(step) if step.isdigit() else step for step in steps))


def _load_pipeline_file(root: str, key: str, parsing: Parsing) -> PipelineFile:
    data, source = _read(root, key)
    check_pipeline(data, source)
    reader = _ParamsReader(root)
    directory = posixpath.dirname(key)
    resolved = resolve(
        data, source=source, directory=directory, read_params=reader.read, parsing=parsing
    )
    place = Place(source, directory, root)
    return PipelineFile(
        file=key,
        stages=tuple(
            stages.build(stage, source=source, directory=directory, root=root)
            for stage in resolved.stages
        ),
        params=_keys(resolved.params, "params", place),
        metrics=_keys(resolved.metrics, "metrics", place),
        plots=resolved.plots,
        artifacts=resolved.artifacts,
        datasets=resolved.datasets,
        reads=tuple(sorted(reader.seen)),
    )


def _read(root: str, key: str) -> tuple[Any, Source]:
    text = read_text(os.path.join(root, key), name=key)
    try:
        data = yaml.load(text, name=key)
    except ConfigError as error:
        lines = text.splitlines()
        if error.hint is None and error.line and "${" in "".join(lines[error.line - 1 :][:1]):
            error.hint = "inside [ ] or { }, write ${...} in quotes"
        raise

    def locate(path: YamlPath) -> int | None:
        return yaml.line_of(text, path)

    return data or {}, Source(key, locate)


class _ParamsReader:
    """Params files by key, each read once; `seen` are all that were looked for."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.seen: dict[str, Mapping[Any, Any] | None] = {}

    def read(self, key: str) -> Mapping[Any, Any] | None:
        key = key_of(key, "", self.root)
        if key not in self.seen:
            self.seen[key] = self._load(key)
        return self.seen[key]

    def _load(self, key: str) -> Mapping[Any, Any] | None:
        path = os.path.join(self.root, key)
        try:
            text = read_text(path, name=key)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return params.parse(text, posixpath.splitext(key)[1], key, load_yaml=yaml.load)


def _keys(paths: tuple[Any, ...], section: str, place: Place) -> tuple[str, ...]:
    return tuple(place.locate(path, (section, index))[1] for index, path in enumerate(paths))
