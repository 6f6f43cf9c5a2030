"""What we read of a `dvc.yaml` or `.dvc` file is what DVC itself reads of it."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlctl.errors import ConfigError
from mlctl.pipeline.load import Parsing, load_dvc_file, load_pipeline_file
from mlctl.pipeline.spec import Stage
from mlctl.pipeline.template import resolve
from mlctl.records.source import Source

PARAMS = """\
n: 3
f: 1.50
yes: true
no: false
none: null
name: model
path: data/in
weird: "quote\\"'d $HOME \\\\${name}"
lst: [1, two, true, null, 2.0]
dicts: [{a: 1, b: {c: x}}, {a: 2, b: {c: y}}]
models:
  first: {lr: 0.1, layers: [1, 2], deep: true, shallow: false}
  second: {lr: 1e-3, layers: [], deep: false, shallow: true}
2021: {dropped: 1}
years: {2021: a, y22: b}
empty: {}
"""

STAGES = "stages:\n"


def stage(text: str) -> str:
    return "stages:\n  s:\n    " + text.strip().replace("\n", "\n    ") + "\n"


FORMS: dict[str, str] = {
    "plain": stage("cmd: echo"),
    "cmd list": stage("cmd: ['a ${n}', 'b ${name}']"),
    "cmd lines": stage("cmd: |\n  one ${n}\n  two"),
    "types in text": stage("cmd: run ${n} ${f} ${yes} ${no} ${none} ${name}"),
    "escapes": stage(r"cmd: 'a \${n} ${n} $n $${n} \\${n} \\\${n} ${weird}'"),
    "blanks": stage("cmd: a ${ n } ${ models . first . lr } ${lst[ 0 ]} ${dicts[1].b[c]}"),
    "negative index": stage("cmd: a ${lst[-1]} ${lst.-2} ${dicts.0.a}"),
    "no reference": stage("cmd: a $ {n} $() $n ${ \\${n"),
    "dict in cmd": stage("cmd: run ${models.first} -- ${dicts[0]} ${empty}"),
    "paths": stage(
        "cmd: x\nwdir: sub/../${path}\ndeps: [a, ./b, c//d, ../e, ../../../f, /tmp/abs, 'a:b', a]\n"
        "outs: [o1, o2/]"
    ),
    "wdir up": stage("cmd: x\nwdir: ..\ndeps: [a]\nouts: [b]"),
    "urls": stage("cmd: x\ndeps: [https://host.example/x, ds://thing]"),
    "params": stage(
        "cmd: x\nparams: [n, models.first, n, {p.json: [a, b]}, {p.json: [c]}, "
        "{q.toml: }, {q.toml: [x]}]"
    ),
    "params whole default": stage("cmd: x\nparams: [n, {params.yaml: }, f, {r.yaml: []}, {}]"),
    "params templates": stage("cmd: x\nparams: ['${name}.lr', {'${path}.yaml': ['${name}']}]"),
    "outs options": stage(
        "cmd: x\nouts: [a, {b: {cache: false, persist: true}}, {c: {push: false, desc: d, type: t, "
        "labels: [l], meta: {k: v}}}, {b: {desc: again}}, {d: {checkpoint: true}}]"
    ),
    "outs templates": stage("cmd: x\nouts: [{'${name}.txt': {cache: false}}, '${path}/o']"),
    "metrics and plots": stage(
        "cmd: x\nplots: [p.csv, {q.csv: {x: a, y: b, header: false, cache: false, "
        "title: '${name}'}}]\n"
        "metrics: [{m.json: {cache: false}}]\nouts: [o]"
    ),
    "merged outs": stage("cmd: x\nouts: [a, a, {a: {cache: false}}]"),
    "frozen": stage("cmd: x\nfrozen: true\nalways_changed: true\ndesc: d ${n}\nmeta: {a: '${n}'}"),
    "stage vars": stage("cmd: x ${own} ${q.a}\nvars: [{own: 1}, 'vars.yaml:q']"),
    "stage vars wdir": stage("cmd: x ${deep}\nwdir: sub\nvars: [v.yaml]"),
    "vars again": "vars: [params.yaml, vars.yaml]\n" + stage("cmd: ${q.a}x\nvars: [vars.yaml]"),
    "vars merge": "vars: [{models: {third: {lr: 5}}}]\n" + stage("cmd: x ${models.third}"),
    "vars parts": "vars: ['vars.yaml:q', 'vars.yaml:z,']\n" + stage("cmd: x ${q.a} ${z}"),
    "foreach list": stage("foreach: [a, 1, true, null, 1.0, '1']\ndo: {cmd: 'x ${item}'}"),
    "foreach dict": stage("foreach: {a: 1, 2: b, '2': c, true: d}\ndo: {cmd: 'x ${key} ${item}'}"),
    "foreach context list": stage("foreach: ${lst}\ndo: {cmd: 'x ${item}', outs: ['o${item}']}"),
    "foreach context dict": stage("foreach: ${models}\ndo: {cmd: 'x ${key} ${item.lr} ${item}'}"),
    "foreach dropped keys": stage("foreach: ${years}\ndo: {cmd: 'x ${key}'}"),
    "foreach dicts": stage("foreach: ${dicts}\ndo: {cmd: 'x ${item.a} ${item.b.c}'}"),
    "foreach mixed": stage("foreach: [a, {b: 1}, '${n}']\ndo: {cmd: x}"),
    "foreach references": stage(
        "foreach: ['${yes}', true, '${none}', '${n}x']\ndo: {cmd: 'x ${item}'}"
    ),
    "foreach nested": stage(
        "foreach: {a: {v: '${n}', w: ['${f}']}}\ndo: {cmd: 'x ${item.v} ${item.w[0]}'}"
    ),
    "foreach wdir vars": stage(
        "foreach: [sub, data]\ndo: {wdir: '${item}', vars: [v.yaml], cmd: 'x ${deep}', deps: [a]}"
    ),
    "foreach empty": stage("foreach: []\ndo: {cmd: 'x ${nothing}'}"),
    "foreach with matrix inside": stage("foreach: [a]\ndo: {cmd: x, matrix: {x: [1]}}"),
    "item in the context": "vars: [{item: 7, key: 8}]\n"
    + stage("foreach: [a]\ndo: {cmd: 'x ${item} ${key}'}")
    + "  t: {cmd: 'y ${item}'}\n",
    "matrix": stage("matrix: {os: [a, b], v: [1, true, 2.0]}\ncmd: x ${item.os} ${item.v} ${key}"),
    "matrix context": stage(
        "matrix: {m: '${lst}', d: '${dicts}'}\ncmd: x ${item.m} ${item.d.a} ${key}"
    ),
    "matrix of keys": stage("matrix: {m: '${models}'}\ncmd: x ${item.m}"),
    "matrix of letters": stage("matrix: {m: 'a${n}'}\ncmd: x ${item.m}"),
    "matrix lists": stage(
        "matrix: {l: [[1, 2], [3]], r: ['${yes}', '${lst}']}\ncmd: x ${item.l[0]} ${key}"
    ),
    "matrix doubles": stage("matrix: {a: [1, '1']}\ncmd: x ${item.a}"),
    "empty file": "",
    "empty list": "[]",
    "several": "stages:\n  b: {cmd: x}\n  a: {cmd: y, deps: [z]}\n  '-c_1': {cmd: z}\n",
    "unicode": "vars: [{'ключ': {'चिया': [चि]}}]\n" + stage("cmd: ${ключ.चिया[0]}${ключ[चिया][0]}"),
}  # fmt: skip

REFUSED: dict[str, str] = {
    "unknown key": stage("cmd: x\ndep: [a]"),
    "no cmd": stage("deps: [a]"),
    "deps string": stage("cmd: x\ndeps: a"),
    "foreach beside cmd": stage("foreach: [a]\ndo: {cmd: x}\ncmd: y"),
    "foreach vars": stage("foreach: [a]\ndo: {cmd: x}\nvars: [{a: 1}]"),
    "foreach null": stage("foreach:\ndo: {cmd: x}"),
    "foreach number": stage("foreach: ${n}\ndo: {cmd: x}"),
    "foreach word": stage("foreach: abc\ndo: {cmd: x}"),
    "foreach with at": stage("foreach: [a@b]\ndo: {cmd: x}"),
    "foreach empty item": stage("foreach: ['']\ndo: {cmd: x}"),
    "foreach key in list": stage("foreach: [a]\ndo: {cmd: 'x ${key}'}"),
    "reserved item": stage("foreach: [a]\ndo: {cmd: x, vars: [{item: 1}]}"),
    "name with at": "stages:\n  a@b: {cmd: x}\n",
    "matrix empty": stage("matrix: {}\ncmd: x"),
    "matrix number": stage("matrix: {a: '${n}'}\ncmd: x"),
    "missing reference": stage("cmd: x ${nothing.here}"),
    "through a number": stage("cmd: x ${n.a}"),
    "list index": stage("cmd: x ${lst.ten} "),
    "out of range": stage("cmd: x ${lst[99]}"),
    "list in cmd": stage("cmd: x ${lst}"),
    "dict in outs": stage("cmd: x\nouts: ['${models}']"),
    "number as dep": stage("cmd: x\ndeps: ['${n}']"),
    "number as wdir": stage("cmd: x\nwdir: ${n}"),
    "nested lists in cmd": "vars: [{bad: {l: [1, [2]]}}]\n" + stage("cmd: x ${bad}"),
    "bad grammar 1": stage("cmd: x ${n.}"),
    "bad grammar 2": stage("cmd: x ${.n}"),
    "bad grammar 3": stage("cmd: x ${lst[0}"),
    "bad grammar 4": stage("cmd: x ${lst[]}"),
    "bad grammar 5": stage("cmd: x ${}"),
    "bad grammar 6": stage("cmd: x ${dicts[0]a}"),
    "bad grammar 7": stage("cmd: x ${a${n}}"),
    "vars reference": "vars: [{a: '${n}'}]\n" + stage("cmd: x"),
    "vars conflict": "vars: [{n: 4}]\n" + stage("cmd: x"),
    "vars missing file": "vars: [nothing.yaml]\n" + stage("cmd: x"),
    "vars missing key": "vars: ['vars.yaml:nothing']\n" + stage("cmd: x"),
    "vars twice in part": "vars: ['vars.yaml:q', 'vars.yaml:q']\n" + stage("cmd: x"),
    "vars whole then part": "vars: ['vars.yaml', 'vars.yaml:q']\n" + stage("cmd: x"),
    "vars part then whole": "vars: ['vars.yaml:q', 'vars.yaml']\n" + stage("cmd: x"),
    "vars date": "vars: [date.yaml]\n" + stage("cmd: x"),
    "vars number": "vars: [3]\n" + stage("cmd: x"),
    "params number": stage("cmd: x\nparams: [3]"),
    "params not a list": stage("cmd: x\nparams: [{a.yaml: b}]"),
    "out null": stage("cmd: x\nouts: [{a: }]"),
    "plots list": stage("cmd: x\nplots: [{a: [{x: b}]}]"),
    "empty dep": stage("cmd: x\ndeps: ['']"),
    "dvc file as dep": stage("cmd: x\ndeps: [a.dvc]"),
    "dvc.yaml as out": stage("cmd: x\nouts: [a/dvc.yaml]"),
    "unknown url": stage("cmd: x\ndeps: ['foo://bar/x']"),
    "out twice": stage("cmd: x\nouts: [a]\nmetrics: [./a]"),
    "dep and out": stage("cmd: x\nouts: [a]\ndeps: [./a]"),
    "params and out": stage("cmd: x\nouts: [params.yaml]\nparams: [n]"),
    "stages null": "stages:\n",
    "unknown section": "stage: {}\n",
    "number as name": "stages:\n  1: {cmd: x}\n",
    "plot empty": "plots: [{}]\n" + stage("cmd: x"),
    "datasets null": "datasets:\n" + stage("cmd: x"),
    "artifact without path": "artifacts: {a: {type: t}}\n" + stage("cmd: x"),
    "not a mapping": "- a\n",
    "top missing": "metrics: ['${nothing}']\n" + stage("cmd: x"),
}  # fmt: skip

FILES = {
    "params.yaml": PARAMS,
    "vars.yaml": "q: {a: 5}\nz: true\n",
    "date.yaml": "day: 2020-01-01\n",
    "sub/v.yaml": "deep: below\n",
    "data/v.yaml": "deep: beside\n",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory):
    os.environ["DVC_NO_ANALYTICS"] = "1"
    from dvc.repo import Repo

    root = tmp_path_factory.mktemp("oracle").resolve()
    before = os.getcwd()
    os.chdir(root)
    Repo.init(str(root), no_scm=True).close()
    yield root
    os.chdir(before)


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def key_of(root: Path, path: str) -> str:
    relative = os.path.relpath(path, root)
    if relative == ".":
        return ""
    return path if relative.startswith("..") else relative


def dvc_facts(root: Path, file: str) -> list[dict[str, Any]]:
    """What DVC loads; raises what DVC raises, also when it links the stages."""
    from dvc.dvcfile import load_file
    from dvc.repo import Repo
    from dvc.repo.graph import build_graph

    with Repo(str(root)) as repo:
        loaded = load_file(repo, str(root / file))
        stages = list(loaded.stages.values())
        for section in ("metrics", "params", "plots", "artifacts", "datasets"):
            getattr(loaded, section)
        build_graph(stages)
        return [facts_of_dvc(root, stage) for stage in stages]


def facts_of_dvc(root: Path, stage: Any) -> dict[str, Any]:
    from dvc.dependency import ParamsDependency

    def place(item: Any) -> tuple[str, str]:
        if not item.fs or item.fs.protocol != "local":
            return item.def_path, item.def_path
        return item.def_path, key_of(root, item.fs_path)

    cmd = stage.cmd
    return {
        "name": getattr(stage, "name", None),
        "cmd": tuple(cmd) if isinstance(cmd, list) else cmd,
        "wdir": key_of(root, stage.wdir),
        "deps": [place(dep) for dep in stage.deps if not isinstance(dep, ParamsDependency)],
        "params": [(*place(dep), tuple(dict.fromkeys(dep.params))) for dep in stage.params],
        "outs": [
            (
                *place(out),
                "metric" if out.metric else "plot" if out.plot else "out",
                out.use_cache,
                out.persist,
                out.can_push,
                out.remote,
                out.annot.to_dict() | (out.plot if isinstance(out.plot, dict) else {}),
                (out.hash_info.value, out.hash_name) if out.hash_info else None,
                (out.meta.size, out.meta.nfiles, out.meta.isexec) if out.hash_info else None,
            )
            for out in stage.outs
        ],
        "frozen": stage.frozen,
        "always_changed": stage.always_changed,
        "desc": stage.desc,
        "group": stage.raw_data.generated_from,
    }


def facts_of_ours(stage: Stage) -> dict[str, Any]:
    return {
        "name": stage.name,
        "cmd": stage.cmd,
        "wdir": stage.wdir,
        "deps": [(dep.path, dep.key) for dep in stage.deps],
        "params": [(dep.path, dep.key, dep.names) for dep in stage.params],
        "outs": [
            (
                *(out.path, out.key, out.kind, out.cache, out.persist, out.push, out.remote),
                dict(out.options),
                out.digest and (out.digest.md5, "md5-dos2unix" if out.digest.legacy else "md5"),
                out.digest and (out.digest.size, out.digest.nfiles, out.digest.isexec),
            )
            for out in stage.outs
        ],
        "frozen": stage.frozen,
        "always_changed": stage.always_changed,
        "desc": stage.desc,
        "group": stage.group,
    }


@pytest.mark.parametrize("folder", ["", "deep/er"])
@pytest.mark.parametrize("form", FORMS)
def test_reads_a_pipeline_as_dvc_does(project: Path, form: str, folder: str) -> None:
    file = os.path.join(folder, "dvc.yaml")
    write(project / folder, {**FILES, "dvc.yaml": FORMS[form]})
    ours = load_pipeline_file(str(project), file)
    assert [facts_of_ours(stage) for stage in ours.stages] == dvc_facts(project, file)


@pytest.mark.parametrize("form", REFUSED)
def test_refuses_a_pipeline_that_dvc_refuses(project: Path, form: str) -> None:
    write(project, {**FILES, "dvc.yaml": REFUSED[form]})
    with pytest.raises(Exception):  # noqa: B017  DVC leaks whatever its code runs into
        dvc_facts(project, "dvc.yaml")
    with pytest.raises(ConfigError) as caught:
        load_pipeline_file(str(project), "dvc.yaml")
    assert caught.value.file == "dvc.yaml"
    assert caught.value.line is not None


@pytest.mark.parametrize("booleans", ["store_true", "boolean_optional"])
@pytest.mark.parametrize("lists", ["nargs", "append"])
def test_writes_arguments_as_dvc_does(project: Path, booleans: str, lists: str) -> None:
    from dvc.parsing import DataResolver
    from dvc.repo import Repo

    data = {"s": {"foreach": "${models}", "do": {"cmd": "x ${item} ${lists}"}}}
    text = """\
