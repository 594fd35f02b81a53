"""From a rider's events to what each clock did in every second."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Interval = tuple[int, int]


@dataclass(frozen=True)
class Maxima:
    order_s: int = 10_800
    session_s: int = 57_600
    break_s: int = 14_400
    duty_s: int = 57_600


@dataclass
class Rider:
    """Everything that happened to one rider up to now.

    ``unit``: of how many seconds a step is. More than one is exact only where every instant and amount is a
    multiple of it and no trailing window is judged.
    """

    now: int
    first: int
    real: list[dict[str, Any]]
    unit: int = 1
    runs: dict[str, list[bool]] = field(default_factory=dict)  # clock -> is it running at first + i
    ended_by_maximum: dict[str, set[int]] = field(default_factory=dict)
    accepted_anew: set[tuple[int, str]] = field(default_factory=set)  # (instant, platform)
    zones: list[tuple[int, str]] = field(default_factory=list)  # (since, the zone from there on)

    def zone(self, t: int) -> str | None:
        """That of the last event that has one, by a second; at one instant the greatest."""
        return max((one for one in self.zones if one[0] <= t), default=(0, None))[1]


def instant(text: str) -> int:
    whole, _, rest = text.partition(".")
    if rest:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        whole += rest[digits:]
    return int(datetime.fromisoformat(whole).timestamp())


def kind_key(event: dict[str, Any]) -> tuple[Any, ...]:
    order = event.get("order_id") if event["type"].startswith("order_") else None
    return (event["platform"], event["type"], order, instant(event["event_time"]))


def read_rider(events: list[dict[str, Any]], now: int, maxima: Maxima, unit: int = 1) -> Rider:
    happened = [event for event in events if instant(event["event_time"]) <= now]
    voided = {kind_key(event) for event in happened if event.get("void")}
    real = [event for event in happened if not event.get("void") and kind_key(event) not in voided]
    first = min((instant(event["event_time"]) for event in happened), default=now)
    rider = Rider(now, first, real, unit)
    assert (now - first) % unit == 0, "the steps do not meet now"
    order, loaded, order_maxima, loaded_maxima = order_intervals(rider, maxima.order_s)
    online, online_maxima = online_seconds(rider, maxima)
    driving, on_duty, driving_maxima, on_duty_maxima = duty_intervals(rider, maxima.duty_s)
    seconds = range(first, now + 1, unit)
    for event in real:
        if event.get("zone") and (
            event["type"].startswith("order_") or event["type"] in ("online", "offline")
        ):
            rider.zones.append((instant(event["event_time"]), event["zone"]))

    def covered(intervals: list[tuple[int, int]]) -> list[bool]:
        runs = [False] * len(seconds)
        for start, end in intervals:
            for second in range(max(start, first), min(end, now + 1), unit):
                runs[(second - first) // unit] = True
        return runs

    rider.runs["order"] = covered(order)
    rider.runs["loaded"] = covered(loaded)
    rider.runs["online"] = [a or b for a, b in zip(online, rider.runs["order"], strict=True)]
    rider.runs["driving"] = covered(driving)
    on = covered(on_duty)
    rider.runs["duty"] = [
        any(those) for those in zip(rider.runs["driving"], on, rider.runs["online"], strict=True)
    ]
    rider.ended_by_maximum = {
        "order": order_maxima,
        "loaded": loaded_maxima,
        "online": online_maxima | order_maxima,
        "driving": driving_maxima,
        "duty": online_maxima | order_maxima | driving_maxima | on_duty_maxima,
    }
    return rider


def moments_of_orders(rider: Rider) -> dict[tuple[str, str], dict[int, set[str]]]:
    orders: dict[tuple[str, str], dict[int, set[str]]] = {}
    for event in rider.real:
        if event["type"].startswith("order_"):
            name = (event["platform"], event["order_id"])
            orders.setdefault(name, {}).setdefault(instant(event["event_time"]), set()).add(event["type"])
    return orders


def order_intervals(rider: Rider, longest: int) -> tuple[list[Interval], list[Interval], set[int], set[int]]:
    """In hand, loaded, and where a maximum ended either.

    Longer than others, longer because it is the definition, read from top to bottom.
    """
    in_hand, loaded = list[Interval](), list[Interval]()
    maxima, loaded_maxima = set[int](), set[int]()
    for (platform, _), moments in moments_of_orders(rider).items():
        start: int | None = None
        picked: int | None = None
        ever = False

        def close(end: int, *, by_maximum: bool) -> None:
            nonlocal start, picked
            assert start is not None
            in_hand.append((start, end))
            if picked is not None:
                loaded.append((picked, end))
            if by_maximum:
                maxima.add(end)
                if picked is not None:
                    loaded_maxima.add(end)
            start = picked = None

        for moment in sorted(moments):
            types = moments[moment]
            ends = bool(types & {"order_delivered", "order_cancelled"})
            had = start is not None and (moment < start + longest or (moment == start + longest and ends))
            if start is not None and not had:
                close(start + longest, by_maximum=True)
            accepted, pick = "order_accepted" in types, "order_picked_up" in types
            if had and ends:
                close(moment, by_maximum=False)
                ends = False  # this end is used up: what begins now stays open
                if accepted:
                    rider.accepted_anew.add((moment, platform))
                    start, picked = moment, moment if pick else None
            elif had:
                if pick and picked is None:
                    picked = moment
            elif accepted or (pick and not ever):
                ever = True
                if accepted:
                    rider.accepted_anew.add((moment, platform))
                if not ends:
                    start, picked = moment, moment if pick else None
        if start is not None:
            close(start + longest, by_maximum=start + longest <= rider.now)
    return in_hand, loaded, maxima, loaded_maxima


def toggled(
    begins: set[int], ends: set[int], longest: int, now: int
) -> tuple[list[tuple[int, int]], set[int]]:
    """Intervals from a beginning to the next end, ends first at one instant; where a maximum ended one."""
    intervals, maxima = [], set()
    start: int | None = None
    for moment in sorted(begins | ends):
        if start is not None and (
            moment > start + longest or (moment == start + longest and moment not in ends)
        ):
            intervals.append((start, start + longest))
            maxima.add(start + longest)
            start = None
        if start is not None and moment in ends:
            intervals.append((start, moment))
            start = None
        if start is None and moment in begins:
            start = moment
    if start is not None:
        intervals.append((start, start + longest))
        if start + longest <= now:
            maxima.add(start + longest)
    return intervals, maxima


def online_seconds(rider: Rider, maxima: Maxima) -> tuple[list[bool], set[int]]:
    """Sessions minus the same platform's breaks, second by second, and where a maximum ended what counted."""
    runs = [False] * len(range(rider.first, rider.now + 1, rider.unit))
    ended: set[int] = set()
    for platform in {event["platform"] for event in rider.real}:

        def at(*types: str, platform: str = platform) -> set[int]:
            return {
                instant(event["event_time"])
                for event in rider.real
                if event["platform"] == platform and event["type"] in types
            }

        sessions, session_maxima = toggled(at("online"), at("offline"), maxima.session_s, rider.now)
        pause_ends = at("break_ended", "order_accepted", "offline")
        pauses, _ = toggled(at("break_started"), pause_ends, maxima.break_s, rider.now)

        def paused(second: int, pauses: list[tuple[int, int]] = pauses) -> bool:
            return any(start <= second < end for start, end in pauses)

        for start, end in sessions:
            for second in range(start, min(end, rider.now + 1), rider.unit):
                if not paused(second):
                    runs[(second - rider.first) // rider.unit] = True
        ended |= {moment for moment in session_maxima if not paused(moment - 1)}
    return runs, ended


def duty_intervals(rider: Rider, longest: int) -> tuple[list[Interval], list[Interval], set[int], set[int]]:
    """Driving, on duty, and where a maximum ended either."""
    intervals: dict[str, list[Interval]] = {"driving": [], "on_duty": [], "off": [], "sleeper": []}
    maxima: dict[str, set[int]] = {name: set() for name in intervals}
    for platform in {event["platform"] for event in rider.real}:
        said: dict[int, list[str]] = {}
        for event in rider.real:
            if event["platform"] == platform and event["type"] in ("duty_status", "offline"):
                duty = "off" if event["type"] == "offline" else event["duty"]
                said.setdefault(instant(event["event_time"]), []).append(duty)
        status, since = "off", min(said, default=0)
        for moment in sorted(said):
            # `offline` is an `off` that comes first; two of them in a row are as one.
            for duty in ("off", "sleeper", "on_duty", "driving"):
                if duty not in said[moment]:
                    continue
                if duty == status and moment < since + longest:
                    continue
                intervals[status].append((since, min(moment, since + longest)))
                if moment > since + longest or (moment == since + longest and duty == status):
                    maxima[status].add(since + longest)
                status, since = duty, moment
        intervals[status].append((since, since + longest))
        if since + longest <= rider.now:
            maxima[status].add(since + longest)
    return intervals["driving"], intervals["on_duty"], maxima["driving"], maxima["on_duty"]
