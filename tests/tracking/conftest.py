"""Scripts that log, run by real interpreters."""

from __future__ import annotations

import json
import os
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import box, same_python
from mlctl.executors._shim import files
from tracking.pythons import OURS

__all__ = ["box", "same_python"]

NO_RUN = ("MLCTL_RUN", "MLCTL_RUN_DIR", "MLCTL_STAGE", "MLCTL_PARAMS", "MLCTL_LOG", "RANK")


class Project:
    """A folder with a `.git`, where scripts run with nothing but the tracking package."""

    def __init__(self, root: Path, modules: Path) -> None:
        self.root = root
        (root / ".git").mkdir(parents=True)
        self.modules = modules

    def environment(self, **more: str) -> dict[str, str]:
        """Without an mlctl on PATH, which would look at the code beside the script."""
        env = {name: value for name, value in os.environ.items() if name not in NO_RUN}
        return {**env, "PYTHONPATH": str(self.modules), "PATH": "/usr/bin:/bin", **more}

    def python(
        self, code: str, *, python: str = OURS, ok: bool = True, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script; `-S` keeps the mlctl of the tests out."""
        script = self.root / "script.py"
        script.write_text(textwrap.dedent(code))
        done = subprocess.run(
            [python, "-S", str(script)],
            cwd=self.root,
            env=self.environment(**env),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert not ok or done.returncode == 0, done.stderr
        return done

    def runs(self) -> list[Path]:
        return sorted((self.root / ".mlctl" / "live").glob("*"))

    def run(self) -> Path:
        """The one run that there is."""
        (run,) = self.runs()
        return run

    def steps(self, name: str = "metrics.jsonl") -> list[tuple[float, dict[str, Any]]]:
        rows = lines(self.run() / "main" / name)
        return [(row["step"], row["metrics"]) for row in rows]

    def end(self) -> dict[str, Any]:
        return json.loads((self.run() / "end.json").read_text())


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line]


@pytest.fixture(scope="session")
def modules(tmp_path_factory):
    """A folder for PYTHONPATH, as it is sent to another machine."""
    folder = tmp_path_factory.mktemp("modules")
    for name, content in files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def project(tmp_path, modules):
    return Project(tmp_path / "project", modules)
