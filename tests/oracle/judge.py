"""Limits, holds, breaches and statuses, evaluated at every single second."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.evidence import Maxima, Rider, instant, read_rider

Doc = dict[str, Any]
RELEASES = {"continuous": "rest", "span": "rest", "rest_within": "rest", "day": "window", "week": "window"}


@cache
def first_second_of(day: date, zone: str) -> int | None:
    """The first second whose local date is ``day``, found by looking at each quarter of an hour around it."""
    middle = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    place = ZoneInfo(zone)
    for minute in range(middle - 16 * 3600, middle + 16 * 3600, 60):
        if datetime.fromtimestamp(minute, place).date() == day:
            return minute
    return None


@cache
def calendar_window(kind: str, second: int, zone: str) -> tuple[int, int]:
    day = datetime.fromtimestamp(second, ZoneInfo(zone)).date()
    candidates = []
    step = 7 if kind == "week" else 1
    if kind == "week":
        day -= timedelta(days=day.weekday())
    for offset in (-step, 0, step, 2 * step):
        begin = first_second_of(day + timedelta(days=offset), zone)
        if begin is not None:
            candidates.append(begin)
    start = max(begin for begin in candidates if begin <= second)
    return start, min(begin for begin in candidates if begin > second)


class Watch:
    """One limit of one policy over one rider."""

    def __init__(self, rider: Rider, policy: Doc, limit: Doc) -> None:
        self.rider, self.policy, self.limit = rider, policy, limit
        self.zone = policy["time_zone"]
        self.kind, self.effect = limit["kind"], limit["effect"]
        within = self.kind == "rest_within"
        self.amount = limit["window_s"] - limit["rest_s"] if within else limit["limit_s"]
        self.reset: int = limit["rest_s"] if within else limit.get("reset_s") or 0
        self.runs = rider.runs[limit["clock"]]
        self.before = [0]
        for run in self.runs:
            self.before.append(self.before[-1] + run)
        self.release = None
        if self.effect == "confirm":
            self.release = "confirm"
        elif self.effect == "hold":
            rolling = "rest" if limit.get("reset_s") else "window"
            self.release = limit.get("release") or RELEASES.get(self.kind, rolling)
        self.amounts = {lead: self.amount - lead for lead in limit.get("warn_before_s") or ()}
        self.fired = False
        self.warned: dict[int, bool] = {}  # lead -> has it been told
        self.reminded = 0
        self.hold: Doc | None = None
        self.start: int | None = None
        self.window: tuple[int, int] | None = None
        self.reached_now = False

    # what the clock did
    def running(self, t: int) -> bool:
        return self.runs[t - self.rider.first]

    def ran(self, start: int, end: int) -> int:
        first = self.rider.first
        start, end = max(start, first), max(end, first)
        return self.before[end - first] - self.before[start - first] if end > start else 0

    def rest_begin(self, t: int) -> int | None:
        """Beginning of the rest just before ``t``; -1 for since ever, None for no rest."""
        begin = t
        while begin > self.rider.first and not self.runs[begin - 1 - self.rider.first]:
            begin -= 1
        if begin == self.rider.first:
            return -1
        return begin if begin < t else None

    # what the limit counts
    def counted(self, t: int) -> int:
        if self.kind in ("day", "week"):
            return self.ran(calendar_window(self.kind, t, self.zone)[0], t)
        if self.kind == "rolling":
            return self.ran(self.window_start(t), t)
        if self.start is None:
            return 0
        return self.ran(self.start, t) if self.kind == "continuous" else t - self.start

    def window_start(self, t: int) -> int:
        if self.kind in ("day", "week"):
            return calendar_window(self.kind, t, self.zone)[0]
        if self.kind == "rolling":
            if not self.reset:
                return t - self.limit["window_s"]
            return t if self.start is None else max(t - self.limit["window_s"], self.start)
        return t if self.start is None else self.start

    def reached(self, t: int, amount: int) -> bool:
        if self.kind in ("span", "rest_within"):
            return self.start is not None and self.running(t) and t - self.start >= amount
        return self.counted(t) >= amount

    def until(self, t: int) -> int | None:
        assert self.hold is not None
        if self.release == "elapsed":
            return self.hold["newest"] + self.limit["hold_for_s"]
        if self.release == "rest":
            if self.running(t):
                return t + self.reset
            begin = self.rest_begin(t)
            return (t if begin is None else begin) + self.reset
        if self.release == "window" and self.kind in ("day", "week"):
            return calendar_window(self.kind, t, self.zone)[1]
        return None

    def step(self, t: int, rest: int | None) -> list[tuple[str, int]]:
        """What is told at ``t``: kinds with what was counted. ``rest`` is `rest_begin`."""
        told: list[tuple[str, int]] = []
        episode_over = self.turn(t, rest)
        if self.hold is not None and self.over(t, rest, episode_over):
            told.append(("hold_released", 0))
            self.last_hold, self.hold = self.hold, None
        count = self.counted(t)
        self.reached_now = not self.fired and self.reached(t, self.amount)
        if self.reached_now:
            self.fired = True
            every = self.limit.get("remind_every_s")
            self.reminded = (count - self.amount) // every if every else 0
            if self.effect != "remind":
                begun = t if self.hold is None else self.hold["from"]
                self.hold = {"from": begun, "newest": t, "counted": count, "start": self.window_start(t)}
            told.append(("limit_reached", count))
        return told

    def after(self, t: int, confirmed: bool) -> list[tuple[str, int]]:
        told: list[tuple[str, int]] = []
        if self.hold is not None and self.release == "confirm" and confirmed:
            told.append(("hold_released", 0))
            self.last_hold, self.hold = self.hold, None
        count = self.counted(t)
        every = self.limit.get("remind_every_s")
        if every and self.fired and not self.reached_now:
            passed = self.reminded
            while self.reached(t, self.amount + (passed + 1) * every):
                passed += 1
            if passed > self.reminded:
                self.reminded = passed
                told.append(("reminder", count))
        fresh = [
            lead
            for lead, amount in self.amounts.items()
            if lead not in self.warned and self.reached(t, amount)
        ]
        for lead in fresh:
            self.warned[lead] = False
        if fresh and not self.reached_now and self.hold is None:
            self.warned[min(fresh)] = True
            told.append(("approaching", count))
        return told

    def turn(self, t: int, rest: int | None) -> bool:
        """End and begin episodes; True when the limit's own has ended (or is not under way, for rolling)."""
        if self.kind in ("day", "week"):
            window = calendar_window(self.kind, t, self.zone)
            if window == self.window:
                return False
            self.window = window
            self.fired, self.warned, self.reminded = False, {}, 0
            return True
        over = False
        if self.reset:
            if rest is not None and (rest == -1 or t - rest >= self.reset):
                over = self.start is not None
                self.start = None
            if self.start is None and self.running(t):
                self.start = t
        if self.kind != "rolling":
            if over:
                self.fired, self.warned, self.reminded = False, {}, 0
            return over
        count = self.counted(t)
        self.warned = {lead: told for lead, told in self.warned.items() if count >= self.amounts[lead]}
        if count < self.amount:
            self.fired = False
            return True
        return False

    def over(self, t: int, rest: int | None, episode_over: bool) -> bool:
        assert self.hold is not None
        newest = self.hold["newest"]
        if self.release == "elapsed":
            return t >= newest + self.limit["hold_for_s"]
        if self.release == "rest":
            return rest is not None and rest >= newest and t - rest >= self.reset
        return episode_over

    # how it is told
    def local(self, t: int | None) -> str | None:
        return None if t is None else datetime.fromtimestamp(t, ZoneInfo(self.zone)).isoformat()

    def document(self, t: int, kind: str, count: int, platform: str | None, lateness: int) -> Doc:
        hold, start, end = self.hold, self.window_start(t), t
        if kind == "hold_released":
            hold = self.last_hold
            start, end, count = hold["start"], hold["newest"], hold["counted"]
        until = None if hold is None else t if kind == "hold_released" else self.until(t)
        spans = self.evidence(start, end)
        says = kind in ("approaching", "limit_reached", "reminder")
        return {
            "schema": "fatigue-alert/1",
            "kind": kind,
            "rider_id": None,
            "policy": f"{self.policy['name']}@{self.policy['version']}",
            "limit": self.limit["name"],
            "clock": self.limit["clock"],
            "event_time": self.local(t),
            "counted_s": count,
            "limit_s": self.amount,
            "window": {"start": self.local(start), "end": self.local(end)},
            "hold": hold
            and {
                "from": self.local(hold["from"]),
                "until": self.local(until),
                "release": self.release,
                "told_at": None,
            },
            "provisional": not self.rider.now > t + lateness + 3600,
            "estimated": any(self.rests_on_a_guess(start) for start, _ in spans),
            "platform": platform,
            "zone": self.zone_at(t),
            "source": self.limit.get("source") or self.policy["source"],
            "evidence": [{"start": self.local(a), "end": self.local(b)} for a, b in spans],
            "message": self.limit.get("message") if says else None,
            "supersedes": None,
        }

    def evidence(self, start: int, end: int) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for second in range(max(start, self.rider.first), end):
            if not self.running(second):
                continue
            if found and found[-1][1] == second:
                found[-1] = (found[-1][0], second + 1)
            else:
                found.append((second, second + 1))
        return found[-50:]

    def rests_on_a_guess(self, second: int) -> bool:
        """Whether the whole interval around a second is open now, or a maximum ended it."""
        while second <= self.rider.now and self.running(second):
            second += 1
        return second > self.rider.now or second in self.rider.ended_by_maximum[self.limit["clock"]]

    def zone_at(self, t: int) -> str | None:
        best: tuple[int, str] | None = None
        for event in self.rider.real:
            counts = event["type"].startswith("order_") or event["type"] in ("online", "offline")
            at = instant(event["event_time"])
            if counts and event.get("zone") and at <= t:
                best = max(best, (at, event["zone"])) if best else (at, event["zone"])
        return best[1] if best else None


