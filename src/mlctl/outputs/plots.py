"""Plots as `dvc.yaml` defines them, with their points from one or several revisions.

What is plotted follows `dvc plots` of DVC 3.67 (dvc/repo/plots, dvc/render/converter/vega.py).
"""

from __future__ import annotations

import csv
import io
import math
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlctl.adapters import yaml
from mlctl.errors import InvalidInput, MlctlError
from mlctl.outputs.trees import Tree
from mlctl.outputs.values import parse

IMAGES = (".svg", ".png", ".jpg", ".jpeg", ".gif")
INDEX = "step"

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Definition:
    """One plot as asked for. `y` are pairs (key of the file, field), the field None for the last.

    `x` is such a pair with the file None where each y has its own file's field, or None for the
    number of the row.
    """

    id: str
    y: tuple[tuple[str, str | None], ...]
    x: tuple[str | None, str] | None = None
    title: str = ""
    x_label: str = ""
    y_label: str = ""
    template: str = "linear"
    header: bool = True


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a plot: the values of a field in a file of a revision; words stay words."""

    rev: str
    path: str
    field: str
    x: tuple[Any, ...]
    y: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that a stage drew."""

    rev: str
    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Plot:
    """A definition with what it shows, and the messages of what could not be read."""

    definition: Definition
    curves: tuple[Curve, ...] = ()
    images: tuple[Image, ...] = ()
    problems: tuple[str, ...] = ()


def plots(trees: Sequence[Tree], targets: Sequence[str] = (), *, cwd: str = "") -> list[Plot]:
    """Every plot of the trees, those of the same id in one.

    `targets` are ids, or files or folders seen from the folder `cwd` (a key). Raises InvalidInput
    for a target that is neither.
    """
    found: dict[str, dict[str, Definition]] = {}
    for tree in trees:
        for definition in definitions(tree):
            found.setdefault(definition.id, {})[tree.name] = definition
    if targets:
        found = _chosen(found, trees, targets, cwd)
    return [_plot(trees, by_tree) for by_tree in found.values()]


def definitions(tree: Tree) -> Iterator[Definition]:
    """The plots of the top-level lists and of the stages' outs; a folder is one for each file."""
    seen: set[str] = set()
    for file in tree.files:
        folder = posixpath.dirname(file.file)
        for entry in file.plots:
            pairs = [(entry, None)] if isinstance(entry, str) else list(dict(entry).items())
            for name, options in pairs:
                for made in _top_level(tree, folder, name, options or {}):
                    seen.add(made.id)
                    yield made
    for stage in tree.stages:
        for out in stage.outs:
            if out.kind == "plot":
                yield from (
                    _of_file(key, out.options) for key in tree.expand(out.key) if key not in seen
                )


def differ(plot: Plot, revisions: Sequence[str]) -> bool:
    """Whether a plot is not the same in all of `revisions`."""
    shown = [
        (
            [(c.path, c.field, repr(c.x), repr(c.y)) for c in plot.curves if c.rev == rev],
            [(i.path, i.data) for i in plot.images if i.rev == rev],
        )
        for rev in revisions
    ]
    return any(one != shown[0] for one in shown)


def _top_level(
    tree: Tree, folder: str, name: str, options: Mapping[str, Any]
) -> Iterator[Definition]:
    if not isinstance(options.get("y"), dict):
        for key in tree.expand(_join(folder, name)):
            yield _of_file(key, options)
        return
    y = tuple(
        (_join(folder, path), field)
        for path, fields in options["y"].items()
        for field in ([fields] if isinstance(fields, str) else fields)
    )
    x: tuple[str | None, str] | None = None
    match options.get("x"):
        case str(field):
            x = None, field
        case dict(by_file) if by_file:
            path, fields = next(iter(by_file.items()))
            x = _join(folder, path), fields if isinstance(fields, str) else fields[0]
    yield _definition(name, y, x, options)


def _of_file(key: str, options: Mapping[str, Any]) -> Definition:
    y = options.get("y")
    fields: Sequence[str | None] = [y] if isinstance(y, str) else y or [None]
    x = (None, options["x"]) if isinstance(options.get("x"), str) else None
    return _definition(key, tuple((key, field) for field in fields), x, options)


def _definition(
    name: str,
    y: tuple[tuple[str, str | None], ...],
    x: tuple[str | None, str] | None,
    options: Mapping[str, Any],
) -> Definition:
    fields = {field for _, field in y}
    shared = next(iter(fields)) if len(fields) == 1 else "y"
    return Definition(
        name,
        y,
        x,
        title=str(options.get("title") or name),
        x_label=str(options.get("x_label") or (x[1] if x else INDEX)),
        y_label=str(options.get("y_label") or shared or ""),
        template=str(options.get("template") or "linear"),
        header=options.get("header") is not False,
    )


