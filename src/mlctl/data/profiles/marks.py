"""What contracts say about a table's columns, as far as a profile needs it.

A column's values may be shown only where each contract on the data lists it and none calls it
personal. Without a contract nothing may be shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, cast

from mlctl.data.contracts import files
from mlctl.data.contracts.contract import Contract, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlctl.data.profiles.column import Kind


@dataclass(frozen=True, slots=True)
class Marks:
    """The columns whose values may be shown, the kinds that columns of text formats are read as,
    the label column, the key that names a row, and the contracts themselves (path -> digest)."""

    shown: frozenset[str] = frozenset()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    label: str | None = None
    key: tuple[str, ...] = ()
    contracts: Mapping[str, str] = field(default_factory=dict)


Contracts = Sequence[tuple[Contract, str]]  # each with the digest of its text


def read_contracts(root: str) -> Contracts:
    """Every contract of the repository. Raises ConfigError for a wrong one."""
    return [parsed(name, files.read(root, name)) for name in files.datasets(root)]


def parsed(name: str, text: str) -> tuple[Contract, str]:
    """The contract of the data set `name` in `text`. Raises ConfigError for a wrong one."""
    digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return parse(text, file=files.path_of(name), name=name), digest


def marks_of(contracts: Contracts, path: str, tables: Sequence[str]) -> Marks:
    """The marks for the data at `path`, whose table files are `tables` (from the root)."""
    on = [(c, digest) for c, digest in contracts if _is_on(c.data, path, tables)]
    if not on:
        return Marks()
    listed = [
        {column.name for column in contract.columns if not column.personal} for contract, _ in on
    ]
    kinds = {
        column.name: cast("Kind", column.type)
        for contract, _ in on
        for column in contract.columns
        if column.type != "any"
    }
    labels = [contract.label for contract, _ in on if contract.label]
    keys = [contract.key for contract, _ in on if contract.key]
    return Marks(
        shown=frozenset(set.intersection(*listed)),
        kinds=kinds,
        label=labels[0] if labels else None,
        key=keys[0] if keys else (),
        contracts={contract.file: digest for contract, digest in on},
    )


def _is_on(data: str, path: str, tables: Sequence[str]) -> bool:
    if data.rstrip("/") == path:
        return True
    return bool(tables) and all(fnmatchcase(table, data) for table in tables)
