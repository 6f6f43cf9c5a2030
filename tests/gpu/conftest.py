"""Tests on real GPUs: `pytest -m gpu tests/gpu`. Where there is none they are NOT RUN."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.sandbox import Sandbox

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.gpu)


def nvidia_smi(query: str) -> list[str]:
    """The lines of one query of the driver. Raises FileNotFoundError without one."""
    argv = ["nvidia-smi", query, "--format=csv,noheader,nounits"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    return [line.strip() for line in said.splitlines() if line.strip()]


@pytest.fixture(scope="session")
def gpus():
    """How many GPUs there are, of which torch sees each."""
    try:
        count = len(nvidia_smi("--query-gpu=index"))
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"NOT RUN: no GPU: {error}")
    torch = pytest.importorskip("torch", reason="NOT RUN: no torch")
    assert torch.cuda.device_count() == count
    return count


@pytest.fixture
def box(tmp_path, monkeypatch, gpus):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}")
    return Sandbox(tmp_path / "p")
