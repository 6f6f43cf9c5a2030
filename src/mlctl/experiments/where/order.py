"""What `exp ls --sort` means, as an order in SQL over the tables of the index."""

from __future__ import annotations

from collections.abc import Mapping

from mlctl.errors import InvalidInput
from mlctl.experiments.where.fields import Field, UnknownField, find_field


def order(sort: str, names: Mapping[str, int]) -> str:
    """The order that `sort` asks for: `metrics.auc`, or with `-` or `:desc` the greatest first.

    Runs that lack the field come last, and the newest first among equals. Raises InvalidInput.
    """
    name, down = sort.removeprefix("-"), sort.startswith("-")
    for end in (":desc", ":asc"):
        if name.endswith(end):
            name, down = name.removesuffix(end), end == ":desc"
    try:
        found = find_field(name, names)
    except UnknownField as error:
        raise InvalidInput(f"--sort: {error.message}", hint=error.hint) from None
    word = "DESC" if down else "ASC"
    columns = _sorted_by(found, names)
    orders = [f"{column} IS NULL, {column} {word}" for column in columns]
    if len(columns) > 1:  # a number comes before a text, and a text before nothing
        orders.insert(0, f"coalesce({', '.join(columns)}) IS NULL")
    return f"{', '.join(orders)}, run.id DESC"


def _sorted_by(found: Field, names: Mapping[str, int]) -> list[str]:
    """The expressions in SQL of a field: its column, or its number and its text."""
    if found.kind != "value":
        return [found.column]
    numbers = [names[name] for name in found.names if name in names]
    columns = []
    for column in ("number", "text"):
        each = [
            f"(SELECT {column} FROM value WHERE name = {number} AND run = run.number)"
            for number in numbers
        ]
        columns.append(f"coalesce({', '.join(each)})" if len(each) > 1 else each[0])
    return columns
