"""What DVC's own tests ask of its templating, as data: files, a pipeline, and what comes of it.

A case is `(files, pipeline, outcome)`: the resolved stages by name, or the message of the error.
Each row is put to the installed DVC as well, so the table cannot be wrong by itself.
"""

from __future__ import annotations

from typing import Any

Case = tuple[dict[str, Any], dict[str, Any], dict[str, Any] | str]

MODELS = {"models": {"bar": "bar", "foo": "foo"}}
SUBS = {"sub1": "sub1", "sub2": "sub2"}
PAIR = {"bar": "bar", "foo": "foo"}
CONTEXT = {"dict": {"foo": "foo", "bar": "bar"}, "list": ["param1", "param2"], "freeze": True}
TEMPLATED = {
    "one": {
        "cmd": "python script.py ${dict.foo} --out ${dict.bar}",
        "outs": ["${dict.bar}"], "deps": ["${dict.foo}"], "frozen": "${freeze}",
    },
    "two": {"cmd": "echo ${dict.foo} ${dict.bar}"},
}  # fmt: skip
RESOLVED = {
    "one": {
        "cmd": "python script.py foo --out bar", "outs": ["bar"], "deps": ["foo"], "frozen": True,
    },
    "two": {"cmd": "echo foo bar"},
}  # fmt: skip
DICT_CMD = {
    "foo": "foo", "bar": 2, "string": "spaced string", "quotes": "quote\"'d", "bool": True,
    "bool-false": False, "list": [1, 2, "foo", "quote\"'d"], "nested": {"foo": "foo"},
}  # fmt: skip
MATRIX = {
    "os": ["win", "linux"], "pyv": [3.7, 3.8], "dict": [{"arg1": 1}, {"arg2": 2}],
    "list": [["out1", "out11"], ["out2", "out22"]],
}  # fmt: skip


def stage(**body: Any) -> dict[str, Any]:
    return {"stages": {"build": {"cmd": "echo", **body}}}


def each(items: Any, **do: Any) -> dict[str, Any]:
    return {"stages": {"build": {"foreach": items, "do": {"cmd": "echo ${item}", **do}}}}


def cmds(**by_key: str) -> dict[str, Any]:
    return {f"build@{key}": {"cmd": cmd} for key, cmd in by_key.items()}


def matrix(axes: Any, cmd: str, text: str) -> Case:
    """Two values on each of four axes; `text` is what the command becomes."""
    found = {}
    for system in ("win", "linux"):
        for version in (3.7, 3.8):
            for d in (0, 1):
                for n in (0, 1):
                    key = f"{system}-{version}-dict{d}-list{n}"
                    parts = {"os": system, "pyv": version, "d": d + 1, "n": n + 1, "key": key}
                    found[f"build@{key}"] = {"cmd": text.format(**parts)}
    return {"params.yaml": MATRIX}, {"stages": {"build": {"matrix": axes, "cmd": cmd}}}, found


