r"""`${}` in strings, the merging of vars, foreach and matrix: facts, and DVC as the judge."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlctl.errors import ConfigError
from mlctl.pipeline.template import Parsing, resolve
from mlctl.pipeline.template.command import to_text
from mlctl.pipeline.template.interpolate import has_reference, render
from mlctl.pipeline.template.problem import TemplateError
from mlctl.records.source import Source

SCOPE: dict[str, Any] = {
    "n": 3,
    "s": "foo",
    "yes": True,
    "none": None,
    "pi": 3.14,
    "d": {"f": "g", "deep": {"x": [1, {"y": "z"}]}, "flat": {"x": 1}},
    "l": ["a", ["b", "c"], {"k": "v"}],
    "slash": "\\",
    "open": "\\${s}",
    "चिया": {"a b": 1},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${n}", 3),
        ("${ n }", 3),
        ("${yes}", True),
        ("${none}", None),
        ("${pi}", 3.14),
        ("${d.f}", "g"),
        ("${d[f]}", "g"),
        ("${d.deep.x[1].y}", "z"),
        ("${d[deep][x][0]}", 1),
        ("${l.1.0}", "b"),
        ("${l[-1][k]}", "v"),
        ("${चिया.a b}", 1),
        ("n=${n} s=${s}", "n=3 s=foo"),
        ("${yes}!", "true!"),
        ("${none}!", "None!"),
        ("${s}${s}", "foofoo"),
        (r"\${s}", "${s}"),
        (r"\${s} ${s}", "${s} foo"),
        ("${open}", r"\${s}"),
        ("${open}!", "${s}!"),
        ("${slash}${s}", "\\foo"),
        ("$s $ {s} {s}", "$s $ {s} {s}"),
        ("${\ns}", "${\ns}"),
        ("", ""),
    ],
)
def test_renders_text(text: str, value: Any) -> None:
    rendered = render(text, SCOPE, "scalars")
    assert rendered == value
    assert type(rendered) is type(value)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("${}", 3),
        ("${.n}", 3),
        ("${n.}", 4),
        ("${d..f}", 4),
        ("${l[}", 4),
        ("${l[]}", 4),
        ("${l[0}", 4),
        ("${l]}", 4),
        ("${l[0]a}", 7),
        ("${l.[0]}", 4),
        ("${l[d.f]}", 4),
    ],
)
def test_points_at_what_is_malformed(text: str, position: int) -> None:
    with pytest.raises(TemplateError, match=f"is not a reference: .* at character {position}"):
        render(text, SCOPE, "scalars")


@pytest.mark.parametrize(
    ("text", "named", "hint"),
    [
        ("${m}", "'m'", "known: n, s"),
        ("${d.fg}", "'d.fg'", "did you mean 'd.f'?"),
        ("${d.deep.xx}", "'d.deep.xx'", "did you mean 'd.deep.x'?"),
        ("${deep}", "'deep'", "did you mean 'd.deep'?"),
        ("${n.x}", "'n.x'", None),
        ("${l[7]}", "'l[7]'", None),
        ("${l.k}", "'l.k'", None),
    ],
)
def test_names_what_is_not_there(text: str, named: str, hint: str | None) -> None:
    with pytest.raises(TemplateError) as caught:
        render(f"a {text}", SCOPE, "scalars")
    assert caught.value.message == f"could not find {named}"
    assert hint is None or (caught.value.hint or "").startswith(hint)


def test_says_where_in_a_value_it_failed() -> None:
    with pytest.raises(TemplateError) as caught:
        render({"a": ["x", {"b": "${missing}"}]}, SCOPE, "scalars")
    assert caught.value.path == ("a", 1, "b")
    with pytest.raises(TemplateError) as caught:
        render([{"${n.}": 1}], SCOPE, "scalars")
    assert caught.value.path == (0, "${n.}")


def test_renders_keys_and_leaves_the_rest_alone() -> None:
    value = {"${s}": ["${n}", 1, None, {"k": "a${n}"}], "\\${s}": 1.5}
    assert render(value, SCOPE, "scalars") == {"foo": [3, 1, None, {"k": "a3"}], "${s}": 1.5}


@pytest.mark.parametrize(
    ("text", "allow", "fine"),
    [
        ("${d}", "scalars", False),
        ("${l}", "scalars", False),
        ("a ${d.deep}", "scalars", False),
        ("a ${d.flat}", "mappings", True),
        ("a ${l}", "mappings", False),
        ("${d}", "mappings", True),
        ("${l}", "anything", True),
        ("a ${l}", "anything", True),
    ],
)
def test_lists_and_mappings_stand_only_where_they_may(text: str, allow: Any, fine: bool) -> None:
    if fine:
        render(text, SCOPE, allow)
        return
    with pytest.raises(TemplateError, match="which cannot stand here"):
        render(text, SCOPE, allow)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": "b"}, "--a b"),
        ({"a": True, "b": False}, "--a"),
        ({"a": "x y", "b": "q'd"}, "--a 'x y' --b 'q'\"'\"'d'"),
        ({"a": {"b": {"c": 1}}, "d": {}}, "--a.b.c 1"),
        ({"a": [1, "x y", True, None]}, "--a 1 'x y' True None"),
        ({"a": [], "b": None, "c": ""}, "--b None --c ''"),
        ({}, ""),
    ],
)
def test_writes_mappings_as_arguments(value: Any, text: str) -> None:
    assert to_text(value, Parsing()) == text


def test_writes_arguments_as_configured() -> None:
    value = {"on": True, "off": False, "l": [1, "a b"]}
    assert to_text(value, Parsing("boolean_optional", "append")) == "--on --no-off --l 1 --l 'a b'"


def test_refuses_nested_lists_and_double_names_in_arguments() -> None:
    with pytest.raises(TemplateError, match="list 'a'"):
        to_text({"a": [1, [2]]}, Parsing())
    with pytest.raises(TemplateError, match="comes twice"):
        to_text({"a": {"b": 1}, "a.b": 2}, Parsing())


def test_finds_references_anywhere() -> None:
    assert has_reference({"a": [1, {"${x}": 2}]})
    assert not has_reference({"a": [1, {"\\${x}": "$x {y}"}], 2: None})


TEXT = st.lists(
    st.sampled_from(
        ["${", "}", "n", "s", "d", "l", ".", "f", "[", "]", "0", "-1", " ", "\\", "\t"]
    ),
    max_size=10,
).map("".join)


@settings(max_examples=400, deadline=None)
@given(TEXT | TEXT.map(lambda inner: "${" + inner + "}") | st.text(max_size=20))
def test_renders_any_text_as_dvc_does(text: str) -> None:
    from dvc.exceptions import DvcException
    from dvc.parsing.context import Context
    from dvc.parsing.interpolate import check_expression

    try:
        check_expression(text)
        theirs = Context(SCOPE).resolve_str(text)
    except DvcException:
        with pytest.raises(TemplateError):
            render(text, SCOPE, "anything")
        return
    assert render(text, SCOPE, "anything") == theirs


NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.integers(0, 3), lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=3), max_size=3))
def test_merges_vars_as_dvc_does(layers: list[dict[str, Any]]) -> None:
    from dvc.parsing.context import Context as TheirContext
    from dvc.parsing.context import MergeError

    from mlctl.pipeline.template.context import Context

    theirs: Any = TheirContext()
    try:
        for layer in layers:
            theirs.merge_update(TheirContext(layer))
    except MergeError:
        theirs = None
    if theirs is None:
        with pytest.raises(TemplateError, match="is defined already in 'vars"):
            Context().with_vars(list(layers), "", lambda _: None)
    else:
        ours = Context().with_vars(list(layers), "", lambda _: None)
        assert ours.values == theirs.value


def run(data: dict[str, Any], files: dict[str, Any] | None = None, directory: str = "") -> Any:
    return resolve(
        data,
        source=Source("dvc.yaml"),
        directory=directory,
        read_params=(files or {}).get,
        parsing=Parsing(),
    )


def commands(data: dict[str, Any], files: dict[str, Any] | None = None) -> dict[str, Any]:
    return {stage.name: stage.data["cmd"] for stage in run(data, files).stages}


def test_matrix_and_foreach_name_their_stages() -> None:
    files = {"params.yaml": {"m": [True, {"x": 1}], "one": ["a", 1.50, True, None]}}
    axes = {"os": ["win", "linux"], "v": [3.10, True], "m": "${m}"}
    stages = {
        "b": {"matrix": axes, "cmd": "${item.os} ${item.v} ${key}"},
        "f": {"foreach": "${one}", "do": {"cmd": "${item}"}},
        "g": {"foreach": ["a", 1.50, True, None], "do": {"cmd": "${item}"}},
        "h": {"foreach": "${m}", "do": {"cmd": "x"}},
    }
    found = commands({"stages": stages}, files)
    assert list(found) == [
        *(f"b@win-{v}-{m}" for v in ("3.1", "true") for m in ("True", "m1")),
        *(f"b@linux-{v}-{m}" for v in ("3.1", "true") for m in ("True", "m1")),
        *("f@a", "f@1.5", "f@True", "f@None"),
        *("g@a", "g@1.5", "g@true", "g@None"),
        *("h@0", "h@1"),
    ]  # fmt: skip
    assert found["b@linux-true-m1"] == "linux true linux-true-m1"
    assert found["f@True"] is True


def test_generated_stages_know_their_group_and_place() -> None:
    stages = run(
        {"stages": {"f": {"foreach": ["a"], "do": {"cmd": "x"}}, "p": {"cmd": "y"}}}
    ).stages
    assert [(s.name, s.group, s.path) for s in stages] == [
        ("f@a", "f", ("stages", "f", "do")),
        ("p", None, ("stages", "p")),
    ]


def test_stage_vars_do_not_leak() -> None:
    stages = {
        "a": {"cmd": "${x}", "vars": [{"x": 1}]},
        "b": {"foreach": ["i"], "do": {"cmd": "${item}${x}", "vars": [{"x": 2}]}},
        "c": {"cmd": "${x}"},
    }
    with pytest.raises(ConfigError) as caught:
        commands({"stages": stages})
    assert caught.value.where == "stages.c.cmd"


def test_a_shared_yaml_anchor_is_not_changed_by_merging() -> None:
    shared = {"lr": 1}
    data = {"vars": [{"a": shared, "b": shared}, {"a": {"more": 2}}], "stages": {}}
    data["stages"] = {"s": {"cmd": "${a} ${b}"}}
    assert commands(data) == {"s": "--lr 1 --more 2 --lr 1"}
    assert shared == {"lr": 1}


def test_files_are_looked_for_beside_the_file_and_in_wdir() -> None:
    asked: list[str] = []

    def read(key: str) -> Any:
        asked.append(key)
        return {"w": "inner"} if key == "sub/params.yaml" else {"v": 1}

    data = {
        "vars": ["../other.yaml:v"],
        "stages": {"s": {"cmd": "x", "wdir": "${w}", "vars": ["deep.yaml:v", "../params.yaml"]}},
    }
    with pytest.raises(ConfigError, match="defined already"):
        resolve(data, source=Source("f"), directory="sub", read_params=read, parsing=Parsing())
    assert asked == ["sub/params.yaml", "sub/params.yaml", "other.yaml", "sub/inner/deep.yaml"]


def test_many_generated_stages_resolve_quickly() -> None:
    from time import process_time

    template = {
        "cmd": "python train.py --in ${item.path} --lr ${item.lr} ${item.opts}",
        "deps": ["train.py", "${item.path}/x.csv"],
        "outs": ["out/${key}/model.bin", {"out/${key}/log": {"cache": False}}],
    }
    models = {f"m{i}": {"path": f"data/{i}", "lr": i / 10, "opts": {"a": 1}} for i in range(5000)}
    started = process_time()
    resolved = run(
        {"stages": {"s": {"foreach": "${models}", "do": template}}},
        {"params.yaml": {"models": models}},
    )
    assert len(resolved.stages) == 5000
    assert process_time() - started < 1.5
