"""A rider's last seven days: how long each clock ran, as far back as its stretches are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from detectors.kernels.layout.values import EVIDENCE_SPANS
from detectors.rider_view import RiderView, Stretch
from stream.output.alert_json import utc

Document = dict[str, Any]
DAYS = 7


def week_document(rider: str, view: RiderView, zones: Sequence[str]) -> Document:
    """The week that ends with the day of *now*, in each time zone of the policies."""
    return {
        "rider_id": rider,
        "as_of": utc(view.now_s),
        "weeks": [{"time_zone": name, "days": _days(view, ZoneInfo(name))} for name in zones],
    }


def _days(view: RiderView, zone: ZoneInfo) -> list[Document]:
    today = datetime.fromtimestamp(view.now_s, tz=zone).date()
    return [_day(view, zone, today - timedelta(days=before)) for before in reversed(range(DAYS))]


def _day(view: RiderView, zone: ZoneInfo, day: date) -> Document:
    start, end = (_begin(one, zone) for one in (day, day + timedelta(days=1)))
    bounds = int(start.timestamp()), int(end.timestamp())
    return {
        "day": day,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "seconds": {
            clock: ran(stretches, bounds, view.now_s) if is_whole(stretches, bounds[0]) else None
            for clock, stretches in view.stretches.items()
        },
    }


def _begin(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local date; where the clocks skip midnight, fold makes it the next one."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def ran(stretches: Sequence[Stretch], bounds: tuple[int, int], now_s: int) -> int:
    """Seconds that a clock ran inside bounds.

    >>> ran((Stretch(0, 10), Stretch(20, None)), (5, 100), 30)
    15
    """
    begin_s, end_s = bounds
    spans = ((one.start_s, now_s if one.end_s is None else one.end_s) for one in stretches)
    return sum(max(0, min(to_s, end_s) - max(from_s, begin_s)) for from_s, to_s in spans)


def is_whole(stretches: Sequence[Stretch], since_s: int) -> bool:
    """Whether everything since an instant is among the stretches.

    More than the last `EVIDENCE_SPANS` are dropped once no limit can reach them: so where fewer are there,
    none was ever dropped, and else all after the first are whole.
    """
    return len(stretches) <= EVIDENCE_SPANS or stretches[0].start_s < since_s