ENTRIES: dict[str, Case] = {
    "values of params.yaml": ({"params.yaml": CONTEXT}, {"stages": TEMPLATED}, RESOLVED),
    "values of vars": ({}, {"vars": [CONTEXT], "stages": TEMPLATED}, RESOLVED),
    "values of another file": (
        {"p2.yaml": CONTEXT}, {"vars": ["p2.yaml"], "stages": TEMPLATED}, RESOLVED,
    ),
    "vars and params.yaml are merged": (
        {"params.yaml": {"dict": {"bar": "bar"}}},
        {
            "vars": ["params.yaml", {"dict": {"foo": "foobar"}}],
            **stage(cmd="echo ${dict.foo} ${dict.bar}"),
        },
        {"build": {"cmd": "echo foobar bar"}},
    ),
    "a file of the stage's folder": (
        {"params.yaml": {"dict": {"bar": "bar"}}, "data/params.yaml": {"dict": {"foo": "foo"}}},
        stage(
            cmd="echo ${dict.foo} ${dict.bar}", params=["value1"], wdir="data",
            vars=["params.yaml"],
        ),
        {"build": {"cmd": "echo foo bar", "params": ["value1"], "wdir": "data"}},
    ),
    "a folder that is a template": (
        {
            "params.yaml": {"dict": {"bar": "bar", "ws": "data"}},
            "data/params.yaml": {"dict": {"foo": "foo"}},
        },
        stage(cmd="echo ${dict.foo} ${dict.bar}", wdir="${dict.ws}", vars=["params.yaml"]),
        {"build": {"cmd": "echo foo bar", "wdir": "data"}},
    ),
    "a global file again in a stage": (
        {"params.json": PAIR},
        {
            "vars": ["params.json"],
            **stage(
                cmd="command --value ${bar}", params=[{"params.json": ["foo"]}],
                vars=["params.json"],
            ),
        },
        {"build": {"cmd": "command --value bar", "params": [{"params.json": ["foo"]}]}},
    ),
    "params.yaml again in a stage": (
        {"params.yaml": PAIR},
        stage(cmd="command --value ${bar}", vars=["params.yaml"]),
        {"build": {"cmd": "command --value bar"}},
    ),
    "the same file by another path": (
        {"params.yaml": PAIR},
        {
            "vars": ["params.yaml"],
            **stage(wdir="data", cmd="echo ${bar}", vars=["../params.yaml"]),
        },
        {"build": {"wdir": "data", "cmd": "echo bar"}},
    ),
    "a file of the folder above": (
        {"../params.yaml": MODELS},
        {"vars": ["../params.yaml"], **stage(cmd="echo ${models.bar}")},
        {"build": {"cmd": "echo bar"}},
    ),
    "two files": (
        {"params.yaml": MODELS, "params.json": {"datasets": ["foo", "bar"]}},
        {"vars": ["params.yaml", "params.json"], **stage(cmd="echo ${models.bar} ${datasets[1]}")},
        {"build": {"cmd": "echo bar bar"}},
    ),
    "no params.yaml": (
        {}, {"vars": [PAIR], **stage(cmd="echo ${bar}")}, {"build": {"cmd": "echo bar"}},
    ),
    "no values at all": ({}, stage(), {"build": {"cmd": "echo"}}),
    "empty vars": (
        {"params.yaml": MODELS}, {"vars": [], **stage(cmd="echo ${models.bar}")},
        {"build": {"cmd": "echo bar"}},
    ),
    "a mapping as arguments": (
        {"params.yaml": {"dict": DICT_CMD}},
        stage(cmd="python script.py ${dict}"),
        {
            "build": {
                "cmd": "python script.py --foo foo --bar 2 --string 'spaced string' --quotes "
                "'quote\"'\"'\"'d' --bool --list 1 2 foo 'quote\"'\"'\"'d' --nested.foo foo"
            }
        },
    ),
    "keys of outs are templates": (
        {"params.yaml": {"dct": {"foo": "foobar", "persist": True}}},
        stage(outs=[{"${dct.foo}": {"persist": "${dct.persist}"}}]),
        {"build": {"cmd": "echo", "outs": [{"foobar": {"persist": True}}]}},
    ),
    "keys that are not strings do not count": (
        {"params.yaml": {"one": 1, 3: 3}}, stage(cmd="echo ${3}"), "could not find '3'",
    ),
    "a letter after a dot is missing": (
        {}, {"vars": [MODELS], **stage(cmd="echo ${models.foo.}")}, "unexpected '.'",
    ),
    "a bracket too many": (
        {}, {"vars": [MODELS], **stage(wdir="${models.foo]}")}, "unexpected ']'",
    ),
    "a key that is not there": (
        {}, {"vars": [MODELS], **stage(cmd="echo ${models.foobar}")},
        "could not find 'models.foobar'",
    ),
    "a key in brackets that is not there": (
        {}, {"vars": [MODELS], **stage(wdir="${models[foobar]}")},
        "could not find 'models[foobar]'",
    ),
    "a mapping where text stands": (
        {}, {"vars": [MODELS], **stage(outs=["${models}"])}, "'models' is a mapping",
    ),
    "a list in a list as arguments": (
        {}, {"vars": [{"models": {"list": [1, [2, 3]]}}], **stage(cmd="echo ${models}")},
        "a list inside the list 'list'",
    ),
    "a template in vars": (
        {}, {"vars": ["${file}_params.yaml"], **stage()}, "'vars' cannot use ${}",
    ),
    "a template in the values of vars": (
        {}, {"vars": [{"foo": "${foo}"}, {"bar": "foo"}], **stage()}, "'vars' cannot use ${}",
    ),
    "a template in vars of a stage": (
        {}, stage(vars=["${file}_params.yaml"]), "'vars' cannot use ${}",
    ),
    "a template in the values of vars of a stage": (
        {}, stage(vars=[{"foo": "${foo}"}]), "'vars' cannot use ${}",
    ),
    "a file that is not there": (
        {}, {"vars": ["nothing.yaml"], **stage()}, "nothing.yaml' does not exist",
    ),
    "a file of a stage that is not there": (
        {}, stage(vars=["nothing.yaml"]), "nothing.yaml' does not exist",
    ),
    "a part of a file that is not there": (
        {"p.yaml": SUBS}, {"vars": ["p.yaml:sub3"], **stage()}, "could not find 'sub3'",
    ),
    "a part of a stage's file that is not there": (
        {"p.yaml": SUBS}, stage(vars=["p.yaml:sub3"]), "could not find 'sub3'",
    ),
    "two files with one value": (
        {"params.yaml": MODELS, "params.json": MODELS},
        {"vars": ["params.yaml", "params.json"], **stage()}, "is defined already in",
    ),
    "vars redefine params.yaml": (
        {"params.yaml": MODELS}, {"vars": [MODELS], **stage()}, "is defined already in",
    ),
    "vars redefine vars": (
        {"params.yaml": MODELS}, {"vars": [PAIR, PAIR], **stage()},
        "'bar' of 'vars[1]' is defined already in 'vars[0]'",
    ),
    "vars of a stage redefine": (
        {"params.yaml": MODELS}, stage(vars=[MODELS]),
        "'models.bar' of 'build.vars[0]' is defined already in",
    ),
    "a file of a stage redefines": (
        {"params.yaml": MODELS, "params.json": MODELS}, stage(vars=["params.json"]),
        "is defined already in",
    ),
    "lists are never merged": (
        {"params.yaml": {"lst": [1, 2, 3]}}, {"vars": [{"lst": [10, 11]}], **stage()},
        "'lst' of 'vars[0]' is defined already in",
    ),
    "mappings are merged": (
        {"params.yaml": {"Train": {"us": {"lr": 10}}}},
        {
            "vars": [{"Train": {"us": {"layers": 100}}}],
            **stage(cmd="echo ${Train.us.lr} ${Train.us}"),
        },
        {"build": {"cmd": "echo 10 --lr 10 --layers 100"}},
    ),
}  # fmt: skip

