"""Relative risk of an accident from work times: a product of factors, each from its own study.

Hours on duty: Folkard, Lombardi & Tucker 2005 (1.13 at 10 h, 1.27 at 12 h), at most 2.47 as Salminen 2016
found beyond 12 h. Nights in a row: Folkard, Lombardi & Tucker 2005. Quick return: Nielsen 2019.
Time since a break: Tucker 2003, who found the last half hour of two twice as dangerous as the first; a study
of 2006 found no straight line, so this factor is the weakest. Which shift is worse by itself is disputed, so
it is no factor.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

HOURS_ON_DUTY = ((0.0, 1.0), (8.0, 1.0), (10.0, 1.13), (12.0, 1.27))
MOST_FOR_HOURS = 2.47
NIGHTS_IN_A_ROW = (1.0, 1.06, 1.17, 1.36)
QUICK_RETURN_H, QUICK_RETURN = 11.0, 1.39
SINCE_BREAK = ((0.0, 1.0), (0.25, 1.0), (1.75, 2.0))
#: Work less than this apart is one duty: lunch and dinner are one day's work.
ONE_DUTY_H = 5.0


class Risk(NamedTuple):
    """The factors and their product."""

    hours_on_duty: float
    nights_in_a_row: float
    quick_return: float
    since_break: float

    @property
    def relative(self) -> float:
        """Against the first hours of a rested day shift."""
        return self.hours_on_duty * self.nights_in_a_row * self.quick_return * self.since_break


def _between(points: Sequence[tuple[float, float]], x: float) -> float:
    """On the straight lines between points; beyond the last one it stays."""
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if x <= x1:
            return y0 + (y1 - y0) * (max(x, x0) - x0) / (x1 - x0)
    return points[-1][1]


def of_hours_on_duty(hours: float) -> float:
    """The factor for hours since the duty began; beyond twelve it goes on rising as before."""
    (x0, y0), (x1, y1) = HOURS_ON_DUTY[-2:]
    if hours <= x1:
        return _between(HOURS_ON_DUTY, hours)
    return min(MOST_FOR_HOURS, y1 + (y1 - y0) / (x1 - x0) * (hours - x1))


def of_nights_in_a_row(nights: int) -> float:
    """The factor for the number of night duties up to this one; from the fourth on it stays."""
    return NIGHTS_IN_A_ROW[min(max(nights, 1), len(NIGHTS_IN_A_ROW)) - 1]


def of_rest_before(hours: float) -> float:
    """The factor for the rest before this duty."""
    return QUICK_RETURN if hours <= QUICK_RETURN_H else 1.0


def of_time_since_break(hours: float) -> float:
    """The factor for the time since a break."""
    return _between(SINCE_BREAK, hours)


def duties(work: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Blocks of work in order as duties.

    >>> duties([(11.0, 14.0), (17.0, 21.0), (34.0, 38.0)])
    [(11.0, 21.0), (34.0, 38.0)]
    """
    found: list[tuple[float, float]] = []
    for start, end in work:
        if found and start - found[-1][1] < ONE_DUTY_H:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found
