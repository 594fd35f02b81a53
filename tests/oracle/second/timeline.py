"""From the events of one rider to seconds: which clock runs in which second, and what a maximum has ended.

All instants are epoch seconds. The arrays have one entry per second (or per ``step`` of more of them, for
histories that know no other instants) from ``base`` (the first event) to ``now`` inclusive; the entry of
``now`` says whether the clock runs at that instant.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from .duty import duty_spans

CLOCKS = ("order", "loaded", "online", "driving", "duty")
ENDS = {"order_delivered", "order_cancelled"}
BREAK_ENDS = {"break_ended", "order_accepted", "offline"}
ZONED = {"online", "offline", "order_accepted", "order_picked_up", *ENDS}
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)")

Event = dict[str, Any]
Instants = dict[int, set[str]]


def instant_s(text: str) -> int:
    """Epoch second of an ``event_time``; the fraction is cut off. ValueError when it has another form."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    local, offset = match.groups()
    utc = datetime.fromisoformat(local).replace(tzinfo=UTC)
    if offset != "Z":
        away = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:6]))
        utc = utc + away if offset[0] == "-" else utc - away
    return int(utc.timestamp())


@dataclass(frozen=True)
class Maxima:
    """How long, in seconds, what is open may count."""

    order_s: int
    session_s: int
    break_s: int
    duty_s: int = 57_600


@dataclass(frozen=True)
class Span:
    """``[start, end)``; ``by`` is what ended it: event, maximum, or still open (then end is now + 1)."""

    start: int
    end: int
    by: str


