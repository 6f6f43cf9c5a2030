"""Writing a first contract for a table, and widening one for new data: `mlctl data infer`."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlctl.adapters.files import write_text
from mlctl.data.contracts import files
from mlctl.data.contracts.contract import Contract, parse
from mlctl.data.contracts.infer import INTRO, Inferred, infer
from mlctl.data.contracts.render import to_yaml
from mlctl.data.table_files import judge_tables, table_files
from mlctl.errors import ConfigError, InvalidInput

if TYPE_CHECKING:
    import polars as pl

    from mlctl.data.contracts.widening import Broken, Change

_ROUNDS = 4  # a column is judged further once its type fits


@dataclass(frozen=True, slots=True)
class Written:
    """The contract that was written, and the size of the table that it was read from."""

    contract: Contract
    rows: int


@dataclass(frozen=True, slots=True)
class Updated:
    """What `--update` found: the edited text as a unified diff, what changed, and what was left."""

    contract: Contract
    diff: str
    changes: tuple[Change, ...]
    left: tuple[Change, ...]
    written: bool


def infer_contract(
    root: str, data: str, *, name: str | None = None, force: bool = False
) -> Written:
    """Write `contracts/<name>.yaml` for the table `data` (from the root).

    The name is that of the file unless given. Raises InvalidInput where the contract exists and
    `force` is off, and where the table cannot be read or has no columns.
    """
    dataset = name or _name_of(data)
    file = files.path_of(dataset)
    target = os.path.join(root, file)
    if os.path.exists(target) and not force:
        raise InvalidInput(
            f"{file} exists",
            hint="--update widens it for this data, --force replaces it, --name writes another",
        )
    found = _inferred(root, data, dataset)
    content = to_yaml(found.contract, {"": INTRO, **found.notes}, example=True)
    parse(content, file=file, name=dataset)  # refuses names of columns that no contract can hold
    write_text(target, content)
    return Written(found.contract, found.rows)


def update_contract(
    root: str, data: str, *, name: str | None = None, write: bool = False
) -> Updated:
    """What must change in a contract so that the table `data` (from the root) keeps it.

    The contract is the one called `name`, else the one about `data`, else the one with the name of
    the file. The file itself changes only with `write`. Raises InvalidInput where there is none,
    ConfigError where the file is written in a way that cannot be edited.
    """
    from mlctl.data.contracts.editing import CannotEdit
    from mlctl.data.contracts.facts import survey
    from mlctl.data.contracts.widening import widen

    dataset = name or _dataset_of(root, data)
    files.select(root, [dataset])
    file = files.path_of(dataset)
    before = text = files.read(root, dataset)
    contract = first = parse(text, file=file, name=dataset)
    if contract.images is not None:
        raise InvalidInput(f"{file} is about images; `--update` is for tables")
    paths = _paths(root, data, file)
    lazy, is_text = _scanned(root, paths)
    wanted = {column.name: column.type for column in contract.columns if column.type != "any"}
    with _readable(data):
        facts = {item.name: item for item in survey(lazy, text=is_text, wanted=wanted)}
    rows = next(iter(facts.values())).rows if facts else 0
    changes: list[Change] = []
    left: tuple[Change, ...] = ()
    for _ in range(_ROUNDS):
        broken = _broken(root, paths, contract)
        try:
            widened = widen(text, contract, facts, broken, rows)
        except CannotEdit as error:
            raise ConfigError(f"cannot be edited: {error}", file=file) from None
        text, left = widened.text, widened.left
        contract = parse(text, file=file, name=dataset)
        changes += widened.changes
        if not widened.changes:
            break
    if write and text != before:
        write_text(os.path.join(root, file), text)
    return Updated(first, _diff(before, text, file), tuple(changes), left, write and bool(changes))


def _inferred(root: str, data: str, dataset: str) -> Inferred:
    file = files.path_of(dataset)
    lazy, text = _scanned(root, _paths(root, data, file))
    with _readable(data):
        found = infer(lazy, data=data, name=dataset, file=file, text=text)
    if not found.contract.columns:
        raise InvalidInput(f"{data}: a table without columns")
    return found


def _paths(root: str, data: str, file: str) -> list[str]:
    """The files of `data`, from the root: itself, those of a folder, or those that it matches."""
    about = Contract(name="", file=file, data=data, columns=())
    return table_files(root, about)


def _scanned(root: str, paths: Sequence[str]) -> tuple[pl.LazyFrame, bool]:
    """The rows of all files, one after the other, and whether all of them come as text."""
    import polars as pl

    from mlctl.adapters import tables

    text = all(map(tables.is_text, paths))
    lazy = [tables.scan(os.path.join(root, path), text=text) for path in paths]
    return (lazy[0] if len(lazy) == 1 else pl.concat(lazy, how="diagonal_relaxed")), text


@contextmanager
def _readable(data: str) -> Iterator[None]:
    """What Polars raises inside on a file that does not parse, as InvalidInput."""
    import polars as pl

    from mlctl.adapters import tables

    try:
        yield
    except pl.exceptions.PolarsError as error:
        raise tables.unreadable(data, error) from None


def _broken(root: str, paths: Sequence[str], contract: Contract) -> list[Broken]:
    from mlctl.data.contracts.widening import Broken

    verdict = judge_tables(root, contract, paths, os.path.join(root, ".mlctl", "tmp"))
    found = [Broken(f.column, f.check.split()[0], f.check) for f in verdict.failures]
    return list(dict.fromkeys(found))  # a rule that several files break is one


def _name_of(data: str) -> str:
    return re.sub(r"[^\w-]+", "_", os.path.basename(data).split(".")[0]) or "data"


def _dataset_of(root: str, data: str) -> str:
    """The dataset whose contract is about `data`; the name of the file where there is none."""
    for dataset in files.datasets(root):
        contract = parse(files.read(root, dataset), file=files.path_of(dataset), name=dataset)
        if contract.data == data:
            return dataset
    return _name_of(data)


def _diff(before: str, after: str, file: str) -> str:
    """The unified diff that `git apply` takes."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"a/{file}",
        f"b/{file}",
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