for place in ("global", "local"):
    for entries in (["p.yaml:bar", "p.yaml:foo"], ["p.yaml:foo,bar"], ["p.yaml"], ["p.yaml"] * 2):
        body = stage(cmd="echo ${bar}", **({"vars": entries} if place == "local" else {}))
        pipeline = {"vars": entries, **body} if place == "global" else body
        ENTRIES[f"parts, {place}: {' '.join(entries)}"] = (
            {"p.yaml": PAIR}, pipeline, {"build": {"cmd": "echo bar"}},
        )  # fmt: skip
    for entries in (["p.yaml", "p.yaml:sub1"], ["p.yaml:sub1", "p.yaml"],
                    ["p.yaml:sub1", "p.yaml:sub1,sub2"]):  # fmt: skip
        body = stage(cmd="echo ${sub1}", **({"vars": entries} if place == "local" else {}))
        pipeline = {"vars": entries, **body} if place == "global" else body
        ENTRIES[f"parts twice, {place}: {' '.join(entries)}"] = (
            {"p.yaml": SUBS}, pipeline, "is loaded already",
        )  # fmt: skip

THRESH = {"model1": {"thresh": "foo"}, "model2": {"thresh": "bar"}}
GENERATED: dict[str, Case] = {
    "a list": ({}, each(["foo", "bar"]), cmds(foo="echo foo", bar="echo bar")),
    "a mapping": (
        {}, each({"model1": "foo", "model2": "bar"}, cmd="echo ${key} ${item}"),
        cmds(model1="echo model1 foo", model2="echo model2 bar"),
    ),
    "keys that are numbers": (
        {}, each({2021: {"thresh": "foo"}}, cmd="echo ${key} ${item.thresh}"),
        {"build@2021": {"cmd": "echo 2021 foo"}},
    ),
    "a list of mappings": (
        {}, each([{"thresh": "foo"}, {"thresh": "bar"}], cmd="echo ${item.thresh}"),
        {"build@0": {"cmd": "echo foo"}, "build@1": {"cmd": "echo bar"}},
    ),
    "a list by name": (
        {}, {"vars": [{"models": ["foo", "bar"]}], **each("${models}")},
        cmds(foo="echo foo", bar="echo bar"),
    ),
    "a nested list by name": (
        {},
        {
            "vars": [{"models": {"lst": [{"thresh": 10}, {"thresh": 15}]}}],
            **each("${models.lst}", cmd="echo ${item.thresh}"),
        },
        {"build@0": {"cmd": "echo 10"}, "build@1": {"cmd": "echo 15"}},
    ),
    "values that are templates": (
        {}, {"vars": [{"bar": "bar"}], **each({"model1": "foo", "model2": "${bar}"})},
        cmds(model1="echo foo", model2="echo bar"),
    ),
    "a mapping of two files": (
        {"params.yaml": {"models": {"model1": "foo"}}, "p.yaml": {"models": {"model2": "bar"}}},
        {"vars": ["p.yaml"], **each("${models}")},
        cmds(model1="echo foo", model2="echo bar"),
    ),
    "mappings of two files": (
        {
            "params.yaml": {"models": {"model1": {"thresh": 10}, "model2": {"thresh": 15}}},
            "p.yaml": {"models": {"model1": {"epochs": 5}, "model2": {"epochs": 10}}},
        },
        {"vars": ["p.yaml"], **each("${models}", cmd="echo ${item.thresh} ${item.epochs}")},
        cmds(model1="echo 10 5", model2="echo 15 10"),
    ),
    "folders": (
        {}, each(["foo", "bar"], wdir="${item}", cmd="echo hello"),
        {name: {"cmd": "echo hello", "wdir": name[6:]} for name in ("build@foo", "build@bar")},
    ),
    "vars inside": (
        {}, each(["foo", "bar"], vars=[{"foobar": "foobar"}], cmd="echo ${item} ${foobar}"),
        cmds(foo="echo foo foobar", bar="echo bar foobar"),
    ),
    "a matrix": matrix(
        MATRIX, "echo ${item.os} ${item.pyv} ${item.dict} -- ${item.list.0} ${item.list.1}",
        "echo {os} {pyv} --arg{d} {d} -- out{n} out{n}{n}",
    ),
    "a matrix by name": matrix(
        {axis: f"${{{axis}}}" for axis in MATRIX},
        "echo ${item.os} ${item.pyv} ${item.dict} -- ${item.list.0} ${item.list.1}",
        "echo {os} {pyv} --arg{d} {d} -- out{n} out{n}{n}",
    ),
    "the key of a matrix": matrix(MATRIX, "echo ${key}", "echo {key}"),
    "the key of a matrix by name": matrix(
        {axis: f"${{{axis}}}" for axis in MATRIX}, "echo ${key}", "echo {key}",
    ),
    "a bad template": ({}, each("${syntax.[error}"), "unexpected '.'"),
    "a bad template inside": ({}, each(["foo"], cmd="echo ${syntax.[error}"), "unexpected '.'"),
    "a name that is not there": ({}, each("${modelss}"), "could not find 'modelss'"),
    "a deeper name that is not there": (
        {}, each("${modelss.123}"), "could not find 'modelss.123'",
    ),
    "an item without the key": (
        {}, each([{"thresh": "10"}, {}], cmd="${item.thresh}"),
        "could not find 'item.thresh' (stage 'build@1')",
    ),
    "items without the key": (
        {}, {"vars": [{"foo": "bar"}], **each([{"thresh": "10"}, {}], cmd="${foo.bar}")},
        "could not find 'foo.bar' (stage 'build@0')",
    ),
    "a folder that is not there": (
        {}, {"vars": [{"models": ["foo", "bar"]}], **each("${models}", wdir="${ite}")},
        "could not find 'ite' (stage 'build@foo')",
    ),
    "many folders with files": (
        {
            "params.yaml": {"models": {"model1": {"thresh": "foo"}}},
            **{f"model-{i}/params.yaml": {"train": {"epochs": i}} for i in range(5)},
        },
        each(
            list(range(5)), wdir="model-${item}", vars=["params.yaml:train"],
            cmd="echo ${item} ${train.epochs}",
        ),
        {f"build@{i}": {"wdir": f"model-{i}", "cmd": f"echo {i} {i}"} for i in range(5)},
    ),
}  # fmt: skip

