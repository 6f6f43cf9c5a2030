"""Logged metrics made few enough for git, so that every curve still looks the same.

The points of each series are put into buckets of equal length. A bucket keeps its least and its
greatest value, and a series its first and its last, so that no spike is lost and what a head says
of a series holds of the thinned one too. NaN is kept only where a bucket holds nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from mlctl.records.run_metrics import Key, StepLine, keys_of, step_text

LIMIT = 256 * 1024  # bytes of metrics.jsonl
_FINEST = 4096  # buckets of one series
_LEAST = 40  # bytes that a point takes at least
# How many of the finest buckets go together, as few as will do.
_COARSER = sorted({count for power in range(13) for count in (2**power, 3 * 2**power // 2)})

Place = tuple[int, StepLine]  # where a line stands among all, and the line
Bucket = tuple[Place, Place]  # the places of the least and of the greatest value


def thinned(lines: Iterable[StepLine], counts: Mapping[Key, int], limit: int = LIMIT) -> str:
    """The text of as many of `lines` as `limit` bytes hold, in their order.

    `counts` says how many points each series has: `lines` are read once, and not kept. Where not
    even the ends and extremes of all series fit, the last series by name are left out.
    """
    finest = max(1, min(_FINEST, limit // _LEAST // max(len(counts), 1)))
    buckets, ends = _in_buckets(lines, counts, finest)
    for together in _COARSER:
        if together > finest:
            break
        text = _text(_kept(buckets, ends, together))
        if len(text.encode()) <= limit:
            return text
    names = sorted(counts, key=lambda key: (key[2], key[0] or "", key[1]))
    return _first_that_fit(names, buckets, ends, limit)


def _first_that_fit(
    names: list[Key],
    buckets: Mapping[Key, Mapping[int, Bucket]],
    ends: Mapping[Key, tuple[Place, Place]],
    limit: int,
) -> str:
    fit, too_many = 0, len(names) + 1
    text = ""
    while too_many - fit > 1:
        middle = (fit + too_many) // 2
        some = set(names[:middle])
        few = {key: found for key, found in buckets.items() if key in some}
        tried = _text(_kept(few, ends, _FINEST))
        if len(tried.encode()) <= limit:
            fit, text = middle, tried
        else:
            too_many = middle
    return text


def _in_buckets(
    lines: Iterable[StepLine], counts: Mapping[Key, int], finest: int
) -> tuple[dict[Key, dict[int, Bucket]], dict[Key, tuple[Place, Place]]]:
    """The buckets of each series, at most `finest`, and its ends."""
    buckets: dict[Key, dict[int, Bucket]] = {key: {} for key in counts}
    ends: dict[Key, tuple[Place, Place]] = {}
    seen = dict.fromkeys(counts, 0)
    for number, it in enumerate(lines):
        place = (number, it)
        for key in keys_of(it):
            ends[key] = (ends[key][0] if key in ends else place, place)
            index = seen[key] * finest // max(counts[key], finest)
            seen[key] += 1
            found = buckets[key].get(index)
            buckets[key][index] = _widened(found, (place, place), key[2]) if found else (place,) * 2
    return buckets, ends


def _widened(one: Bucket, other: Bucket, metric: str) -> Bucket:
    """The extremes of both, of which `one` is the earlier: it wins a tie."""
    least, most = one
    if _is_less(other[0], least, metric):
        least = other[0]
    if _is_less(most, other[1], metric):
        most = other[1]
    if math.isnan(_value(least, metric)):
        least = other[0]
    if math.isnan(_value(most, metric)):
        most = other[1]
    return least, most


def _is_less(one: Place, other: Place, metric: str) -> bool:
    return _value(one, metric) < _value(other, metric)


def _value(place: Place, metric: str) -> float:
    return place[1].metrics[metric]


def _kept(
    buckets: Mapping[Key, Mapping[int, Bucket]],
    ends: Mapping[Key, tuple[Place, Place]],
    together: int,
) -> dict[int, tuple[StepLine, set[str]]]:
    """The lines that are kept, by their number, with the metrics that are."""
    kept: dict[int, tuple[StepLine, set[str]]] = {}
    for key, fine in buckets.items():
        coarse: dict[int, Bucket] = {}
        for index, bucket in fine.items():
            found = coarse.get(index // together)
            coarse[index // together] = _widened(found, bucket, key[2]) if found else bucket
        for number, it in _places(coarse, ends.get(key, ())):
            kept.setdefault(number, (it, set()))[1].add(key[2])
    return kept


def _places(coarse: Mapping[int, Bucket], ends: Iterable[Place]) -> Iterator[Place]:
    for bucket in coarse.values():
        yield from bucket
    yield from ends


def _text(kept: Mapping[int, tuple[StepLine, set[str]]]) -> str:
    return "".join(step_text(_only(*kept[number])) for number in sorted(kept))


def _only(it: StepLine, metrics: set[str]) -> StepLine:
    values = {name: value for name, value in it.metrics.items() if name in metrics}
    return StepLine(values, it.step, it.t, it.stage, it.rank)
