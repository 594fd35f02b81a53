"""Whether two kinds of request can be told apart by the time they take: a rank test over pairs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

#: Two-sided; over all the questions of a suite a false alarm is rarer than a machine's own fault.
SURE = 1e-6
#: A pair in which one waited for the machine says nothing of the other.
_WORST_SHARE = 0.02


def paired_s(
    first: Callable[[], object], second: Callable[[], object], pairs: int
) -> list[tuple[float, float]]:
    """Seconds of both, asked in turn, each as often first as second."""
    found = []
    for number in range(pairs):
        order = (first, second) if number % 2 == 0 else (second, first)
        taken = []
        for ask in order:
            began = time.perf_counter()
            ask()
            taken.append(time.perf_counter() - began)
        found.append((taken[0], taken[1]) if number % 2 == 0 else (taken[1], taken[0]))
    return found


def signed_ranks(differences: Sequence[float]) -> float:
    """The p-value of Wilcoxon's signed-rank test, by its normal approximation (Wilcoxon 1945).

    >>> signed_ranks([1.0, -1.0] * 500) > 0.5
    True
    >>> signed_ranks([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0] * 20) < 1e-6
    True
    """
    kept = sorted((one for one in differences if one), key=abs)
    count = len(kept)
    if not count:
        return 1.0
    above = 0.0
    at = 0
    while at < count:
        end = at
        while end < count and abs(kept[end]) == abs(kept[at]):
            end += 1
        rank = (at + 1 + end) / 2
        above += rank * sum(1 for one in kept[at:end] if one > 0)
        at = end
    mean = count * (count + 1) / 4
    deviation = math.sqrt(count * (count + 1) * (2 * count + 1) / 24)
    return math.erfc(abs(above - mean) / deviation / math.sqrt(2))


def told_apart(pairs: Sequence[tuple[float, float]]) -> float:
    """The p-value of the hypothesis that both take the same time, and the median difference, seconds."""
    return signed_ranks([one - other for one, other in trimmed(pairs)])


def trimmed(pairs: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The pairs but for those in which one waited for the machine."""
    kept = sorted(pairs, key=max)
    return kept[: len(kept) - int(len(kept) * _WORST_SHARE)]


def median_difference_s(pairs: Sequence[tuple[float, float]]) -> float:
    """By how much the first takes longer, seconds."""
    differences = sorted(one - other for one, other in pairs)
    return differences[len(differences) // 2]
