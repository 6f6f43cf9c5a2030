"""The network: three convolutions, and a linear layer on what they find."""

from __future__ import annotations

from torch import nn


def build(channels: int, classes: int, size: int) -> nn.Sequential:
    """For grey images of `size` x `size` pixels, `size` divisible by 4.

    Reads n x pixels, row by row, from 0 to 1; gives n x classes logits.
    """
    return nn.Sequential(
        nn.Unflatten(1, (1, size, size)),
        nn.Conv2d(1, channels, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(channels, channels, 3, padding=1, stride=2),
        nn.ReLU(),
        nn.Conv2d(channels, 2 * channels, 3, padding=1, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(2 * channels * (size // 4) ** 2, classes),
    )
