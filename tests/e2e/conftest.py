"""A sandbox for each test; `python` in a stage's command is the interpreter of the tests."""

import os
import sys

import pytest

from e2e.sandbox import Sandbox


@pytest.fixture(autouse=True)
def same_python(monkeypatch):
    monkeypatch.setenv("PATH", f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}")


@pytest.fixture
def box(tmp_path):
    return Sandbox(tmp_path / "p")
