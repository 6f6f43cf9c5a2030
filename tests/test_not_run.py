from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SUITE = """
import pytest

@pytest.mark.skipif(True, reason="NOT RUN: no browser on this machine")
def test_marked(): ...

def test_inside():
    pytest.skip("no sshd")

@pytest.mark.xfail(strict=True)
def test_known():
    assert False

def test_passes(): ...
"""
WHOLE_MODULE = 'import pytest\npytest.importorskip("no_such_library")\ndef test_never(): ...\n'


def suite(folder: Path, *, ci: bool, args: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    (folder / "test_some.py").write_text(SUITE)
    (folder / "test_whole.py").write_text(WHOLE_MODULE)
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "CI": "true" if ci else ""}
    argv = [sys.executable, "-m", "pytest", "-p", "not_run", "-p", "no:cacheprovider", *args]
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True)


def test_what_does_not_run_is_named_and_passes_at_home(tmp_path):
    done = suite(tmp_path, ci=False)
    assert done.returncode == 0, done.stdout
    assert "1 passed, 1 xfailed, 3 NOT RUN" in done.stdout.splitlines()[-1]
    assert "NOT RUN test_some.py::test_marked: no browser on this machine" in done.stdout
    assert "NOT RUN test_some.py::test_inside: no sshd" in done.stdout
    assert "NOT RUN test_whole.py: could not import 'no_such_library'" in done.stdout


def test_what_does_not_run_fails_in_ci(tmp_path):
    done = suite(tmp_path, ci=True, args=("--continue-on-collection-errors", "-n", "2"))
    assert done.returncode == 1, done.stdout
    assert "NOT RUN: no browser on this machine" in done.stdout
    assert "NOT RUN: no sshd" in done.stdout
    assert "1 failed, 1 passed, 1 xfailed, 2 errors" in done.stdout.splitlines()[-1]