@dataclass
class Timeline:
    """What is known of one rider up to ``now``."""

    base: int
    now: int
    runs: dict[str, bytearray]
    before: dict[str, list[int]]
    intervals: dict[str, list[tuple[int, int]]]
    cut: dict[str, set[int]]
    confirmed: set[int]
    begun: set[tuple[int, str]]
    zones: list[tuple[int, str]]
    step: int = 1

    def instants(self) -> range:
        """Every instant from base to now."""
        return range(self.base, self.now + 1, self.step)

    def index(self, at: int) -> int:
        """Where an instant stands in the arrays; 0 for what lies before them."""
        return max(at - self.base, 0) // self.step

    def running(self, clock: str, at: int) -> bool:
        """Whether the clock runs at that instant (at most now)."""
        return at >= self.base and bool(self.runs[clock][(at - self.base) // self.step])

    def counted(self, clock: str, start: int, end: int) -> int:
        """Seconds of the clock in ``[start, end)``, end at most now."""
        sums = self.before[clock]
        return (sums[self.index(end)] - sums[self.index(start)]) * self.step

    def rests(self, clock: str, start: int, end: int) -> list[tuple[int, int]]:
        """What lies in ``[start, end)`` of the clock's rests, in order."""
        found, at = [], start
        for a, b in self.intervals[clock]:
            if b > at:
                if min(a, end) > at:
                    found.append((at, min(a, end)))
                at = b
            if at >= end:
                return found
        if end > at:
            found.append((at, end))
        return found

    def zone(self, at: int) -> str | None:
        """Zone of the last event with one up to that instant, the greatest of one instant."""
        known = [pair for pair in self.zones if pair[0] <= at]
        return max(known)[1] if known else None


def _standing(events: Iterable[Event]) -> list[tuple[int, Event]]:
    """The events with their second that no correction takes back (a correction takes back itself)."""

    def place(event: Event) -> tuple[Any, ...]:
        order = event["order_id"] if event["type"].startswith("order_") else None
        return event["platform"], event["type"], order, instant_s(event["event_time"])

    gone = {place(event) for event in events if event.get("void")}
    return [(instant_s(event["event_time"]), event) for event in events if place(event) not in gone]


class _Order:
    """One order walked through its instants."""

    def __init__(self, maximum_s: int) -> None:
        self.maximum_s = maximum_s
        self.since: int | None = None
        self.picked: int | None = None
        self.virgin = True
        self.hand: list[Span] = []
        self.loaded: list[Span] = []
        self.accepts: set[int] = set()

    def close(self, end: int, by: str) -> None:
        assert self.since is not None
        self.hand.append(Span(self.since, end, by))
        if self.picked is not None:
            self.loaded.append(Span(self.picked, end, by))
        self.since = self.picked = None

    def at(self, t: int, kinds: set[str]) -> None:
        """All the events of one instant."""
        ends, accepted, picked = bool(kinds & ENDS), "order_accepted" in kinds, "order_picked_up" in kinds
        if self.since is not None:
            limit = self.since + self.maximum_s
            if t > limit or (t == limit and not ends):
                self.close(limit, "maximum")
        was_in_hand = self.since is not None
        if was_in_hand and ends:
            self.close(t, "event")
        if self.since is None and (accepted or (picked and self.virgin)):
            self.virgin = False
            if accepted:
                self.accepts.add(t)
            if was_in_hand or not ends:
                self.since = t
        if self.since is not None and self.picked is None and picked:
            self.picked = t

    def finish(self, now: int) -> None:
        """What is still open at now."""
        if self.since is not None:
            limit = self.since + self.maximum_s
            self.close(*((limit, "maximum") if limit <= now else (now + 1, "open")))


def _toggled(instants: Instants, begin: str, ends: set[str], maximum_s: int, now: int) -> list[Span]:
    """Sessions or breaks of one platform."""
    spans: list[Span] = []
    since: int | None = None
    for t in sorted(instants):
        if since is not None and t > since + maximum_s:
            spans.append(Span(since, since + maximum_s, "maximum"))
            since = None
        if since is not None and instants[t] & ends:
            spans.append(Span(since, t, "event"))
            since = None
        if since is not None and t == since + maximum_s:
            spans.append(Span(since, t, "maximum"))
            since = None
        if since is None and begin in instants[t]:
            since = t
    if since is not None:
        limit = since + maximum_s
        spans.append(Span(since, limit, "maximum") if limit <= now else Span(since, now + 1, "open"))
    return spans


def merged(runs: bytearray, base: int, step: int) -> list[tuple[int, int]]:
    """Maximal running intervals; one that runs at now ends a step after it."""
    found, start = [], None
    for index, on in enumerate([*runs, 0]):
        if on and start is None:
            start = index
        if not on and start is not None:
            found.append((base + start * step, base + index * step))
            start = None
    return found


def _kinds(standing: list[tuple[int, Event]]) -> tuple[dict[str, Instants], dict[tuple[str, str], Instants]]:
    """The types of event at each instant, per platform and per order."""
    platforms: dict[str, Instants] = defaultdict(lambda: defaultdict(set))
    orders: dict[tuple[str, str], Instants] = defaultdict(lambda: defaultdict(set))
    for t, event in standing:
        platforms[event["platform"]][t].add(event["type"])
        if event["type"].startswith("order_"):
            orders[event["platform"], event["order_id"]][t].add(event["type"])
    return platforms, orders


@dataclass
class _Canvas:
    """Arrays of one length, and spans painted on them."""

    base: int
    now: int
    step: int

    def blank(self) -> bytearray:
        return bytearray((self.now - self.base) // self.step + 1)

    def paint(self, runs: bytearray, spans: Iterable[Span], value: int) -> None:
        for span in spans:
            for t in range(span.start, span.end, self.step):
                runs[(t - self.base) // self.step] = value


def _maxima(spans: list[Span]) -> set[int]:
    """Where a maximum ended a span of some length."""
    return {span.end for span in spans if span.by == "maximum" and span.end > span.start}


def _duties(standing: list[tuple[int, Event]], maximum_s: int, now: int) -> dict[str, list[Span]]:
    """Driving and being on duty, of all platforms."""
    changes: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for t, event in standing:
        if event["type"] in ("offline", "duty_status"):
            changes[event["platform"]].append((t, event["duty"] if event["type"] != "offline" else "offline"))
    found: dict[str, list[Span]] = {"driving": [], "on_duty": []}
    for of_platform in changes.values():
        for status, start, end, by in duty_spans(of_platform, maximum_s, now):
            found[status].append(Span(start, end, by))
    return found


def build(events: list[Event], now: int, maxima: Maxima, step: int = 1) -> Timeline:
    """The timeline of one rider; ``events`` are all his events up to now, at least one."""
    standing = _standing(events)
    base = min(instant_s(event["event_time"]) for event in events)
    canvas = _Canvas(base, now, step)
    runs = {clock: canvas.blank() for clock in CLOCKS}
    cut: dict[str, set[int]] = {clock: set() for clock in CLOCKS}
    begun: set[tuple[int, str]] = set()
    platforms, orders = _kinds(standing)
    for kinds in platforms.values():
        online = canvas.blank()
        sessions = _toggled(kinds, "online", {"offline"}, maxima.session_s, now)
        canvas.paint(online, sessions, 1)
        canvas.paint(online, _toggled(kinds, "break_started", BREAK_ENDS, maxima.break_s, now), 0)
        cut["online"] |= {end for end in _maxima(sessions) if online[(end - base) // step - 1]}
        runs["online"] = bytearray(a | b for a, b in zip(runs["online"], online, strict=True))
    for (platform, _), kinds in orders.items():
        order = _Order(maxima.order_s)
        for t in sorted(kinds):
            order.at(t, kinds[t])
        order.finish(now)
        begun |= {(t, platform) for t in order.accepts}
        for clock, spans in (("order", order.hand), ("online", order.hand), ("loaded", order.loaded)):
            canvas.paint(runs[clock], spans, 1)
            cut[clock] |= _maxima(spans)
    runs["duty"], cut["duty"] = bytearray(runs["online"]), set(cut["online"])
    for status, spans in _duties(standing, maxima.duty_s, now).items():
        for clock in ("driving", "duty") if status == "driving" else ("duty",):
            canvas.paint(runs[clock], spans, 1)
            cut[clock] |= _maxima(spans)
    before = {clock: [0, *accumulate(runs[clock])] for clock in CLOCKS}
    intervals = {clock: merged(runs[clock], base, step) for clock in CLOCKS}
    confirmed = {t for t, event in standing if event.get("confirmed")}
    zones = [(t, event["zone"]) for t, event in standing if event["type"] in ZONED and event.get("zone")]
    return Timeline(base, now, runs, before, intervals, cut, confirmed, begun, zones, step)
