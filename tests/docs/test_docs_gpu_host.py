"""The session of docs/guide/gpu-host.md, with a host that is a real sshd on loopback."""

import os
import re
import sys
from pathlib import Path

import sshd
from e2e.conftest import same_python  # noqa: F401 - a fixture
from e2e.sandbox import Sandbox

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "gpu-host.md"


def test_the_five_commands_lead_to_a_model(tmp_path, monkeypatch):
    text = PAGE.read_text()
    session = re.search(r"<!-- example: session -->\n```console\n(.*?)```", text, re.DOTALL)[1]
    commands = [line.removeprefix("$ ").split() for line in session.splitlines()]
    assert len(commands) == 5
    env = {"PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"}
    with sshd.running(tmp_path / "host", "gpubox", env=env) as server:
        monkeypatch.setenv("MLCTL_SSH_CONFIG", str(server.config))
        box = Sandbox(tmp_path / "p")
        box.write("train.py", "open('model.txt', 'w').write('a model')\nprint('trained')\n")
        box.write(".gitignore", "/model.txt\n")
        box.stages(
            {"train": {"cmd": "python train.py", "deps": ["train.py"], "outs": ["model.txt"]}}
        )
        box.commit()
        said = []
        for command in commands:
            done = box.mlctl(*command[1:])
            assert done.returncode == 0, done.stdout + done.stderr
            said.append(done.stdout)
        assert "mlctl run --on gpubox" in said[0]
        assert "[train] trained" in said[1]
        assert "Pipeline is up to date." in said[2]
        assert "gpubox" in said[3]
        assert "done" in said[4]
        assert box.read("model.txt") == "a model"
