"""The two distribution functions that the tests need; scipy.stats takes 0.6 s to import."""

from __future__ import annotations

from math import exp, lgamma, log, pi, sqrt

_TINY = 1e-300


def chi_square_sf(x: float, df: float) -> float:
    """P(X >= x) for chi-square with `df` degrees of freedom: Q(df/2, x/2).

    The regularised upper incomplete gamma function, by its series below a + 1 and by Lentz's
    continued fraction above (NIST DLMF 8.7.1 and 8.9.2).
    """
    if x <= 0:
        return 1.0
    if x == float("inf"):
        return 0.0
    a, z = df / 2, x / 2
    scale = exp(a * log(z) - z - lgamma(a))
    if z < a + 1:
        return max(0.0, 1.0 - scale * _series(a, z))
    return scale * _fraction(a, z)


def kolmogorov_sf(x: float) -> float:
    """P(K >= x) of Kolmogorov's limiting distribution (Smirnov 1948).

    2 sum (-1)^(k-1) exp(-2 k^2 x^2), and for small x the theta form that converges there.
    """
    if x <= 0:
        return 1.0
    if x < 1:
        terms = (exp(-((2 * k - 1) ** 2) * pi**2 / (8 * x * x)) for k in range(1, 6))
        return max(0.0, 1.0 - sqrt(2 * pi) / x * sum(terms))
    total = sum((-1.0) ** (k - 1) * exp(-2 * k * k * x * x) for k in range(1, 20))
    return min(1.0, max(0.0, 2.0 * total))


def _series(a: float, z: float) -> float:
    term = total = 1 / a
    n = a
    while term > total * 1e-17:
        n += 1
        term *= z / n
        total += term
    return total


def _fraction(a: float, z: float) -> float:
    b = z + 1 - a
    c, d = 1 / _TINY, 1 / b
    h = d
    for i in range(1, 10_000):
        numerator = -i * (i - a)
        b += 2
        d = 1 / _nonzero(numerator * d + b)
        c = _nonzero(b + numerator / c)
        h *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return h


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
