"""Reading a contract: `contracts/<dataset>.yaml`.

The format is described in docs/formats/contract.md. Every fault is a ConfigError that names the
YAML path and the line.
"""

from __future__ import annotations

from mlctl.data.contracts import expression, span
from mlctl.data.contracts.checkrules import read_leakage, read_path, read_personal, read_splits
from mlctl.data.contracts.columns import read_columns
from mlctl.data.contracts.contradictions import check_column, check_whole
from mlctl.data.contracts.imagerules import read_images
from mlctl.data.contracts.model import (
    SCHEMA,
    ColumnContract,
    Contract,
    CrossCheck,
    Freshness,
    ImagesContract,
    Kind,
    Range,
    Scalar,
)
from mlctl.records.document import Document

__all__ = [
    "SCHEMA", "ColumnContract", "Contract", "CrossCheck", "Freshness", "ImagesContract", "Kind",
    "Range", "Scalar", "parse", "read",
]  # fmt: skip

_SHARED = ("schema", "data", "description")
_TABLE = (
    "rows", "columns", "key", "checks", "strict", "label", "freshness", "splits", "leakage",
    "personal",
)  # fmt: skip
_CHECK = ("expr", "description", "max_failing")


def parse(text: str, *, file: str, name: str) -> Contract:
    """The contract in `text`. Raises ConfigError with the YAML path and line of what is wrong."""
    return read(Document.parse(text, file=file), file=file, name=name)


def read(document: Document, *, file: str, name: str) -> Contract:
    """The contract that a mapping says; `parse` for what is no text."""
    document.check_schema("contract", 1)
    document.keys(known=(*_SHARED, *_TABLE, "images"))
    if document.get("images") is not None:
        return _images(document, file=file, name=name)
    columns = read_columns(document)
    known = {column.name for column in columns}
    document.keys("rows", known=("min", "max"))
    contract = Contract(
        name=name,
        file=file,
        data=_data_path(document),
        columns=columns,
        min_rows=document.whole("rows", "min", least=0) or 0,
        max_rows=document.whole("rows", "max", least=0),
        key=_key(document, known),
        checks=_checks(document, known),
        strict=document.flag("strict", default=True),
        description=_description(document),
        label=_label(document, known),
        freshness=_freshness(document, known),
        splits=read_splits(document),
        leakage=read_leakage(document, columns),
        scan_personal=read_personal(document),
        source=document.source,
    )
    for column in columns:
        check_column(document, column)
    check_whole(document, contract)
    return contract


def _images(document: Document, *, file: str, name: str) -> Contract:
    for key in _TABLE:
        if document.get(key) is not None:
            raise document.error((key,), f"a contract with `images` has no {key!r}")
    return Contract(
        name=name,
        file=file,
        data=_data_path(document),
        columns=(),
        description=_description(document),
        images=read_images(document),
        source=document.source,
    )


def _data_path(document: Document) -> str:
    return read_path(document, "data")


def _description(document: Document, *path: str | int) -> str | None:
    return document.text(*path, "description") if document.get(*path, "description") else None


def _column_name(document: Document, known: set[str], *path: str | int) -> str:
    name = document.text(*path)
    if name not in known:
        raise document.error(path, f"{name!r} is not among the columns")
    return name


def _key(document: Document, known: set[str]) -> tuple[str, ...]:
    names = document.items("key", of="columns")
    for index, name in enumerate(names):
        _column_name(document, known, "key", index)
        if name in names[:index]:
            raise document.error(("key", index), f"{name!r} is named twice")
    return tuple(names)


def _label(document: Document, known: set[str]) -> str | None:
    return None if document.get("label") is None else _column_name(document, known, "label")


def _freshness(document: Document, known: set[str]) -> Freshness | None:
    if document.get("freshness") is None:
        return None
    document.keys("freshness", known=("column", "max_age"))
    column = _column_name(document, known, "freshness", "column")
    path = ("freshness", "max_age")
    value = document.get(*path)
    age = span.parse(value) if isinstance(value, str) else None
    if age is None:
        raise document.wrong(path, "a span of time", hint=f"for example 2d; {span.UNITS}")
    return Freshness(column, age)


def _checks(document: Document, known: set[str]) -> tuple[CrossCheck, ...]:
    found = []
    for index in range(len(document.items("checks", of="checks"))):
        document.keys("checks", index, known=_CHECK)
        path = ("checks", index, "expr")
        text = document.text(*path)
        try:
            node = expression.parse(text)
        except expression.ExpressionError as error:
            raise document.error(path, str(error)) from None
        used = expression.columns(node)
        missing = sorted(used - known)
        if missing:
            raise document.error(path, f"{missing[0]!r} is not among the columns")
        if not used:
            raise document.error(path, "reads no column", hint="name a column, without quotes")
        share = document.share("checks", index, "max_failing") or 0.0
        found.append(CrossCheck(text, node, share, _description(document, "checks", index)))
    return tuple(found)
