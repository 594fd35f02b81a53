"""Seeded histories that aim at coincidences: gaps of just a reset, ends just at a maximum.

A history is a few shifts per platform whose pieces last one of the case's own durations (limits, resets,
windows, maxima), give or take a grid step, so that edges meet edges far more often than in uniform noise.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from .timeline import instant_s

Doc = dict[str, Any]
KINDS = ("continuous", "day", "week", "rolling", "span", "rest_within")
#: Zone and an instant at which its calendar or its clocks turn.
TURNS = (
    ("Asia/Shanghai", "2026-11-22T16:00:00Z"),
    ("Asia/Shanghai", "2026-11-24T16:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("America/New_York", "2026-11-02T05:00:00Z"),
    ("Europe/London", "2026-03-29T01:00:00Z"),
    ("Europe/London", "2026-10-25T23:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T13:30:00Z"),
    ("America/St_Johns", "2010-11-07T02:31:00Z"),
    ("America/St_Johns", "2010-03-14T03:31:00Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
)
RELEASES = {
    "continuous": ("rest", "elapsed"),
    "span": ("rest", "elapsed"),
    "rest_within": ("rest", "elapsed"),
    "day": ("window", "elapsed"),
    "week": ("window", "elapsed"),
}


@dataclass(frozen=True)
class Case:
    """What to judge; ``settings`` are the keyword arguments of ``judge``."""

    events: list[Doc]
    policies: list[Doc]
    now_s: int
    settings: dict[str, Any]


class _Maker:
    """Draws one case; ``grid`` is the step of every duration in seconds."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(f"second {seed}")
        self.grid = self.rng.choice([1, 5, 10, 10, 20])
        self.zone, turn = self.rng.choice(TURNS)
        self.turn = instant_s(turn)
        self.lengths: list[int] = []
        self.events: list[Doc] = []
        self.session_s = self.steps(200, 1500)

    def steps(self, low_s: int, high_s: int) -> int:
        """A multiple of the grid between two durations; remembered, so that the history can meet it."""
        length = self.rng.randint(max(1, low_s // self.grid), high_s // self.grid) * self.grid
        self.lengths.append(length)
        return length

    def limit(self, name: str) -> Doc:
        """One limit, allowed by the policy rules."""
        rng, kind = self.rng, self.rng.choice(KINDS)
        effect = rng.choice(["remind", "confirm", "hold", "hold"])
        one: Doc = {"name": name, "kind": kind, "clock": rng.choice(["order", "online", "loaded", "order"])}
        amount, reset = self.steps(40, rng.choice([120, 600])), self.steps(10, rng.choice([120, 300]))
        if kind in ("span", "rest_within"):
            reset = self.steps(60, 400)
        one |= {"limit_s": amount, "reset_s": None, "window_s": None, "rest_s": None}
        if kind == "rest_within":
            one |= {"limit_s": None, "window_s": amount + reset, "rest_s": reset}
        elif kind in ("continuous", "span") or (kind == "rolling" and rng.random() < 0.6):
            one["reset_s"] = reset
        if kind == "rolling":
            one["window_s"] = amount + rng.choice([0, self.grid, reset, self.steps(10, 600)])
        room = amount // self.grid - 1
        leads = rng.sample(range(1, room + 1), k=min(room, rng.choice([0, 1, 2, 3]))) if room > 0 else []
        one["warn_before_s"] = [lead * self.grid for lead in leads]
        every = rng.random() < 0.5 and kind != "rolling"
        one["remind_every_s"] = max(60, self.steps(60, 240)) if every else None
        release = RELEASES.get(
            kind, ("rest", "window", "elapsed") if one["reset_s"] else ("window", "elapsed")
        )
        one |= {"effect": effect, "release": rng.choice([None, *release]) if effect == "hold" else None}
        one["hold_for_s"] = self.steps(10, rng.choice([100, 900])) if one["release"] == "elapsed" else None
        one |= {"message": {"zh": "该休息了", "en": name}, "source": rng.choice([None, "own"])}
        return one

    def length(self) -> int:
        """A duration that means something to some limit, give or take a step or a second."""
        pick = self.rng.choice(self.lengths)
        return max(0, pick + self.rng.choice([0, 0, 0, 0, -self.grid, self.grid, 1, -1]))

    def tell(self, at: int, platform: str, kind: str, order: str | None = None) -> None:
        """Write one event, with the odd extra."""
        rng = self.rng
        offset = timezone(timedelta(minutes=rng.choice([0, 480, -210, 765])))
        text = datetime.fromtimestamp(at, offset).isoformat()
        if rng.random() < 0.15:
            text = text[:19] + rng.choice([".5", ".999999999", ".0"]) + text[19:]
        event: Doc = {"schema": "work-state/1", "event_id": f"e-{len(self.events)}", "rider_id": "r-1"}
        event |= {"platform": platform, "event_time": text, "type": kind}
        if order is not None:
            event["order_id"] = order
        if rng.random() < 0.3:
            event["zone"] = rng.choice(["310101", "310105", "a", "Z"])
        if rng.random() < 0.05:
            event["confirmed"] = True
        self.events.append(event)

    def orders(self, start: int, end: int, platform: str) -> None:
        """Orders one after another or on top of each other, some broken in the ways that feeds break."""
        rng, at = self.rng, start
        while at < end:
            order = f"o-{rng.randrange(4)}"
            last = at + self.length()
            middle = rng.choice([at, last, rng.randint(at, last), last + self.grid])
            if rng.random() < 0.9:
                self.tell(at, platform, "order_accepted", order)
            if rng.random() < 0.7:
                self.tell(middle, platform, "order_picked_up", order)
            if rng.random() < 0.8:
                self.tell(last, platform, rng.choice(["order_delivered", "order_cancelled"]), order)
            if rng.random() < 0.15:
                self.tell(last, platform, rng.choice(["order_accepted", "order_picked_up"]), order)
            at = rng.choice([at, last, last]) + rng.choice([0, self.grid, self.length()])
            if rng.random() < 0.1:
                self.tell(at, platform, "heartbeat")
                self.events[-1]["confirmed"] = True

    def shift(self, start: int, platform: str) -> None:
        """One stretch of work on one platform."""
        rng, end = self.rng, start + sum(self.length() for _ in range(self.rng.randint(1, 4)))
        if rng.random() < 0.7:
            self.tell(start, platform, "online")
        if rng.random() < 0.7:
            self.tell(end, platform, "offline")
        if rng.random() < 0.5:
            pause = rng.choice([start, rng.randint(start, end), end])
            self.tell(pause, platform, "break_started")
            if rng.random() < 0.8:
                self.tell(pause + self.length(), platform, "break_ended")
        if rng.random() < 0.2:
            self.lapse(start, platform)
        if rng.random() < 0.85:
            self.orders(start + rng.choice([0, 0, self.length()]), end, platform)

    def lapse(self, start: int, platform: str) -> None:
        """A session that reaches its maximum, in a break or not, where something else ends in time."""
        last = start + self.session_s
        self.tell(start, platform, "online")
        if self.rng.random() < 0.6:
            self.tell(last - self.grid, platform, "break_started")
        self.tell(last - 2 * self.grid, "C", "order_accepted", "o-9")
        self.tell(last, "C", "order_delivered", "o-9")

    def finish(self) -> None:
        """Repeats, corrections, a second rider now and then, any order."""
        rng = self.rng
        for event in rng.sample(self.events, k=len(self.events) // 12):
            self.events.append({**event, "void": True, "event_id": f"v-{len(self.events)}"})
        for event in rng.sample(self.events, k=len(self.events) // 10):
            self.events.append(dict(event))
        if rng.random() < 0.3:
            for event in rng.sample(self.events, k=len(self.events) // 2):
                event["rider_id"] = "r-2"
        rng.shuffle(self.events)

    def now(self) -> int:
        """At an event, a meaningful while after one, or before the last ones."""
        times = sorted(instant_s(event["event_time"]) for event in self.events)
        return self.rng.choice([times[-1], times[-1] + self.length(), self.rng.choice(times) + self.length()])


def make_case(seed: int) -> Case:
    """The case of that seed, always the same; spans one to three hours."""
    maker = _Maker(seed)
    rng = maker.rng
    names = rng.choice([("p",), ("p", "q"), ("p", "p-2"), ("q", "p", "p.1")])
    policies: list[Doc] = [
        {
            "name": name,
            "version": rng.randint(1, 3),
            "time_zone": rng.choice([maker.zone, maker.zone, maker.zone, "UTC"]),
            "source": f"source of {name}",
            "limits": [maker.limit(f"{rng.choice('abc')}-{n}") for n in range(rng.randint(1, 3))],
        }
        for name in names
    ]
    settings = {
        "breach_grace_s": rng.choice([60, 10, 0]),
        "max_open_order_s": maker.steps(100, 900),
        "max_open_session_s": maker.session_s,
        "max_open_break_s": maker.steps(40, 400),
        "lateness_s": rng.choice([600, 86400]),
    }
    grid = maker.grid
    start = maker.turn - rng.randint(0, 1800 // grid) * grid
    for _ in range(rng.randint(1, 6)):
        maker.shift(start + rng.choice([0, rng.randint(0, 2400 // grid) * grid]), rng.choice("AAB"))
        start += rng.choice([0, maker.length(), maker.length() * 2])
    if not maker.events:
        maker.tell(start, "A", "online")
    maker.finish()
    return Case(maker.events, policies, maker.now(), settings)


def utc_text(at: int) -> str:
    """The instant as events may write it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
