"""Calendar windows of a time zone as sorted instants.

A local date begins at its first instant. Where clocks go back over midnight that first instant lies
before a second visit of the evening before, and the window does not begin twice; a date that a zone
skipped has no window.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

import numpy as np
import numpy.typing as npt

DAY_S = 86_400
#: Events lie in [2000-01-01, 2100-01-01) UTC; a margin on both sides holds every window they touch.
_FIRST = datetime(1999, 12, 20, tzinfo=UTC)
_LAST = datetime(2100, 1, 20, tzinfo=UTC)


def _offset_s(zone: tzinfo, instant_s: int) -> int:
    offset = datetime.fromtimestamp(instant_s, tz=zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def segments(zone: tzinfo, first: datetime = _FIRST, last_at: datetime = _LAST) -> list[tuple[int, int, int]]:
    """Stretches ``(start_s, end_s, offset_s)`` of constant offset; no zone changes twice in six hours."""
    begin, last = int(first.timestamp()), int(last_at.timestamp())
    found: list[tuple[int, int, int]] = []
    start, offset = begin, _offset_s(zone, begin)
    probe = begin
    while probe < last:
        following = min(probe + DAY_S // 4, last)
        new_offset = _offset_s(zone, following)
        if new_offset != offset:
            low, high = probe, following
            while high - low > 1:
                middle = (low + high) // 2
                if _offset_s(zone, middle) == offset:
                    low = middle
                else:
                    high = middle
            found.append((start, high, offset))
            start, offset = high, new_offset
        probe = following
    found.append((start, last, offset))
    return found


def day_starts(zone: tzinfo) -> npt.NDArray[np.int64]:
    """First instants of all local dates from 1999 to 2100, epoch seconds, ascending."""
    return np.array(sorted(_first_instants(zone).values()), dtype=np.int64)


def week_starts(zone: tzinfo) -> npt.NDArray[np.int64]:
    """First instants of all local weeks, which begin on Monday; epoch seconds, ascending."""
    first: dict[int, int] = {}
    for day, instant_s in _first_instants(zone).items():
        # 1970-01-01 was a Thursday, so day number 4 is a Monday.
        week = (day - 4) // 7
        first[week] = min(first.get(week, instant_s), instant_s)
    return np.array(sorted(first.values()), dtype=np.int64)


def _first_instants(zone: tzinfo) -> dict[int, int]:
    """Local day number (days since 1970-01-01) to its first instant."""
    first: dict[int, int] = {}
    for start_s, end_s, offset_s in segments(zone):
        day = (start_s + offset_s) // DAY_S
        while day * DAY_S - offset_s < end_s:
            instant_s = max(start_s, day * DAY_S - offset_s)
            first[day] = min(first.get(day, instant_s), instant_s)
            day += 1
    return first
