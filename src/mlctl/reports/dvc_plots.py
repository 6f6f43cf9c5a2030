"""DVC's plot definitions, drawn: `x`, `y`, `template`, `title`, `x_label`, `y_label`, `header`.

The meaning of the options is DVC's (its guide "Visualizing plots", and dvc-render's templates):
without `y` the last field of the first row is taken, without `x` the number of the row; `bar_*`
templates have the value on `x` and the name on `y`; a template of a user's own is drawn as a line.
"""

from __future__ import annotations

import csv
import io
import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlctl.reports.markup import Html
from mlctl.reports.plots import Series, bars, heat, lines, scatter

Row = Mapping[str, Any]
TABLES = (".csv", ".tsv", ".json", ".yaml", ".yml")
IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".svg")
SORTED_BARS = "bar_horizontal_sorted"


@dataclass(frozen=True, slots=True)
class Definition:
    """One plot: its id as written in the `dvc.yaml` of `folder`, or the path of an out."""

    id: str
    options: Mapping[str, Any] = field(default_factory=dict)
    folder: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """The keys of the files that it is drawn from."""
        named = [self.options.get(axis) for axis in ("y", "x")]
        found = [path for axis in named if isinstance(axis, Mapping) for path in axis]
        if not isinstance(named[0], Mapping):
            found.insert(0, self.id)
        return tuple(dict.fromkeys(self.key(path) for path in found))

    @property
    def title(self) -> str:
        return str(self.options.get("title") or self.id)

    def key(self, path: str) -> str:
        """The key of a path of this definition."""
        return posixpath.normpath(posixpath.join(self.folder, str(path)))


def definitions(plots: Sequence[Any], folder: str) -> Iterator[Definition]:
    """The definitions in the top-level `plots` of a `dvc.yaml`, which has been validated."""
    for entry in plots:
        if isinstance(entry, str):
            yield Definition(entry, {}, folder)
        elif isinstance(entry, Mapping):
            for name, options in entry.items():
                yield Definition(str(name), options or {}, folder)


def parse_separated(text: str, *, tabs: bool, header: bool = True) -> list[Row]:
    """The rows of CSV or TSV; without a header the fields are called `0`, `1`, `2`…"""
    reader = csv.reader(io.StringIO(text), delimiter="\t" if tabs else ",")
    rows = [row for row in reader if row]
    if not rows:
        return []
    names = rows[0] if header else [str(at) for at in range(len(rows[0]))]
    return [dict(zip(names, row, strict=False)) for row in (rows[1:] if header else rows)]


def rows_of(data: Any) -> list[Row]:
    """The rows in parsed JSON or YAML: its lists of alike mappings, side by side."""
    result: list[dict[str, Any]] = []
    for found in _lists(data):
        if found and all(isinstance(item, Mapping) for item in found):
            for at, item in enumerate(found):
                if at == len(result):
                    result.append({})
                result[at].update(item)
    return list(result)


def draw(definition: Definition, tables: Mapping[str, Sequence[Row]]) -> Html:
    """The plot; `tables` has the rows of each of `definition.files`.

    Raises ValueError, saying what, where a field is missing or two files do not fit together.
    """
    options = definition.options
    template = str(options.get("template") or "linear").removesuffix(".json")
    curves = _curves(definition, tables)
    if not any(curve.y for curve in curves):
        raise ValueError("no rows to plot")
    x_label = str(options.get("x_label") or _common({c.x_field for c in curves}, "x") or "step")
    y_label = str(options.get("y_label") or _common({c.y_field for c in curves}, "y"))
    title = definition.title
    if template.startswith("confusion"):
        return _confusion(curves[0], x_label, y_label, title, template == "confusion_normalized")
    if template.startswith("bar_horizontal"):
        pairs = [(str(y), _number(x) or 0.0) for x, y in zip(curves[0].x, curves[0].y, strict=True)]
        if template == SORTED_BARS:
            pairs.sort(key=lambda pair: -pair[1])
        names, values = [name for name, _ in pairs], [value for _, value in pairs]
        return bars(names, values, value_label=x_label, title=title)
    if template.startswith("scatter"):
        clouds = [Series(c.name, c.numbers("x"), c.numbers("y")) for c in curves]
        return scatter(clouds, x_label=x_label, y_label=y_label, title=title)
    return _lines(curves, x_label, y_label, title)


