"""One limit over one rider, second by second: episodes, warnings, reminders and holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from .adding_up import complete, soonest, wanted
from .timeline import Timeline, merged
from .windows import masks, opening, window

LONG_AGO = -(10**12)
FIRST_RELEASE = {
    "continuous": "rest",
    "span": "rest",
    "rest_within": "rest",
    "ban": "window",
}

Limit = dict[str, Any]


@dataclass
class Hold:
    """``reached``: when the limit was reached from its start on; ``until`` None: still on."""

    start: int
    reached: list[int]
    until: int | None = None

    def on(self, t: int) -> bool:
        """Whether it is on at that instant."""
        return self.start <= t and (self.until is None or t < self.until)


@dataclass
class Verdicts:
    """All that one limit says; ``told`` is (instant, kind) of warnings, the limit and reminders."""

    limit: Limit
    zone: str
    timeline: Timeline
    force: tuple[int | None, int | None] = (None, None)
    told: list[tuple[int, str]] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    reached_now: bool = False
    warned_now: bool = False
    _count: list[int] = field(default_factory=list)
    _start: list[int] = field(default_factory=list)
    _rest: list[int] = field(default_factory=list)
    _amount: list[int] = field(default_factory=list)
    _turned: list[bool] = field(default_factory=list)
    _added: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        one = self.limit
        self.clock: str = one["clock"]
        self.kind: str = one["kind"]
        self.resetting: str = one.get("reset_clock") or self.clock
        within = self.kind == "rest_within"
        self.weekly = within and one.get("per") == "week"
        self.spans = self.kind in ("span", "rest_within") and not self.weekly
        self.calendar: str | None = self.kind if self.kind in ("day", "week", "month") else None
        if self.weekly:
            self.calendar = "week"
        self.reset_s: int | None = None if self.weekly else one["rest_s"] if within else one.get("reset_s")
        rolling = "rest" if self.reset_s else "window"
        first = "window" if self.calendar else FIRST_RELEASE.get(self.kind, rolling)
        default = {"hold": first, "confirm": "confirm", "remind": None}
        self.release: str | None = one.get("release") or default[one["effect"]]
        self._paint()
        self._measure()
        self._simulate()

    def in_force(self, t: int) -> bool:
        """Whether the policy is in force at that instant."""
        begins, ends = self.force
        return (begins is None or t >= begins) and (ends is None or t < ends)

    # What the limit counts, and since when.

    def count(self, t: int) -> int:
        """Counted (elapsed) seconds at that instant."""
        return self._count[self.timeline.index(t)]

    def amount(self, t: int) -> int:
        """What has to be counted in the window of that instant."""
        return self._amount[self.timeline.index(t)]

    def since(self, t: int) -> int:
        """Where the window of that instant begins."""
        return self._start[self.timeline.index(t)]

    def rest_began(self, t: int) -> int:
        """Where the rest up to that instant began; the instant itself if the clock ran just before."""
        return self._rest[self.timeline.index(t)]

    def rested(self, t: int) -> bool:
        """Whether a qualifying rest reaches up to that instant."""
        return self.reset_s is not None and t - self.rest_began(t) >= self.reset_s

    def window(self, t: int) -> tuple[int, int]:
        """The calendar window of the instant."""
        one = self.limit
        starts = one.get("day_start") or "00:00", one.get("week_start") or "monday"
        return window(self.calendar or "", self.zone, t, *starts)

    def _paint(self) -> None:
        """What counts: the clock, or what lies of it in the limit's hours."""
        line = self.timeline
        self.counting = line.runs[self.clock]
        hours = self.limit.get("between")
        if hours:
            inside = bytearray(len(self.counting))
            for start, end in masks(self.zone, hours, line.base, line.now):
                for t in range(max(start, line.base), min(end, line.now + 1), line.step):
                    inside[line.index(t)] = 1
            self.counting = bytearray(a & b for a, b in zip(self.counting, inside, strict=True))
        self.shown = merged(self.counting, line.base, line.step)
        self._sums = [0, *accumulate(self.counting)]

    def _counted(self, start: int, end: int) -> int:
        line = self.timeline
        return (self._sums[line.index(end)] - self._sums[line.index(start)]) * line.step

    def _measure(self) -> None:
        line = self.timeline
        rest, since, bounds = LONG_AGO, line.base, (0, 0)
        begun: int | None = None
        for t in line.instants():
            if line.running(self.resetting, t - line.step):
                rest = t
            self._rest.append(rest)
            since = t if self.rested(t) else since
            if begun is not None and self._adds_up(begun, t):
                self._added[t] = rest
                begun = None
            begun = None if self.rested(t) else begun
            if begun is None and line.running(self.clock, t):
                begun = t
            self._turned.append(self.calendar is not None and t >= bounds[1])
            if self._turned[-1]:
                bounds = self.window(t)
            self._start.append(self._begin(t, t if begun is None else begun, since, bounds))
            elapsed = self.spans or self.weekly
            self._count.append(t - self._start[-1] if elapsed else self._counted(self._start[-1], t))
            self._amount.append(self._limit_s(bounds))

    def _adds_up(self, begun: int, t: int) -> bool:
        line = self.timeline
        if not any(wanted(self.limit)[:2]) or line.running(self.resetting, t - line.step):
            return False
        return complete(self.limit, line.rests(self.resetting, begun, t))

    def _begin(self, t: int, begun: int, since: int, bounds: tuple[int, int]) -> int:
        one = self.limit
        if self.calendar:
            weeks = one.get("weeks") or 1
            starts = one.get("day_start") or "00:00", one.get("week_start") or "monday"
            return bounds[0] if weeks == 1 else opening(self.zone, bounds[0], weeks, *starts)
        if self.kind == "rolling":
            trailing = t - int(one["window_s"])
            return trailing if self.reset_s is None else max(trailing, since)
        return begun

    def _limit_s(self, bounds: tuple[int, int]) -> int:
        one = self.limit
        if self.kind != "rest_within":
            return int(one["limit_s"])
        whole = bounds[1] - bounds[0] if self.weekly else one["window_s"]
        return int(whole - one["rest_s"])

    # What happens at each instant.

    def _over(self, t: int, lead: int) -> bool:
        """Whether no episode of that amount goes on from before: it has ended, or there was none."""
        if self.calendar:
            return self._turned[self.timeline.index(t)]
        if self.kind == "rolling":
            return self.count(t) < self.amount(t) - lead
        return self.rested(t) or t in self._added

    def _met(self, t: int, amount: int) -> bool:
        if self.count(t) < amount:
            return False
        if self.weekly:
            rests = self.timeline.rests(self.clock, self.since(t), t)
            if any(end - start >= self.limit["rest_s"] for start, end in rests):
                return False
        free = not self.spans and not self.weekly and (self.limit.get("weeks") or 1) == 1
        return free or self.timeline.running(self.clock, t)

    def _simulate(self) -> None:
        every: int = self.limit.get("remind_every_s") or 0
        fired: set[int] = set()  # leads, 0 for the limit itself
        warned: set[int] = set()
        last = 0
        for t in self.timeline.instants():
            for lead in [one for one in fired if self._over(t, one)]:
                fired.discard(lead)
                warned.discard(lead)
                last = 0 if lead == 0 else last
            self._end_hold(t)
            amount, says = self.amount(t), self.in_force(t)
            at_limit = 0 not in fired and self._met(t, amount)
            if at_limit:
                fired.add(0)
                if says:
                    self.told.append((t, "limit_reached"))
                    self._begin_hold(t)
            times = (self.count(t) - amount) // every if every and 0 in fired else 0
            if times > last and self._met(t, amount + times * every):
                if not at_limit and says:
                    self.told.append((t, "reminder"))
                last = times
            leads = sorted(self.limit.get("warn_before_s") or ())
            new = [lead for lead in leads if lead not in fired and self._met(t, amount - lead)]
            fired.update(new)
            if new and says and not at_limit and self.hold_at(t) is None:
                warned.add(new[0])
                self.told.append((t, "approaching"))
        self.reached_now, self.warned_now = 0 in fired, bool(warned)

    def hold_at(self, t: int) -> Hold | None:
        """The hold that is on at that instant."""
        return next((hold for hold in self.holds if hold.on(t)), None)

    def _begin_hold(self, t: int) -> None:
        if self.release is None:
            return
        if self.holds and self.holds[-1].until is None:
            self.holds[-1].reached.append(t)
            return
        self.holds.append(Hold(t, [t]))
        if self.release == "confirm" and t in self.timeline.confirmed:
            self.holds[-1].until = t

    def _end_hold(self, t: int) -> None:
        if not self.holds or self.holds[-1].until is not None:
            return
        hold = self.holds[-1]
        newest = hold.reached[-1]
        over = self._over(t, 0)
        rested = self.rested(t) and self.rest_began(t) >= newest
        ends = {
            "rest": rested or self._added.get(t, LONG_AGO) >= newest,
            "elapsed": t >= newest + (self.limit.get("hold_for_s") or 0),
            "window": over,
            "confirm": over or t in self.timeline.confirmed,
        }
        if ends[self.release or ""] or (self.force[1] is not None and t >= self.force[1]):
            hold.until = t

    def earliest_end(self, hold: Hold, t: int) -> int | None:
        """The earliest instant at which a hold that is on can end, as seen from ``t``."""
        end: int | None = None
        if self.release == "rest":
            end = self._next_rest(t)
        elif self.release == "elapsed":
            end = max(r for r in hold.reached if r <= t) + int(self.limit["hold_for_s"])
        elif self.release == "window" and self.calendar:
            end = self.window(t)[1]
        if end is None or self.force[1] is None:
            return end
        return min(end, self.force[1])

    def _next_rest(self, t: int) -> int:
        assert self.reset_s is not None
        line = self.timeline
        resting = not line.running(self.resetting, t)
        alone = (self.rest_began(t) if resting else t) + self.reset_s
        if self.kind != "continuous":
            return alone
        rests = line.rests(self.resetting, self.since(t), t)
        together = soonest(self.limit, rests, t, resting=resting and bool(rests) and rests[-1][1] == t)
        return alone if together is None else min(alone, together)
