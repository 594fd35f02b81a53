"""Local times and windows of the calendar, as policy files write them."""

from __future__ import annotations

import re
from typing import Literal, get_args

DAY_S = 86_400
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
#: Monday is 0.
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
CALENDAR_KINDS = ("day", "week", "month")
#: A local day can have 25 hours, and in a few zones 24.5 or 26; a week or a month a day's extra hour.
LONGEST_CALENDAR_S = {"day": 26 * 3_600, "week": 7 * DAY_S + 2 * 3_600, "month": 31 * DAY_S + 2 * 3_600}
_LOCAL_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


def checked_time(value: object) -> object:
    """The text of a local time, as it is.

    Raises
    ------
    ValueError
        When it is none.
    """
    if not isinstance(value, str) or not _LOCAL_TIME.fullmatch(value):
        raise ValueError('is no local time: write it like "04:00", from "00:00" to "23:59"')
    return value


def seconds_of_day(text: str) -> int:
    """Seconds from midnight to a local time.

    Examples
    --------
    >>> seconds_of_day("04:30")
    16200
    """
    hours, minutes = text.split(":")
    return int(hours) * 3_600 + int(minutes) * 60


def calendar_faults(kind: str, day_start: str | None, week_start: str | None) -> list[str]:
    """What says of a calendar what the kind does not look at."""
    faults = []
    if day_start is not None and kind not in CALENDAR_KINDS:
        faults.append(f"`day_start` has no meaning for kind {kind}")
    if week_start is not None and kind != "week":
        faults.append(f"`week_start` has no meaning for kind {kind}")
    return faults