@dataclass(frozen=True, slots=True)
class _Curve:
    """The values of one `y` field of one file, and of the `x` that goes with them."""

    name: str
    x_field: str
    y_field: str
    x: Sequence[Any]
    y: Sequence[Any]

    def numbers(self, axis: str) -> list[float | None]:
        return [_number(value) for value in (self.x if axis == "x" else self.y)]


def _common(fields: set[str], otherwise: str) -> str:
    return fields.pop() if len(fields) == 1 else otherwise


def _curves(definition: Definition, tables: Mapping[str, Sequence[Row]]) -> list[_Curve]:
    ys = list(_fields(definition, "y"))
    if not ys:
        key = definition.files[0]
        last = list(tables[key][0])[-1] if tables[key] else ""
        ys = [(key, last)]
    xs = list(_fields(definition, "x"))
    if len(xs) not in {0, 1, len(ys)}:
        raise ValueError(f"{len(xs)} x and {len(ys)} y data sources do not fit together")
    several_files = len({key for key, _ in ys}) > 1
    curves = []
    for at, (key, y_field) in enumerate(ys):
        y = _values(tables, key, y_field)
        x_key, x_field = xs[at if len(xs) > 1 else 0] if xs else ("", "")
        if not x_key and x_field:
            x_key = key
        x = _values(tables, x_key, x_field) if x_field else list(range(len(y)))
        if len(x) != len(y):
            raise ValueError(f"{x_key} has {len(x)} rows, {key} has {len(y)}")
        name = f"{key}: {y_field}" if several_files else y_field
        curves.append(_Curve(name, x_field, y_field, x, y))
    return curves


def _fields(definition: Definition, axis: str) -> Iterator[tuple[str, str]]:
    """(file key, field) of an axis; an `x` given as a name alone has no file of its own."""
    value = definition.options.get(axis)
    if isinstance(value, Mapping):
        for path, names in value.items():
            for name in names if isinstance(names, list) else [names]:
                yield definition.key(path), str(name)
    elif value is not None:
        key = definition.files[0] if axis == "y" else ""
        for name in value if isinstance(value, list) else [value]:
            yield key, str(name)


def _values(tables: Mapping[str, Sequence[Row]], key: str, name: str) -> list[Any]:
    rows = tables.get(key, ())
    if rows and name not in rows[0]:
        raise ValueError(f"{key} has no field {name!r}; there are: {', '.join(map(str, rows[0]))}")
    return [row.get(name) for row in rows]


def _lines(curves: Sequence[_Curve], x_label: str, y_label: str, title: str) -> Html:
    numeric = all(_number(x) is not None for curve in curves for x in curve.x)
    if not numeric:
        names = list(dict.fromkeys(str(x) for curve in curves for x in curve.x))
        place = {name: float(at) for at, name in enumerate(names)}
        named = [Series(c.name, [place[str(x)] for x in c.x], c.numbers("y")) for c in curves]
        return lines(named, x_label=x_label, y_label=y_label, x_names=names, title=title)
    series = []
    for curve in curves:
        pairs = zip(curve.numbers("x"), curve.numbers("y"), strict=True)
        ordered = sorted(pairs, key=lambda pair: pair[0] or 0.0)
        series.append(Series(curve.name, [x for x, _ in ordered], [y for _, y in ordered]))
    return lines(series, x_label=x_label, y_label=y_label, title=title)


def _confusion(curve: _Curve, x_label: str, y_label: str, title: str, normalized: bool) -> Html:
    """How often each pair of values occurs; normalized, as shares of its row."""
    cells = Counter((str(y), str(x)) for x, y in zip(curve.x, curve.y, strict=True))
    columns = sorted({x for _, x in cells}, key=_natural)
    rows = sorted({y for y, _ in cells}, key=_natural)
    if set(rows) & set(columns):  # classes on both axes: a square, also where one never occurs
        rows = columns = sorted({*rows, *columns}, key=_natural)
    counts = [[float(cells[row, column]) for column in columns] for row in rows]
    if normalized:
        counts = [[value / (sum(row) or 1.0) for value in row] for row in counts]
    return heat(
        rows, columns, counts, x_label=x_label, y_label=y_label, title=title, percent=normalized
    )


def _natural(name: str) -> tuple[int, float, str]:
    value = _number(name)
    return (1, 0.0, name) if value is None else (0, value, name)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _lists(data: Any) -> Iterator[list[Any]]:
    if isinstance(data, list):
        yield data
    elif isinstance(data, Mapping):
        for value in data.values():
            yield from _lists(value)
