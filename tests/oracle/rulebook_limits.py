"""Random limits of the whole grammar, valid by construction."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.windows import WEEKDAYS

Doc = dict[str, Any]
KINDS = ("continuous", "continuous", "continuous", "day", "week", "month", "rolling", "span", "rest_within")
RESET_CLOCKS = {
    "order": ("online", "duty"),
    "loaded": ("order", "online", "duty"),
    "online": ("duty",),
    "driving": ("duty",),
}
OPTIONAL = ("limit_s", "reset_s", "window_s", "rest_s", "remind_every_s", "release", "hold_for_s")


@dataclass(frozen=True)
class Scale:
    """``grid``: step of durations, seconds; ``minutes``: of local times; ``middle``: where things turn."""

    grid: int
    minutes: int
    middle: int
    coarse: bool


class LimitMaker:
    """Draws limits that mean something near ``middle`` in a zone."""

    def __init__(self, rng: random.Random, scale: Scale, zone: str) -> None:
        self.rng, self.scale, self.zone = rng, scale, zone

    def steps(self, least: int, most: int) -> int:
        return self.rng.randrange(least, most) * self.scale.grid

    def minute(self, low: int, high: int) -> int:
        """So many seconds, at least a minute: parts may not be shorter."""
        return max(60, self.steps(low, high))

    def time_of_day(self) -> str:
        """A local time at, near or in the gap after the turn, or any."""
        rng, step = self.rng, timedelta(minutes=self.scale.minutes)
        face = datetime.fromtimestamp(self.scale.middle - 60, ZoneInfo(self.zone)).replace(tzinfo=None)
        face += timedelta(minutes=rng.choice([1, 1, 1 + rng.randrange(0, 60), -rng.randrange(0, 60)]))
        if rng.random() < 0.15:
            face += step * rng.randrange(0, 1440 // self.scale.minutes)
        minute = face.minute // self.scale.minutes * self.scale.minutes
        return f"{face.hour:02}:{minute:02}"

    def between(self) -> list[str]:
        start = self.time_of_day()
        hours, minutes = map(int, start.split(":"))
        longest = 16 if self.scale.coarse else 50
        at = hours * 60 + minutes + self.scale.minutes * self.rng.randrange(1, longest)
        end = f"{at // 60 % 24:02}:{at % 60:02}"
        pair = [start, end]
        return pair if self.rng.random() < 0.7 else pair[::-1]

    def limit(self, name: str) -> Doc:
        rng = self.rng
        kinds = [kind for kind in KINDS if not (self.scale.coarse and kind == "rolling")]
        one: Doc = dict.fromkeys(OPTIONAL)
        one |= {"name": name, "kind": rng.choice(kinds)}
        one["clock"] = rng.choice(["order", "online", "loaded", "driving", "driving", "duty"])
        one["effect"] = rng.choice(["remind", "confirm", "hold", "hold"])
        one |= {"message": {"zh": "休息", "en": name}, "source": rng.choice([None, "its own source"])}
        amount = self.pieces(one)
        self.calendar(one)
        self.leads(one, amount)
        if one["kind"] != "rolling" and rng.random() < 0.5:
            one["remind_every_s"] = self.minute(1, 12)
        if one["effect"] == "hold":
            one["release"] = rng.choice(releases(one))
            if one["release"] == "elapsed":
                one["hold_for_s"] = self.steps(1, 40)
        return one

    def pieces(self, one: Doc) -> int:
        """The amount and what resets it; the amount."""
        rng, kind = self.rng, one["kind"]
        coarse = {"day": 40, "week": 160, "month": 500}.get(kind, 60)
        amount = self.steps(4, coarse if self.scale.coarse else 50)
        if kind == "rest_within":
            one["rest_s"] = self.steps(2, 150 if self.scale.coarse else 60)
            if rng.random() < 0.6:
                one["per"] = "week"
                return 7 * 86_400 - int(one["rest_s"])
            one["window_s"] = amount + one["rest_s"]
            return amount
        one["limit_s"] = amount
        if kind in ("continuous", "span") or (kind == "rolling" and rng.random() < 0.5):
            one["reset_s"] = self.minute(2, 24) + self.scale.grid
            if kind == "continuous":
                self.adding_up(one)
            if rng.random() < 0.4 and one["clock"] in RESET_CLOCKS:
                one["reset_clock"] = rng.choice(RESET_CLOCKS[one["clock"]])
        if kind == "rolling":
            one["window_s"] = amount + self.steps(0, 60)
        return amount

    def adding_up(self, one: Doc) -> None:
        way = self.rng.choice(["alone", "parts", "parts", "sum", "sum"])
        if way == "parts":
            parts = [self.minute(1, 12) for _ in range(self.rng.randrange(2, 5))]
            one["reset_parts_s"] = parts
            one["reset_s"] = max(parts) + self.steps(1, 12)
        elif way == "sum":
            least = self.minute(1, 8)
            one["reset_sum_parts_s"] = least
            one["reset_sum_s"] = least + self.steps(0, 20)
            one["reset_s"] = one["reset_sum_s"] + self.steps(0, 8)

    def calendar(self, one: Doc) -> None:
        rng, kind = self.rng, one["kind"]
        weekly = one.get("per") == "week"
        if kind in ("day", "week", "month") or weekly:
            if rng.random() < 0.6:
                one["day_start"] = self.time_of_day()
            if (kind == "week" or weekly) and rng.random() < 0.7:
                today = datetime.fromtimestamp(self.scale.middle, ZoneInfo(self.zone)).weekday()
                one["week_start"] = WEEKDAYS[rng.choice([today, today, rng.randrange(7)])]
        if kind == "week" and rng.random() < 0.5:
            one["weeks"] = rng.choice([2, 2, 3, 4, 26])
        masked = kind in ("day", "week", "month") or (kind == "rolling" and one["reset_s"] is None)
        if masked and rng.random() < 0.6:
            one["between"] = self.between()

    def leads(self, one: Doc, amount: int) -> None:
        room = min(amount // self.scale.grid - 1, 60)
        one["warn_before_s"] = []
        if room > 0 and self.rng.random() < 0.7:
            leads = self.rng.sample(range(1, room + 1), k=min(self.rng.randrange(1, 4), room))
            one["warn_before_s"] = [lead * self.scale.grid for lead in leads]


def releases(one: Doc) -> list[str]:
    """What a hold of the limit may be released by."""
    if one["kind"] in ("continuous", "span") or (one["kind"] == "rest_within" and not one.get("per")):
        return ["rest", "rest", "elapsed"]
    if one["kind"] == "rolling" and one["reset_s"] is not None:
        return ["rest", "window", "elapsed"]
    return ["window", "elapsed"]
