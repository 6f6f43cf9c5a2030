"""The files of a data set: one table, all tables in a folder, or those that a pattern matches.

They are found here, and judged as one.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from functools import partial

from mlctl.data.contracts.compile import compile_contract
from mlctl.data.contracts.contract import Contract
from mlctl.data.contracts.counting import Source
from mlctl.data.contracts.outcome import Verdict
from mlctl.data.contracts.verdict import judge_files
from mlctl.errors import ConfigError

_RESTORE = "restore it with `mlctl data pull`, or correct the path"


def table_files(root: str, contract: Contract) -> list[str]:
    """Paths from `root`, sorted. Raises ConfigError where there is no such file, or no table."""
    from mlctl.adapters.tables import FORMATS

    data = contract.data.rstrip("/")
    path = os.path.join(root, data)
    if os.path.isfile(path):
        return [data]
    if os.path.isdir(path):
        found = [name for name in _walk(path) if name.lower().endswith(FORMATS)]
        missing = f"{contract.data} holds no table (a file that ends in {', '.join(FORMATS)})"
        found = [f"{data}/{name}" for name in found]
    elif glob.has_magic(data):
        names = glob.glob(data, root_dir=root, recursive=True)
        found = [name for name in names if os.path.isfile(os.path.join(root, name))]
        missing = f"no file matches {contract.data}"
    else:
        found, missing = [], f"{contract.data} is not there"
    if not found:
        raise ConfigError(missing, file=contract.file, where="data", hint=_RESTORE)
    return sorted(found)


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
    from mlctl.adapters.tables import parts

    compiled = compile_contract(contract)
    sources = []
    for name in paths:
        path = os.path.join(root, name)
        sources.append(Source(name if len(paths) > 1 else "", path, partial(parts, path)))
    with Spill(temporary) as spill:
        return judge_files(sources, compiled, spill)