def judge_rider(
    name: str, events: list[Doc], policies: list[Doc], now: int, lateness: int, grace: int, maxima: Maxima
) -> tuple[list[Doc], Doc | None]:
    rider = read_rider(events, now, maxima)
    watches = [Watch(rider, policy, limit) for policy in policies for limit in policy["limits"]]
    watches.sort(key=lambda one: (one.policy["name"], one.limit["name"]))
    confirmations = {instant(event["event_time"]) for event in rider.real if event.get("confirmed")}
    alerts: list[Doc] = []
    rests: dict[str, int | None] = dict.fromkeys(("order", "online", "loaded"), -1)
    for t in range(rider.first, now + 1):
        for clock, rest in list(rests.items()):
            if t > rider.first and rider.runs[clock][t - 1 - rider.first]:
                rests[clock] = None
            elif t > rider.first and rest is None:
                rests[clock] = t - 1
        for watch in watches:
            rest = rests[watch.limit["clock"]]
            # Told at one instant, a release is told with the hold it ends, before a new one begins.
            for kind, count in watch.step(t, rest):
                alerts.append(watch.document(t, kind, count, None, lateness))
            for kind, count in watch.after(t, t in confirmations):
                alerts.append(watch.document(t, kind, count, None, lateness))
        for platform in sorted(place for moment, place in rider.accepted_anew if moment == t):
            for policy in {watch.policy["name"] for watch in watches}:
                held = [
                    watch
                    for watch in watches
                    if watch.policy["name"] == policy and watch.hold and t - watch.hold["from"] >= grace
                ]
                if held:
                    first = min(held, key=lambda one: (one.hold["from"], one.limit["name"]))
                    alerts.append(first.document(t, "hold_breached", first.counted(t), platform, lateness))
    for alert in alerts:
        alert["rider_id"] = name
    seen = any(event["type"] != "heartbeat" and instant(event["event_time"]) <= now for event in events)
    return alerts, status_of(name, watches, now) if seen else None


