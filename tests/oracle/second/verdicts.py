"""One limit over one rider, second by second: episodes, warnings, reminders and holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .timeline import Timeline
from .windows import window

LONG_AGO = -(10**12)
FIRST_RELEASE = {
    "continuous": "rest",
    "span": "rest",
    "rest_within": "rest",
    "day": "window",
    "week": "window",
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
    told: list[tuple[int, str]] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    reached_now: bool = False
    warned_now: bool = False
    _count: list[int] = field(default_factory=list)
    _start: list[int] = field(default_factory=list)
    _rest: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        one = self.limit
        self.clock: str = one["clock"]
        self.kind: str = one["kind"]
        self.spans = self.kind in ("span", "rest_within")
        self.calendar = self.kind in ("day", "week")
        within = self.kind == "rest_within"
        self.limit_s: int = one["window_s"] - one["rest_s"] if within else one["limit_s"]
        self.reset_s: int | None = one["rest_s"] if within else one.get("reset_s")
        rolling = "rest" if self.reset_s else "window"
        default = {"hold": FIRST_RELEASE.get(self.kind, rolling), "confirm": "confirm", "remind": None}
        self.release: str | None = one.get("release") or default[one["effect"]]
        self._measure()
        self._simulate()

    # What the limit counts, and since when.

    def count(self, t: int) -> int:
        """Counted (elapsed) seconds at that instant."""
        return self._count[t - self.timeline.base]

    def since(self, t: int) -> int:
        """Where the window of that instant begins."""
        return self._start[t - self.timeline.base]

    def rest_began(self, t: int) -> int:
        """Where the rest up to that instant began; the instant itself if the clock ran just before."""
        return self._rest[t - self.timeline.base]

    def rested(self, t: int) -> bool:
        """Whether a qualifying rest reaches up to that instant."""
        return self.reset_s is not None and t - self.rest_began(t) >= self.reset_s

    def _measure(self) -> None:
        line = self.timeline
        rest, since, bounds = LONG_AGO, line.base, (0, 0)
        for t in range(line.base, line.now + 1):
            if line.running(self.clock, t - 1):
                rest = t
            self._rest.append(rest)
            if self.rested(t):
                since = t
            start = since
            if self.calendar:
                if t >= bounds[1]:
                    bounds = window(self.kind, self.zone, t)
                start = bounds[0]
            elif self.kind == "rolling":
                trailing = t - self.limit["window_s"]
                start = trailing if self.reset_s is None else max(trailing, since)
            self._start.append(start)
            self._count.append(t - start if self.spans else line.counted(self.clock, start, t))

    # What happens at each instant.

    def _over(self, t: int, amount: int) -> bool:
        """Whether no episode of that amount goes on from before: it has ended, or there was none."""
        if self.calendar:
            return t == self.since(t)
        return self.count(t) < amount if self.kind == "rolling" else self.rested(t)

    def _met(self, t: int, amount: int) -> bool:
        if self.count(t) < amount:
            return False
        return not self.spans or self.timeline.running(self.clock, t)

    def _simulate(self) -> None:
        leads = sorted(self.limit.get("warn_before_s") or ())
        every = self.limit.get("remind_every_s")
        fired: set[int] = set()
        warned: set[int] = set()
        last = 0
        for t in range(self.timeline.base, self.timeline.now + 1):
            for amount in [a for a in fired if self._over(t, a)]:
                fired.discard(amount)
                warned.discard(amount)
                if amount == self.limit_s:
                    last = 0
            self._end_hold(t)
            at_limit = self.limit_s not in fired and self._met(t, self.limit_s)
            if at_limit:
                fired.add(self.limit_s)
                self.told.append((t, "limit_reached"))
                self._begin_hold(t)
            if every and self.limit_s in fired and self._met(t, self.limit_s):
                times = (self.count(t) - self.limit_s) // every
                if times > last and not at_limit:
                    self.told.append((t, "reminder"))
                last = max(last, times)
            new = [self.limit_s - lead for lead in leads]
            new = [amount for amount in new if amount not in fired and self._met(t, amount)]
            fired.update(new)
            if new and not at_limit and self.hold_at(t) is None:
                warned.add(new[0])
                self.told.append((t, "approaching"))
        self.reached_now, self.warned_now = self.limit_s in fired, bool(warned)

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
        over = self._over(t, self.limit_s)
        ends = {
            "rest": self.rested(t) and self.rest_began(t) >= newest,
            "elapsed": t >= newest + (self.limit.get("hold_for_s") or 0),
            "window": over,
            "confirm": over or t in self.timeline.confirmed,
        }
        if ends[self.release or ""]:
            hold.until = t

    def earliest_end(self, hold: Hold, t: int) -> int | None:
        """The earliest instant at which a hold that is on can end, as seen from ``t``."""
        if self.release == "rest":
            assert self.reset_s is not None
            return (t if self.timeline.running(self.clock, t) else self.rest_began(t)) + self.reset_s
        if self.release == "elapsed":
            return max(r for r in hold.reached if r <= t) + int(self.limit["hold_for_s"])
        if self.release == "window" and self.calendar:
            return window(self.kind, self.zone, t)[1]
        return None
