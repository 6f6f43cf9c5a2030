"""A contract from pandera's YAML: the form of 0.35 and the older one, of pandas and Polars. Pure.

What has no counterpart is not made up and not lost in silence: each is told in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlctl.data.contracts.contract import Contract, read
from mlctl.data.contracts.model import SCHEMA
from mlctl.data.pandera.checks import Column, kind_of, named_checks
from mlctl.records.document import Document
from mlctl.records.source import Source

_TYPES = ("dataframe", "polars_dataframe")
_TOP_PASSED = {  # key -> the value that says nothing
    "coerce": False, "ordered": False, "name": None, "title": None, "dtype": None, "index": None,
    "add_missing_columns": False, "drop_invalid_rows": False, "multiindex": None,
}  # fmt: skip
_COLUMN_PASSED = {"coerce": False, "default": None, "title": None, "drop_invalid_rows": False}
# Sections that pandera has nothing for.
_OWN = ("rows", "label", "freshness", "splits", "leakage", "personal")


@dataclass(frozen=True, slots=True)
class Imported:
    """The contract, and what of the schema it does not say."""

    contract: Contract
    left: tuple[str, ...]


def import_schema(
    schema: Mapping[str, Any], *, source: str, file: str, name: str, data: str | None = None
) -> Imported:
    """The contract that `schema`, read from the file `source`, amounts to.

    `data` is the path of the data where the schema says none. Raises ConfigError for what is no
    schema of a table, and for a contract that cannot be.
    """
    document = Document(Source(source), schema)
    if schema.get("schema_type", "dataframe") not in _TYPES:
        raise document.wrong(("schema_type",), f"one of {', '.join(_TYPES)}")
    own = document.mapping("metadata", "mlctl")
    path = data or own.get("data")
    if path is None:
        hint = "name it with --data"
        raise document.error((), "pandera's YAML does not say which data it is about", hint=hint)
    made = _Made(document, own)
    found = made.contract(str(path))
    contract = read(Document(Source(source), found), file=file, name=name)
    return Imported(contract, tuple(made.left))


@dataclass(slots=True)
class _Made:
    """The contract in the making; `own` is what we wrote ourselves where pandera does not look."""

    document: Document
    own: Mapping[str, Any]
    left: list[str] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)

    def contract(self, data: str) -> dict[str, Any]:
        schema = self.document.data
        strict = schema.get("strict", False)
        if strict == "filter":
            self.left.append("strict: filter: no column is taken away")
        found: dict[str, Any] = {"schema": SCHEMA, "data": data, "strict": strict is True}
        columns = {}
        for name, given in self._columns().items():
            column = self._column(name, given)
            if column is not None:
                columns[name] = column
            else:
                found["strict"] = False
        self._pass_over("", schema, _TOP_PASSED)
        for check, value, _ in named_checks(schema, known_only=False):
            self.left.append(f"checks: {check} {value!r} of whole rows")
        found |= {"columns": columns} | self._key(columns)
        found |= {key: self.own[key] for key in _OWN if key in self.own}
        checks = [*self.own.get("checks", []), *self.checks]
        found |= {"checks": checks} if checks else {}
        if schema.get("description") is not None:
            found["description"] = schema["description"]
        return found

    def _columns(self) -> Mapping[str, Any]:
        """In either form: a mapping, or a list of columns that say their name."""
        given = self.document.get("columns")
        if isinstance(given, list):
            return {str(one.get("name")): one for one in given if isinstance(one, Mapping)}
        return self.document.mapping("columns")

    def _column(self, name: str, given: Any) -> dict[str, Any] | None:
        given = given if isinstance(given, Mapping) else {}
        for key, value, said in (
            ("regex", True, "a pattern of names, not a column: left out"),
            ("required", False, "a column that may be absent: left out"),
        ):
            if given.get(key) is value:
                self.left.append(f"{name}: {said}")
                return None
        kind, doubt = kind_of(given)
        self.left += [f"{name}: {doubt}"] if doubt else []
        column = Column(name, kind)
        for check, value, options in named_checks(given):
            column.add(check, value, options, self._tolerances(name))
        self.left += [f"{name}: {said}" for said in column.left]
        self.checks += column.checks
        self._pass_over(f"{name}: ", given, _COLUMN_PASSED)
        found: dict[str, Any] = {"type": kind, **column.rules}
        for flag in ("nullable", "unique"):
            if given.get(flag):
                found[flag] = True
        if given.get("description") is not None:
            found["description"] = given["description"]
        return self._with_own(name, found)

    def _extra(self, name: str) -> Mapping[str, Any]:
        columns = self.own.get("columns")
        extra = columns.get(name) if isinstance(columns, Mapping) else None
        return extra if isinstance(extra, Mapping) else {}

    def _tolerances(self, name: str) -> Mapping[str, Any]:
        extra = self._extra(name)
        shares = extra.get("tolerances")
        return {
            "": extra.get("max_failing", 0),
            **(shares if isinstance(shares, Mapping) else {}),
        }

    def _with_own(self, name: str, found: dict[str, Any]) -> dict[str, Any]:
        """The column with what we wrote beside it."""
        extra = dict(self._extra(name))
        tolerances = extra.pop("tolerances", {})
        found |= extra
        for rule, share in tolerances.items():
            if rule == "length" and "length" in found:
                found["length"] = {**found["length"], "max_failing": share}
            elif rule in found:
                found[rule] = {"value": found[rule], "max_failing": share}
        return found

    def _key(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        given = self.document.get("unique")
        names = [given] if isinstance(given, str) else list(given or [])
        loose = [
            name for name in names if columns.get(name, {}).get("nullable", name not in columns)
        ]
        if loose:
            self.left.append(f"unique: {', '.join(names)}: {loose[0]} may be missing: no key")
            return {}
        return {"key": names} if names else {}

    def _pass_over(self, place: str, given: Mapping[str, Any], plain: Mapping[str, Any]) -> None:
        for key, nothing in plain.items():
            if given.get(key, nothing) not in (nothing, None):
                self.left.append(f"{place}{key}: {given[key]!r} has no counterpart")
