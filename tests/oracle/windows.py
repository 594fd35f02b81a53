"""Calendar windows, hours of the day, dates in force: found by looking at the wall clock each minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

Doc = dict[str, Any]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@cache
def local_instant(day: date, time: str, zone: str) -> int:
    """The first minute at which the wall clock has come to that local date and time.

    One that does not exist is the first instant after the gap, one that exists twice the earlier.
    """
    hour, minute = map(int, time.split(":"))
    wanted = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - a wall clock's face
    near = int(wanted.replace(tzinfo=UTC).timestamp())
    place = ZoneInfo(zone)
    for at in range(near - 16 * 3600, near + 40 * 3600, 60):
        if datetime.fromtimestamp(at, place).replace(tzinfo=None) >= wanted:
            return at
    raise AssertionError(f"{day} {time} {zone}")


def begins_window(kind: str, day: date, week_start: str) -> bool:
    """Whether a window of the kind begins on that date."""
    if kind == "month":
        return day.day == 1
    return kind == "day" or WEEKDAYS[day.weekday()] == week_start


@cache
def calendar_window(
    kind: str, second: int, zone: str, day_start: str = "00:00", week_start: str = "monday", weeks: int = 1
) -> tuple[int, int, int]:
    """Of the window that contains a second: where counting begins, its own beginning, its end.

    Counting begins earlier than the window only where a limit is of several weeks.
    """
    today = datetime.fromtimestamp(second, ZoneInfo(zone)).date()
    reach = 34 if kind == "month" else 9
    days = [today + timedelta(days=offset) for offset in range(-reach, reach + 1)]
    days = [day for day in days if begins_window(kind, day, week_start)]
    begun = [day for day in days if local_instant(day, day_start, zone) <= second]
    start = max(local_instant(day, day_start, zone) for day in begun)
    later = [local_instant(day, day_start, zone) for day in days]
    end = min(at for at in later if at > second)
    if weeks == 1:
        return start, start, end
    return local_instant(max(begun) - timedelta(days=7 * (weeks - 1)), day_start, zone), start, end


def window_of(limit: Doc, second: int, zone: str) -> tuple[int, int, int]:
    """The calendar window of a limit that contains a second."""
    kind = "week" if limit["kind"] == "rest_within" else limit["kind"]
    day_start, week_start = limit.get("day_start") or "00:00", limit.get("week_start") or "monday"
    minute = second // 60 * 60  # windows begin with whole minutes
    return calendar_window(kind, minute, zone, day_start, week_start, limit.get("weeks") or 1)


def hours_between(between: list[str], zone: str, first: int, last: int) -> list[tuple[int, int]]:
    """Every interval of the local hours that lies near the seconds from first to last."""
    start, end = between
    day = datetime.fromtimestamp(first, ZoneInfo(zone)).date() - timedelta(days=2)
    until = datetime.fromtimestamp(last, ZoneInfo(zone)).date() + timedelta(days=2)
    found = []
    while day <= until:
        over_midnight = end <= start
        ends_on = day + timedelta(days=1) if over_midnight else day
        found.append((local_instant(day, start, zone), local_instant(ends_on, end, zone)))
        day += timedelta(days=1)
    return found


def in_force(policy: Doc) -> tuple[float, float]:
    """From when until when a policy is in force."""
    begin, end = policy.get("valid_from"), policy.get("valid_until")
    zone = policy["time_zone"]
    first = -float("inf") if begin is None else local_instant(begin, "00:00", zone)
    after = float("inf") if end is None else local_instant(end + timedelta(days=1), "00:00", zone)
    return first, after