def status_of(name: str, watches: list[Watch], now: int) -> Doc:
    def zulu(t: int | None) -> str | None:
        return None if t is None else datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    document: Doc = {"schema": "dispatch-status/1", "rider_id": name}
    held = [watch for watch in watches if watch.hold is not None]
    until, left, named = None, None, None
    if held:
        known = [watch for watch in held if watch.until(now) is not None]
        named = held[0]
        if known:
            until = max(watch.until(now) or 0 for watch in known)
            named = next(watch for watch in known if watch.until(now) == until)
        left = 0
    else:
        unreached = [watch for watch in watches if not watch.fired]
        if unreached:
            left = min(max(0, watch.amount - watch.counted(now)) for watch in unreached)
            named = next(watch for watch in unreached if max(0, watch.amount - watch.counted(now)) == left)
    near = any(told for watch in watches for told in watch.warned.values())
    document["status"] = "hold" if held else "approaching" if near else "clear"
    document["hold_until"] = zulu(until)
    document["limit"] = named and named.limit["name"]
    document["policy"] = named and f"{named.policy['name']}@{named.policy['version']}"
    document["remaining_s"] = left
    document["as_of"] = zulu(now)
    return document


def judge(
    events: list[Doc],
    policies: list[Doc],
    now: int,
    lateness: int = 86_400,
    grace: int = 60,
    maxima: Maxima | None = None,
) -> tuple[list[Doc], list[Doc]]:
    """Standing alerts (without id) and statuses of all riders, by a literal reading of the contract."""
    riders: dict[str, list[Doc]] = {}
    for event in events:
        if instant(event["event_time"]) <= now:
            riders.setdefault(event["rider_id"], []).append(event)
    alerts, statuses = [], []
    for name, own in sorted(riders.items()):
        told, status = judge_rider(name, own, policies, now, lateness, grace, maxima or Maxima())
        alerts += told
        if status:
            statuses.append(status)
    return alerts, statuses
