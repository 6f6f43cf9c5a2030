"""Reading what a contract says of its splits, of leakage and of personal data. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from mlctl.data.contracts.model import ColumnContract, Contract, Duplicates, Leakage, NearDuplicates
from mlctl.records.document import Document

_LEAKAGE = ("key", "time", "duplicates", "near_duplicates", "target", "labels")


def read_path(document: Document, *path: str) -> str:
    """A path or a glob from the root of the repository, at `path` of the contract."""
    value = document.text(*path)
    if value.startswith("/") or ".." in value.split("/") or "\\" in value:
        raise document.error(path, f"{value!r} is not a path inside of the repository")
    return value


def read_splits(document: Document) -> tuple[tuple[str, str], ...]:
    """The section `splits`. Raises ConfigError for two that are the same, and for one alone."""
    found: dict[str, str] = {}
    for name in document.mapping("splits"):
        if not isinstance(name, str) or not name:
            raise document.error(("splits", str(name)), f"{name!r} is not a text")
        data = read_path(document, "splits", name).rstrip("/")
        if data in found.values():
            raise document.error(("splits", name), f"{data} is another split already")
        found[name] = data
    if len(found) == 1:
        raise document.error(("splits",), "one split alone cannot be held against another")
    return tuple(found.items())


def read_leakage(document: Document, columns: Collection[ColumnContract]) -> Leakage:
    """The section `leakage`. Raises ConfigError with the YAML path of what is wrong."""
    document.keys("leakage", known=_LEAKAGE)
    kinds: dict[str, str] = {column.name: column.type for column in columns}
    found = Leakage(
        key=_names(document, kinds, "leakage", "key"),
        time=_time(document, kinds),
        duplicates=_duplicates(document, kinds),
        near_duplicates=_near_duplicates(document, kinds),
        target=document.share("leakage", "target", above=0.5),
        labels=document.share("leakage", "labels", above=0),
    )
    for name, need in (("key", "splits"), ("time", "splits"), ("labels", "splits")):
        if getattr(found, name) and not document.mapping(need):
            raise document.error(("leakage", name), "is asked between splits, and there are none")
    for name in ("target", "labels"):
        if getattr(found, name) is not None and document.get("label") is None:
            said = "is asked of the label, and none is named"
            raise document.error(("leakage", name), said, hint="write `label: COLUMN`")
    return found


def read_personal(document: Document) -> bool:
    """Whether the contract asks for a scan: `personal: scan`."""
    if document.get("personal") is None:
        return False
    return document.one_of("personal", known=("scan",)) == "scan"


def declared(contract: Contract) -> int:
    """How many checks over many rows a contract declares."""
    said = contract.leakage
    several = (said.key, said.time, said.duplicates, said.near_duplicates, said.target, said.labels)
    return sum(one is not None and one != () for one in several) + contract.scan_personal


def sections(contract: Contract) -> dict[str, Any]:
    """The sections read here as plain data, without what is not said."""
    found: dict[str, Any] = {}
    if contract.splits:
        found["splits"] = dict(contract.splits)
    leakage = {key: _plain(value) for key, value in asdict(contract.leakage).items()}
    if leakage := {key: value for key, value in leakage.items() if value not in (None, [])}:
        found["leakage"] = leakage
    if contract.scan_personal:
        found["personal"] = "scan"
    return found


def _plain(value: Any) -> Any:
    """Tuples as lists; a mapping without empty lists."""
    if isinstance(value, dict):
        items = {key: _plain(item) for key, item in value.items()}
        return {key: item for key, item in items.items() if item != []}
    return list(value) if isinstance(value, tuple) else value


def _names(document: Document, known: Collection[str], *path: str) -> tuple[str, ...]:
    names = document.items(*path, of="columns")
    for index in range(len(names)):
        name = document.text(*path, index)
        if name not in known:
            raise document.error((*path, index), f"{name!r} is not among the columns")
        if name in names[:index]:
            raise document.error((*path, index), f"{name!r} is named twice")
    return tuple(names)


def _time(document: Document, kinds: dict[str, str]) -> str | None:
    path = ("leakage", "time")
    if document.get(*path) is None:
        return None
    name = document.text(*path)
    if name not in kinds:
        raise document.error(path, f"{name!r} is not among the columns")
    if kinds[name] not in {"int", "float", "date", "datetime"}:
        raise document.error(path, f"{name!r} is of type {kinds[name]}, which has no order")
    return name


def _duplicates(document: Document, known: Collection[str]) -> Duplicates | None:
    path = ("leakage", "duplicates")
    value = document.get(*path)
    if value is None:
        return None
    if not isinstance(value, dict):
        return Duplicates(max=document.share(*path) or 0.0)
    document.keys(*path, known=("columns", "max"))
    return Duplicates(
        _names(document, known, *path, "columns"), document.share(*path, "max") or 0.0
    )


def _near_duplicates(document: Document, kinds: dict[str, str]) -> NearDuplicates | None:
    path = ("leakage", "near_duplicates")
    if document.get(*path) is None:
        return None
    document.keys(*path, known=("columns", "similarity", "max"))
    columns = _names(document, kinds, *path, "columns")
    if not columns:
        raise document.error(path, "names no `columns`")
    for index, name in enumerate(columns):
        if kinds[name] == "any":
            said = f"{name!r} is of type any, of which no similarity is known"
            raise document.error((*path, "columns", index), said)
    similarity = document.share(*path, "similarity", above=0.3)
    share = document.share(*path, "max") or 0.0
    return NearDuplicates(columns, 0.9 if similarity is None else similarity, share)
