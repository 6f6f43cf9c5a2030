"""Random pipelines and what is done to them, as plain data that prints as code.

A `Case` is drawn whole; its indices are taken modulo what there is, so that every draw means
something and a failing one shrinks. `pipelines` makes files of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

FILES = ("dvc.yaml", "dvc.yaml", "sub/dvc.yaml", "sub/deep/dvc.yaml")
FOLDERS = (
    "", "", "parts", "sub", "sub/deep", "out put", "déjà/vu", "parts/deep", "parts/deep/er",
)  # fmt: skip
DEP_FOLDERS = ("parts", "parts", "parts/deep", "parts/deep/er")  # stages read them whole
NAMES = ("o{n}.txt", "o{n}.txt", "ü {n}", "-dash{n}", ".hidden{n}", "o{n} [x]#", "O'{n}")
FORMS = ("and", "lines", "list")
SHAPES = ("plain", "plain", "plain", "vars", "foreach list", "foreach dict", "matrix")
KINDS = (
    "file", "file", "file", "folder", "tool", "tool folder", "metric", "plot", "persist",
    "uncached", "empty",
)  # fmt: skip
OPTIONS = ("push", "remote", "labels", "type", "desc", "meta")
FLAGS = ("frozen", "always_changed", "desc", "meta", "outside")
VARS = ("",) * 5 + ("inline", "file", "part", "params", "both")
PARAMS = ("lr", "nested.deep", "words", "p.json:x", "p.json:y.z", "p.toml:", "p.py:Train.epochs")
CONFIGS = ("", "", "", "hardlink", "symlink", "copy", "without git", "cache elsewhere")
CHANGES = (
    "nothing", "append", "param", "command", "remove out", "damage out", "touch", "lose object",
    "lose entry", "lose lock", "fail early", "fail late", "add dep", "drop dep", "edit word",
    "executable", "damage object",
)  # fmt: skip
RUNS = (
    "all", "all", "all", "force", "single", "downstream", "target", "keep going", "no commit",
    "no run-cache", "pipeline", "default", "force single", "allow missing",
)  # fmt: skip


@dataclass(frozen=True)
class OutSpec:
    folder: str = ""
    name: str = "o{n}.txt"
    kind: str = "file"
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class StageSpec:
    file: str = "dvc.yaml"
    wdir: str | None = None
    deps: tuple[int, ...] = ()
    folder_dep: str = ""
    params: tuple[str, ...] = ()
    outs: tuple[OutSpec, ...] = ()
    form: str = "and"
    shape: str = "plain"
    flags: tuple[str, ...] = ()
    rank: int = 0  # where it stands in its file
    vars: str = ""


@dataclass(frozen=True)
class Edit:
    change: str = "nothing"
    which: int = 0
    run: str = "all"
    target: int = 0


@dataclass(frozen=True)
class Case:
    stages: tuple[StageSpec, ...] = ()
    tracked: tuple[int, ...] = ()  # which sources are `.dvc` files
    config: str = ""
    edits: tuple[Edit, ...] = ()


def draw(random: Random, edits: int = 4) -> Case:
    """A case with two to `edits` edits."""
    return Case(
        tuple(_stage(random) for _ in range(random.randint(1, 6))),
        tuple(random.sample(range(4), random.randint(0, 2))),
        random.choice(CONFIGS),
        tuple(_edit(random) for _ in range(random.randint(2, edits))),
    )


def numbered(seed: int, number: int, edits: int = 4) -> Case:
    """Case `number` of `seed`: the same on every machine."""
    return draw(Random(f"{seed}/{number}"), edits)


def _stage(random: Random) -> StageSpec:
    flags = random.sample(FLAGS + ("",) * 12, random.randint(0, 2))
    return StageSpec(
        random.choice(FILES),
        random.choice((None, None, None, "", "sub", "parts", "out put")),
        tuple(random.randint(0, 15) for _ in range(random.randint(0, 3))),
        random.choice(("",) * 2 * len(DEP_FOLDERS) + DEP_FOLDERS),
        tuple(random.sample(PARAMS, random.randint(0, 2))),
        tuple(_out(random) for _ in range(random.randint(0, 3))),
        random.choice(FORMS),
        random.choice(SHAPES),
        tuple(flag for flag in flags if flag),
        random.randint(0, 9),
        random.choice(VARS),
    )


def _out(random: Random) -> OutSpec:
    options = random.sample(OPTIONS, random.choice((0, 0, 1, 2)))
    return OutSpec(
        random.choice(FOLDERS), random.choice(NAMES), random.choice(KINDS), tuple(options)
    )


def _edit(random: Random) -> Edit:
    return Edit(
        random.choice(CHANGES), random.randint(0, 20), random.choice(RUNS), random.randint(0, 20)
    )
