"""DVC's own cases of templating, params files, locks and `.dvcignore`: ours and its answers."""

import json
import os

import pytest
import yaml

from conformance.ignore_cases import IGNORED
from conformance.lock_cases import ENTRIES as LOCKED
from conformance.params_cases import DECLARED, FILES
from conformance.parsing_cases import ENTRIES, GENERATED, TEMPLATES
from mlctl.adapters import yaml as reader
from mlctl.errors import ConfigError
from mlctl.pipeline import lockfile, params
from mlctl.pipeline.load import load_pipeline_file
from mlctl.pipeline.template import Parsing, resolve
from mlctl.pipeline.template.interpolate import render
from mlctl.records.source import Source
from mlctl.store.ignore import Ignore

CASES = {**ENTRIES, **{f"foreach: {name}": case for name, case in GENERATED.items()}}


@pytest.fixture(scope="module")
def repo(tmp_path_factory):
    """An empty DVC repository, open in DVC; each test has a folder of its own in it."""
    from dvc.repo import Repo

    root = tmp_path_factory.mktemp("parsing")
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("[core]\n    no_scm = True\n")
    with Repo(str(root)) as opened:
        yield opened


@pytest.fixture
def folder(repo, request):
    number = len(os.listdir(repo.root_dir))
    path = os.path.join(repo.root_dir, f"case{number}", "p")
    os.makedirs(path)
    return path


def write(folder, files):
    for name, content in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            if isinstance(content, str):
                file.write(content)
            elif name.endswith(".json"):
                json.dump(content, file)
            else:
                yaml.safe_dump(content, file, sort_keys=False)


def ours(root, folder, pipeline):
    def read(key):
        path = os.path.join(root, key)
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as file:
            text = file.read()
        return params.parse(text, os.path.splitext(key)[1], key, load_yaml=reader.load)

    resolved = resolve(
        pipeline,
        source=Source("dvc.yaml"),
        directory=os.path.relpath(folder, root),
        read_params=read,
        parsing=Parsing(),
    )
    return {stage.name: dict(stage.data) for stage in resolved.stages}


@pytest.mark.parametrize("name", CASES)
def test_templates_resolve_as_in_dvc(name, repo, folder):
    from dvc.parsing import DataResolver, ResolveError

    files, pipeline, outcome = CASES[name]
    write(folder, files)
    if isinstance(outcome, str):
        with pytest.raises(ResolveError):
            DataResolver(repo, folder, pipeline).resolve()
        with pytest.raises(ConfigError) as caught:
            ours(repo.root_dir, folder, pipeline)
        assert outcome in caught.value.message
        assert caught.value.where
        return
    theirs = DataResolver(repo, folder, pipeline).resolve()["stages"]
    found = ours(repo.root_dir, folder, pipeline)
    assert found == theirs == outcome
    assert list(found) == list(theirs)


@pytest.mark.parametrize(("template", "values", "wanted"), TEMPLATES)
def test_one_template_is_rendered_as_in_dvc(template, values, wanted):
    from dvc.parsing.context import Context

    theirs = Context(values).resolve(template)
    found = render(template, values, "anything")
    assert (found, type(found)) == (theirs, type(theirs)) == (wanted, type(wanted))


@pytest.mark.parametrize("name", FILES)
def test_parameters_are_read_as_in_dvc(name, repo, folder, monkeypatch):
    from dvc.dependency import ParamsDependency
    from dvc.dependency.param import BadParamFileError
    from dvc.stage import Stage

    file, text, names, wanted = FILES[name]
    write(folder, {file: text})
    monkeypatch.chdir(folder)
    theirs = ParamsDependency(Stage(repo, path=os.path.join(folder, "x.dvc")), file, list(names))
    suffix = os.path.splitext(file)[1]
    if wanted is None:
        with pytest.raises(BadParamFileError):
            theirs.read_params()
        with pytest.raises(ConfigError):
            params.parse(text, suffix, file, load_yaml=reader.load)
        return
    values = params.parse(text, suffix, file, load_yaml=reader.load)
    assert params.select(values, names) == theirs.read_params() == wanted


@pytest.mark.parametrize("name", DECLARED)
def test_declared_parameters_are_merged_as_in_dvc(name, repo, folder):
    from dvc.dependency import loads_params
    from dvc.stage import Stage

    declared, wanted = DECLARED[name]
    stages = {"stages": {"a": {"cmd": "x", "params": declared}}}
    write(folder, {"dvc.yaml": yaml.safe_dump(stages)})
    key = os.path.relpath(os.path.join(folder, "dvc.yaml"), repo.root_dir)
    if wanted is None:
        with pytest.raises(ValueError, match=r"Only list of str|Expected list of params"):
            loads_params(Stage(repo), declared)
        with pytest.raises(ConfigError, match="expected"):
            load_pipeline_file(repo.root_dir, key)
        return
    theirs = [(dep.def_path, tuple(dep.params)) for dep in loads_params(Stage(repo), declared)]
    (stage,) = load_pipeline_file(repo.root_dir, key).stages
    assert [(dep.path, dep.names) for dep in stage.params] == theirs == wanted


@pytest.mark.parametrize(("patterns", "path", "wanted"), IGNORED)
def test_ignored_as_in_dvc(patterns, path, wanted, tmp_path):
    from dvc.fs import localfs
    from dvc.ignore import DvcIgnorePatterns

    (tmp_path / ".dvcignore").write_text("\n".join(patterns))
    isdir = path.endswith("/")
    rules = DvcIgnorePatterns.from_file(str(tmp_path / ".dvcignore"), localfs, ".dvcignore")
    theirs = rules.matches(str(tmp_path), path.rstrip("/"), isdir)
    found = Ignore(str(tmp_path)).is_ignored(path.rstrip("/"), isdir, subrepos=False)
    assert found is theirs is wanted


@pytest.mark.parametrize("name", LOCKED)
def test_a_lock_entry_is_read_and_written_as_in_dvc(name, repo):
    from dvc.dvcfile import load_file
    from dvc.stage.loader import StageLoader
    from dvc.stage.serialize import to_single_stage_lockfile

    definition, locked, wanted = LOCKED[name]
    known = {"cmd": "x", **locked}
    dvcfile = load_file(repo, os.path.join(repo.root_dir, "dvc.yaml"))
    stage = StageLoader.load_stage(dvcfile, "a", {"cmd": "x", **definition}, known)
    theirs = to_single_stage_lockfile(stage, with_files=True)
    lock = lockfile.parse({"schema": "2.0", "stages": {"a": known}}, name="dvc.lock")
    found = lockfile.entry(lock.stages["a"])
    assert json.dumps(found) == json.dumps({"cmd": "x", **wanted})
    assert json.dumps(found) == json.dumps(theirs)
