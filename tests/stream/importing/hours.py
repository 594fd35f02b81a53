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
    ended: set[tuple[str, str]] = set()
    empty: set[tuple[str, str, int]] = set()
    counted: set[int] = set()
    mine = [one for one in events if one["rider_id"] == rider and one["type"] in begins | ends]
    # An end comes first at its instant; with nothing in hand an order begins and ends there: no time.
    for one in sorted(mine, key=lambda one: (second_of(one), one["type"] in begins)):
        key, at_s = (one["platform"], one.get("order_id", "")), second_of(one)
        if one["type"] in ends:
            ended.add(key)
            if key in open_:
                counted |= set(range(open_.pop(key), at_s))
            elif clock == "order":
                empty.add((*key, at_s))
        # Once an order has ended, only an acceptance begins it anew.
        elif (*key, at_s) not in empty and (one["type"] != "order_picked_up" or key not in ended):
            open_.setdefault(key, at_s)
    assert not open_, "an end is missing"
    return len(counted)