vars: [{lists: {a: [1, b c, true, null], b: {c: ''}}}]
stages:
  s:
    foreach: ${models}
    do: {cmd: 'x ${item} ${lists}'}
"""
    write(project, {**FILES, "dvc.yaml": text})
    with Repo(str(project)) as repo:
        repo.config["parsing"] = {"bool": booleans, "list": lists}
        variables = [{"lists": {"a": [1, "b c", True, None], "b": {"c": ""}}}]
        theirs = DataResolver(repo, str(project), {"stages": data, "vars": variables}).resolve()
    ours = load_pipeline_file(str(project), "dvc.yaml", parsing=Parsing(booleans, lists))
    assert {s.name: s.cmd for s in ours.stages} == {
        name: stage["cmd"] for name, stage in theirs["stages"].items()
    }


SCALARS = st.sampled_from([0, 1, True, False, None, 1.0, 1e-07, "1", "true", "a b", "${v.n}"])
LEAVES = SCALARS | st.sampled_from(["${v.d}", "${v.l}", "x${v.n}", "\\${y}"])
ITEMS = LEAVES | st.lists(SCALARS, max_size=2) | st.dictionaries(st.sampled_from("ab"), SCALARS)
KEYS = st.sampled_from(["a", "b", 1, "1", True, None, 0.5, "k${v.n}"])
DATA = st.lists(ITEMS, max_size=3)
VARS = {"v": {"n": 7, "d": {"a": True, "b": [1, "q r"]}, "l": ["p", False, {"a": 1}]}}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(
        st.tuples(st.just("foreach"), DATA | st.dictionaries(KEYS, ITEMS, max_size=3)),
        st.tuples(
            st.just("matrix"),
            st.dictionaries(
                st.sampled_from("ab"), DATA | st.just("${v.d}"), min_size=1, max_size=2
            ),
        ),
        st.just(("foreach", "${v.l}")),
    ),
    st.sampled_from(["x", "${item}", "x ${item} ${key}", "x ${item.a}", "x ${key} ${item[0]}"]),
)
def test_generates_stages_as_dvc_does(project: Path, data: tuple[str, Any], cmd: str) -> None:
    from dvc.parsing import DataResolver
    from dvc.repo import Repo

    kind, items = data
    definition = (
        {"matrix": items, "cmd": cmd}
        if kind == "matrix"
        else {"foreach": items, "do": {"cmd": cmd}}
    )
    pipeline = {"vars": [VARS], "stages": {"s": definition}}
    (project / "generated").mkdir(exist_ok=True)

    def ours() -> dict[str, Any]:
        resolved = resolve(
            pipeline,
            source=Source("dvc.yaml"),
            directory="generated",
            read_params=lambda _: None,
            parsing=Parsing(),
        )
        return {stage.name: dict(stage.data) for stage in resolved.stages}

    with Repo(str(project)) as repo:
        try:
            resolver = DataResolver(repo, str(project / "generated"), pipeline)
            theirs = resolver.resolve()["stages"] or {}
        except Exception:  # noqa: BLE001  DVC leaks whatever its code runs into
            with pytest.raises(ConfigError):
                ours()
            return
    assert repr(ours()) == repr(theirs)


def test_resolves_top_level_sections_as_dvc_does(project: Path) -> None:
    from dvc.dvcfile import load_file
    from dvc.repo import Repo

    text = """\
