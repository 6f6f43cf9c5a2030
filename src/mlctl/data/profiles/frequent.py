"""The most frequent values with their counts, and the most that each count can be short of.

Dropping a value raises `missed` to the count of the largest that was dropped, so that at every
moment count <= true count <= count + missed, also for a value that is not listed, whose count is 0
(as Misra and Gries 1982, "Finding repeated elements").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Scalar = str | int | float | bool

KEPT = 1024  # values in memory


@dataclass(frozen=True, slots=True)
class Frequent:
    """`counts` by value; exact and complete where `missed` is 0."""

    counts: Mapping[Scalar, int] = field(default_factory=dict)
    missed: int = 0

    def merge(self, other: Frequent) -> Frequent:
        """Both together."""
        counts = dict(self.counts)
        for value, count in other.counts.items():
            counts[value] = counts.get(value, 0) + count
        return Frequent(counts, self.missed + other.missed).top(KEPT)

    def top(self, most: int, *, least: int = 0) -> Frequent:
        """At most so many values, none of them seen less often than `least`."""
        ranked = self.ranked()
        kept = [item for item in ranked[:most] if item[1] >= least]
        dropped = ranked[len(kept)][1] if len(ranked) > len(kept) else 0
        return Frequent(dict(kept), self.missed + dropped)

    def ranked(self) -> list[tuple[Scalar, int]]:
        """The values with their counts, the most frequent first, ties by their text."""
        return sorted(self.counts.items(), key=lambda item: (-item[1], str(item[0])))
