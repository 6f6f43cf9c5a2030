"""Changes of `monitors/mutes.yaml`: a mute more, a mute less; comments stay."""

from __future__ import annotations

import json
import os
from pathlib import Path

from mlctl.adapters import files
from mlctl.errors import InvalidInput
from mlctl.monitoring.alarms.mutes import FILE, Mute, load, parse

StrPath = str | os.PathLike[str]
_HEAD = "# What is known and need not be told again. A mute ends with the periods before `until`.\n"


def add(root: StrPath, mute: Mute) -> None:
    """Append a mute. Raises ConfigError where the file, or the mute itself, is wrong."""
    path = Path(root, FILE)
    before = files.read_text(path, name=FILE) if path.is_file() else ""
    if not before.strip():
        before = f"{_HEAD}schema: mlctl.mutes/1\nmutes:\n"
    elif not load(root).entries:
        lines = [line for line in before.splitlines() if not line.startswith("mutes:")]
        before = "\n".join([*lines, "mutes:", ""])
    fields = (
        ("monitor", mute.monitor), ("column", mute.column), ("from", mute.since),
        ("until", mute.to), ("reason", mute.reason), ("by", mute.by),
    )  # fmt: skip
    shown = ", ".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in fields if value
    )
    after = before.rstrip("\n") + f"\n  - {{{shown}}}\n"
    parse(after)
    files.write_text(path, after)


def remove(root: StrPath, number: int) -> Mute:
    """Take the mute `number` (from 1, as `mute --ls` shows them) out of the file.

    Raises InvalidInput where there is none of this number, or it cannot be cut out by lines.
    """
    entries = load(root).entries
    if not 1 <= number <= len(entries):
        raise InvalidInput(f"there is no mute {number}", hint="see `mlctl monitor mute --ls`")
    text = files.read_text(Path(root, FILE), name=FILE)
    lines = text.splitlines()
    starts = [at for at, line in enumerate(lines) if line.lstrip().startswith("- ")]
    if len(starts) != len(entries):
        raise InvalidInput(
            f"{FILE}: its entries do not stand on lines of their own", hint="edit it"
        )
    begin = starts[number - 1]
    end = starts[number] if number < len(starts) else len(lines)
    rest = lines[:begin] + [
        line for line in lines[begin + 1 : end] if line.lstrip().startswith("#")
    ]
    rest += lines[end:]
    after = "\n".join(rest) + "\n"
    if len(entries) == 1:
        after = after.replace("mutes:\n", "mutes: []\n")
    kept = parse(after).entries
    if [*kept] != [e for at, e in enumerate(entries, 1) if at != number]:
        raise InvalidInput(f"{FILE}: the mute cannot be cut out by lines", hint="edit the file")
    files.write_text(Path(root, FILE), after)
    return entries[number - 1]
