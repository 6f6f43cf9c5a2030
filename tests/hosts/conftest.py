"""A project, and a host that is a real sshd on loopback."""

import os
import sys

import pytest

import sshd
from e2e.conftest import same_python  # noqa: F401 - a fixture
from e2e.sandbox import Sandbox


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The host `box`, with a home and locks of its own."""
    locks = tmp_path / "locks"
    locks.mkdir()
    env = {"PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"}
    env["MLCTL_LOCKS"] = str(locks)
    with sshd.running(tmp_path / "host", env=env) as host:
        monkeypatch.setenv("MLCTL_SSH_CONFIG", str(host.config))
        yield host


@pytest.fixture
def box(tmp_path, server):
    """A project that knows the host."""
    made = Sandbox(tmp_path / "p")
    made.write("mlctl.yaml", "hosts:\n  box: {}\n")
    made.write(".gitignore", "/*.out\n/times.txt\n")
    return made
