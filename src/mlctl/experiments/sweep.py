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
from mlctl.experiments.table import short_names
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

    Gives the function that writes those of one combination. To be used within `alone`. What
    somebody edits meanwhile stays as they left it, and Busy is raised.
    """
    before = {path: read_text(path) for path in files}
    kept = os.path.join(local_dir, _KEPT)
    ours = dict(before)

    def try_out(texts: Texts) -> None:
        _refuse(_edited(ours))
        written = {**before, **texts}
        write_text(kept, pretty({"before": before, "after": written}))
        write_texts(written)
        ours.update(written)

    theirs: list[str] = []
    try:
        yield try_out
    finally:
        theirs = _edited(ours)
        write_texts({path: text for path, text in before.items() if path not in theirs})
        remove_file(kept)
    _refuse(theirs)


def _edited(ours: Texts) -> list[str]:
    """The files that are no longer as we wrote them."""
    return [p for p, text in ours.items() if not os.path.exists(p) or read_text(p) != text]


def _refuse(edited: Sequence[str]) -> None:
    if edited:
        raise Busy(
            f"{os.path.basename(edited[0])} was edited while the sweep ran, and stays as it is now",
            hint="the runs until then have their records: `mlctl exp ls`",
        )


def _put_back(local_dir: str) -> list[str]:
    """What a killed sweep has left in the parameter files gives way to what was there before; what
    somebody has edited since stays. The files.
    """
    kept = os.path.join(local_dir, _KEPT)
    if not os.path.exists(kept):
        return []
    data = json.loads(read_text(kept))
    theirs = _edited(data["after"])
    back = {p: text for p, text in data["before"].items() if p not in theirs}
    write_texts(back)
    remove_file(kept)
    return [path for path, text in back.items() if text != data["after"][path]]


def _choices(setting: str) -> list[str]:
    """The overrides that a setting with several values stands for."""
    split_file(setting)  # refuses what is no override
    key, equals, values = setting.partition("=")
    if not equals:
        return [setting]
    return [f"{key}={value}" for value in split_values(values, setting)]


def _values(chosen: Sequence[str], swept: Iterable[int]) -> str:
    """`lr=0.1,seed=2`: the parameters that have several values, by as short names as will do."""
    settings = [split_file(chosen[at])[1].lstrip("+") for at in swept]
    keys = [setting.partition("=")[0] for setting in settings]
    short = short_names(keys)
    return ",".join(
        short[key] + setting.removeprefix(key) for key, setting in zip(keys, settings, strict=True)
    )
