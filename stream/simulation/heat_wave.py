"""A heat wave over the simulated city: what the weather service announces each morning of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.zone_condition import SCHEMA
from stream.simulation.city import City
from stream.simulation.events import ZONES

_PLACE = ZoneInfo("Asia/Shanghai")
_ANNOUNCED_H = 8
#: Condition, of which part of the city's zones (from, to; shares), and its local hours.
_PARTS = (
    ("heat-35", (0.0, 0.5), (10, 18)),
    ("heat-37", (0.5, 0.9), (11, 17)),
    ("heat-37-peak", (0.5, 0.9), (12, 15)),
    ("heat-40", (0.9, 1.0), (13, 16)),
)


def announcements(city: City) -> Iterator[bytes]:
    """The messages of every day of the city, in the order of their announcement.

    The last one of a day takes the city's hottest hours back, an hour before they would have ended.
    """
    day = datetime.fromtimestamp(city.start_s, _PLACE).replace(hour=0, minute=0, second=0)
    while day.timestamp() < city.start_s + city.duration_s:
        for name, (low, high), (begin, end) in _PARTS:
            zones = ZONES[
                round(low * len(ZONES)) : max(round(high * len(ZONES)), round(low * len(ZONES)) + 1)
            ]
            message = {
                "schema": SCHEMA,
                "condition_id": f"sim-{name}-{day:%Y%m%d}",
                "condition": name,
                "zones": list(zones),
                "from": _text(day + timedelta(hours=begin)),
                "until": _text(day + timedelta(hours=end)),
                "announced_at": _text(day + timedelta(hours=_ANNOUNCED_H)),
                "source": "made up by respite simulate",
            }
            yield json.dumps(message).encode()
        yield json.dumps(
            {**message, "announced_at": _text(day + timedelta(hours=end - 1)), "void": True}
        ).encode()
        day += timedelta(days=1)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
