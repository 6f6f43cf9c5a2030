"""Values that several parts of a monitor's file have: paths, tables, durations, lists of names."""

from __future__ import annotations

import re
from typing import TypeVar

from mlctl.monitoring.spec import Where
from mlctl.records.document import Document

T = TypeVar("T")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def text_or(document: Document, default: T, *path: str) -> str | T:
    """The text at `path`, `default` where there is none."""
    return default if document.get(*path) is None else document.text(*path)


def names(document: Document, *path: str) -> tuple[str, ...]:
    """A list of names or globs."""
    listed = document.items(*path, of="names")
    return tuple(document.text(*path, at) for at in range(len(listed)))


def path_of(document: Document, *path: str) -> str:
    """A path that lies in the repository."""
    value = document.text(*path)
    if value.startswith(("/", "~")) or ".." in value.split("/"):
        raise document.error(
            path,
            f"{value!r} lies outside of the repository",
            hint="a path from the root of the repository is expected",
        )
    return value


def where_of(
    document: Document, key: str, *, more: tuple[str, ...] = (), others: tuple[str, ...] = ()
) -> Where:
    """The table that the mapping at `key` names: `path`, `sql` with `url`, or one of `more`.

    `others` are keys of the mapping that say something else.
    """
    kinds = ("path", "sql", *more)
    if key not in {"labels", "reference"}:
        document.keys(key, known=(*kinds, "url", "rev", *others))
    if document.get(key) is None:
        hint = f"write `{key}: {{path: data/….parquet}}`"
        raise document.error((), f"{key!r} is missing", hint=hint)
    given = [kind for kind in kinds if document.get(key, kind) is not None]
    if len(given) > 1:
        raise document.error((key,), f"{' and '.join(given)} exclude one another")
    if not given:
        if key == "labels":
            return Where()
        raise document.error((key,), "'path' is missing")
    if given[0] == "sql":
        if document.get(key, "url") is None:
            hint = 'as in `url: "sqlite:app.db"`, or the name of an environment variable: `$DB_URL`'
            raise document.error((key,), "'url' is missing", hint=hint)
        return Where(sql=document.text(key, "sql"), url=document.text(key, "url"))
    rev = text_or(document, "", key, "rev")
    return Where(path=path_of(document, key, given[0]), log=given[0] == "log", rev=rev)


def duration(document: Document, *path: str, default: float = 0.0) -> float:
    """Seconds: `90s`, `15m`, `12h`, `7d`, `2w`."""
    value = document.get(*path)
    if value is None:
        return default
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise document.wrong(path, "a duration such as 12h or 7d")
    return float(found[1]) * _SECONDS[found[2]]


def positive(document: Document, *path: str) -> float | None:
    """A number above 0, None where there is none."""
    value = document.get(*path)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise document.wrong(path, "a number above 0")
    return float(value)
