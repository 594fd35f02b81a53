"""Calendar windows of a time zone: where its wall clock shows what a window begins with."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


@cache
def moment(zone: str, day: date, at: str = "00:00") -> int:
    """The earlier instant at which the wall clock shows that; the first after the gap that leaves it out.

    A time in a gap is reckoned with the offset before it, which puts it behind the gap, as far as it lies
    within; the gap's end is then the first whole minute, going back, before which the offset was another.
    """
    place = ZoneInfo(zone)
    wall = datetime.combine(day, time.fromisoformat(at), tzinfo=place)
    t = int(wall.timestamp())
    if datetime.fromtimestamp(t, place).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return t
    after = datetime.fromtimestamp(t, place).utcoffset()
    while datetime.fromtimestamp(t - 60, place).utcoffset() == after:
        t -= 60
    return t


def _today(zone: str, t: int, day_start: str) -> date:
    """The date whose day, beginning at that local time, has the instant."""
    day = datetime.fromtimestamp(t, ZoneInfo(zone)).date() + timedelta(days=2)
    while moment(zone, day, day_start) > t:
        day -= timedelta(days=1)
    return day


def _first_date(kind: str, day: date, week_start: str) -> date:
    if kind == "month":
        return day.replace(day=1)
    return day - timedelta(days=(day.weekday() - DAYS.index(week_start)) % 7 if kind == "week" else 0)


def _next_date(kind: str, first: date) -> date:
    if kind == "month":
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=7 if kind == "week" else 1)


def window(
    kind: str, zone: str, at: int, day_start: str = "00:00", week_start: str = "monday"
) -> tuple[int, int]:
    """``(start, end)`` of the day, week or month that contains the instant."""
    first = _first_date(kind, _today(zone, at, day_start), week_start)
    return moment(zone, first, day_start), moment(zone, _next_date(kind, first), day_start)


def opening(zone: str, at: int, weeks: int, day_start: str, week_start: str) -> int:
    """The beginning of the first of the weeks of which the one that contains the instant is the last."""
    first = _first_date("week", _today(zone, at, day_start), week_start)
    return moment(zone, first - timedelta(weeks=weeks - 1), day_start)


def masks(zone: str, between: list[str], start: int, end: int) -> list[tuple[int, int]]:
    """Every stretch of the local hours that touches ``[start, end]``."""
    opens, closes = between
    night = timedelta(days=0 if closes > opens else 1)
    day = datetime.fromtimestamp(start, ZoneInfo(zone)).date() - timedelta(days=3)
    found = []
    while moment(zone, day, opens) <= end:
        found.append((moment(zone, day, opens), moment(zone, day + night, closes)))
        day += timedelta(days=1)
    return found


def force(policy: dict[str, Any]) -> tuple[int | None, int | None]:
    """The first instant in force and the first no longer; None where there is none."""
    zone, begins, ends = policy["time_zone"], policy.get("valid_from"), policy.get("valid_until")
    return (
        None if begins is None else moment(zone, begins),
        None if ends is None else moment(zone, ends + timedelta(days=1)),
    )


def local(zone: str, at: int) -> str:
    """The instant as the wall clock of the zone writes it, with its offset."""
    return datetime.fromtimestamp(at, ZoneInfo(zone)).isoformat()


def utc(t: int | None) -> str | None:
    """The instant as statuses write it."""
    return None if t is None else datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
