"""A project, and a host that is a real sshd on loopback."""

import os
import shutil
import sys
from pathlib import Path

import pytest

import sshd
from e2e.conftest import mount, same_python  # noqa: F401 - fixtures
from e2e.sandbox import Sandbox


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The host `box`, with a home and locks of its own."""
    tools = tmp_path / "tools"
    tools.mkdir()
    shutil.copy(Path(__file__).with_name("nvidia_smi.py"), tools / "nvidia-smi")
    (tools / "nvidia-smi").chmod(0o755)
    env = {
        "PATH": f"{tools}:{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
        "MLCTL_LOCKS": str(tmp_path / "locks"),
        "FAKE_GPUS": "2",
        "FAKE_GPU_USERS": str(tmp_path / "users"),
    }
    with sshd.running(tmp_path / "host", env=env) as host:
        monkeypatch.setenv("MLCTL_SSH_CONFIG", str(host.config))
        yield host


class Project(Sandbox):
    """Asks every question in a process of its own, which hangs up when it ends."""

    def run(self, *args):
        done = self.mlctl(*args)
        return done.returncode, done.stdout or done.stderr


@pytest.fixture
def box(tmp_path, server):
    """A project that knows the host."""
    made = Project(tmp_path / "p")
    made.write("mlctl.yaml", "hosts:\n  box: {}\n")
    made.write(".gitignore", "/*.out\n/times.txt\n")
    return made
