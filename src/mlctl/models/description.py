"""The description of a model as frozen data: `model.yaml` in the model's folder.

The format is described in docs/formats/model.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from mlctl.records.document import Document

FILE = "model.yaml"
Task = Literal["classification", "regression"]
Dtype = Literal["int", "float", "bool", "str"]
Label = bool | int | float | str

_TASKS = ("classification", "regression")
_DTYPES = ("int", "float", "bool", "str")
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
    document = Document.parse(text, file=source)
    document.check_schema("model", 1)
    document.keys(known=_KNOWN)
    task = document.one_of("task", known=_TASKS)
    file = document.text("file")
    if file.startswith("/") or ".." in file.split("/"):
        raise document.error(("file",), f"{file!r} is not inside of the model's folder")
    return Description(
        source=source,
        flavor=document.text("flavor"),
        file=file,
        task=cast("Task", task),
        target=document.text("target"),
        features=_features(document),
        classes=_classes(document, task),
    )


def _features(document: Document) -> tuple[Feature, ...]:
    found: dict[str, Feature] = {}
    for index, item in enumerate(document.items("features", of="features")):
        path = ("features", index)
        name = item.get("name") if isinstance(item, Mapping) else None
        if not isinstance(name, str) or not name:
            raise document.error(path, "expected {name: …, dtype: …}")
        if name in found:
            raise document.error(path, f"{name!r} is there twice")
        found[name] = Feature(name, cast("Dtype", document.one_of(*path, "dtype", known=_DTYPES)))
    if not found:
        raise document.error(("features",), "expected a list of features")
    return tuple(found.values())


def _classes(document: Document, task: str) -> tuple[Label, ...]:
    path, value = ("classes",), document.items("classes", of="classes")
    if task == "regression":
        if value:
            raise document.error(path, "a regression has no classes")
        return ()
    if len(value) < 2:
        raise document.error(path, "expected a list of at least two classes")
    if not all(isinstance(item, bool | int | float | str) for item in value):
        raise document.error(path, "expected numbers or texts")
    if len(set(map(str, value))) < len(value):
        raise document.error(path, "a class is there twice")
    return tuple(value)