for reference in ("${item.thresh}", "${item[thresh]}"):
    GENERATED[f"a mapping by name: {reference}"] = (
        {"params.yaml": {"models": THRESH}}, each("${models}", cmd=f"echo {reference}"),
        cmds(model1="echo foo", model2="echo bar"),
    )  # fmt: skip
    GENERATED[f"a list of mappings by name: {reference}"] = (
        {"params.yaml": {"models": list(THRESH.values())}},
        each("${models}", cmd=f"echo {reference}"),
        {"build@0": {"cmd": "echo foo"}, "build@1": {"cmd": "echo bar"}},
    )
for text in ("${foo}", "${dct.model1}", "${lst.0}", "foobar"):
    values = {"foo": "bar", "dct": {"model1": "a-out"}, "lst": ["foo", "bar"]}
    GENERATED[f"neither list nor mapping: {text}"] = (
        {}, {"vars": [values], **each(text)}, "expected a list or a mapping, got a string",
    )  # fmt: skip
for part in ("p.yaml", "p.yaml:train", "p.yaml:train,prepare"):
    GENERATED[f"files inside: {part}"] = (
        {"p.yaml": {"train": {"epochs": 10}, "prepare": {"nums": 25}}},
        each(["foo", "bar"], vars=[part], cmd="echo ${item} ${train.epochs}"),
        cmds(foo="echo foo 10", bar="echo bar 10"),
    )
