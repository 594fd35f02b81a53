"""Windows of the calendar against a wall clock looked at minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from detectors.calendar import segments
from stream.policies.calendars import window_starts
from tests.oracle.rulebook_cases import TURNS
from tests.oracle.windows import WEEKDAYS, calendar_window

DAY_S = 86_400


@pytest.mark.parametrize(("zone", "turn"), TURNS)
@pytest.mark.parametrize("kind", ["day", "week", "month"])
@pytest.mark.parametrize("day_start", ["00:00", "00:30", "02:30", "04:00", "23:30"])
def test_windows_begin_where_the_wall_clock_says(zone: str, turn: str, kind: str, day_start: str) -> None:
    hours, minutes = map(int, day_start.split(":"))
    middle = int(datetime.fromisoformat(turn).timestamp()) // 60 * 60
    for weekday in (0, 6) if kind == "week" else (0,):
        starts = window_starts(zone, kind, hours * 3600 + minutes * 60, weekday)
        for at in range(middle - 2 * DAY_S, middle + 2 * DAY_S, 3 * 3600):
            _, begin, end = calendar_window(kind, at, zone, day_start, WEEKDAYS[weekday])
            index = int(np.searchsorted(starts, at, side="right"))
            assert (int(starts[index - 1]), int(starts[index])) == (begin, end), (at, weekday)


#: Those that changed twice within the fewest days.
HASTY = ("America/Cambridge_Bay", "America/Boa_Vista", "Asia/Gaza", "America/Asuncion", "Africa/Casablanca")


@pytest.mark.parametrize("zone", HASTY)
def test_no_change_of_the_clocks_is_overlooked(zone: str) -> None:
    place = ZoneInfo(zone)
    first, last = datetime(1999, 5, 1, tzinfo=UTC), datetime(2100, 3, 20, tzinfo=UTC)
    looks = range(int(first.timestamp()), int(last.timestamp()), DAY_S // 4)
    offsets = [datetime.fromtimestamp(at, place).utcoffset() for at in looks]
    changes = sum(one != other for one, other in pairwise(offsets))
    found = segments(place, first, last)
    assert len(found) == changes + 1
    for start, end, offset in found:
        for at in (start, end - 1):
            told = datetime.fromtimestamp(at, place).utcoffset()
            assert told is not None
            assert told.total_seconds() == offset
