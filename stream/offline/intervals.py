"""Half-open intervals of seconds: together, in common, by hour of day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from detectors.calendar import hours_of_day
from schemas.policy_calendar import seconds_of_day

Interval = tuple[int, int]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The intervals as they cover time together, sorted, none touching another.

    Examples
    --------
    >>> union([(3, 5), (0, 2), (4, 8), (9, 9)])
    [(0, 2), (3, 8)]
    """
    found: list[Interval] = []
    for begin, end in sorted(intervals):
        if begin >= end:
            continue
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def intersection(some: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    """What two sorted lists of intervals, each without overlaps, have in common.

    Examples
    --------
    >>> intersection([(0, 4), (6, 9)], [(2, 7), (8, 20)])
    [(2, 4), (6, 7), (8, 9)]
    """
    found = []
    left = right = 0
    while left < len(some) and right < len(others):
        begin = max(some[left][0], others[right][0])
        end = min(some[left][1], others[right][1])
        if begin < end:
            found.append((begin, end))
        if some[left][1] < others[right][1]:
            left += 1
        else:
            right += 1
    return found


def by_hour(intervals: Iterable[Interval], zone: ZoneInfo) -> list[int]:
    """Seconds of the intervals by local hour of day, 24 numbers."""
    seconds = [0] * 24
    for begin, end in intervals:
        at = begin
        while at < end:
            local = datetime.fromtimestamp(at, zone)
            # To the next full hour; clocks go forward and back at full and half hours.
            step = 3_600 - (local.minute * 60 + local.second)
            until = min(end, at + (min(step, 1_800 - at % 1_800)))
            seconds[local.hour] += until - at
            at = until
    return seconds


def daily(hours: tuple[str, str], time_zone: str, within: Interval) -> list[Interval]:
    """The same local hours of the days that an interval touches; over midnight where the second is not later.

    Where clocks go forward over one of the times it is the first instant after that.
    """
    begin_s, end_s = (seconds_of_day(text) for text in hours)
    if begin_s == end_s:
        return [within]
    found = hours_of_day(time_zone, begin_s, end_s)
    touched = found[(found[:, 1] > within[0]) & (found[:, 0] < within[1])]
    return [(begin, end) for begin, end in touched.tolist()]
