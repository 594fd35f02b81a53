"""Event times as they stand on the wire."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime

FIRST_S = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
#: The first second that is too late.
END_S = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
LARGEST_OFFSET_MIN = 14 * 60
_MONTHS = 12
_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)


def parse_instant(text: str) -> int:
    """Epoch seconds of an event time; a fraction is cut off.

    Raises
    ------
    ValueError
        Saying what is wrong with it.

    Examples
    --------
    >>> parse_instant("2026-11-23T12:00:00.9+08:00")
    1795406400
    """
    match = _FORM.fullmatch(text)
    if match is None:
        if _FORM.fullmatch(f"{text}Z"):
            raise ValueError(f'"{text}" has no offset: add that of the place, like {text}+08:00')
        raise ValueError(f'"{text[:80]}" is no time of the form 2026-11-23T12:00:00+08:00')
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f'"{text}" does not exist: {_why_not(year, month, day)}') from error
    offset_min = 0
    if match[7]:
        offset_min = int(match[8]) * 60 + int(match[9])
        if int(match[9]) > 59 or offset_min > LARGEST_OFFSET_MIN:
            raise ValueError(f'"{text}" has an offset beyond 14:00')
        offset_min = -offset_min if match[7] == "-" else offset_min
    instant_s = int(local.timestamp()) - offset_min * 60
    if not FIRST_S <= instant_s < END_S:
        raise ValueError(f'"{text}" lies outside 2000-01-01 to 2100-01-01 in UTC')
    return instant_s


def _why_not(year: int, month: int, day: int) -> str:
    """What is wrong with the date, or else the time, of an instant that does not exist."""
    if not year:
        return "years begin with 0001"
    if not 1 <= month <= _MONTHS:
        return f"there is no month {month}"
    days = calendar.monthrange(year, month)[1]
    if not 1 <= day <= days:
        return f"month {month} of {year} has {days} days"
    return "hours go to 23, minutes and seconds to 59"
