"""Hosts whose login shell is another one, or talks; hosts and clients without any privilege."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

import sshd
from hosts.conftest import Project

SHELLS = {
    "fish": "exec fish -c",
    "tcsh": "exec tcsh -c",
    "dash": "exec dash -c",
    # Prints before and after, to both streams, without a newline at the end.
    "talkative": "printf 'Welcome\\n{not json'; printf 'quota: 5 GB' >&2; bash -c",
}


def project(folder):
    made = Project(folder)
    made.write("mlctl.yaml", "hosts:\n  box: {}\n")
    made.write(".gitignore", "/*.out\n")
    made.write("it's a dep.txt", "1\n")
    cmd = """cat "it's a dep.txt" > a.out; echo 'said $HOME "twice"'"""
    made.stages({"a": {"cmd": cmd, "deps": ["it's a dep.txt"], "outs": ["a.out"]}})
    return made


@pytest.mark.parametrize("shell", SHELLS)
def test_a_login_shell_of_another_kind(shell, tmp_path, monkeypatch):
    program = SHELLS[shell].split()[1]
    if shell != "talkative" and shutil.which(program) is None:
        pytest.skip(f"NOT RUN: no {program} (apt install {program})")
    options = (f'ForceCommand {SHELLS[shell]} "$SSH_ORIGINAL_COMMAND"',)
    env = {"PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"}
    with sshd.running(tmp_path / "host", options=options, env=env) as server:
        monkeypatch.setenv("MLCTL_SSH_CONFIG", str(server.config))
        box = project(tmp_path / "p")
        done = box.mlctl("run", "--on", "box")
        assert done.returncode == 0, done.stdout + done.stderr
        assert box.read("a.out") == "1\n"
        assert box.mlctl("host", "check").returncode == 0


NOBODY = 65534


@pytest.fixture
def open_folder():
    """A folder that every user may pass through, as pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="mlctl-host-", dir="/tmp") as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.mark.skipif(os.getuid() != 0, reason="the tests' own user has no privilege")
def test_a_user_without_privileges(open_folder, tmp_path, monkeypatch):
    """What root may do hides mistakes: there the jobs are a user's that owns nothing but a home."""
    drop = f"exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups sh -c"
    options = (f'ForceCommand {drop} "$SSH_ORIGINAL_COMMAND"',)
    env = {"PATH": "/usr/bin:/bin", "MLCTL_LOCKS": str(open_folder / "locks")}
    with sshd.running(open_folder / "host", options=options, env=env) as server:
        os.chown(server.home, NOBODY, NOBODY)
        monkeypatch.setenv("MLCTL_SSH_CONFIG", str(server.config))
        box = project(tmp_path / "p")
        cmd = """cat "it's a dep.txt" > a.out; id -u > who.out"""
        box.stages({"a": {"cmd": cmd, "deps": ["it's a dep.txt"], "outs": ["a.out", "who.out"]}})
        done = box.mlctl("run", "--on", "box")
        assert done.returncode == 0, done.stdout + done.stderr
        assert (box.read("a.out"), box.read("who.out")) == ("1\n", f"{NOBODY}\n")
        assert box.mlctl("run", "-f", "--on", "box").returncode == 0
        assert box.mlctl("host", "gc", "box").returncode == 0
