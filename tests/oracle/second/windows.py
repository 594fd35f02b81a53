"""Calendar days and weeks of a time zone, found by looking at the wall clock minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo


@cache
def first_instant(zone: str, day: date) -> int | None:
    """Epoch second of the first instant with that local date; None for a date that the zone leaves out.

    Whole minutes suffice: since 2000 every offset and every change of offset is one.
    """
    local = ZoneInfo(zone)
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    for t in range(midnight - 16 * 3600, midnight + 40 * 3600, 60):
        if datetime.fromtimestamp(t, local).date() == day:
            return t
    return None


def _next_start(zone: str, day: date, step: int) -> int:
    """The first instant of that date, or of the next one that exists."""
    while (start := first_instant(zone, day)) is None:
        day += timedelta(days=step)
    return start


def window(kind: str, zone: str, at: int) -> tuple[int, int]:
    """``(start, end)`` of the day or week that contains the instant."""
    near = datetime.fromtimestamp(at, ZoneInfo(zone)).date()
    today = near
    for day in (near - timedelta(days=1), near, near + timedelta(days=1)):
        start = first_instant(zone, day)
        if start is not None and start <= at:
            today = day
    length = 1 if kind == "day" else 7
    if kind == "week":
        today -= timedelta(days=today.weekday())
    return _next_start(zone, today, 1), _next_start(zone, today + timedelta(days=length), 1)


def local(zone: str, at: int) -> str:
    """The instant as the wall clock of the zone writes it, with its offset."""
    return datetime.fromtimestamp(at, ZoneInfo(zone)).isoformat()
