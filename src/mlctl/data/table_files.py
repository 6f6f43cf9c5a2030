"""The files of a data set: one table, all tables in a folder, or those that a pattern matches.

They are found here, and judged as one.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from functools import partial

from mlctl.adapters.table_formats import FORMATS, is_table
from mlctl.data.contracts.compile import compile_contract
from mlctl.data.contracts.contract import Contract
from mlctl.data.contracts.counting import Source
from mlctl.data.contracts.outcome import Verdict
from mlctl.data.contracts.verdict import judge_files
from mlctl.data.whereabouts import is_pattern
from mlctl.errors import ConfigError

_RESTORE = "restore it with `mlctl data pull`, or correct the path"


def table_files(root: str, contract: Contract) -> list[str]:
    """Paths from `root`, sorted. Raises ConfigError where there is no such file, or no table."""
    return _found(root, contract, contract.data, "data")


def split_files(root: str, contract: Contract, paths: Sequence[str]) -> dict[str, list[str]]:
    """The files of each split, which are among `paths`, those of the data set.

    Raises ConfigError where they are not, and where a file is in two splits.
    """
    found: dict[str, list[str]] = {}
    for name, data in contract.splits:
        where, mine = f"splits.{name}", _found(root, contract, data, f"splits.{name}")
        for path in mine:
            if path not in paths:
                said = f"{path} is not among the files of `data`, {contract.data}"
                hint = "let `data` be the folder or the pattern of all splits"
                raise ConfigError(said, file=contract.file, where=where, hint=hint)
            other = next((split for split, files in found.items() if path in files), None)
            if other is not None:
                raise ConfigError(f"{path} is of {other} already", file=contract.file, where=where)
        found[name] = mine
    return found


def find_tables(root: str, data: str) -> tuple[list[str], str]:
    """The paths from `root` that `data` names, sorted; where there are none, what is missing."""
    data = data.rstrip("/")
    path = os.path.join(root, data)
    if os.path.isfile(path):
        return [data], ""
    if os.path.isdir(path):
        found = [name for name in _walk(path) if is_table(name)]
        missing = f"{data} holds no table (a file that ends in {', '.join(FORMATS)})"
        return sorted(f"{data}/{name}" for name in found), missing
    if is_pattern(data):
        names = glob.glob(data, root_dir=root, recursive=True)
        found = [name for name in names if os.path.isfile(os.path.join(root, name))]
        return sorted(found), f"no file matches {data}"
    return [], f"{data} is not there"


def _found(root: str, contract: Contract, data: str, where: str) -> list[str]:
    found, missing = find_tables(root, data)
    if not found:
        raise ConfigError(missing, file=contract.file, where=where, hint=_RESTORE)
    return found


def _walk(folder: str) -> list[str]:
    """The files of a folder and of those in it, as paths from it, without hidden ones."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inner = os.path.relpath(place, folder).replace(os.sep, "/")
        prefix = "" if inner == "." else f"{inner}/"
        found += [prefix + name for name in names if not name.startswith(".")]
    return found


def judge_tables(root: str, contract: Contract, paths: Sequence[str], temporary: str) -> Verdict:
    """The verdict on the files at `paths`, which are paths from `root`.

    What memory does not hold is put into the folder `temporary`. Raises ConfigError for a contract
    that does not fit itself or a column of `any` type, Busy for files that change meanwhile, and
    OSError for those that cannot be opened and for a full disk.
    """
    from mlctl.adapters.spill import Spill

    compiled = compile_contract(contract)
    with Spill(temporary) as spill:
        return judge_files(sources(root, paths), compiled, spill)


def sources(root: str, paths: Sequence[str]) -> list[Source]:
    """The files at `paths`, which are paths from `root`; one alone needs no name."""
    from mlctl.adapters.tables import parts

    found = []
    for name in paths:
        path = os.path.join(root, name)
        found.append(Source(name if len(paths) > 1 else "", path, partial(parts, path)))
    return found
