"""Seconds that events add up to, counted in the plainest way; for the tests of maps."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

BEGINS = {"order_accepted", "order_picked_up"}
ENDS = {"order_delivered", "order_cancelled"}


def events_in(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def second_of(event: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(event["event_time"]).timestamp())


def seconds(events: list[dict[str, Any]], rider: str, clock: str) -> int:
    """Seconds on which something of the rider was open; one by one, so that overlaps count once."""
    begins, ends = ({"online"}, {"offline"}) if clock == "online" else (BEGINS, ENDS)
    open_: dict[tuple[str, str], int] = {}
    counted: set[int] = set()
    mine = [one for one in events if one["rider_id"] == rider and one["type"] in begins | ends]
    for one in sorted(mine, key=lambda one: (second_of(one), one["type"] in begins)):
        key = (one["platform"], one.get("order_id", ""))
        if one["type"] in begins:
            open_.setdefault(key, second_of(one))
        elif key in open_:
            counted |= set(range(open_.pop(key), second_of(one)))
    assert not open_, "an end is missing"
    return len(counted)
