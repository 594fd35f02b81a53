"""Calendar windows by name of time zone, made once per process."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from detectors.calendar import day_starts, month_starts, week_starts


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
