"""The description of a model as frozen data: `model.yaml` in the model's folder.

The format is described in docs/formats/model.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from mlctl.adapters import yaml
from mlctl.errors import ConfigError

SCHEMA = "mlctl.model/1"
FILE = "model.yaml"
Task = Literal["classification", "regression"]
Dtype = Literal["int", "float", "bool", "str"]
Label = bool | int | float | str

_DTYPES: tuple[Dtype, ...] = ("int", "float", "bool", "str")
_KNOWN = ("schema", "description", "flavor", "file", "task", "target", "classes", "features")


@dataclass(frozen=True, slots=True)
class Feature:
    """One column that the model reads."""

    name: str
    dtype: Dtype


@dataclass(frozen=True, slots=True)
class Description:
    """What a model is. `file` is a path from the model's folder; `classes` are in the order of
    the model's probabilities, empty for regression."""

    source: str  # the path of model.yaml, for messages
    flavor: str
    file: str
    task: Task
    target: str
    features: tuple[Feature, ...]
    classes: tuple[Label, ...] = ()


def parse(text: str, *, source: str) -> Description:
    """The description in `text`. Raises ConfigError with YAML path and line of what is wrong."""
    reader = _Reader(text, source)
    data = yaml.load(text, name=source)
    if not isinstance(data, Mapping):
        reader.fail("expected a mapping")
    if data.get("schema") != SCHEMA:
        reader.fail(f"schema is {data.get('schema')!r}, this mlctl reads {SCHEMA!r}", "schema")
    for key in data:
        if key not in _KNOWN:
            reader.fail("no such setting", str(key), hint=f"known: {', '.join(_KNOWN)}")
    task = data.get("task")
    if task not in {"classification", "regression"}:
        reader.fail(f"task is {task!r}", "task", hint="classification or regression")
    file = reader.text(data, "file")
    if file.startswith("/") or ".." in file.split("/"):
        reader.fail(f"{file!r} is not inside of the model's folder", "file")
    return Description(
        source=source,
        flavor=reader.text(data, "flavor"),
        file=file,
        task=task,
        target=reader.text(data, "target"),
        features=_features(reader, data.get("features")),
        classes=_classes(reader, data.get("classes"), task),
    )


class _Reader:
    def __init__(self, text: str, source: str) -> None:
        self._text = text
        self._source = source

    def fail(self, message: str, *path: str | int, hint: str | None = None) -> NoReturn:
        where = ".".join(map(str, path)) or None
        line = yaml.line_of(self._text, path)
        raise ConfigError(message, file=self._source, where=where, line=line, hint=hint)

    def text(self, data: Mapping[str, Any], key: str) -> str:
        value = data.get(key)
        if not isinstance(value, str) or not value:
            self.fail(f"expected a text, not {value!r}", key)
        return value


def _features(reader: _Reader, value: Any) -> tuple[Feature, ...]:
    if not isinstance(value, list) or not value:
        reader.fail("expected a list of features", "features")
    found: dict[str, Feature] = {}
    for index, item in enumerate(value):
        name = item.get("name") if isinstance(item, Mapping) else None
        if not isinstance(name, str) or not name:
            reader.fail("expected {name: …, dtype: …}", "features", index)
        if name in found:
            reader.fail(f"{name!r} is there twice", "features", index)
        if item.get("dtype") not in _DTYPES:
            said = f"dtype is {item.get('dtype')!r}"
            reader.fail(said, "features", index, "dtype", hint=f"one of {', '.join(_DTYPES)}")
        found[name] = Feature(name, item["dtype"])
    return tuple(found.values())


def _classes(reader: _Reader, value: Any, task: Task) -> tuple[Label, ...]:
    if task == "regression":
        if value:
            reader.fail("a regression has no classes", "classes")
        return ()
    if not isinstance(value, list) or len(value) < 2:
        reader.fail("expected a list of at least two classes", "classes")
    if not all(isinstance(item, bool | int | float | str) for item in value):
        reader.fail("expected numbers or texts", "classes")
    if len(set(map(str, value))) < len(value):
        reader.fail("a class is there twice", "classes")
    return tuple(value)
