"""What a contract says, as frozen data. Pure; `contract.parse` makes it, `render` writes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from mlctl.data.contracts import expression
from mlctl.records.source import Source

SCHEMA = "mlctl.contract/1"
Kind = Literal["int", "float", "str", "bool", "date", "datetime", "any"]
Scalar = bool | int | float | str | date | datetime

KINDS: tuple[Kind, ...] = ("int", "float", "str", "bool", "date", "datetime", "any")
ORDERED: tuple[Kind, ...] = ("int", "float", "date", "datetime")
# The rules of a column that may be written with a share of their own, in the order of writing.
TOLERANT = ("unique", "min", "max", "above", "below", "in", "regex", "length")


@dataclass(frozen=True, slots=True)
class Range:
    """How many there may be: both ends are allowed, None is no limit."""

    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True)
class ColumnContract:
    """What one column promises.

    `max_failing` is the share (0 to 1) of rows that may break each rule, unless `tolerances` names
    another for it. `above` and `below` are bounds that are not allowed themselves; `length` counts
    the characters of a text; `max_missing` is the share of missing values that `nullable` allows.
    Values of a `personal` column stay on the machine.
    """

    name: str
    type: Kind
    nullable: bool = False
    unique: bool = False
    min: Scalar | None = None
    max: Scalar | None = None
    values: tuple[Scalar, ...] | None = None
    regex: str | None = None
    max_failing: float = 0.0
    above: Scalar | None = None
    below: Scalar | None = None
    length: Range | None = None
    max_missing: float | None = None
    personal: bool = False
    description: str | None = None
    tolerances: tuple[tuple[str, float], ...] = ()

    def tolerance(self, rule: str) -> float:
        """The share (0 to 1) of all rows that may break `rule`, one of TOLERANT or `nullable`."""
        return dict(self.tolerances).get(rule, self.max_failing)


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """A condition over several columns of a row; rows where it is unknown (null) pass."""

    text: str
    node: expression.Node
    max_failing: float = 0.0
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Freshness:
    """The newest value of `column` (dates and datetimes) is at most `max_age` old."""

    column: str
    max_age: timedelta


@dataclass(frozen=True, slots=True)
class Duplicates:
    """At most the share `max` (0 to 1) of a split's rows repeat an earlier one in `columns`.

    No columns are all of them.
    """

    columns: tuple[str, ...] = ()
    max: float = 0.0


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """The same of rows whose `columns` are similar, from `similarity` (0 to 1) on."""

    columns: tuple[str, ...]
    similarity: float = 0.9
    max: float = 0.0


@dataclass(frozen=True, slots=True)
class Leakage:
    """What rows of one split must not know of another's, and a row of its own label.

    No value of `key` stands in two splits; a split's times in `time` end before the next one
    begins. No column alone tells the label as well as `target` (0 to 1); the labels of no split are
    further from the first one's than `labels` (Jensen-Shannon distance, base 2).
    """

    key: tuple[str, ...] = ()
    time: str | None = None
    duplicates: Duplicates | None = None
    near_duplicates: NearDuplicates | None = None
    target: float | None = None
    labels: float | None = None


@dataclass(frozen=True, slots=True)
class ImagesContract:
    """What a folder of images promises; sizes are in pixels, `max_bytes` of one file.

    `per_folder` counts the images right in each folder that has any; `max_failing` is the share of
    all files that may break each rule.
    """

    count: Range = Range()
    per_folder: Range = Range()
    folders: tuple[str, ...] | None = None
    formats: tuple[str, ...] | None = None
    modes: tuple[str, ...] | None = None
    width: Range = Range()
    height: Range = Range()
    max_bytes: int | None = None
    max_failing: float = 0.0


@dataclass(frozen=True, slots=True)
class Contract:
    """A whole contract; `data` is a path or a glob from the DVC root, as is each of `splits`.

    `splits` are (name, data), the one that a model learns from first; `scan_personal` asks for
    personal data in columns that are not marked as such.

    Exactly one of `columns` and `images` says something. `source` locates what is at fault in
    messages and is no part of the contract.
    """

    name: str
    file: str
    data: str
    columns: tuple[ColumnContract, ...]
    min_rows: int = 0
    max_rows: int | None = None
    key: tuple[str, ...] = ()
    checks: tuple[CrossCheck, ...] = ()
    strict: bool = True
    description: str | None = None
    label: str | None = None
    freshness: Freshness | None = None
    images: ImagesContract | None = None
    splits: tuple[tuple[str, str], ...] = ()
    leakage: Leakage = Leakage()
    scan_personal: bool = False
    source: Source = field(default=Source(""), compare=False, repr=False)

    def column(self, name: str) -> ColumnContract | None:
        """The column called `name`, None where the contract lists none."""
        return next((column for column in self.columns if column.name == name), None)
