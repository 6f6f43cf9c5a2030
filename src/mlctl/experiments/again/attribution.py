"""How much of a change each factor makes, from runs in which only some of them changed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial

Mixture = frozenset[str]  # the factors that are those of the second run


@dataclass(frozen=True, slots=True)
class Part:
    """One factor: the metric with only that changed, and its part of the change.

    `contribution` is the Shapley value, `share` that of the whole change; None where a run that it
    takes gave no value.
    """

    factor: str
    alone: float | None
    contribution: float | None
    share: float | None


def mixtures(factors: Sequence[str]) -> list[Mixture]:
    """All 2^k mixtures, from none of the factors to all, in a stable order."""
    return [
        frozenset(chosen)
        for size in range(len(factors) + 1)
        for chosen in combinations(factors, size)
    ]


def attribute(
    factors: Sequence[str], values: Mapping[Mixture, float | None], whole: float
) -> tuple[Part, ...]:
    """The parts of the change `whole` that the factors make; `values` are of each mixture.

    The contributions add up to the value with all factors less that with none.
    """
    return tuple(
        Part(
            factor,
            values.get(frozenset({factor})),
            contribution := _shapley(factor, factors, values),
            _share(contribution, whole),
        )
        for factor in factors
    )


def rest(
    values: Mapping[Mixture, float | None], factors: Sequence[str], whole: float
) -> float | None:
    """What of the change is left when all factors changed: that of everything else."""
    none, every = values.get(frozenset()), values.get(frozenset(factors))
    return None if none is None or every is None else whole - (every - none)


def _shapley(
    factor: str, factors: Sequence[str], values: Mapping[Mixture, float | None]
) -> float | None:
    """The mean difference that the factor makes, over all orders in which factors can change."""
    others = [other for other in factors if other != factor]
    total = 0.0
    for mixture in mixtures(others):
        before, after = values.get(mixture), values.get(mixture | {factor})
        if before is None or after is None:
            return None
        weight = factorial(len(mixture)) * factorial(len(others) - len(mixture))
        total += weight * (after - before)
    return total / factorial(len(factors))


def _share(contribution: float | None, whole: float) -> float | None:
    return None if contribution is None or not whole else contribution / whole
