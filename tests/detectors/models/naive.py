"""The models once more, from their definitions, slow and obvious; nothing of what they judge is imported."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

Spans = Sequence[tuple[int, int]]
HOUR = 3600


def clock_h(at: int, zone: ZoneInfo) -> float:
    local = datetime.fromtimestamp(at, zone)
    return local.hour + local.minute / 60 + local.second / 3600


def s_awake(s: float, hours: float) -> float:
    return 2.4 + (s - 2.4) * math.exp(-0.0353 * hours)


def s_asleep(s: float, hours: float) -> float:
    g = math.log(0.3 / 6.34) / 8
    if s < 12.2:
        linear_h = (12.2 - s) / (g * (12.2 - 14.3))
        if hours < linear_h:
            return s + hours * g * (12.2 - 14.3)
        return 14.3 - 2.1 * math.exp(g * (hours - linear_h))
    return 14.3 - (14.3 - s) * math.exp(g * hours)


def c_u(at: int, zone: ZoneInfo) -> tuple[float, float]:
    tod = clock_h(at, zone)
    return (
        2.5 * math.cos(2 * math.pi / 24 * (tod - 16.8)),
        -0.5 + 0.5 * math.cos(2 * math.pi / 12 * (tod - 16.8 - 3)),
    )


def alertness(spans: Spans, zone: ZoneInfo, asked: Sequence[int]) -> list[tuple[float, ...]]:
    """S, C, U, W and KSS at each instant, from an hour before the first work on.

    Only seconds at which something can change are looked at: every five minutes, and the borders of work.
    """
    first = spans[0][0] - HOUR
    changed, s_changed, sleeps = first, 14.0, False
    wanted, found = set(asked), {}
    borders = {border for start, end in spans for border in (start - HOUR, start, end)}
    grid = range(first // 300 * 300, max(asked) + 1, 300)
    for at in sorted(one for one in {*grid, *borders, *asked} if first <= one <= max(asked)):
        before = max((end for _, end in spans if end <= at), default=spans[0][0] - 2 * HOUR)
        after = min((start for start, _ in spans if start > at), default=1 << 60)
        works = any(start <= at < end for start, end in spans)
        must_wake = works or at >= after - HOUR
        hours = (at - changed) / HOUR
        s = s_asleep(s_changed, hours) if sleeps else s_awake(s_changed, hours)
        turn = sleeps and must_wake
        if not turn and not works and at % 300 == 0 and at > first and at != before:
            c, u = c_u(at, zone)
            if sleeps:
                turn = hours >= 1 and s + c + u > 11.38
            else:
                turn = at >= before + HOUR and not must_wake and hours >= 2 and s + c + u < 8.38
        if turn:
            sleeps, changed, s_changed, hours = not sleeps, at, s, 0.0
        if at in wanted:
            c, u = c_u(at, zone)
            w = 0.0 if sleeps else -5.72 * math.exp(-1.51 * hours)
            found[at] = s, c, u, w, 10.6 - 0.6 * (s + c + u + w)
    return [found[at] for at in asked]


def on_line(x: float, points: Sequence[tuple[float, float]]) -> float:
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if x <= x1:
            return y0 + (y1 - y0) / (x1 - x0) * (x - x0)
    return points[-1][1]


@cache
def of_night(at: int, zone: ZoneInfo) -> int | None:
    """The date on which the night began that a second belongs to."""
    local = datetime.fromtimestamp(at, zone)
    if local.hour >= 23:
        return local.toordinal()
    return local.toordinal() - 1 if local.hour < 6 else None


def risk(spans: Spans, zone: ZoneInfo, asked: Sequence[int]) -> list[tuple[float, ...]]:
    """The product and its four factors at each instant, minute by minute; work begins and ends at minutes."""
    found: list[tuple[float, ...]] = []
    for at in asked:
        worked = [(start, min(end, at)) for start, end in spans if start <= at]
        duties: list[list[tuple[int, int]]] = []
        for span in worked:
            if duties and span[0] - duties[-1][-1][1] < 5 * HOUR:
                duties[-1].append(span)
            else:
                duties.append([span])
        runs: list[tuple[int, int]] = []  # of each night that counts, how many in a row
        nights_now = 0
        for duty in duties:
            nights_now = 0
            seconds: dict[int, int] = {}
            for start, end in duty:
                for minute in range(start, end, 60):
                    night = of_night(minute, zone)
                    if night is None:
                        continue
                    seconds[night] = seconds.get(night, 0) + 60
                    if seconds[night] == 3 * HOUR:
                        if runs and runs[-1][0] == night - 1:
                            runs.append((night, runs[-1][1] + 1))
                        elif not runs or runs[-1][0] != night:
                            runs.append((night, 1))
                        nights_now = 1
            if nights_now:
                nights_now = runs[-1][1]
        off = at - worked[-1][1]
        goes_on = off < 5 * HOUR
        hours = (at - duties[-1][0][0]) / HOUR if goes_on else 0.0
        rest = (duties[-1][0][0] - duties[-2][-1][1]) if len(duties) > 1 else 1 << 60
        rest = rest if goes_on else off
        since = at
        if off < 900:
            since = worked[-1][0]
            for (_, end), (start, _) in reversed(list(pairwise(worked))):
                if start - end >= 900 or since != start:
                    break
                since = next(s for s, e in worked if e == end)
        factors = (
            min(2.47, on_line(hours, ((8, 1.0), (10, 1.13), (12, 1.27), (1012, 1.27 + 70))))
            if hours > 0 else 1.0,
            (1.0, 1.0, 1.06, 1.17, 1.36)[min(4, nights_now if goes_on else 0)],
            1.39 if rest <= 11 * HOUR else 1.0,
            on_line((at - since) / HOUR, ((0.25, 1.0), (1.75, 2.0))),
        )  # fmt: skip
        found.append((float(math.prod(factors)), *factors))
    return found


def hours_and_ends(spans: Spans, zone: ZoneInfo, now: int, *, open_end: bool) -> list[int]:
    ends = {end for start, end in spans[: len(spans) - open_end]}
    minutes = range((spans[0][0] + 59) // 60 * 60, now + 1, 60)
    wanted = [at for at in minutes if datetime.fromtimestamp(at, zone).minute == 0]
    return sorted({*wanted, *(end for end in ends if end <= now)})


def day(zone: ZoneInfo, date: str, *spans: str) -> list[tuple[int, int]]:
    """Spans like "11:00-14:00" of a date; a time before the former one's is on the next day."""
    at, found, days = datetime.fromisoformat(date).replace(tzinfo=zone), [], 0
    former = timedelta(0)
    for text in spans:
        ends = []
        for one in text.split("-"):
            hours, minutes = one.split(":")
            time = timedelta(hours=int(hours), minutes=int(minutes))
            days += time < former
            former = time
            moment = (at + timedelta(days=days)).replace(hour=int(hours), minute=int(minutes))
            ends.append(int(moment.timestamp()))
        found.append((ends[0], ends[1]))
    return found
