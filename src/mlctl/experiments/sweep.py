"""A small sweep: every combination of some parameters' values is a run with its own record.

The runs go one after another in the workspace. The parameter files are put back at the end. What
they were is kept on disk meanwhile: where a sweep was killed, the next one puts them back.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from mlctl.adapters.files import read_text, remove_file, try_hold, write_text
from mlctl.errors import Busy, InvalidInput
from mlctl.pipeline.override import edited, split_file, write_texts
from mlctl.pipeline.project import Project
from mlctl.pipeline.setvalue import split_values
from mlctl.records.canonical import pretty
from mlctl.store.state import make_local_dir

MOST = 1000  # combinations
_KEPT, _LOCK = "sweep.json", "sweep.lock"  # in the folder of local state

Texts = Mapping[str, str]  # path of a parameter file -> its text


@dataclass(frozen=True, slots=True)
class Combination:
    """One run of a sweep: its overrides, and the name that says what is special of it."""

    name: str
    overrides: tuple[str, ...]


def combinations(settings: Sequence[str], name: str | None = None) -> list[Combination]:
    """All combinations of the values in `settings`, `[FILE:]KEY=VALUE,VALUE…`; the last setting
    varies first. `name` begins the name of each. Without settings it is one run as things are.

    Raises InvalidInput for what is no override, and for too many combinations.
    """
    choices = [_choices(setting) for setting in settings]
    count = 1
    for choice in choices:
        count *= len(choice)
    if count > MOST:
        raise InvalidInput(f"these are {count} combinations; a sweep has at most {MOST}")
    swept = [at for at, choice in enumerate(choices) if len(choice) > 1] or range(len(choices))
    return [
        Combination(" ".join(filter(None, [name, _values(chosen, swept)])), chosen)
        for chosen in itertools.product(*choices)
    ]


def prepared(project: Project, found: Sequence[Combination]) -> list[Texts]:
    """The parameter files of each combination, worked out before anything is written or run."""
    return [edited(project, combination.overrides) for combination in found]


@contextmanager
def alone(local_dir: str) -> Iterator[list[str]]:
    """No other sweep begins here before the block ends. Gives the parameter files that were put
    back since a sweep was killed. Raises Busy where one is under way.
    """
    make_local_dir(local_dir)
    handle = os.open(os.path.join(local_dir, _LOCK), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not try_hold(handle):
            raise Busy("another sweep is under way here", hint="wait for it to end")
        yield _put_back(local_dir)
    finally:
        os.close(handle)


@contextmanager
def borrowed(local_dir: str, files: Iterable[str]) -> Iterator[Callable[[Texts], None]]:
    """The parameter `files` are as they were when the block ends, however it does.

    Gives the function that writes those of one combination. To be used within `alone`.
    """
    before = {path: read_text(path) for path in files}
    kept = os.path.join(local_dir, _KEPT)

    def try_out(texts: Texts) -> None:
        write_text(kept, pretty({"before": before, "after": {**before, **texts}}))
        write_texts({**before, **texts})

    try:
        yield try_out
    finally:
        write_texts(before)
        remove_file(kept)


def _put_back(local_dir: str) -> list[str]:
    """What a killed sweep has left in the parameter files gives way to what was there before; what
    somebody has edited since stays. The files.
    """
    kept = os.path.join(local_dir, _KEPT)
    if not os.path.exists(kept):
        return []
    data = json.loads(read_text(kept))
    back = {
        path: text
        for path, text in data["before"].items()
        if os.path.exists(path) and read_text(path) == data["after"][path] != text
    }
    write_texts(back)
    remove_file(kept)
    return list(back)


def _choices(setting: str) -> list[str]:
    """The overrides that a setting with several values stands for."""
    split_file(setting)  # refuses what is no override
    key, equals, values = setting.partition("=")
    if not equals:
        return [setting]
    return [f"{key}={value}" for value in split_values(values, setting)]


def _values(chosen: Sequence[str], swept: Iterable[int]) -> str:
    """`train.lr=0.1,seed=2`: those of the parameters that have several values."""
    return ",".join(split_file(chosen[at])[1].lstrip("+") for at in swept)