def _chosen(
    found: dict[str, dict[str, Definition]],
    trees: Sequence[Tree],
    targets: Sequence[str],
    cwd: str,
) -> dict[str, dict[str, Definition]]:
    chosen: dict[str, dict[str, Definition]] = {}
    for target in targets:
        path = _join(cwd, target)
        named = {
            key: made
            for key, made in found.items()
            if key in (target, path) or key.startswith(path + "/")
        }
        if not named:
            named = {
                key: {tree.name: _of_file(key, {}) for tree in trees}
                for tree in trees
                for key in tree.expand(path)
                if tree.has(key) or key in tree.tracked
            }
        if not named:
            known = ", ".join(list(found)[:10]) or "none"
            raise InvalidInput(f"no plot and no file is called {target!r}", hint=f"plots: {known}")
        chosen.update(named)
    return chosen


def _plot(trees: Sequence[Tree], by_tree: Mapping[str, Definition]) -> Plot:
    """One plot over all trees that define it; the last one's labels count."""
    curves: list[Curve] = []
    images: list[Image] = []
    problems: list[str] = []
    for tree in trees:
        made = by_tree.get(tree.name)
        for path, field in made.y if made else ():
            try:
                if path.lower().endswith(IMAGES):
                    images.append(Image(tree.name, path, tree.read(path)))
                elif made:
                    curves += _curves(tree, made, path, field)
            except MlctlError as error:
                problems.append(str(error))
    definition = list(by_tree.values())[-1]
    return Plot(definition, tuple(curves), tuple(images), tuple(problems))


def _curves(tree: Tree, made: Definition, path: str, field: str | None) -> Iterator[Curve]:
    rows = read_rows(tree.text(path), path, header=made.header)
    if not rows:
        return
    name = field if field is not None else list(rows[0])[-1]
    if not any(name in row for row in rows):
        known = ", ".join(map(str, rows[0]))
        raise InvalidInput(f"{path} of {tree.name} has no field {name!r}", hint=f"it has {known}")
    y = tuple(_number(row.get(name)) for row in rows)
    if made.x is None:
        yield Curve(tree.name, path, name, tuple(range(len(rows))), y)
        return
    x_path, x_field = made.x
    if x_path is not None and x_path != path:
        rows = read_rows(tree.text(x_path), x_path, header=made.header)
    if not any(x_field in row for row in rows):
        raise InvalidInput(f"{x_path or path} of {tree.name} has no field {x_field!r}")
    x = tuple(_number(row.get(x_field)) for row in rows)
    size = min(len(x), len(y))
    yield Curve(tree.name, path, name, x[:size], y[:size])


def read_rows(text: str, key: str, *, header: bool = True) -> Rows:
    """The rows of a CSV or TSV, or of the lists of tables in a JSON or YAML file.

    Several such lists in one file are joined row by row. Raises InvalidInput for another ending.
    """
    suffix = posixpath.splitext(key)[1].lower()
    if suffix in {".csv", ".tsv"}:
        lines = csv.reader(io.StringIO(text), delimiter="\t" if suffix == ".tsv" else ",")
        cells = [line for line in lines if line]
        if not cells:
            return []
        names = cells.pop(0) if header else [str(i) for i in range(len(cells[0]))]
        return [dict(zip(names, line, strict=False)) for line in cells]
    if suffix not in {".json", ".yaml", ".yml"}:
        raise InvalidInput(
            f"{key} cannot be plotted",
            hint=f"plots are .csv .tsv .json .yaml or {' '.join(IMAGES)}",
        )
    rows: Rows = []
    for table in _tables(parse(text, key, yaml.load)):
        rows += [{} for _ in range(len(table) - len(rows))]
        for row, more in zip(rows, table, strict=False):
            row.update(more)
    return rows


def _tables(data: Any) -> Iterator[Rows]:
    """Lists of tables with the same fields, at any depth of tables."""
    if isinstance(data, dict):
        for value in data.values():
            yield from _tables(value)
    elif _is_table(data):
        yield data


def _is_table(data: Any) -> bool:
    if not isinstance(data, list) or not data or not all(isinstance(row, dict) for row in data):
        return False
    return all(row.keys() <= data[0].keys() for row in data)


def _number(value: Any) -> Any:
    """A CSV's text as the number it writes; other words stay as they are."""
    if not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return number if math.isfinite(number) or value.strip().lower() in _SPECIAL else value


_SPECIAL = {"nan", "inf", "-inf", "+inf", "infinity", "-infinity"}


def _join(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))
