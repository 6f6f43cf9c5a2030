"""What a start costs is what it imports: nothing heavy, and no other verb."""

import os
import subprocess
import sys

import pytest

from conformance.twins import run_mlctl
from mlctl.cli._app import root_command

HEAVY = {
    "dvc", "dvc_data", "polars", "torch", "lightgbm", "optuna", "pandera", "joblib", "sklearn",
    "scipy", "numpy", "pandas", "git", "copier", "networkx", "pydantic", "jinja2", "requests",
}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("")
    (root / "params.yaml").write_text("lr: 0.1\nnet:\n  depth: 3\n  name: wide and deep\n")
    (root / "data.csv").write_text("a,b\n1,2\n")
    (root / "dvc.yaml").write_text(
        "stages:\n"
        "  train:\n"
        "    cmd: cp data.csv model.txt && echo '{\"a\":1}' > metrics.json\n"
        "    deps:\n    - data.csv\n"
        "    params:\n    - lr\n    - net\n"
        "    outs:\n    - model.txt\n"
        "    metrics:\n    - metrics.json:\n        cache: false\n"
        "  many:\n"
        "    foreach: [1, 2]\n"
        "    do:\n      cmd: echo ${item} > ${item}.txt\n      outs: ['${item}.txt']\n"
    )
    assert run_mlctl(root, "run", "-j2")[0] == 0
    return root


def modules_after(code, cwd):
    """The modules that a fresh interpreter holds after `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('\\n@', *sys.modules)"],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("@")[2].split())


def tops(modules):
    return {module.partition(".")[0] for module in modules}


def verbs_in(modules):
    """The verbs' modules: `status`, `exp.ls`."""
    names = {m.removeprefix("mlctl.cli.") for m in modules if m.startswith("mlctl.cli.")}
    return {n for n in names if n != "main" and not any(p.startswith("_") for p in n.split("."))}


def test_importing_the_command_line_costs_nothing(project):
    modules = modules_after("import mlctl.cli.main", project)
    assert not tops(modules) & (HEAVY | {"rich", "ruamel", "typer", "yaml"})
    assert verbs_in(modules) == set()


def test_the_version_costs_nothing(project):
    code = "from mlctl.cli.main import main\nmain(['--version'])"
    modules = modules_after(code, project)
    assert not tops(modules) & (HEAVY | {"rich", "ruamel", "typer", "yaml"})


@pytest.mark.parametrize(
    "argv",
    [
        ["status"],
        ["status", "--json"],
        ["plan"],
        ["plan", "train"],
        ["run"],
        ["run", "--dry-run"],
        ["logs", "train"],
        ["dag", "--mermaid"],
    ],
)
def test_daily_verbs_import_only_themselves(project, argv):
    code = f"from mlctl.cli.main import run\nassert run({argv!r}) == 0"
    modules = modules_after(code, project)
    assert not tops(modules) & (HEAVY | {"rich", "ruamel"})
    assert verbs_in(modules) == {argv[0]}


def test_what_is_changed_is_shown_without_the_heavy_ones(project):
    (project / "params.yaml").write_text("lr: 0.25\nnet:\n  depth: 4\n  name: wide and deep\n")
    try:
        code = "from mlctl.cli.main import run\nassert run(['status', '--check']) == 1"
        modules = modules_after(code, project)
    finally:
        (project / "params.yaml").write_text("lr: 0.1\nnet:\n  depth: 3\n  name: wide and deep\n")
    assert not tops(modules) & (HEAVY | {"rich", "ruamel"})


def test_a_run_of_a_stage_imports_nothing_heavy(project):
    code = (
        "from mlctl.cli.main import run\n"
        "assert run(['run', '-f', '--no-run-cache', '-s', 'train']) == 0"
    )
    modules = modules_after(code, project)
    assert not tops(modules) & (HEAVY | {"rich", "ruamel"})


def commands():
    """Every verb as it is typed: (`status`,), (`exp`, `ls`)."""

    def walk(group, path):
        for name in group.list_commands(None):
            command = group.get_command(None, name)
            if hasattr(command, "list_commands"):
                yield from walk(command, (*path, name))
            else:
                yield (*path, name), command

    return dict(walk(root_command(), ()))


COMMANDS = commands()


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_verb_has_help(path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, said = run_mlctl(os.getcwd(), *path, "--help")
    assert code == 0
    assert f"mlctl {' '.join(path)}" in said
    assert "Examples" in said
    assert f"$ mlctl {' '.join(path)}" in said
    assert ("--json" in said) is (path != ("host", "shell"))  # a shell is for people


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_is_explained(path):
    first = (COMMANDS[path].help or "").splitlines()[0]
    assert first.endswith((".", ":"))
    assert len(first) <= 90, first
    for parameter in COMMANDS[path].params:
        assert getattr(parameter, "help", "x"), parameter.name


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_leaves_the_wrapping_to_the_terminal(path):
    paragraphs = (COMMANDS[path].help or "").split("\n\n")
    prose = [p for p in paragraphs if not p.lstrip().startswith("$")]
    assert not [p for p in prose if "\n" in p]


def test_the_whole_tree_is_light_to_import(project):
    """The root's `--help` and completion import every verb."""
    code = "from mlctl.cli.main import run\nassert run(['--help']) == 0"
    for noun in {path[0] for path in COMMANDS if len(path) > 1}:
        code += f"\nassert run([{noun!r}, '--help']) == 0"
    modules = modules_after(code, project)
    assert not tops(modules) & (HEAVY | {"ruamel", "yaml"})
    assert len(verbs_in(modules)) >= len(COMMANDS)


def test_the_whole_tree_is_found():
    assert {("run",), ("status",), ("exp", "ls"), ("data", "import")} <= COMMANDS.keys()
