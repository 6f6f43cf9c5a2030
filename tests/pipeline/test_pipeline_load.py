"""Reading pipeline files: keys, what was read, and errors that say where."""

import pickle
from pathlib import Path

import pytest

from mlctl.errors import ConfigError
from mlctl.pipeline.load import load_dvc_file, load_pipeline_file
from mlctl.pipeline.spec import Dep, Digest, Out, ParamsDep, PipelineFile, Stage


def load(root: Path, text: str, key: str = "dvc.yaml", **files: str) -> PipelineFile:
    for name, content in {key: text, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")
    return load_pipeline_file(str(root), key)


def only(file: PipelineFile) -> Stage:
    (stage,) = file.stages
    return stage


def test_reads_a_stage_whole(tmp_path: Path) -> None:
    text = """\
stages:
  train:
    cmd: python train.py ${lr}
    wdir: work
    deps: [train.py, ../data/x.csv, /elsewhere/y.csv, https://host.example/z]
    params: [lr, {../other.yaml: [a.b]}, {all.json: }]
    outs: [model.bin, {log: {cache: false, persist: true}}]
    metrics: [{m.json: {cache: false}}]
    plots: [{p.csv: {x: step, title: t}}]
    frozen: true
    desc: trains
    meta: {mlctl: {cpus: 2, env: {A: "${lr}"}}, owner: me}
"""
    file = load(tmp_path, text, "sub/dvc.yaml", **{"sub/params.yaml": "lr: 0.1\n"})
    stage = only(file)
    assert (stage.file, stage.address, stage.wdir) == (
        "sub/dvc.yaml",
        "sub/dvc.yaml:train",
        "sub/work",
    )
    assert stage.cmd == "python train.py 0.1"
    assert stage.deps == (
        Dep("train.py", "sub/work/train.py"),
        Dep("../data/x.csv", "sub/data/x.csv"),
        Dep("/elsewhere/y.csv", "/elsewhere/y.csv"),
        Dep("https://host.example/z", "https://host.example/z"),
    )
    assert stage.params == (
        ParamsDep("params.yaml", "sub/work/params.yaml", ("lr",)),
        ParamsDep("../other.yaml", "sub/other.yaml", ("a.b",)),
        ParamsDep("all.json", "sub/work/all.json", ()),
    )
    assert stage.outs == (
        Out("model.bin", "sub/work/model.bin"),
        Out("log", "sub/work/log", cache=False, persist=True),
        Out("m.json", "sub/work/m.json", "metric", cache=False),
        Out("p.csv", "sub/work/p.csv", "plot", options={"x": "step", "title": "t"}),
    )
    assert stage.frozen
    assert stage.settings.cpus == 2
    assert stage.settings.env == {"A": "0.1"}
    assert file.reads == ("sub/params.yaml",)
    assert pickle.loads(pickle.dumps(file)) == file


def test_reads_names_every_file_looked_for(tmp_path: Path) -> None:
    text = "vars: [a.json]\nstages:\n  s: {cmd: x, wdir: w, vars: ['b.toml:k']}\n"
    file = load(tmp_path, text, **{"a.json": "{}", "w/b.toml": "k = 1\n"})
    assert file.reads == ("a.json", "params.yaml", "w/b.toml")


def test_reads_are_keys_also_outside_of_the_root(tmp_path: Path) -> None:
    (tmp_path / "out.yaml").write_text("o: 1\n")
    text = "vars: [../../out.yaml, ../in.yaml]\nstages:\n  s: {cmd: '${o}${i}'}\n"
    root = tmp_path / "root"
    file = load(root, text, "sub/dvc.yaml", **{"in.yaml": "i: 2\n"})
    assert only(file).cmd == "12"
    assert file.reads == (str(tmp_path / "out.yaml"), "in.yaml", "sub/params.yaml")


@pytest.mark.parametrize(
    "text", ["stages: &a\n  s: {cmd: x, meta: *a}\n", "vars: [{a: &b {c: *b}}]\n"]
)
def test_an_alias_that_holds_itself_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="nested too deeply"):
        load(tmp_path, text)


