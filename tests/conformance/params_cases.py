"""What DVC's own tests ask of parameters: files and what is read of them, and declarations."""

from __future__ import annotations

from typing import Any

_NESTED = "some:\n  path:\n    foo: [val1, val2]\n"
_PYTHON = """\
INT: int = 5
FLOAT = 0.001
STR = 'abc'
BOOL: bool = True
DICT = {'a': 1}
LIST = [1, 2, 3]
SET = {4, 5, 6}
TUPLE = (10, 100)
NONE = None
"""
_KLASS = """\
x = 4
config.x = 3
class Klass:
    def __init__(self):
        self.a = 'val1'
        container.a = 2
        self.container.a = 1
        a = 'val2'
"""
_TRAIN = "class Train:\n    foo = 'val1'\n    bar = 'val2'\n"

# name -> file, its text, the names asked for, what they are (None: the file is refused)
FILES: dict[str, tuple[str, str, tuple[str, ...], dict[str, Any] | None]] = {
    "nested": ("params.yaml", _NESTED, ("some.path.foo",), {"some.path.foo": ["val1", "val2"]}),
    "another suffix is YAML": (
        "parameters.foo", _NESTED, ("some.path.foo",), {"some.path.foo": ["val1", "val2"]},
    ),
    "YAML that is called TOML": ("parameters.toml", _NESTED, ("some.path.foo",), None),
    "not text": ("params.yaml", "\0\1\2\3\4\5\6\7", ("foo",), None),
    "TOML": (
        "parameters.toml", '[some.path]\nfoo = ["val1", "val2"]\n', ("some.path.foo",),
        {"some.path.foo": ["val1", "val2"]},
    ),
    "Python": (
        "parameters.py", _PYTHON,
        ("INT", "FLOAT", "STR", "BOOL", "DICT", "LIST", "SET", "TUPLE", "NONE"),
        {
            "INT": 5, "FLOAT": 0.001, "STR": "abc", "BOOL": True, "DICT": {"a": 1},
            "LIST": [1, 2, 3], "SET": {4, 5, 6}, "TUPLE": (10, 100), "NONE": None,
        },
    ),
    "a value of a class": ("parameters.py", _TRAIN, ("Train.foo",), {"Train.foo": "val1"}),
    "a class": (
        "parameters.py", _TRAIN, ("Train",), {"Train": {"foo": "val1", "bar": "val2"}},
    ),
    "attributes of a class": (
        "parameters.py", _KLASS, ("x", "Klass.a"), {"x": 4, "Klass.a": "val1"},
    ),
    "a name that is not there": ("params.yaml", "bar: baz\n", ("foo",), {}),
    **{
        f"a value that is {value}": ("params.yaml", f"param: {value}\n", ("param",), {"param": it})
        for value, it in (("''", ""), ("false", False), ("[]", []), ("{}", {}), ("null", None))
    },
    "everything": ("params.yaml", "foo: foo\nbar: bar\n", (), {"foo": "foo", "bar": "bar"}),
}  # fmt: skip

# name -> `params` of a stage, the files with their names (None: it is refused)
DECLARED: dict[str, tuple[list[Any], list[tuple[str, tuple[str, ...]]] | None]] = {
    "by file": (
        ["foo", "bar", {"a_file": ["baz", "bat"]}, {"b_file": ["cat"]}, {}, {"a_file": ["foobar"]}],
        [
            ("params.yaml", ("foo", "bar")), ("a_file", ("baz", "bat", "foobar")),
            ("b_file", ("cat",)),
        ],
    ),
    "whole files win": (
        [
            "foo", {"params.yaml": None}, {"a_file": []}, {"b_file": ["baz"]}, {"b_file": ["bat"]},
            {"a_file": ["foobar"]},
        ],
        [("params.yaml", ()), ("a_file", ()), ("b_file", ("baz", "bat"))],
    ),
    "a number": ([3], None),
    "one name that is no list": ([{"b_file": "cat"}], None),
}  # fmt: skip
