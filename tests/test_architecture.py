"""The laws of the house that no linter states: size, cycles, docstrings, who speaks."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

SRC = Path(__file__).parents[1] / "src"
MODULES = sorted(SRC.rglob("*.py"))
MAX_LINES, MAX_FUNCTION = 350, 60
PURE = ("monitoring/drift", "records", *(f"pipeline/{name}.py" for name in (
    "spec", "graph", "params", "fingerprint", "lockfile", "lockmerge", "plan",
    "scheduler", "each/items",
)), *(f"data/profiles/{name}.py" for name in (
    "column", "distinct", "form", "frequent", "hashing", "moments", "packing", "quantiles",
)), "data/diffing/columns.py", "data/diffing/files.py")  # fmt: skip
CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter", "getenv"}
STREAMS = ("sys.stdin", "sys.stdout", "sys.stderr")


def name(path: Path) -> str:
    return path.relative_to(SRC).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def length(path: Path, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines without the docstring; in `cli` without the signature, which is the list of options."""
    first, end = function.body[0], function.end_lineno
    doc = (first.end_lineno - first.lineno + 1) if ast.get_docstring(function) else 0
    begin = first.lineno if "cli" in path.parts else function.lineno
    return end - begin + 1 - doc


def imported(path: Path) -> set[str]:
    """The modules of ours that a module imports, inside its functions too."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_no_module_is_imported_by_what_it_imports():
    names = {".".join(p.relative_to(SRC).with_suffix("").parts): p for p in MODULES}
    names = {key.removesuffix(".__init__"): path for key, path in names.items()}
    edges = {key: imported(path) & names.keys() - {key} for key, path in names.items()}
    while leaves := [key for key, uses in edges.items() if not uses]:
        edges = {key: uses - set(leaves) for key, uses in edges.items() if key not in leaves}
    assert not edges, f"import cycles among {sorted(edges)}"


def test_modules_and_functions_stay_small():
    long = {}
    for path in MODULES:
        if (lines := path.read_text(encoding="utf-8").count("\n")) > MAX_LINES:
            long[name(path)] = lines
        for node in ast.walk(tree(path)):
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if function and (lines := length(path, node)) > MAX_FUNCTION:
                long[f"{name(path)}::{node.name}"] = lines
    assert not long


def test_every_module_says_what_it_is_for():
    assert not [name(p) for p in MODULES if not ast.get_docstring(tree(p))]


def test_only_the_command_line_speaks():
    said = []
    for path in (p for p in MODULES if "cli" not in p.parts):
        for node in ast.walk(tree(path)):
            called = node.func if isinstance(node, ast.Call) else None
            speaks = isinstance(called, ast.Name) and called.id in {"print", "input"}
            stream = isinstance(node, ast.Attribute) and ast.unparse(node).startswith(STREAMS)
            if speaks or stream:
                said.append(f"{name(path)}:{node.lineno}")
    assert not said


def test_pure_rooms_read_no_clock_no_environment_and_no_file():
    asked = []
    for path in (p for p in MODULES if name(p).removeprefix("mlctl/").startswith(PURE)):
        for node in ast.walk(tree(path)):
            called = node.func if isinstance(node, ast.Call) else None
            clock = isinstance(called, ast.Attribute) and called.attr in CLOCKS
            if clock or (isinstance(called, ast.Name) and called.id == "open"):
                asked.append(f"{name(path)}:{node.lineno}")
    assert not asked
