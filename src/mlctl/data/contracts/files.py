"""The contract files of a repository: `contracts/<dataset>.yaml`."""

from __future__ import annotations

import os
from collections.abc import Sequence

from mlctl.adapters.files import read_text
from mlctl.errors import InvalidInput, suggestion

FOLDER = "contracts"


def path_of(dataset: str) -> str:
    """The contract of `dataset`, from the root. Raises InvalidInput for a name that is no file."""
    if not dataset or dataset.startswith(".") or "/" in dataset or "\\" in dataset:
        raise InvalidInput(f"{dataset!r} cannot be the name of a dataset")
    return f"{FOLDER}/{dataset}.yaml"


def datasets(root: str) -> list[str]:
    """The names of all datasets with a contract, sorted."""
    try:
        entries = os.listdir(os.path.join(root, FOLDER))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(
        entry.removesuffix(".yaml")
        for entry in entries
        if entry.endswith(".yaml") and not entry.startswith(".")
    )


def select(root: str, wanted: Sequence[str]) -> list[str]:
    """`wanted`, or every dataset where none is named. Raises InvalidInput for an unknown one."""
    known = datasets(root)
    if not known:
        raise InvalidInput(
            f"there is no contract in {FOLDER}/",
            hint="`mlctl data infer DATA` writes a first one",
        )
    for name in wanted:
        if name not in known:
            raise InvalidInput(f"no contract is called {name!r}", hint=suggestion(name, known))
    return list(dict.fromkeys(wanted)) or known


def read(root: str, dataset: str) -> str:
    """The text of a dataset's contract."""
    file = path_of(dataset)
    return read_text(os.path.join(root, file), name=file)
