"""The simulated city is believable, and the same each time."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import pytest

from schemas.decode import EVENT, decode_lines
from schemas.instants import parse_instant
from stream.simulation import city

MIDNIGHT_S = parse_instant("2026-11-23T00:00:00+08:00")
DAY_S, HOUR_S = 86_400, 3600
RIDERS = 300


@pytest.fixture(scope="module")
def day() -> list[Any]:
    """A day of a small city, decoded."""
    return [json.loads(line) for line in city.events(7, RIDERS, MIDNIGHT_S, DAY_S)]


def test_every_message_is_an_event() -> None:
    decoded = decode_lines(list(city.events(7, RIDERS, MIDNIGHT_S, DAY_S)))
    assert decoded.count > 10_000
    assert (decoded.columns.status == EVENT).all()


def test_events_come_in_time_order_each_under_its_own_id(day: list[Any]) -> None:
    times = [parse_instant(event["event_time"]) for event in day]
    assert all(a <= b for a, b in pairwise(times))
    assert MIDNIGHT_S <= times[0] <= times[-1] < MIDNIGHT_S + DAY_S
    assert len({event["event_id"] for event in day}) == len(day)


def test_the_same_seed_gives_the_same_city_and_another_seed_another() -> None:
    first, again, other = (list(city.events(seed, 50, MIDNIGHT_S, DAY_S)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("hours", [12.02, 13, 24])
def test_a_longer_simulation_begins_with_the_shorter_one(hours: float) -> None:
    longer = list(city.events(3, 60, MIDNIGHT_S, 40 * HOUR_S))
    shorter = list(city.events(3, 60, MIDNIGHT_S, int(hours * HOUR_S)))
    assert shorter == longer[: len(shorter)]
    assert len(shorter) < len(longer)
    assert parse_instant(json.loads(shorter[-1])["event_time"]) < MIDNIGHT_S + hours * HOUR_S


def test_every_type_of_event_happens(day: list[Any]) -> None:
    assert len({event["type"] for event in day}) == 9


def test_orders_are_picked_up_and_delivered_after_they_were_accepted(day: list[Any]) -> None:
    orders = defaultdict(list)
    for event in day:
        if "order_id" in event:
            orders[event["platform"], event["order_id"]].append((event["type"], event["rider_id"]))
    assert all(steps[0][0] == "order_accepted" for steps in orders.values())
    assert all(len({rider for _, rider in steps}) == 1 for steps in orders.values())
    kinds = Counter(tuple(kind.removeprefix("order_") for kind, _ in steps) for steps in orders.values())
    assert kinds[("accepted", "picked_up", "delivered")] > 0.9 * kinds.total()
    assert kinds[("accepted", "cancelled")] > 0
    assert kinds[("accepted", "cancelled", "accepted", "picked_up", "delivered")] > 0


def test_lunch_and_dinner_are_the_peaks(day: list[Any]) -> None:
    hours = Counter(event["event_time"][11:13] for event in day if event["type"] == "order_accepted")
    assert min(hours["12"], hours["18"]) > 1.5 * max(hours["09"], hours["15"], hours["23"])


def test_riders_stack_orders_and_some_ride_for_several_platforms(day: list[Any]) -> None:
    in_hand: Counter[str] = Counter()
    most: Counter[str] = Counter()
    platforms = defaultdict(set)
    for event in day:
        in_hand[event["rider_id"]] += {"order_accepted": 1, "order_delivered": -1, "order_cancelled": -1}.get(
            event["type"], 0
        )
        most[event["rider_id"]] = max(most[event["rider_id"]], in_hand[event["rider_id"]])
        platforms[event["rider_id"]].add(event["platform"])
    assert sum(1 for number in most.values() if number >= 2) > 0.8 * len(most)
    share = sum(1 for names in platforms.values() if len(names) > 1) / len(platforms)
    assert 0.2 < share < 0.4
    assert set().union(*platforms.values()) == {"meituan", "eleme", "jd"}


def test_orders_are_accepted_only_online_and_not_in_breaks(day: list[Any]) -> None:
    state: dict[tuple[str, str], str] = {}
    for event in day:
        place = (event["rider_id"], event["platform"])
        if event["type"] in ("online", "offline", "break_started", "break_ended"):
            state[place] = event["type"]
        if event["type"] == "order_accepted":
            assert state[place] in ("online", "break_ended"), event


def test_zones_are_of_the_city_and_sometimes_missing(day: list[Any]) -> None:
    zones = Counter(event.get("zone") for event in day if event["type"].startswith("order_"))
    assert 0.05 < zones.pop(None) / zones.total() < 0.2
    assert all(zone is not None and zone.startswith("3101") for zone in zones)


def longest_work_s(events: list[Any], rest_s: int = 1200) -> int:
    """Order time of one rider accumulated without a rest; the most of a day."""
    most = counted = in_hand = 0
    idle_since = begun = 0
    for event in events:
        at = parse_instant(event["event_time"])
        if event["type"] == "order_accepted":
            if in_hand == 0:
                counted, begun = (0 if at - idle_since >= rest_s else counted), at
            in_hand += 1
        elif event["type"] in ("order_delivered", "order_cancelled"):
            in_hand -= 1
            if in_hand == 0:
                counted, idle_since = counted + at - begun, at
                most = max(most, counted)
    return most


def test_long_riders_work_past_four_hours_and_most_others_do_not(day: list[Any]) -> None:
    by_rider = defaultdict(list)
    for event in day:
        by_rider[event["rider_id"]].append(event)
    over = [rider for rider, events in by_rider.items() if longest_work_s(events) >= 4 * HOUR_S]
    is_long = city.profiles(city.City(7, RIDERS)).kind == 4
    assert sum(1 for rider in over if is_long[int(f"0x{rider[2:]}", 0)]) > 0.7 * is_long.sum()
    assert len(over) < 0.4 * len(by_rider)


def test_in_the_middle_of_the_day_everybody_on_shift_goes_online_first() -> None:
    events = [json.loads(line) for line in city.events(1, 200, MIDNIGHT_S + 12 * HOUR_S, HOUR_S)]
    seen: set[tuple[str, str]] = set()
    for event in events:
        if event["type"] == "online":
            seen.add((event["rider_id"], event["platform"]))
        assert (event["rider_id"], event["platform"]) in seen
    assert len(seen) > 100
