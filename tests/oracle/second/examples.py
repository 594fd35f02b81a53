"""The worked examples as data: times of one day in Shanghai, hours above 24 belong to the next.

An event is ``time platform type [order] [flag]``, an alert
``time kind limit counted [until TIME] [by PLATFORM]``.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from .timeline import instant_s

MIDNIGHT_S = instant_s("2026-11-23T00:00:00+08:00")
TYPES = {
    "on": "online",
    "off": "offline",
    "acc": "order_accepted",
    "pick": "order_picked_up",
    "del": "order_delivered",
    "can": "order_cancelled",
    "b+": "break_started",
    "b-": "break_ended",
    "hb": "heartbeat",
}


class Example(NamedTuple):
    """One example in its compact form."""

    limits: list[str]
    events: str
    now: str
    alerts: list[str]


C4 = "continuous-4h continuous order limit=4h reset=20min warn=30min effect=hold release=rest"
D8 = "day-8h day order limit=8h warn=30min effect=confirm"

EXAMPLES: dict[int, Example] = {
    1: Example(
        [C4, D8],
        "10:00 A acc 1; 11:00 A del 1; 10:50 A acc 2; 12:30 A del 2; 12:40 A acc 3; 14:20 A del 3",
        "15:00",
        [
            "13:40 approaching continuous-4h 12600",
            "14:10 limit_reached continuous-4h 14400 until 14:30",
            "14:40 hold_released continuous-4h 14400 until 14:40",
        ],
    ),
    2: Example(
        [C4],
        "10:00 A acc 1; 12:00 A del 1; 12:19:59 A acc 2; 14:30 A del 2",
        "14:35",
        [
            "13:49:59 approaching continuous-4h 12600",
            "14:19:59 limit_reached continuous-4h 14400 until 14:39:59",
        ],
    ),
    3: Example([C4], "10:00 A acc 1; 12:00 A del 1; 12:20 A acc 2; 14:30 A del 2", "14:35", []),
    4: Example(
        [C4, D8],
        "08:00 A acc 1; 10:30 A del 1; 10:00 A acc 2; 12:00 A del 2; 11:00 B acc 3; 13:30 B del 3;"
        "13:00 B acc 4; 15:00 B del 4; 15:05 B acc 5; 17:30 B del 5; 16:10 A hb confirmed",
        "18:00",
        [
            "11:30 approaching continuous-4h 12600",
            "12:00 limit_reached continuous-4h 14400 until 12:20",
            "13:00 hold_breached continuous-4h 18000 until 13:20 by B",
            "15:05 hold_breached continuous-4h 25200 until 15:25 by B",
            "15:35 approaching day-8h 27000",
            "16:05 limit_reached day-8h 28800",
            "16:10 hold_released day-8h 28800 until 16:10",
            "17:50 hold_released continuous-4h 14400 until 17:50",
        ],
    ),
    5: Example(
        ["online-10h continuous online limit=10h reset=6h effect=hold"],
        "06:00 A on",
        "30:00",
        [
            "16:00 limit_reached online-10h 36000 until 22:00",
            "28:00 hold_released online-10h 36000 until 28:00",
        ],
    ),
    6: Example(
        ["c continuous order limit=4h reset=20min effect=remind"],
        "09:00 A acc 1; 15:00 A del 1; 12:10 A acc 2; 13:30 A del 2",
        "16:00",
        ["13:10 limit_reached c 14400"],
    ),
    7: Example(
        ["d day order limit=1h30min effect=remind"],
        "09:00 A acc 1; 09:30 A can 1; 10:00 A acc 1; 11:00 A del 1;"
        "11:30 A acc 2; 11:30 A del 2; 11:40 A pick 2; 12:30 A del 2",
        "13:00",
        ["11:00 limit_reached d 5400"],
    ),
    8: Example(
        ["o day online limit=3h effect=remind"],
        "08:00 A on; 09:00 A b+; 10:00 A b-; 12:00 A off; 09:30 B on; 11:00 B off",
        "13:00",
        ["11:30 limit_reached o 10800"],
    ),
    9: Example(
        ["r rolling online limit=12h window=24h reset=6h effect=hold"],
        "00:00 A on; 09:00 A off; 14:00 A on; 17:30 A off; 23:40 A on; 26:00 A off",
        "27:00",
        ["17:00 limit_reached r 43200 until 23:00", "23:30 hold_released r 43200 until 23:30"],
    ),
    10: Example(
        ["s span order limit=12h reset=8h warn=30min effect=remind"],
        "06:00 A acc 1; 08:00 A del 1; 13:00 A acc 2; 15:30 A del 2; 20:00 A acc 3; 20:30 A del 3",
        "21:00",
        ["20:00 limit_reached s 50400"],
    ),
    11: Example(
        ["n day order limit=1h30min effect=remind"],
        "22:30 A acc 1; 25:30 A del 1",
        "26:00",
        ["25:30 limit_reached n 5400"],
    ),
    12: Example(
        [
            "day-8h day order limit=8h remind=1h effect=remind",
            "day-12h day order limit=12h warn=1h effect=hold",
        ],
        "06:00 A acc 1; 08:50 A del 1; 08:50 A acc 2; 11:40 A del 2; 11:40 A acc 3; 14:30 A del 3;"
        "14:30 A acc 4; 17:20 A del 4; 17:20 A acc 5; 18:10 A del 5",
        "24:10",
        [
            "14:00 limit_reached day-8h 28800",
            "15:00 reminder day-8h 32400",
            "16:00 reminder day-8h 36000",
            "17:00 reminder day-8h 39600",
            "17:00 approaching day-12h 39600",
            "18:00 limit_reached day-12h 43200 until 24:00",
            "18:00 reminder day-8h 43200",
            "24:00 hold_released day-12h 43200 until 24:00",
        ],
    ),
    13: Example(
        ["c continuous order limit=2h reset=20min effect=hold release=elapsed hold_for=30min"],
        "08:00 A acc 1; 10:50 A del 1; 10:00:59 A acc 2; 11:00 A del 2;"
        "10:01 B acc 3; 11:10 B del 3; 10:30 B acc 4; 11:15 B del 4",
        "11:20",
        [
            "10:00 limit_reached c 7200 until 10:30",
            "10:01 hold_breached c 7260 until 10:30 by B",
            "10:30 hold_released c 7200 until 10:30",
        ],
    ),
    14: Example(
        ["c continuous order limit=1h reset=20min effect=remind"],
        "09:00 A acc 1; 09:20 A pick 1; 10:40 A del 1; 09:00 A acc 1 void",
        "11:00",
        ["10:20 limit_reached c 3600"],
    ),
}


def clock_s(text: str) -> int:
    """Epoch second of ``HH:MM[:SS]`` on the day of the examples."""
    hours, minutes, seconds = (*map(int, text.split(":")), 0)[:3]
    return MIDNIGHT_S + hours * 3600 + minutes * 60 + seconds


def _duration_s(text: str) -> int:
    units = {"h": 3600, "min": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)(h|min|s)", text))


def limit(text: str) -> dict[str, Any]:
    """A limit from its line: name, kind, clock, then ``key=value``."""
    name, kind, clock, *rest = text.split()
    one: dict[str, Any] = {"name": name, "kind": kind, "clock": clock}
    for key, value in (pair.split("=") for pair in rest):
        if key in ("effect", "release"):
            one[key] = value
        elif key == "warn":
            one["warn_before_s"] = [_duration_s(value)]
        else:
            one["remind_every_s" if key == "remind" else f"{key}_s"] = _duration_s(value)
    return one


def policy(example: Example) -> dict[str, Any]:
    """The policy of an example."""
    limits = [limit(line) for line in example.limits]
    return {"name": "p", "version": 1, "time_zone": "Asia/Shanghai", "source": "example", "limits": limits}


def events(example: Example, rider: str = "r") -> list[dict[str, Any]]:
    """The events of an example, in UTC."""
    made = []
    for number, line in enumerate(example.events.split(";")):
        at, platform, kind, *rest = line.split()
        event: dict[str, Any] = {"schema": "work-state/1", "event_id": f"e{number}", "rider_id": rider}
        event |= {"platform": platform, "type": TYPES[kind]}
        seconds = clock_s(at) - MIDNIGHT_S
        day, seconds = 23 + seconds // 86400, seconds % 86400
        hours, minutes = seconds // 3600, seconds // 60 % 60
        event["event_time"] = f"2026-11-{day}T{hours:02}:{minutes:02}:{seconds % 60:02}+08:00"
        for word in rest:
            event.update({word: True} if word in ("void", "confirmed") else {"order_id": word})
        made.append(event)
    return made


def brief(alert: dict[str, Any]) -> tuple[Any, ...]:
    """What an example says of an alert: instant, kind, limit, count, end of the hold, platform."""
    until = (alert["hold"] or {}).get("until")
    seconds = None if until is None else instant_s(until)
    head = (instant_s(alert["event_time"]), alert["kind"], alert["limit"], alert["counted_s"])
    return (*head, seconds, alert["platform"])


def expected(example: Example) -> list[tuple[Any, ...]]:
    """The alerts of an example in the form of ``brief``."""
    found = []
    for line in example.alerts:
        at, kind, name, counted, *rest = line.split()
        more = dict(zip(rest[::2], rest[1::2], strict=True))
        until = clock_s(more["until"]) if "until" in more else None
        found.append((clock_s(at), kind, name, int(counted), until, more.get("by")))
    return found
