"""The quick YAML reader returns what ruamel's YAML 1.2 reader returns: values and types."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from mlctl.adapters import yaml
from mlctl.errors import ConfigError

many = settings(
    max_examples=250,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

DOCUMENT = """# top
vars:
- f.yaml:a,b
- x: {a: 1}
stages:
  a@1:
    cmd: python "x y.py" --lr=${lr} a,b && echo 'hi' # c
    deps: [a.csv, src/x.py]
    params:
    - lr
    - p.yaml:
      - a.b
      -   c
    outs:
      - m.txt:
          cache: false
          desc: |
            long text
             more: x

            end
    meta: {mlctl: 1}
  b:
    foreach: ["a", 'b']
    do:
      cmd:
        - one
          two
        - >-
          folded
          text
      frozen: true
"""
PIECES = [
    *"ab-:#'\"[]{},?|&*!%@`~=<.\\/ 01",
    *[" ", "  ", ": ", ":\n", "\n", "\n  ", "- ", " #c", "|\n", "|-\n", ">\n", "|+\n", "? ", "- -"],
    *["010", "0o7", "0x1f", "1e3", "1.5", ".5", "1_000", "yes", "no", "On", "true", "null", ".inf"],
    *["<<", "2024-01-01", "12:30", "é", "日", "\u00a0", "\t", "\ufeff", "\x85", "\u2028", "\r\n"],
    *["x: y", "x:y", "'a b': c", "[a, b]", "{a: b}", "${a}", "k: v\n", "\n\n", "...", "---", "''"],
]


def same(one: Any, two: Any) -> bool:
    if type(one) is not type(two):
        return False
    if isinstance(one, dict):
        return same(list(one), list(two)) and same(list(one.values()), list(two.values()))
    if isinstance(one, list):
        return len(one) == len(two) and all(map(same, one, two))
    return repr(one) == repr(two)


def agrees(text: str) -> None:
    """Where the quick reader takes the text, ruamel reads the same."""
    if yaml._doubtful(text):
        return
    try:
        quick = yaml._fast_load(text)
    except (yaml.Doubt, UnicodeEncodeError):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert same(quick, yaml._ruamel_load(text, "x", typ="safe")), text


@many
@given(
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join), st.sampled_from(["", "k: ", "- "])
)
@example("|\n#c\n", "")
@example("|\n \n  # d\n", "- ")
def test_odd_documents(text: str, before: str) -> None:
    agrees(before + text)


@many
@given(st.integers(0, len(DOCUMENT)), st.integers(0, 5), st.sampled_from(PIECES))
def test_damaged_documents(at: int, cut: int, piece: str) -> None:
    agrees(DOCUMENT[:at] + piece + DOCUMENT[at + cut :])


@many
@given(
    st.from_regex(
        r"[-+]?[0-9_.oxbeETZ:-]{1,10}|[ynoftNTF][a-zA-Z]{0,4}|[~=<.]{0,3}", fullmatch=True
    )
)
def test_scalars(text: str) -> None:
    agrees(f"- {text}\n")
    agrees(f"k: {text}\n")
    agrees(f"{text}: 1\n")


@many
@given(st.integers() | st.floats() | st.dates() | st.booleans() | st.none() | st.text(max_size=12))
def test_what_is_written_is_read_back(value: Any) -> None:
    text = yaml.dump({"k": [value]})
    assert same(yaml.load(text, name="x"), yaml._ruamel_load(text, "x", typ="safe"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("on", "on"), ("010", 10), ("0o10", 8), ("1e-3", 1e-3), ("1_000", 1000),
        ("12:30", "12:30"), (".inf", float("inf")), ("~", None), ("0b11", 3), ("True", True),
    ],
)  # fmt: skip
def test_yaml_1_2(text: str, value: Any) -> None:
    loaded = yaml.load(f"k: {text}", name="x")["k"]
    assert loaded == value
    assert type(loaded) is type(value)


def test_the_quick_reader_takes_usual_documents() -> None:
    assert not yaml._doubtful(DOCUMENT)
    assert same(yaml._fast_load(DOCUMENT), yaml._ruamel_load(DOCUMENT, "x", typ="safe"))


def test_merge_keys_and_anchors() -> None:
    text = "a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\nc: *a\n"
    assert yaml.load(text, name="x")["b"] == {"x": 1, "y": 2}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "duplicate key"),
        ("a: [1\nb: 2\n", 2, "not valid YAML"),
        ("a:\n\t- b\n", 2, "not valid YAML"),
        ("a: 2024-13-45\n", None, "not valid YAML"),
        ("a: 1\n<<<<<<< ours\nb: 1\n=======\n>>>>>>> theirs\n", 2, "conflict markers"),
        ("- " * 500, None, "nested too deeply"),
    ],
)
def test_errors_name_the_line(text: str, line: int | None, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        yaml.load(text, name="params.yaml")
    assert (caught.value.file, caught.value.line) == ("params.yaml", line)
    assert says in caught.value.message


def test_line_of() -> None:
    assert yaml.line_of(DOCUMENT, ("stages", "a@1", "outs", 0, "m.txt", "cache")) == 16
    assert yaml.line_of(DOCUMENT, ("stages", "a@1", "params", 1)) == 11
    assert yaml.line_of(DOCUMENT, ("stages", "b", "nothing")) == 23
    assert yaml.line_of("a: [", ("a",)) is None


def test_dump_is_dvcs() -> None:
    from dvc.utils.serialize import dumps_yaml

    data = {"z": [1, {"b": "x: y"}], "a": {"t": "word " * 40}, "n": None, "e": [], "s": "a\nb\n"}
    assert yaml.dump(data) == dumps_yaml(data)


def test_round_trip_keeps_comments() -> None:
    text = "# top\na: 1   # one\nb: [x,   y]\n"
    data = yaml.load_roundtrip(text)
    data["a"] = 2
    assert yaml.dump_roundtrip(data) == "# top\na: 2   # one\nb: [x, y]\n"
