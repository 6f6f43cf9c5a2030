"""The record of a profile, `mlctl.profile/1`: docs/formats/profile.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from mlctl.data.profiles.column import Column
from mlctl.data.profiles.form import from_dict, to_dict
from mlctl.data.profiles.record import SCHEMA, DataRef, damaged, load
from mlctl.records.canonical import plain


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a table, or of a folder: then `listing` is relpath -> digest.

    `tables` is how many files of a folder make the table (1 for a file), and `rows` None where
    there is none. `contracts` are those that say which columns may be shown (path -> digest), and
    `label` is the column that they call so.
    """

    data: DataRef
    rows: int | None = None
    tables: int = 0
    columns: tuple[Column, ...] = ()
    listing: Mapping[str, str] | None = None
    contracts: Mapping[str, str] = field(default_factory=dict)
    label: str | None = None


def profile_text(profile: Profile) -> str:
    """The JSON as it is committed: a line for each column and each file."""
    parts = [f' "schema": "{SCHEMA}"', f' "data": {_compact(asdict(profile.data))}']
    if profile.contracts:
        parts.append(f' "contracts": {_compact(dict(sorted(profile.contracts.items())))}')
    if profile.label is not None:
        parts.append(f' "label": {_compact(profile.label)}')
    if profile.rows is not None:
        parts += [f' "rows": {profile.rows}', f' "tables": {profile.tables}']
        lines = ",\n".join(f"  {_compact(to_dict(column))}" for column in profile.columns)
        parts.append(f' "columns": [\n{lines}\n ]' if lines else ' "columns": []')
    if profile.listing is not None:
        pairs = sorted(profile.listing.items())
        lines = ",\n".join(f"  {_compact(name)}: {_compact(md5)}" for name, md5 in pairs)
        parts.append(f' "files": {{\n{lines}\n }}' if lines else ' "files": {}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def parse_profile(text: str, *, name: str) -> Profile:
    """The profile in `text`; `name` is its file. Raises ConfigError for none, or a newer one."""
    data, ref = load(text, name=name)
    try:
        rows = data.get("rows")
        columns = tuple(from_dict(column, rows or 0) for column in data.get("columns", ()))
        listing = data.get("files")
        return Profile(
            data=ref,
            rows=rows,
            tables=data.get("tables", 0),
            columns=columns,
            listing=None if listing is None else {str(k): str(v) for k, v in listing.items()},
            contracts=dict(data.get("contracts", {})),
            label=data.get("label"),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(name, error) from None


def _compact(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
