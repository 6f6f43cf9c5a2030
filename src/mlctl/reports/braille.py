"""Curves in characters: a canvas of braille dots, two across and four down in each cell. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

ACROSS, DOWN = 2, 4  # dots of a cell
# The bit of each dot of a cell, by column and row (Unicode, "Braille Patterns").
_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_EMPTY = 0x2800

Dot = tuple[float, float]  # from the left, from the top


class Canvas:
    """Cells of dots; each cell belongs to the series that was drawn into it last."""

    def __init__(self, width: int, height: int) -> None:
        """`width` and `height` are in cells."""
        self.width, self.height = width, height
        self._bits = [[0] * width for _ in range(height)]
        self._series: list[list[int | None]] = [[None] * width for _ in range(height)]

    def draw(self, points: Sequence[Dot], series: int) -> None:
        """A line through `points`, in dots; what lies beyond the canvas is left out."""
        if len(points) == 1:
            self._set(*points[0], series)
        for (x1, y1), (x2, y2) in pairwise(points):
            for x, y in _line(x1, y1, x2, y2):
                self._set(x, y, series)

    def rows(self, letters: Sequence[str] | None = None) -> list[list[tuple[str, int | None]]]:
        """The cells from the top, each a character and its series, None where nothing is drawn.

        With `letters`, one for each series, a cell shows its series' letter: without colours,
        braille does not tell one from another.
        """
        return [
            [
                (_character(bits, series, letters), series)
                for bits, series in zip(self._bits[row], self._series[row], strict=True)
            ]
            for row in range(self.height)
        ]

    def _set(self, x: float, y: float, series: int) -> None:
        column, row = round(x), round(y)
        if 0 <= column < self.width * ACROSS and 0 <= row < self.height * DOWN:
            cell, line = column // ACROSS, row // DOWN
            self._bits[line][cell] |= _BITS[column % ACROSS][row % DOWN]
            self._series[line][cell] = series


def _character(bits: int, series: int | None, letters: Sequence[str] | None) -> str:
    if series is None:
        return " "
    return letters[series] if letters else chr(_EMPTY + bits)


def _line(x1: float, y1: float, x2: float, y2: float) -> Iterator[Dot]:
    steps = max(abs(round(x2) - round(x1)), abs(round(y2) - round(y1)), 1)
    for step in range(steps + 1):
        yield x1 + (x2 - x1) * step / steps, y1 + (y2 - y1) * step / steps