params: ['${name}.json', ../other.yaml]
metrics: ['${path}/m.json']
plots:
- '${name}.csv'
- '${name}': {x: '${name}', y: {a.csv: ['${name}', b]}, title: 'n is ${n} ${lst}'}
- img.png:
artifacts: {'${name}': {path: '${path}', labels: ['${name}'], meta: {d: '${models}'}}}
datasets: [{name: '${name}', type: dvc, url: 'u${n}'}]
"""
    write(project / "deep", {**FILES, "dvc.yaml": text})
    ours = load_pipeline_file(str(project), "deep/dvc.yaml")
    with Repo(str(project)) as repo:
        file = load_file(repo, str(project / "deep/dvc.yaml"))
        assert ours.params == ("deep/model.json", "other.yaml")
        assert [os.path.normpath(f"deep/{p}") for p in file.params] == list(ours.params)
        assert [os.path.normpath(f"deep/{p}") for p in file.metrics] == list(ours.metrics)
        assert file.plots == list(ours.plots)
        assert file.artifacts == ours.artifacts
        assert file.datasets == list(ours.datasets)


MD5 = "acbd18db4cc2f85cedef654fccc4a4d8"
DVC_FILES: dict[str, str] = {
    "file": f"outs:\n- md5: {MD5}\n  size: 3\n  hash: md5\n  path: foo\n",
    "folder": f"outs:\n- md5: {MD5}.dir\n  size: 3\n  nfiles: 1\n  hash: md5\n  path: foo\n",
    "legacy": f"outs:\n- md5: {MD5}\n  size: 3\n  path: foo\n",
    "upper": f"outs:\n- md5: {MD5.upper()}\n  hash: md5\n  path: foo\n",
    "options": "desc: d\nfrozen: true\nwdir: ..\nmeta: {a: b}\nouts:\n"
    f"- {{md5: {MD5}, hash: md5, "
    "path: foo, cache: false, persist: true, push: false, remote: r, isexec: true, desc: e, "
    "type: t, labels: [l], meta: {k: v}}\n",
    "locked": f"locked: true\nouts:\n- {{md5: {MD5}, hash: md5, path: foo}}\n",
    "no digest": "outs:\n- {path: foo, hash: md5}\n",
    "several": f"outs:\n- {{md5: {MD5}, hash: md5, path: a}}\n- {{path: b, md5: {MD5}, size: 1}}\n",
    "import url": f"md5: {MD5}\nfrozen: true\nouts:\n- {{md5: {MD5}, path: foo}}\n"
    f"deps:\n- {{md5: {MD5}, size: 3, hash: md5, path: ../raw}}\n",
    "files": "outs:\n- path: foo\n  hash: md5\n  files:\n"
    f"  - {{md5: {MD5}, size: 3, relpath: b/c, cloud: {{r: {{etag: tag1, version_id: v1}}}}}}\n"
    f"  - {{md5: {MD5}, size: 4, relpath: a}}\n",
    "cloud": f"outs:\n- md5: {MD5}\n  size: 3\n  hash: md5\n  path: foo\n"
    "  cloud: {r: {etag: tag1, version_id: v1}}\n",
    "nothing": "outs:\n",
}  # fmt: skip

REFUSED_DVC_FILES: dict[str, str] = {
    "digits": "outs:\n- {md5: 12345678901234567890123456789012, hash: md5, path: foo}\n",
    "unknown key": f"cmd: x\nouts:\n- {{md5: {MD5}, path: foo}}\n",
    "unknown out key": f"outs:\n- {{md5: {MD5}, path: foo, caches: false}}\n",
    "no path": f"outs:\n- {{md5: {MD5}}}\n",
    "short checksum": "outs:\n- {md5: ab, path: foo}\n",
    "outs string": "outs: foo\n",
    "twice": f"outs:\n- {{md5: {MD5}, path: foo}}\n- {{md5: {MD5}, path: ./foo}}\n",
}  # fmt: skip


@pytest.mark.parametrize("form", DVC_FILES)
def test_reads_a_dvc_file_as_dvc_does(project: Path, form: str) -> None:
    write(project, {"pointers/foo.dvc": DVC_FILES[form]})
    ours = load_dvc_file(str(project), "pointers/foo.dvc")
    assert [facts_of_ours(ours)] == dvc_facts(project, "pointers/foo.dvc")


@pytest.mark.parametrize("form", REFUSED_DVC_FILES)
def test_refuses_a_dvc_file_that_dvc_refuses(project: Path, form: str) -> None:
    write(project, {"pointers/foo.dvc": REFUSED_DVC_FILES[form]})
    with pytest.raises(Exception):  # noqa: B017  DVC leaks whatever its code runs into
        dvc_facts(project, "pointers/foo.dvc")
    with pytest.raises(ConfigError) as caught:
        load_dvc_file(str(project), "pointers/foo.dvc")
    assert caught.value.file == "pointers/foo.dvc"


def test_reads_what_dvc_add_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dvc.repo import Repo

    monkeypatch.chdir(tmp_path)
    Repo.init(str(tmp_path), no_scm=True).close()
    write(tmp_path, {"added/a.txt": "a\n", "added/b/c.txt": "c\n"})
    with Repo(str(tmp_path)) as repo:
        repo.add(["added"])
    ours = load_dvc_file(str(tmp_path), "added.dvc")
    assert [facts_of_ours(ours)] == dvc_facts(tmp_path, "added.dvc")
    assert ours.outs[0].digest is not None
    assert ours.outs[0].digest.isdir
