"""A record comes to its place whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mlctl.adapters.files import remove_tree, sync, write_bytes, write_text
from mlctl.errors import InvalidInput
from mlctl.experiments.environment import environment_digest
from mlctl.records.run import RunHead, head_text, run_folder
from mlctl.records.ulid import is_ulid
from mlctl.store.state import make_local_dir

HEAD = "run.json"


def publish_record(root: str, head: RunHead, parts: Mapping[str, str | bytes]) -> str:
    """Write the record of `head` with the files `parts`, by their names in it; the folder's key.

    Raises InvalidInput as `new_record` does.
    """
    with new_record(root, head.id) as folder:
        for name, content in parts.items():
            data = content.encode() if isinstance(content, str) else content
            write_bytes(folder / name, data)
        write_text(folder / HEAD, head_text(head))
    return run_folder(head.id)


@contextmanager
def new_record(root: str, run_id: str) -> Iterator[Path]:
    """A folder for the files of a record, which takes its place when the block ends well.

    It is made under `.mlctl` and renamed, so a killed process leaves a whole record or none.
    Raises InvalidInput where the id is no ULID or has a record already: one is never written twice.
    """
    if not is_ulid(run_id):
        raise InvalidInput(f"{run_id!r} is no id of a run: it must be a ULID")
    key = run_folder(run_id)
    if os.path.lexists(os.path.join(root, key)):
        raise InvalidInput(f"{key} exists already; a record is never written twice")
    local = os.path.join(root, ".mlctl")
    make_local_dir(local)
    temporary = Path(local, "tmp", f"run-{run_id}-{os.getpid()}")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        _take_place(temporary, Path(root, key))
    except BaseException:
        remove_tree(temporary)
        raise


def write_environment(root: str, text: str) -> str:
    """Keep the text of an environment, once for all runs that had it; its `sha256:…`."""
    digest = environment_digest(text)
    path = Path(root, "runs", "_env", f"{digest}.txt")
    if not path.exists():
        write_text(path, text)
    return f"sha256:{digest}"


def _take_place(temporary: Path, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    sync(temporary)
    os.rename(temporary, folder)
    sync(folder.parent)
