from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where git knows nobody, and where nothing of the developer's is read."""
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith(("GIT_", "DVC_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(home / "dvc"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    folder = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def run() -> Run:
    """Run a command without a terminal; unless `ok=False`, the test fails where it fails."""

    def run_command(*argv: str, cwd: Path, ok: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            argv, cwd=cwd, text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=120
        )
        assert not ok or done.returncode == 0, done.stdout + done.stderr
        return done

    return run_command


@pytest.fixture
def mlctl(run: Run) -> Run:
    def run_mlctl(*args: str, cwd: Path, ok: bool = True) -> subprocess.CompletedProcess[str]:
        return run(sys.executable, "-m", "mlctl", *args, cwd=cwd, ok=ok)

    return run_mlctl