for outer in ({"item": 10, "key": 10}, {"item": 10}, {"key": 5}):
    GENERATED[f"global {' and '.join(outer)} give way"] = (
        {}, {"vars": [outer], **each({"a": 1, "b": 2}, cmd="echo ${item} ${key}")},
        cmds(a="echo 1 a", b="echo 2 b"),
    )  # fmt: skip
for own in ({"item": 5}, {"key": 5}, {"item": 5, "key": 10}, {"item": {"epochs": 10}}):
    for from_file in (False, True):
        GENERATED[f"reserved {own}{' in a file' if from_file else ''}"] = (
            {"p.yaml": own},
            each({"model1": {"thresh": 10}}, vars=["p.yaml" if from_file else own]),
            "foreach and matrix set themselves",
        )

# template, values, what it becomes
_NESTED = {"dict": {"num": 5, "string": "foo", "nested": {"float": 3.14, "string": "bar"}}}
_LIST = {"dict": [{"f": "f"}, {"fo": "fo"}, {"foo": "foo"}, {"foo": ["f", "o", "o"]}]}
_UNICODE = {"नेपाली": {"चिया": ["चि", "या"]}}
TEMPLATES: list[tuple[str, dict[str, Any], Any]] = [
    *[
        (template, {name: value}, value)
        for template, name in (("${value}", "value"), ("${ item }", "item"))
        for value in (True, 12, 3.14, None, False, 0, "0", "123", "Foobar", "", float("inf"), 3e4)
    ],
    (r"\${value}", {}, "${value}"),
    (r"\${ value }", {}, "${ value }"),
    (r"\${ value } days", {}, "${ value } days"),
    (r"Month of \${value}", {}, "Month of ${value}"),
    (r"May the \${value} be with you", {}, "May the ${value} be with you"),
    (
        r"Great shot kid, that was \${value} in a ${value}", {"value": "value"},
        "Great shot kid, that was ${value} in a value",
    ),
    (
        "My name is ${last}, ${first} ${last}", {"first": "James", "last": "Bond"},
        "My name is Bond, James Bond",
    ),
    ("${dict.num}", _NESTED, 5),
    ("${dict.string}", _NESTED, "foo"),
    ("${dict.nested.float}", _NESTED, 3.14),
    ("${dict.nested.string}", _NESTED, "bar"),
    ("Number ${dict.num}", _NESTED, "Number 5"),
    ("${dict[0].f}", _LIST, "f"),
    ("${dict[1].fo}", _LIST, "fo"),
    ("${dict[2].foo}", _LIST, "foo"),
    ("${dict[3].foo[0]}", _LIST, "f"),
    ("${ dict.1.fo}${dict.3.foo.1}bar", _LIST, "foobar"),
    ("${नेपाली.चिया[0]}${नेपाली.चिया[1]}", _UNICODE, "चिया"),
    ("${नेपाली[चिया][0]}${नेपाली[चिया][1]}", _UNICODE, "चिया"),
    ("${enabled}", {"enabled": True}, True),
    ("--flag ${enabled}", {"enabled": True}, "--flag true"),
    ("--flag ${disabled}", {"disabled": False}, "--flag false"),
]  # fmt: skip
