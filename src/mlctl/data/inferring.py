"""Writing a first contract for a table: `mlctl data infer`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from mlctl.adapters.files import write_text
from mlctl.data.contracts import files
from mlctl.data.contracts.contract import Contract, parse
from mlctl.data.contracts.infer import infer
from mlctl.data.contracts.render import to_yaml
from mlctl.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Written:
    """The contract that was written, and the size of the table that it was read from."""

    contract: Contract
    rows: int


def infer_contract(
    root: str, data: str, *, name: str | None = None, force: bool = False
) -> Written:
    """Write `contracts/<name>.yaml` for the table `data` (from the root).

    The name is that of the file unless given. Raises InvalidInput where the contract exists and
    `force` is off, and where the table cannot be read or has no columns.
    """
    from mlctl.adapters import tables

    dataset = name or re.sub(r"[^\w-]+", "_", os.path.basename(data).split(".")[0]) or "data"
    file = files.path_of(dataset)
    target = os.path.join(root, file)
    if os.path.exists(target) and not force:
        raise InvalidInput(
            f"{file} exists", hint="--force replaces it, --name writes another contract"
        )
    path = os.path.join(root, data)
    text = tables.is_text(path)
    frame = tables.read(path, text=text)
    if not frame.width:
        raise InvalidInput(f"{data}: a table without columns")
    found = infer(frame, data=data, name=dataset, file=file, text=text)
    content = to_yaml(found)
    parse(content, file=file, name=dataset)  # refuses names of columns that no contract can hold
    write_text(target, content)
    return Written(found.contract, frame.height)
