"""Contracts from and to the files of other tools: `mlctl data contract import|export`."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mlctl.adapters.files import read_text, write_text
from mlctl.data.contracts import files
from mlctl.data.contracts.contract import parse
from mlctl.data.contracts.render import to_yaml
from mlctl.data.pandera.exporting import Exported, export, to_text
from mlctl.data.pandera.importing import Imported, import_schema
from mlctl.errors import ConfigError, InvalidInput


def import_contract(
    root: str, source: str, *, name: str | None = None, data: str | None = None, force: bool = False
) -> Imported:
    """Write `contracts/<name>.yaml` from pandera's YAML in the file `source`.

    The name is that of the file, the data (from the root) what the schema says, unless given.
    Raises InvalidInput where the contract exists and `force` is off, ConfigError for a file that is
    no schema.
    """
    import yaml

    stem = os.path.basename(source).split(".")[0]
    dataset = name or stem
    file = files.path_of(dataset)
    target = os.path.join(root, file)
    if os.path.exists(target) and not force:
        raise InvalidInput(f"{file} exists", hint="--force replaces it, --name writes another")
    try:
        schema = yaml.safe_load(read_text(source))
    except FileNotFoundError:
        raise InvalidInput(f"{source}: no such file") from None
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        raise ConfigError(f"not valid YAML: {said}", file=source) from None
    if not isinstance(schema, Mapping):
        raise ConfigError("expected a mapping, as pandera writes it", file=source)
    found = import_schema(schema, source=source, file=file, name=dataset, data=data)
    text = to_yaml(found.contract, example=True)
    parse(text, file=file, name=dataset)
    write_text(target, text)
    return found


def export_contract(root: str, dataset: str, *, out: str | None = None) -> tuple[Exported, str]:
    """A contract as pandera's YAML, and its text, which is written to `out` if that is given."""
    (name,) = files.select(root, [dataset])
    contract = parse(files.read(root, name), file=files.path_of(name), name=name)
    exported = export(contract)
    text = to_text(exported)
    if out is not None:
        write_text(out, text)
    return exported, text
