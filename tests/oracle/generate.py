"""Seeded nasty histories on scaled-down limits, so that every rule fires often."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.evidence import Maxima

Doc = dict[str, Any]
#: Instants around which calendars turn: local midnights, weeks, changes of the clocks.
TURNS = (
    ("Asia/Shanghai", "2026-11-22T16:00:00+00:00"),  # midnight before a Monday
    ("Asia/Shanghai", "2026-11-24T16:00:00+00:00"),
    ("America/New_York", "2026-03-08T07:00:00+00:00"),  # clocks go forward
    ("America/New_York", "2026-11-01T05:00:00+00:00"),
    ("Europe/London", "2026-10-25T00:30:00+00:00"),
    ("America/St_Johns", "2010-11-07T02:31:00+00:00"),  # from 00:01 back to 23:01 of the day before
    ("Australia/Lord_Howe", "2026-04-04T15:00:00+00:00"),  # half an hour back
    ("America/Sao_Paulo", "2018-11-04T03:00:00+00:00"),  # a day that begins at 01:00
)
TYPES = (
    ["order_accepted"] * 6
    + ["order_delivered"] * 6
    + ["order_picked_up"] * 3
    + ["order_cancelled", "online", "online", "online", "offline", "offline"]
    + ["break_started", "break_ended", "heartbeat"]
)


@dataclass(frozen=True)
class Case:
    seed: int
    events: list[Doc]
    policies: list[Doc]
    now: int
    grace: int
    maxima: Maxima


#: Kinds of limit that histories are made for.
KINDS = ("continuous", "day", "week", "month", "rolling", "span", "rest_within")
#: What can be asked for beside them: a rest in every calendar week.
WEEK_REST = "rest_within/week"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def make_limit(rng: random.Random, name: str, grid: int, only: str | None = None) -> Doc:
    drawn = rng.choice(KINDS)
    kind = only or drawn
    amount = rng.randrange(4, 50) * grid
    limit: Doc = {
        "name": name,
        "kind": kind,
        "clock": rng.choice(["order", "online", "loaded"]),
        "effect": rng.choice(["remind", "confirm", "hold", "hold"]),
        "limit_s": None, "reset_s": None, "window_s": None, "rest_s": None,
        "warn_before_s": [], "remind_every_s": None, "release": None, "hold_for_s": None,
        "message": {"zh": "休息", "en": name}, "source": rng.choice([None, "its own source"]),
    }  # fmt: skip
    reset = rng.randrange(2, 16) * grid
    if kind == "rest_within":
        limit["window_s"], limit["rest_s"] = amount + reset, reset
    else:
        limit["limit_s"] = amount
    if kind in ("continuous", "span") or (kind == "rolling" and rng.random() < 0.5):
        limit["reset_s"] = reset
    if kind == "rolling":
        limit["window_s"] = amount + rng.randrange(0, 60) * grid
    if rng.random() < 0.7:
        leads = rng.sample(range(1, max(2, amount // grid)), k=min(rng.randrange(1, 4), amount // grid - 1))
        limit["warn_before_s"] = [lead * grid for lead in leads]
    if kind != "rolling" and rng.random() < 0.5:
        limit["remind_every_s"] = max(60, rng.randrange(1, 12) * grid)
    if limit["effect"] == "hold":
        limit["release"] = rng.choice(allowed_releases(kind, limit["reset_s"] is not None))
        if limit["release"] == "elapsed":
            limit["hold_for_s"] = rng.randrange(1, 40) * grid
    return limit


def make_week_rest(rng: random.Random, name: str, grid: int, turn: tuple[str, int]) -> Doc:
    """A rest in every week, which turns soon after the middle of the history."""
    limit = make_limit(rng, name, grid, "day")
    zone, middle = turn
    ends = datetime.fromtimestamp(middle + rng.randrange(1, 50) * 60, ZoneInfo(zone))
    limit |= {"kind": "rest_within", "per": "week", "limit_s": None}
    limit |= {"rest_s": rng.randrange(2, 60) * grid, "day_start": f"{ends:%H:%M}"}
    limit["week_start"] = WEEKDAYS[ends.weekday()]
    return limit


def allowed_releases(kind: str, has_reset: bool) -> list[str]:
    if kind in ("continuous", "span", "rest_within"):
        return ["rest", "elapsed"]
    if kind == "rolling" and has_reset:
        return ["rest", "window", "elapsed"]
    return ["window", "elapsed"]


def make_event(rng: random.Random, number: int, at: int, riders: int) -> Doc:
    kind = rng.choice(TYPES)
    offset = timezone(timedelta(minutes=rng.choice([0, 480, -210])))
    text = datetime.fromtimestamp(at, offset).isoformat()
    if rng.random() < 0.2:
        text = text[:19] + rng.choice([".5", ".999999999", ".0"]) + text[19:]
    event: Doc = {
        "schema": "work-state/1",
        "event_id": f"e-{number}",
        "rider_id": f"r-{rng.randrange(riders)}",
        "platform": rng.choice(["meituan", "eleme", "jd"]),
        "event_time": text,
        "type": kind,
    }
    if kind.startswith("order_"):
        event["order_id"] = f"o-{rng.randrange(8)}"
    if rng.random() < 0.4:
        event["zone"] = rng.choice(["310101", "310105", "3101", "44:a"])
    if rng.random() < 0.06:
        event["confirmed"] = True
    return event


def make_case(seed: int, riders: int = 2, horizon_s: int = 3600, only: str | None = None) -> Case:
    """A history; ``only`` names the kind that all its limits are of."""
    rng = random.Random(seed)
    grid = rng.choice([1, 5, 10, 30])
    turn = rng.choice(TURNS)
    middle = int(datetime.fromisoformat(turn[1]).timestamp())
    begin = middle - rng.randrange(0, horizon_s // grid) * grid
    count = rng.choice([5, 15, 40, 80])
    times = [begin + rng.randrange(0, horizon_s // grid) * grid for _ in range(count)]
    events = [make_event(rng, number, at, riders) for number, at in enumerate(times)]
    for event in rng.sample(events, k=count // 8):
        events.append({**event, "void": True, "event_id": f"v-{len(events)}"})
    events += [dict(event) for event in rng.sample(events, k=count // 10)]
    rng.shuffle(events)
    policies: list[Doc] = [
        {
            "name": name,
            "version": rng.randrange(1, 4),
            "time_zone": rng.choice([turn[0], turn[0], "UTC"]),
            "source": f"source of {name}",
            "limits": [
                make_week_rest(rng, f"l-{index}", grid, (turn[0], middle))
                if only == WEEK_REST
                else make_limit(rng, f"l-{index}", grid, only)
                for index in range(rng.randrange(1, 4))
            ],
        }
        for name in ("p", "q")[: rng.randrange(1, 3)]
    ]
    maxima = Maxima(rng.randrange(10, 90) * grid, rng.randrange(20, 200) * grid, rng.randrange(5, 60) * grid)
    latest = max(int(datetime.fromisoformat(event["event_time"]).timestamp()) for event in events)
    now = latest + rng.choice([0, 0, rng.randrange(0, horizon_s // 2), -rng.randrange(0, horizon_s // 2)])
    return Case(seed, events, policies, now, rng.choice([60, 0, 3 * grid]), maxima)


def utc_text(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
