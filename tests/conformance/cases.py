"""Random pipelines and what is done to them, as plain data that prints as code.

A `Case` is drawn whole; its indices are taken modulo what there is, so that every draw means
something and a failing one shrinks. `pipelines` makes files of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

FILES = ("dvc.yaml", "dvc.yaml", "sub/dvc.yaml", "sub/deep/dvc.yaml")
FOLDERS = ("", "", "parts", "sub", "sub/deep", "out put", "déjà/vu")
NAMES = ("o{n}.txt", "o{n}.txt", "ü {n}", "-dash{n}", ".hidden{n}", "o{n} [x]#", "O'{n}")
FORMS = ("and", "lines", "list")
SHAPES = ("plain", "plain", "plain", "vars", "foreach list", "foreach dict", "matrix")
KINDS = ("file", "file", "file", "folder", "tool", "metric", "plot", "persist", "uncached", "empty")
FLAGS = ("frozen", "always_changed", "desc", "meta", "outside")
PARAMS = ("lr", "nested.deep", "words", "p.json:x", "p.json:y.z", "p.toml:", "p.py:Train.epochs")
CONFIGS = ("", "", "", "hardlink", "symlink", "without git", "cache elsewhere")
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


@dataclass(frozen=True)
class StageSpec:
    file: str = "dvc.yaml"
    wdir: str | None = None
    deps: tuple[int, ...] = ()
    folder_dep: bool = False
    params: tuple[str, ...] = ()
    outs: tuple[OutSpec, ...] = ()
    form: str = "and"
    shape: str = "plain"
    flags: tuple[str, ...] = ()
    rank: int = 0  # where it stands in its file


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


def cases(edits: int = 4, configs: tuple[str, ...] = CONFIGS) -> st.SearchStrategy[Case]:
    outs = st.builds(
        OutSpec, st.sampled_from(FOLDERS), st.sampled_from(NAMES), st.sampled_from(KINDS)
    )
    stages = st.builds(
        StageSpec,
        st.sampled_from(FILES),
        st.sampled_from((None, None, None, "", "sub", "parts", "out put")),
        st.lists(st.integers(0, 15), max_size=3).map(tuple),
        st.integers(0, 4).map(lambda n: n == 4),
        st.lists(st.sampled_from(PARAMS), max_size=2, unique=True).map(tuple),
        st.lists(outs, max_size=3).map(tuple),
        st.sampled_from(FORMS),
        st.sampled_from(SHAPES),
        st.lists(st.sampled_from(FLAGS * 1 + ("",) * 12), max_size=2, unique=True).map(tuple),
        st.integers(0, 9),
    )
    one_edit = st.builds(
        Edit,
        st.sampled_from(CHANGES),
        st.integers(0, 20),
        st.sampled_from(RUNS),
        st.integers(0, 20),
    )
    return st.builds(
        Case,
        st.lists(stages, min_size=1, max_size=6).map(tuple),
        st.lists(st.integers(0, 3), max_size=2, unique=True).map(tuple),
        st.sampled_from(configs),
        st.lists(one_edit, min_size=min(2, edits), max_size=edits).map(tuple),
    )
