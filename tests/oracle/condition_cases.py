"""Seeded histories of riders who move between zones, under bans and limits that conditions switch."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.evidence import Maxima, instant
from tests.oracle.generate import KINDS, TURNS, Case, make_event, make_limit

Doc = dict[str, Any]
PATTERNS = ("310101", "310105", "3101", "3101*", "31*", "44:a", "*", "4*", "none")
NAMES = ("heat", "curfew")


@dataclass(frozen=True)
class ConditionCase:
    """What to judge; ``messages`` are those of conditions, in any order."""

    case: Case
    messages: list[bytes]


class _Maker:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(f"conditions {seed}")
        self.grid = self.rng.choice([1, 5, 10, 30])
        zone, turn = self.rng.choice(TURNS)
        self.zone = zone
        self.middle = int(datetime.fromisoformat(turn).timestamp())
        self.begin = self.middle - self.rng.randrange(0, 3600 // self.grid) * self.grid

    def some_instant(self, before_s: int = 1800, after_s: int = 5400) -> int:
        rng = self.rng
        return self.begin + rng.randrange(-before_s // self.grid, after_s // self.grid) * self.grid

    def message(self, versions: list[Doc]) -> Doc:
        """A version of a new condition or of one before, or one announced at the second of another."""
        rng = self.rng
        start = self.some_instant()
        announced = rng.choice([start - rng.randrange(0, 60) * self.grid, self.some_instant(), start])
        one: Doc = {
            "schema": "zone-condition/1",
            "condition_id": f"c-{rng.randrange(4)}",
            "condition": rng.choice(NAMES),
            "zones": rng.sample(PATTERNS, k=rng.choice([1, 1, 2])),
            "from": self.text(start),
            "until": self.text(start + rng.randrange(1, 120) * self.grid),
            "announced_at": self.text(announced),
        }
        if rng.random() < 0.2:
            one["void"] = True
        if versions and rng.random() < 0.5:
            like = rng.choice(versions)
            one |= {name: like[name] for name in ("condition_id", "condition", "zones")}
            if rng.random() < 0.2:
                one["announced_at"] = like["announced_at"]
        return one

    def text(self, at: int) -> str:
        offset = timezone(timedelta(minutes=self.rng.choice([0, 480, -210])))
        return datetime.fromtimestamp(at, offset).isoformat()

    def messages(self) -> list[bytes]:
        versions: list[Doc] = []
        for _ in range(self.rng.choice([1, 3, 8, 20])):
            versions.append(self.message(versions))
        lines = [json.dumps(one).encode() for one in versions]
        lines += self.rng.sample(lines, k=len(lines) // 4)
        self.rng.shuffle(lines)
        return lines

    def limit(self, name: str) -> Doc:
        if self.rng.random() < 0.5:
            return self.ban(name)
        one = make_limit(self.rng, name, self.grid, self.rng.choice(KINDS))
        if self.rng.random() < 0.85:
            one["when"] = self.rng.choice(NAMES)
        return one

    def ban(self, name: str) -> Doc:
        rng = self.rng
        one = make_limit(rng, name, self.grid, "day")
        one |= {"kind": "ban", "limit_s": None, "remind_every_s": None}
        one |= {"effect": rng.choice(["remind", "hold", "hold"]), "release": None, "hold_for_s": None}
        if one["effect"] == "hold":
            one["release"] = rng.choice([None, "window", "elapsed"])
            one["hold_for_s"] = rng.randrange(1, 40) * self.grid if one["release"] == "elapsed" else None
        leads = rng.sample(range(1, 30), k=rng.choice([0, 1, 1, 2]))
        one["warn_before_s"] = [lead * self.grid for lead in leads]
        if rng.random() < 0.6:
            return one | {"condition": rng.choice(NAMES)}
        return one | self.hours()

    def hours(self) -> Doc:
        """Hours near where calendars turn, with days of the year and zones or without."""
        rng = self.rng
        face = datetime.fromtimestamp(self.middle, UTC) + timedelta(minutes=rng.randrange(-60, 60))
        # Zones differ: the hours are of the policy's own, so most of a day is tried.
        start = rng.randrange(0, 1440) if rng.random() < 0.3 else None
        minute = start if start is not None else self.local_minute() + rng.randrange(-40, 40)
        end = minute + rng.choice([1, 5, 30, 120, 600])
        found: Doc = {"between": [clock(minute), clock(end)]}
        if rng.random() < 0.4:
            days = [face.date() + timedelta(days=rng.choice([-1, 0, 0, 1, 40, -40])) for _ in range(2)]
            found["dates"] = [f"{day.month:02}-{day.day:02}" for day in days]
        if rng.random() < 0.4:
            found["zones"] = rng.sample(PATTERNS, k=rng.choice([1, 2]))
        return found

    def local_minute(self) -> int:
        face = datetime.fromtimestamp(self.middle, ZoneInfo(self.zone))
        return face.hour * 60 + face.minute

    def policies(self) -> list[Doc]:
        return [
            {
                "name": name,
                "version": self.rng.randrange(1, 4),
                "time_zone": self.rng.choice([self.zone, self.zone, "UTC"]),
                "source": f"source of {name}",
                "limits": [self.limit(f"l-{index}") for index in range(self.rng.randrange(1, 4))],
            }
            for name in ("p", "q")[: self.rng.randrange(1, 3)]
        ]


def clock(minute: int) -> str:
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def make_case(seed: int, riders: int = 2) -> ConditionCase:
    """The case of that seed, always the same."""
    maker = _Maker(seed)
    rng, grid = maker.rng, maker.grid
    count = rng.choice([5, 15, 40, 80])
    times = [maker.begin + rng.randrange(0, 3600 // grid) * grid for _ in range(count)]
    events = [make_event(rng, number, at, riders) for number, at in enumerate(times)]
    for event in rng.sample(events, k=count // 8):
        events.append({**event, "void": True, "event_id": f"v-{len(events)}"})
    events += [dict(event) for event in rng.sample(events, k=count // 10)]
    rng.shuffle(events)
    maxima = Maxima(rng.randrange(10, 90) * grid, rng.randrange(20, 200) * grid, rng.randrange(5, 60) * grid)
    latest = max(instant(event["event_time"]) for event in events)
    now = latest + rng.choice([0, 0, rng.randrange(0, 3600), -rng.randrange(0, 1800)])
    case = Case(seed, events, maker.policies(), now, rng.choice([60, 0, 3 * grid]), maxima)
    return ConditionCase(case, maker.messages())
