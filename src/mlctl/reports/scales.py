"""Axes: nice ticks, readable numbers, and the map from data to pixels."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, isfinite, log10

_DURATION_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600)


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map of `low..high` to the pixels `start..end`; what lies beyond is on the edge."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def extent(values: Sequence[float]) -> tuple[float, float]:
    """Lowest and highest finite value, never equal: a single value gets room around it."""
    finite = [value for value in values if isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    # Beyond this the difference or the steps would overflow a double.
    low, high = max(low, -1e300), min(high, 1e300)
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        room = abs(low) * 0.05 or 1.0
        return low - room, high + room
    return low, high


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round values (1, 2 or 5 times a power of ten apart) that lie within `low..high`."""
    step = _nice_step((high - low) / max(about, 1))
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    if last - first > 50:  # a range that floats cannot tell apart
        return [low, high]
    return [index * step for index in range(first, last + 1)]


def nice_extent(low: float, high: float, about: int = 5) -> tuple[float, float]:
    """`low..high` widened to whole steps."""
    step = _nice_step((high - low) / max(about, 1))
    return floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step


def duration_ticks(seconds: float, about: int = 6) -> list[float]:
    """Ticks from 0 to `seconds` at steps that people count time in."""
    wanted = seconds / max(about, 1)
    if wanted < 1:
        return ticks(0.0, seconds, about)
    days = 86400 * max(1, ceil(wanted / 86400))
    step = next((step for step in _DURATION_STEPS if step >= wanted), days)
    return [float(value) for value in range(0, floor(seconds) + 1, step)]


def tick_labels(values: Sequence[float]) -> list[str]:
    """One text for each tick, all with the same number of decimals."""
    if not values:
        return []
    gaps = [b - a for a, b in pairwise(values) if b > a]
    largest = max(abs(value) for value in values)
    step = min(gaps) if gaps else largest or 1.0
    if largest >= 1e6 or (largest and largest < 1e-4):
        return [_scientific(value) for value in values]
    decimals = max(0, min(8, -floor(log10(step) + 1e-9)))
    if gaps and round(step, decimals) != round(step, 8):
        decimals += 1
    return [_plain(value, decimals) for value in values]


def short(value: float | None, digits: int = 4) -> str:
    """A number for reading: `0.1234`, `12.35`, `1 234 567`, `1.2e-07`; `–` for None."""
    if value is None:
        return "–"
    if not isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e9:
        return _plain(value, 0)
    if abs(value) >= 1e6 or abs(value) < 1e-4:
        return f"{value:.2e}"
    return f"{value:.{digits}g}" if abs(value) < 1000 else _plain(value, 1)


def duration(seconds: float | None) -> str:
    """`0.42s`, `12.3s`, `4m 05s`, `2h 03m`, `1d 04h`."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + "s"
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    for unit, size, lower, lower_size in (("d", 86400, "h", 3600), ("h", 3600, "m", 60)):
        if whole >= size:
            return f"{whole // size}{unit} {whole % size // lower_size:02d}{lower}"
    return f"{whole // 60}m {whole % 60:02d}s"


def size_text(size: float) -> str:
    """Bytes in powers of 1000, as disks and DVC's remotes count: `999 B`, `1.2 kB`, `3.4 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def text_width(text: str, size: float = 12.0) -> float:
    """About how wide `text` is in pixels in a sans-serif font; wide scripts count double."""
    units = sum(1.75 if unicodedata.east_asian_width(c) in "WF" else 1.0 for c in text)
    return units * size * 0.57


def fit(text: str, width: float, size: float = 12.0) -> str:
    """`text`, shortened with an ellipsis in its middle so that it takes at most `width` pixels."""
    if text_width(text, size) <= width:
        return text
    keep = max(2, int(width / (text_width(text, size) / len(text))) - 1)
    return text[: (keep + 1) // 2] + "…" + text[len(text) - keep // 2 :]


def _nice_step(rough: float) -> float:
    if not isfinite(rough) or rough <= 0:
        return 1.0
    power = 10.0 ** floor(log10(rough))
    return next((m * power for m in (1, 2, 5) if m * power >= rough * (1 - 1e-9)), 10 * power)


def _plain(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}".replace(",", "\u202f")
    return text.lstrip("-") if not text.strip("-0.") else text


def _scientific(value: float) -> str:
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
