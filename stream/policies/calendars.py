"""Calendar windows by name of time zone, made once per process."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from detectors.calendar import day_starts, week_starts


@cache
def window_starts(time_zone: str, kind: str) -> npt.NDArray[np.int64]:
    """First instants of the ``day`` or ``week`` windows of a time zone, epoch seconds."""
    zone = ZoneInfo(time_zone)
    return day_starts(zone) if kind == "day" else week_starts(zone)
