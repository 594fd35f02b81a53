"""Calendar windows of a time zone as sorted instants.

A local day begins at the first instant of its date, or at a time of day. Where clocks go back over that time
the window does not begin twice; a date that a zone skipped has no window.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

DAY_S = 86_400
#: Events lie in [2000-01-01, 2100-01-01) UTC; a margin on both sides holds every window they touch.
_FIRST = datetime(1999, 5, 1, tzinfo=UTC)
_LAST = datetime(2100, 3, 20, tzinfo=UTC)
#: Days that begin within, whatever the zone and the time of day they begin at.
_FIRST_DAY, _LAST_DAY = int(_FIRST.timestamp()) // DAY_S + 3, int(_LAST.timestamp()) // DAY_S - 3


def _offset_s(zone: tzinfo, instant_s: int) -> int:
    offset = datetime.fromtimestamp(instant_s, tz=zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


@cache
def segments(
    zone: tzinfo, first: datetime = _FIRST, last_at: datetime = _LAST
) -> tuple[tuple[int, int, int], ...]:
    """Stretches ``(start_s, end_s, offset_s)`` of constant offset.

    No zone has changed twice in six days since 1970: of Cambridge Bay's year 2000, the shortest stretch is of
    6.9 days. Every process asks for some zones when it starts: a look every six hours took two seconds.
    """
    begin, last = int(first.timestamp()), int(last_at.timestamp())
    found: list[tuple[int, int, int]] = []
    start, offset = begin, _offset_s(zone, begin)
    probe = begin
    while probe < last:
        following = min(probe + 3 * DAY_S, last)
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
    return tuple(found)


def day_starts(zone: tzinfo, begin_s: int = 0) -> npt.NDArray[np.int64]:
    """First instants of all local days from 1999 to 2100, epoch seconds, ascending.

    A day begins ``begin_s`` seconds after midnight by the wall clock.
    """
    days = np.arange(_FIRST_DAY, _LAST_DAY, dtype=np.int64)
    return np.unique(_first_instants(zone, days, begin_s))


def week_starts(zone: tzinfo, begin_s: int = 0, weekday: int = 0) -> npt.NDArray[np.int64]:
    """First instants of all local weeks, which begin on a weekday, Monday is 0; epoch seconds, ascending."""
    days = np.arange(_FIRST_DAY, _LAST_DAY, dtype=np.int64)
    # 1970-01-01 was a Thursday, so day number 4 is a Monday.
    return np.unique(_first_instants(zone, days[(days - 4 - weekday) % 7 == 0], begin_s))


def month_starts(zone: tzinfo, begin_s: int = 0) -> npt.NDArray[np.int64]:
    """First instants of all local months, epoch seconds, ascending."""
    months = np.arange(_FIRST.strftime("%Y-%m"), _LAST.strftime("%Y-%m"), dtype="datetime64[M]")
    days = months.astype("datetime64[D]").astype(np.int64)
    return np.unique(_first_instants(zone, days, begin_s))


@cache
def hours_of_day(time_zone: str, begin_s: int, end_s: int) -> npt.NDArray[np.int64]:
    """The hours between two local times of every day, half-open, ascending; epoch seconds, shape (n, 2).

    They run over midnight where the second is not later than the first. What touches is one interval.
    """
    days = np.arange(_FIRST_DAY, _LAST_DAY - 1, dtype=np.int64)
    zone = ZoneInfo(time_zone)
    begins = _first_instants(zone, days, begin_s)
    ends = _first_instants(zone, days + (end_s <= begin_s), end_s)
    lasts = ends > begins
    begins, ends = begins[lasts], ends[lasts]
    return _joined(np.stack((begins, ends), axis=1))


@cache
def hours_on_dates(time_zone: str, begin_s: int, end_s: int, first: str, last: str) -> npt.NDArray[np.int64]:
    """`hours_of_day`, as far as they lie on the dates from ``first`` to ``last`` of every year.

    Dates are "06-01" for the first of June, both included; over the new year where the second is earlier.
    What the hours reach over midnight from the last date is not in.
    """
    hours = hours_of_day(time_zone, begin_s, end_s)
    days = np.arange(_FIRST_DAY, _LAST_DAY - 1, dtype=np.int64)
    named = np.char.partition(np.datetime_as_string(days.astype("datetime64[D]")), "-")[:, 2]
    inside = (first <= named) & (named <= last) if first <= last else (first <= named) | (named <= last)
    if inside.all():
        return hours
    edges = np.diff(np.r_[False, inside, False].astype(np.int8))
    first_days, last_days = days[np.flatnonzero(edges[:-1] == 1)], days[np.flatnonzero(edges[1:] == -1)] + 1
    pieces: list[npt.NDArray[np.int64]] = []
    for start_s, until_s, offset_s in segments(ZoneInfo(time_zone)):
        # Clocks that go back over midnight bring a date a second time: each offset has its own dates.
        season = (np.stack((first_days, last_days), axis=1) * DAY_S - offset_s).clip(start_s, until_s)
        pieces.append(season[season[:, 0] < season[:, 1]])
    # Seasons are few: of each, the hours that reach into it, cut to it.
    found = []
    for begin, end in np.concatenate(pieces).tolist():
        part = hours[(hours[:, 1] > begin) & (hours[:, 0] < end)].clip(begin, end)
        found.append(part)
    return _joined(np.concatenate([np.zeros((0, 2), np.int64), *found]))


def _joined(stretches: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Ascending stretches, those that touch as one."""
    touch = stretches[1:, 0] == stretches[:-1, 1]
    return np.stack((stretches[np.r_[True, ~touch], 0], stretches[np.r_[~touch, True], 1]), axis=1)


def begin_of(zone: tzinfo, day: date, days_later: int = 0) -> int:
    """The first instant of a local date, or of one so many days later, epoch seconds.

    Dates beyond all events are brought near to them.
    """
    number = day.toordinal() - date(1970, 1, 1).toordinal() + days_later
    days = np.array([min(max(number, _FIRST_DAY), _LAST_DAY - 1)], dtype=np.int64)
    return int(_first_instants(zone, days, 0)[0])


def _first_instants(zone: tzinfo, days: npt.NDArray[np.int64], begin_s: int) -> npt.NDArray[np.int64]:
    """First instants at which the wall clock has come to a time of local days (days since 1970-01-01).

    One that does not exist is the first instant after the gap, one that exists twice the earlier.
    """
    start, end, offset = np.array(segments(zone), dtype=np.int64).T
    wanted = days * DAY_S + begin_s
    index = np.searchsorted(end + offset, wanted, side="right")
    first: npt.NDArray[np.int64] = np.maximum(start[index], wanted - offset[index])
    return first
