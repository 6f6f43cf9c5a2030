"""Whether a table has what a model reads: a pure check of column names and kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from mlctl.models.description import Feature

_ACCEPTED = {"float": {"float", "int"}, "int": {"int"}, "bool": {"bool"}, "str": {"str"}}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What breaks the signature, all at once; `extra` columns break nothing."""

    missing: tuple[str, ...] = ()
    wrong: tuple[tuple[str, str, str], ...] = ()  # column, wanted, found
    extra: tuple[str, ...] = ()
    close: tuple[tuple[str, str], ...] = ()  # a missing column, and one that looks like it

    @property
    def fits(self) -> bool:
        return not (self.missing or self.wrong)

    def message(self) -> str:
        """Every fault, a line each."""
        similar = dict(self.close)
        lines = [
            f"column {name!r} is missing"
            + (f" (there is {similar[name]!r})" if name in similar else "")
            for name in self.missing
        ]
        lines += [f"column {n!r} is {found}, not {wanted}" for n, wanted, found in self.wrong]
        return "\n".join(lines)


def check(features: Sequence[Feature], columns: Mapping[str, str | None]) -> Mismatch:
    """Compare `features` with `columns`: name -> kind (`int float bool str date datetime`).

    A kind of None stands for a type that no feature can have; `text` for a column of a format
    without types, which is judged value by value when it is read.
    """
    wanted = {feature.name: feature.dtype for feature in features}
    missing = tuple(name for name in wanted if name not in columns)
    extra = tuple(name for name in columns if name not in wanted)
    wrong = tuple(
        (name, dtype, columns[name] or "of another type")
        for name, dtype in wanted.items()
        if name in columns and columns[name] != "text" and columns[name] not in _ACCEPTED[dtype]
    )
    found = {name: get_close_matches(name, extra, n=1) for name in missing}
    close = tuple((name, matches[0]) for name, matches in found.items() if matches)
    return Mismatch(missing, wrong, extra, close)
