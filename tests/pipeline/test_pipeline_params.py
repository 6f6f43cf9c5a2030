"""Params files and the lookup of dotted names."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlctl.adapters import yaml
from mlctl.errors import ConfigError, InvalidInput
from mlctl.pipeline import params


def parse(text: str, suffix: str = ".yaml") -> dict[Any, Any]:
    return params.parse(text, suffix, f"p{suffix}", load_yaml=yaml.load)


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".yaml", "a: 1\nb: {c: yes}\n"),
        (".yml", "a: 1e-3\n"),
        (".foo", "a: [1, 2]\n"),
        (".JSON", '{"a": {"b": [1, null]}}'),
        (".toml", "a = 1\n[b]\nc = 'x'\nd = [1, 2]\n"),
        (".yaml", ""),
        (".json", "{}"),
    ],
)
def test_parses_a_file_as_dvc_does(suffix: str, text: str) -> None:
    from dvc.utils.serialize import PARSERS

    assert parse(text, suffix) == PARSERS[suffix.lower()](text, f"p{suffix}")


PYTHON = (
    "INT: int = 5\nFLOAT = 0.001\nSTR = 'abc'\nBOOL: bool = True\nNONE = None\n",
    "DICT = {'a': 1, 'b': {'c': [1]}}\nLIST = [1, -2]\nSET = {4, 5}\nTUPLE = (10, 100)\n",
    "class Train:\n    foo = 'val1'\n    class Inner:\n        x = 1\n    def y(self): z = 1\n",
    """
x = 4
config.x = 3
class K:
    def __init__(self):
        self.a = 'v'
        container.a = 2
        self.container.a = 1
        a = 'w'
""",
    "a = b = 1\nc, d = 1, 2\ne: int\nf = g()\nh = [i for i in x]\nj = {**k, 'l': 1}\nm = -1\n",
    "n = 1 + 2j\nself.o = 1\nclass P: q, r = 1, 2; s: int = 3\n",
    "if True:\n    a = 1\ndef f():\n    b = 2\nx = f'{a}'\ny = b'1'\n",
)


@pytest.mark.parametrize("text", PYTHON)
def test_reads_python_constants_as_dvc_does(text: str) -> None:
    from dvc.utils.serialize import parse_py

    assert parse(text, ".py") == parse_py(text, "p.py")


@pytest.mark.parametrize(
    ("suffix", "text", "line", "words"),
    [
        (".json", '{\n"a": 1,\n}', 3, "not valid JSON"),
        (".toml", "a = 1\nb = \n", 2, "not valid TOML"),
        (".py", "a = 1\ndef (\n", 2, "not valid Python"),
        (".yaml", "a: 1\nb: [\n", None, "not valid YAML"),
        (".yaml", "- a\n- b\n", None, "expected a mapping of parameters, got a list"),
        (".json", "3", None, "got a number"),
    ],
)
def test_names_file_and_line_of_what_cannot_be_read(
    suffix: str, text: str, line: int | None, words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        parse(text, suffix)
    assert caught.value.file == f"p{suffix}"
    assert caught.value.exit_code == 2
    if line is not None:
        assert caught.value.line == line


def dpath_select(data: Any, names: list[str]) -> dict[str, Any]:
    """What DVC's `read_param_file` does with the loaded data."""
    import dpath

    found = {}
    for name in names:
        try:
            found[name] = dpath.get(data, name, separator=".")
        except KeyError:
            continue
    return found


DATA: dict[Any, Any] = {
    "a": {"b": {"c": 1}, "list": [{"x": 1}, {"x": 2}], "one": {"x": 5}},
    "t": (1, 2),
    "dotted.key": 1,
    "none": None,
    2021: {"y": 1},
    True: "bool",
    1.5: "float",
    "deep": {"er": {"est": 7}},
}


NAMES = """
    a a.b a.b.c a.nothing a.list a.list.0 a.list.1.x a.list.-1.x a.list.2 a.list.x t.0 none
    none.x dotted.key 2021 2021.y True 1.5 .a.b a.b. a..b a.o?e a.[b]*.c a.one.* deep.**
    **.est deep.**.est / a.list.[0].x
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_looks_names_up_as_dvc_does(name: str) -> None:
    try:
        theirs = dpath_select(DATA, [name])
    except ValueError:
        with pytest.raises(InvalidInput, match="stands for"):
            params.select(DATA, [name])
        return
    assert params.select(DATA, [name]) == theirs


PART = st.sampled_from(["a", "b", "0", "1", "-1", "*", "a*", "[ab]", "x"])
TREE = st.recursive(
    st.sampled_from([1, "s", None, True, 0.5]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "ab", "x", "0", 0, 1]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["a", "b", "0"]), TREE, max_size=3),
    st.lists(PART, min_size=1, max_size=3),
)
@example({"a": {"0": 1, 0: 2}}, ["a", "0"])
def test_looks_up_anything_as_dvc_does(data: dict[Any, Any], parts: list[str]) -> None:
    name = ".".join(parts)
    try:
        theirs = dpath_select(data, [name])
    except ValueError:
        with pytest.raises(InvalidInput):
            params.select(data, [name])
        return
    assert params.select(data, [name]) == theirs


def test_no_names_are_the_whole_file() -> None:
    assert params.select({"b": 1, "a": {"c": 2}}, ()) == {"b": 1, "a": {"c": 2}}


def test_keeps_the_order_of_names_and_reports_missing_ones() -> None:
    data = {"a": 1, "b": {"c": 2}}
    assert list(params.select(data, ["b.c", "nope", "a", "b.c"])) == ["b.c", "a"]
    assert params.missing(data, ["b.c", "nope", "a", "b.d", "nope"]) == ("nope", "b.d")
    assert params.missing(data, ()) == ()


@pytest.mark.parametrize(
    ("actual", "locked", "same"),
    [
        ((10, 100), [10, 100], True),
        ((10, 100), [11, 100], False),
        ((10,), {10: "x"}, False),
        ([1], [1], True),
        (1, 1.0, True),
        ("1", 1, False),
        (None, False, False),
        ({"a": (1,)}, {"a": [1]}, False),
    ],
)
def test_compares_values_as_dvc_does(actual: Any, locked: Any, same: bool) -> None:
    assert params.same_value(actual, locked) is same


def test_orders_the_lock_as_dvc_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dvc.dependency import ParamsDependency
    from dvc.repo import Repo
    from dvc.stage import Stage
    from dvc.stage.serialize import _serialize_params_values

    values = {
        "z.json": {"b": 1, "a": {"y": 1, "x": 2}},
        "params.yaml": {"train.lr": 0.1, "a": 1},
        "a.yaml": {"q": 1},
    }
    monkeypatch.chdir(tmp_path)
    Repo.init(no_scm=True).close()
    with Repo() as repo:
        stage = Stage(repo, path=str(tmp_path / "dvc.yaml"), wdir=str(tmp_path))
        deps = [ParamsDependency(stage, path, dict(names)) for path, names in values.items()]
        theirs = _serialize_params_values(deps)
    assert json.dumps(params.in_lock_order(values)) == json.dumps(theirs)
