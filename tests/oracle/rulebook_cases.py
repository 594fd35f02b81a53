"""Seeded histories with duty status under policies of the whole grammar, around the turns of calendars.

Half of them are fine: an hour, second by second. The others are coarse: some weeks in steps of a quarter of
an hour, in which every instant, every amount and every local time is a multiple of it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.evidence import Maxima, instant
from tests.oracle.judge import Settings
from tests.oracle.rulebook_limits import LimitMaker, Scale

Doc = dict[str, Any]
QUARTER_S = 900
#: Instants around which calendars turn: midnights, weeks, months, changes of the clocks.
TURNS = (
    ("Asia/Shanghai", "2026-11-22T16:00:00+00:00"),  # midnight before a Monday
    ("Asia/Shanghai", "2026-11-30T16:00:00+00:00"),  # a month's end
    ("America/New_York", "2026-03-08T07:00:00+00:00"),  # clocks go forward
    ("America/New_York", "2026-11-01T04:00:00+00:00"),  # a month begins, a Sunday whose clocks go back
    ("America/New_York", "2026-11-01T06:00:00+00:00"),
    ("Europe/London", "2026-10-25T01:00:00+00:00"),
    ("Europe/Berlin", "2026-03-29T01:00:00+00:00"),
    ("America/St_Johns", "2010-11-07T02:31:00+00:00"),  # from 00:01 back to 23:01 of the day before
    ("Australia/Lord_Howe", "2026-04-04T15:00:00+00:00"),  # half an hour back
    ("America/Sao_Paulo", "2018-11-04T03:00:00+00:00"),  # a day that begins at 01:00
    ("Pacific/Apia", "2011-12-30T10:00:00+00:00"),  # a day that does not exist
)
DUTIES = ("off", "sleeper", "driving", "driving", "on_duty")
TYPES = (
    ["order_accepted"] * 4
    + ["order_delivered"] * 4
    + ["order_picked_up"] * 2
    + ["order_cancelled", "online", "online", "offline", "offline"]
    + ["break_started", "break_ended", "heartbeat"]
    + ["duty_status"] * 10
)


@dataclass(frozen=True)
class RulebookCase:
    """What to judge: events in any order, policies, *now*, and how."""

    seed: int
    events: list[Doc]
    policies: list[Doc]
    now: int
    settings: Settings


class _Maker:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(f"rulebook {seed}")
        self.coarse = self.rng.random() < 0.5
        self.grid = QUARTER_S if self.coarse else self.rng.choice([1, 5, 10, 30])
        self.zone, turn = self.rng.choice(TURNS)
        self.middle = int(datetime.fromisoformat(turn).timestamp())
        if self.coarse:
            self.middle -= self.middle % QUARTER_S
        self.events: list[Doc] = []

    def tell(self, at: int, kind: str, platform: str | None = None) -> None:
        rng = self.rng
        offset = timezone(timedelta(minutes=rng.choice([0, 480, -210])))
        text = datetime.fromtimestamp(at, offset).isoformat()
        if rng.random() < 0.1:
            text = text[:19] + rng.choice([".5", ".999999999", ".0"]) + text[19:]
        event: Doc = {"schema": "work-state/1", "event_id": f"e-{len(self.events)}", "rider_id": "r-1"}
        event |= {"platform": platform or rng.choice(["meituan", "uber"]), "event_time": text, "type": kind}
        if kind.startswith("order_"):
            event["order_id"] = f"o-{rng.randrange(4)}"
        if kind == "duty_status":
            event["duty"] = rng.choice(DUTIES)
        elif rng.random() < 0.05:
            event["duty"] = rng.choice(["driving", "no duty", 7])  # not looked at
        if rng.random() < 0.3:
            event["zone"] = rng.choice(["310101", "310105", "a"])
        if rng.random() < 0.05:
            event["confirmed"] = True
        self.events.append(event)

    def fine(self) -> None:
        """Noise over an hour."""
        rng = self.rng
        begin = self.middle - rng.randrange(0, 3600 // self.grid) * self.grid
        for _ in range(rng.choice([5, 15, 40, 80])):
            self.tell(begin + rng.randrange(0, 3600 // self.grid) * self.grid, rng.choice(TYPES))

    def weeks(self) -> None:
        """Shifts on most days of some weeks."""
        rng, day = self.rng, 86_400
        days = rng.choice([3, 10, 17, 35])
        begin = self.middle - rng.randrange(0, days + 1) * day
        busy = rng.choice([0.5, 0.9, 1.0])
        for number in range(days):
            if rng.random() > busy:
                continue
            for _ in range(rng.choice([1, 2, 2, 4])):
                start = begin + number * day + rng.randrange(0, 96) * QUARTER_S
                self.shift(start, rng.choice([1, 2, 3, 8, 16, 40]) * QUARTER_S)

    def shift(self, start: int, lasts: int) -> None:
        rng, platform = self.rng, self.rng.choice(["meituan", "uber"])
        begin, end = rng.choice(
            [("online", "offline"), ("order_accepted", "order_delivered"), ("duty_status", "duty_status")] * 2
            + [("break_started", "break_ended"), ("order_picked_up", "order_cancelled")]
        )
        self.tell(start, begin, platform)
        order = self.events[-1].get("order_id")
        if begin == "duty_status":
            self.events[-1]["duty"] = rng.choice(["driving", "driving", "on_duty"])
        if rng.random() < 0.1:
            return
        self.tell(start + lasts, end, platform)
        if order:
            self.events[-1]["order_id"] = order
        if end == "duty_status":
            self.events[-1]["duty"] = rng.choice(["off", "off", "sleeper", "driving", "on_duty"])

    def finish(self) -> None:
        """Corrections, repeats, a second rider now and then."""
        rng = self.rng
        for event in rng.sample(self.events, k=len(self.events) // 10):
            taken = {**event, "void": True, "event_id": f"v-{len(self.events)}"}
            if event["type"] == "duty_status":
                taken["duty"] = rng.choice(DUTIES)
            self.events.append(taken)
        self.events += [dict(event) for event in rng.sample(self.events, k=len(self.events) // 12)]
        if rng.random() < 0.2:
            for event in rng.sample(self.events, k=len(self.events) // 2):
                event["rider_id"] = "r-2"
        rng.shuffle(self.events)

    def policies(self) -> list[Doc]:
        """One or two, one of them perhaps in two versions, some of them in force only for a time."""
        rng = self.rng
        day = datetime.fromtimestamp(self.middle, ZoneInfo(self.zone)).date()
        zone = rng.choice([self.zone, self.zone, self.zone, "UTC"])
        made = [self.policy("p", 1, zone)]
        shape = rng.random()
        if shape < 0.35:
            newer = self.policy("p", 2, zone)
            made[0]["valid_until"], newer["valid_from"] = day - timedelta(days=1), day
            made.append(newer)
        elif shape < 0.5:
            made[0]["valid_from"] = day + timedelta(days=rng.choice([-1, 0, 0, 1]))
        elif shape < 0.6:
            made[0]["valid_until"] = day - timedelta(days=rng.choice([1, 1, 0]))
        if rng.random() < 0.4:
            made.append(self.policy("q", 1, self.zone))
        return made

    def policy(self, name: str, version: int, zone: str) -> Doc:
        scale = Scale(self.grid, 15 if self.coarse else 1, self.middle, self.coarse)
        maker = LimitMaker(self.rng, scale, zone)
        limits = [maker.limit(f"l-{number}") for number in range(self.rng.randrange(1, 4))]
        source = f"source of {name}"
        return {"name": name, "version": version, "time_zone": zone, "source": source, "limits": limits}

    def settings(self) -> Settings:
        rng, grid = self.rng, self.grid
        maxima = Maxima(
            rng.randrange(10, 90) * grid,
            rng.randrange(20, 200) * grid,
            rng.randrange(5, 60) * grid,
            rng.randrange(10, 90) * grid,
        )
        unit = QUARTER_S if self.coarse else 1
        grace = rng.choice([60, 0, 3 * grid])
        return Settings(grace=grace, maxima=maxima, unit=unit, regardless=rng.random() < 0.15)


def make_case(seed: int) -> RulebookCase:
    """The case of that seed, always the same."""
    maker = _Maker(seed)
    rng, grid = maker.rng, maker.grid
    if maker.coarse:
        maker.weeks()
    if not maker.events:
        maker.fine()
    maker.finish()
    latest = max(instant(event["event_time"]) for event in maker.events)
    most = 400 if maker.coarse else 1800 // grid
    now = latest + rng.choice([0, 0, 1, -1]) * rng.randrange(0, most) * grid
    return RulebookCase(seed, maker.events, maker.policies(), now, maker.settings())
