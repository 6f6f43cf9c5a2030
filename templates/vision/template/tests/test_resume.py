"""Run with `pytest`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from png import read_grey, write_grey
from train import Split, fit

SETTINGS = {"device": "cpu", "epochs": 4, "batch": 8, "learning_rate": 0.01, "channels": 2}


@pytest.fixture
def data() -> Split:
    rng = np.random.default_rng(0)
    return rng.random((32, 64), dtype=np.float32), rng.integers(0, 2, 32)


def test_an_interrupted_training_ends_with_the_same_model(data: Split, tmp_path: Path) -> None:
    whole, history = fit(data, data, 2, SETTINGS, 1, tmp_path / "a")
    fit(data, data, 2, SETTINGS | {"epochs": 2}, 1, tmp_path / "b")
    resumed, history_resumed = fit(data, data, 2, SETTINGS, 1, tmp_path / "b")
    assert history == history_resumed
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_an_image_comes_back_as_it_was_written(tmp_path: Path) -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(6, 8)
    write_grey(tmp_path / "image.png", pixels)
    assert (read_grey(tmp_path / "image.png") == pixels).all()
