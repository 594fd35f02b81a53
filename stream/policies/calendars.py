"""Calendar windows by name of time zone, made once per process."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from detectors.calendar import day_starts, month_starts, segments, week_starts
from schemas.encode.columns import Offsets

#: Around everything that is ever written of an event, and of a clock that stands at its beginning.
_FIRST, _LAST = datetime(1969, 12, 1, tzinfo=UTC), datetime(2100, 7, 1, tzinfo=UTC)


@cache
def window_starts(time_zone: str, kind: str, day_start_s: int, week_start: int) -> npt.NDArray[np.int64]:
    """First instants of the ``day``, ``week`` or ``month`` windows of a time zone, epoch seconds.

    Days begin ``day_start_s`` seconds after midnight, weeks on the weekday ``week_start`` (Monday is 0).
    """
    zone = ZoneInfo(time_zone)
    if kind == "month":
        return month_starts(zone, day_start_s)
    if kind == "week":
        return week_starts(zone, day_start_s, week_start)
    return day_starts(zone, day_start_s)


@cache
def utc_offsets(time_zones: tuple[str, ...]) -> Offsets:
    """The UTC offsets of time zones in all the time that events, and what follows of them, lie in."""
    found = [segments(ZoneInfo(name), _FIRST, _LAST) for name in time_zones]
    rows = np.array([row for part in found for row in part], dtype=np.int64).reshape(-1, 3)
    first = np.cumsum([0, *map(len, found)], dtype=np.int64)
    start, end, offset = (np.ascontiguousarray(column) for column in rows.T)
    return Offsets(first, start, end, offset)