def test_keys_of_absolute_and_outside_paths(tmp_path: Path) -> None:
    inside = tmp_path / "data" / "x"
    deps = f"['{inside}', ../../up, '..', /]"
    text = f"stages:\n  s: {{cmd: x, wdir: w, deps: {deps}, outs: [a/../b]}}\n"
    stage = only(load(tmp_path, text))
    assert stage.deps == (
        Dep("../data/x", "data/x"),
        Dep("../../up", str(tmp_path.parent / "up")),
        Dep("..", ""),
        Dep("/", "/"),
    )
    assert stage.outs[0].key == "w/b"


def test_a_root_behind_a_link_is_the_same_root(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    text = f"stages:\n  s: {{cmd: x, deps: ['{tmp_path}/real/x']}}\n"
    assert only(load(tmp_path / "link", text)).deps == (Dep("x", "x"),)


def test_missing_files_raise_what_the_system_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_pipeline_file(str(tmp_path), "dvc.yaml")
    with pytest.raises(FileNotFoundError):
        load_dvc_file(str(tmp_path), "x.dvc")


def test_reads_a_pointer(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x.dvc").write_text(
        "desc: d\nouts:\n- {md5: abcdef, size: 3, hash: md5, path: x, isexec: true, labels: [l]}\n"
        "- {md5: 123abc.dir, nfiles: 2, path: y, push: false, remote: r}\n"
    )
    stage = load_dvc_file(str(tmp_path), "d/x.dvc")
    assert (stage.address, stage.name, stage.wdir, stage.desc) == ("d/x.dvc", None, "d", "d")
    assert stage.outs[0].digest == Digest("abcdef", 3, isexec=True)
    assert stage.outs[0].options == {"labels": ["l"]}
    assert stage.outs[1].digest == Digest("123abc.dir", nfiles=2, legacy=True)
    assert stage.outs[1].digest.isdir
    assert (stage.outs[1].push, stage.outs[1].remote) == (False, "r")
    assert stage.data is not None
    assert stage.data["outs"][0]["size"] == 3
    assert not stage.is_import


def test_imports_do_not_meet_files_of_this_project(tmp_path: Path) -> None:
    (tmp_path / "x.dvc").write_text(
        "frozen: true\nouts:\n- {path: x}\n"
        "deps:\n- path: x\n  repo: {url: ../other, rev_lock: abc}\n"
    )
    (tmp_path / "t.dvc").write_text(
        "deps:\n- db: {connection: pg, query: select 1}\nouts:\n- {path: t}\n"
    )
    (tmp_path / "u.dvc").write_text("deps:\n- {path: raw/u, md5: abc}\nouts:\n- {path: u}\n")
    stage = load_dvc_file(str(tmp_path), "x.dvc")
    assert stage.is_import
    assert stage.frozen
    assert stage.deps == (Dep("x", "repo://x?../other"),)
    assert stage.outs[0].digest is None
    assert load_dvc_file(str(tmp_path), "t.dvc").deps == (Dep("", "db://pg"),)
    assert load_dvc_file(str(tmp_path), "u.dvc").deps == (Dep("raw/u", "raw/u"),)


BAD: list[tuple[str, str, int | None, str, str | None]] = [
    (
        "stages:\n  train:\n    cmd: x\n    dep: [a]\n",
        "stages.train.dep",
        4,
        "unknown key 'dep'",
        "did you mean 'deps'?",
    ),
    (
        "stages:\n  train:\n    cmd: x\n    deps:\n    - a\n    - 3\n",
        "stages.train.deps[1]",
        6,
        "expected a string, got a number",
        'put it in quotes: "3"',
    ),
    ("stages:\n  a: {cmd: x, deps: b}\n", "stages.a.deps", 2, "expected a list", "as a list"),
    ("stages:\n  a:\n    deps: [b]\n", "stages.a", 2, "'cmd' is missing", "cmd"),
    ("stages:\n  a:\n", "stages.a", 2, "expected a mapping, got nothing", None),
    ("stage: {}\n", "stage", 1, "unknown key 'stage'", "did you mean 'stages'?"),
    (
        "stages:\n  a:\n    foreach: [b]\n    do: {cmd: x}\n    deps: [c]\n",
        "stages.a.deps",
        5,
        "cannot stand beside 'foreach'",
        "move it under `do`",
    ),
    (
        "stages:\n  a:\n    cmd: x\n    outs:\n    - o: {cahce: false}\n",
        "stages.a.outs[0].o.cahce",
        5,
        "unknown key 'cahce'",
        "did you mean 'cache'?",
    ),
    (
        "stages:\n  a:\n    cmd:\n    - x\n    - y ${modle.lr}\n",
        "stages.a.cmd[1]",
        5,
        "could not find 'modle.lr'",
        "did you mean 'model.lr'?",
    ),
    (
        "stages:\n  a:\n    foreach: [1, 2]\n    do:\n      cmd: x\n      outs:\n      - ${itme}\n",
        "stages.a.do.outs[0]",
        7,
        "could not find 'itme' (stage 'a@1')",
        "did you mean 'item'?",
    ),
    (
        "stages:\n  a:\n    matrix: {x: [1]}\n    cmd: y ${item.z}\n",
        "stages.a.cmd",
        4,
        "could not find 'item.z' (stage 'a@1')",
        "item",
    ),
    ("vars:\n- a: 1\n- nope.yaml\n", "vars[1]", 3, "'sub/nope.yaml' does not exist", "create it"),
    (
        "vars:\n- model: {lr: 2}\n",
        "vars[0]",
        2,
        "'model.lr' of 'vars[0]' is defined already in 'sub/params.yaml'",
        "rename",
    ),
    (
        "stages:\n  a:\n    cmd: x\n    vars: [{b: '${model.lr}'}]\n",
        "stages.a.vars[0]",
        4,
        "cannot use ${}",
        "params file",
    ),
    (
        'stages:\n  a:\n    cmd: x\n    deps: ["b\\nc"]\n',
        "stages.a.deps[0]",
        4,
        "line break",
        "rename",
    ),
    (
        "stages:\n  a:\n    cmd: x\n    deps: [b]\n    outs: [c/../b]\n",
        "stages.a",
        2,
        "'b' is both a dep and an out",
        "remove it",
    ),
    (
        "stages:\n  a:\n    cmd: x\n    outs: [b]\n    metrics: [./b]\n",
        "stages.a",
        2,
        "'./b' is an out twice",
        "remove",
    ),
    (
        "stages:\n  a:\n    cmd: x\n    params:\n    - p.yaml: lr\n",
        "stages.a.params[0].p.yaml",
        5,
        "expected a list of names",
        "[name]",
    ),
    (
        "stages:\n  a:\n    cmd: x\n    meta:\n      mlctl: {cpu: 3}\n",
        "stages.a.meta.mlctl.cpu",
        5,
        "unknown key 'cpu'",
        "did you mean 'cpus'?",
    ),
    ("stages:\n  a@b: {cmd: x}\n", "stages.a@b", 2, "is not a stage name", "letters"),
    ("stages:\n  1: {cmd: x}\n", "stages", 1, "the key 1 is not a string", '"1"'),
    ("plots:\n- '${model.nope}'\n", "plots[0]", 2, "could not find 'model.nope'", None),
    ("metrics:\n- ${model}\n", "metrics[0]", 2, "expected a path, got a mapping", None),
    (
        "stages:\n  a: {cmd: x, deps: [a/${model.lr}]}\n",
        "",
        2,
        "not valid YAML",
        "in quotes",
    ),
    ("- a\n", "", 1, "expected a mapping, got a list", None),
]


@pytest.mark.parametrize(("text", "where", "line", "words", "hint"), BAD)
def test_bad_pipelines_say_what_where_and_what_to_do(
    tmp_path: Path, text: str, where: str, line: int | None, words: str, hint: str | None
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, "sub/dvc.yaml", **{"sub/params.yaml": "model: {lr: 0.1}\n"})
    error = caught.value
    assert words in error.message
    assert (error.where or "", error.line) == (where, line)
    assert hint is None or hint in (error.hint or "")
    assert error.exit_code == 2
    assert str(error).startswith(f"sub/dvc.yaml:{line}: ")


def test_an_error_in_a_params_file_names_that_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "stages: {}\n", **{"params.yaml": "a: 1\nb: [\n"})
    assert caught.value.file == "params.yaml"
    (tmp_path / "params.yaml").unlink()
    (tmp_path / "params.yaml").mkdir()
    with pytest.raises(ConfigError, match="a folder"):
        load(tmp_path, "stages: {}\n")
