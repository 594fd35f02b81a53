"""Bans, and limits that speak only while a condition is on: second by second, as known at each of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from .timeline import instant_s
from .verdicts import Hold, Limit, Verdicts

MINUTE_S = 60
#: Nothing lasts longer than that without a break in these histories.
FAR_S = 3 * 86_400


@dataclass(frozen=True)
class Said:
    """One message about an id."""

    name: str
    condition: str
    zones: tuple[str, ...]
    start: int
    end: int
    at: int
    void: bool
    raw: bytes

    def covers(self, zone: str | None, t: int) -> bool:
        """Whether it puts a zone under the condition at an instant."""
        return not self.void and self.start <= t < self.end and is_in(self.zones, zone)


def is_in(patterns: tuple[str, ...], zone: str | None) -> bool:
    """Whether a zone is one of those meant."""
    shapes = (re.escape(one).replace(r"\*", ".*") for one in patterns)
    return zone is not None and any(re.fullmatch(shape, zone) for shape in shapes)


def read(messages: list[bytes]) -> tuple[Said, ...]:
    """The messages in the order in which they take over from each other."""
    found = []
    for raw in messages:
        one = json.loads(raw)
        names = one["condition_id"], one["condition"], tuple(one["zones"])
        start, end, at = (instant_s(one[key]) for key in ("from", "until", "announced_at"))
        found.append(Said(*names, start, end, at, bool(one.get("void")), raw))
    return tuple(sorted(found, key=lambda one: (one.at, one.raw)))


@cache
def standing(said: tuple[Said, ...], known: int) -> tuple[Said, ...]:
    """The message of each id that is in force once everything up to an instant has been announced."""
    newest: dict[str, Said] = {}
    for one in said:
        if one.at <= known:
            newest[one.name] = one
    return tuple(newest.values())


def under(said: tuple[Said, ...], condition: str, zone: str | None, t: int, known: int) -> bool:
    """Whether a zone is under a condition at an instant, as known at another."""
    return any(one.condition == condition and one.covers(zone, t) for one in standing(said, known))


@cache
def within_hours(zone: str, between: tuple[str, str], dates: tuple[str, str] | None, minute: int) -> bool:
    """Whether the wall clock shows one of the hours, on one of the dates.

    Where clocks are set, hours begin and end with the first instant at which the face has come so far.
    """
    place, t = ZoneInfo(zone), minute * MINUTE_S
    here = datetime.fromtimestamp(t, place)
    if dates is not None:
        day, (first, last) = here.strftime("%m-%d"), dates
        if not (first <= day <= last if first <= last else day >= first or day <= last):
            return False
    today = here.replace(hour=0, minute=0, second=0, tzinfo=None)
    for back in (0, 1):
        opens = _face(place, today - timedelta(days=back), between[0])
        later = between[1] <= between[0]
        closes = _face(place, today - timedelta(days=back - later), between[1])
        if opens <= t < closes:
            return True
    return False


@cache
def _face(place: ZoneInfo, day: datetime, time: str) -> int:
    """The first minute at which the wall clock has come to a time of a day."""
    hour, minute = map(int, time.split(":"))
    wanted = day.replace(hour=hour, minute=minute)
    t = int(wanted.replace(tzinfo=UTC).timestamp()) - 15 * 3_600
    while datetime.fromtimestamp(t, place).replace(tzinfo=None) < wanted:
        t += MINUTE_S
    return t


class _Gated(Verdicts):
    """What both kinds ask."""

    said: tuple[Said, ...] = ()

    def open(self, zone: str | None, t: int, known: int) -> bool:
        """Whether the limit is on in a zone at an instant, as known at another."""
        one = self.limit
        name = one.get("condition") or one.get("when")
        if name:
            return under(self.said, name, zone, t, known)
        zones = one.get("zones")
        if zones and not is_in(tuple(zones), zone):
            return False
        dates = one.get("dates")
        return within_hours(self.zone, tuple(one["between"]), dates and tuple(dates), t // MINUTE_S)

    def on(self, t: int) -> bool:
        """Whether it is on where the rider is."""
        return self.open(self.timeline.zone(t), t, t)

    def stretch_end(self, t: int) -> int:
        """Where being on ends as known at an instant, for who stays."""
        zone, at = self.timeline.zone(t), t
        while self.open(zone, at, t) and at < t + FAR_S:
            at += 1
        return at


class When(_Gated):
    """A limit with ``when``."""

    def _met(self, t: int, amount: int) -> bool:
        if not super()._met(t, amount) or not self.on(t):
            return False
        line, lead = self.timeline, self.amount(t) - amount
        if line.running(self.clock, t):
            return True
        before = t - line.step
        return (
            before < line.base or self._over(t, lead) or not super()._met(before, self.amount(before) - lead)
        )

    def _end_hold(self, t: int) -> None:
        super()._end_hold(t)
        if self.holds and self.holds[-1].until is None and not self.on(t):
            self.holds[-1].until = t

    def earliest_end(self, hold: Hold, t: int) -> int | None:
        """As of any limit, but with the condition at the latest."""
        end = super().earliest_end(hold, t)
        return end if end is None else min(end, self.stretch_end(t))


class Ban(_Gated):
    """No orders while it is on."""

    def _paint(self) -> None:
        self.counting = bytearray(len(self.timeline.instants()))
        self.shown: list[tuple[int, int]] = []
        self._sums = [0] * (len(self.counting) + 1)

    def _measure(self) -> None:
        line, begun = self.timeline, None
        self._on: list[bool] = []
        for t in line.instants():
            self._on.append(self.on(t))
            if not self._on[-1]:
                begun = None
            elif begun is None:
                begun = t
                if t == line.base:
                    # Who is in no zone yet has been under it as long as it is on everywhere.
                    while self.open(None, begun - 1, begun - 1):
                        begun -= 1
            self._start.append(t if begun is None else begun)
            self._count.append(0)
            self._amount.append(0)

    def _over(self, t: int, lead: int) -> bool:  # noqa: ARG002 - it has one amount
        line = self.timeline
        return t > line.base and self._on[line.index(t - line.step)] and not self._on[line.index(t)]

    def rested(self, t: int) -> bool:  # noqa: ARG002 - it asks for no rest
        """Nothing is."""
        return False

    def rest_began(self, t: int) -> int:
        """Not looked at."""
        return t

    def _simulate(self) -> None:
        line, fired, warned = self.timeline, False, set[int]()
        for t in line.instants():
            zone = line.zone(t)
            warned = {lead for lead in warned if any(self.open(zone, s, t) for s in range(t, t + lead + 1))}
            fired = fired and self._on[line.index(t)]
            self._end_hold(t)
            says, running = self.in_force(t), line.running(self.clock, t)
            at_limit = not fired and running and self._on[line.index(t)]
            if at_limit:
                fired = True
                if says:
                    self.told.append((t, "limit_reached"))
                    self._begin_hold(t)
            due = [
                lead
                for lead in self.limit.get("warn_before_s") or ()
                if self.open(zone, t + lead, t) and not self.open(zone, t + lead - 1, t)
            ]
            if due and says and running and not at_limit and self.hold_at(t) is None:
                warned.add(min(due))
                self.told.append((t, "approaching"))
        self.reached_now = fired or not self._on[-1]
        self.warned_now = bool(warned)

    def earliest_end(self, hold: Hold, t: int) -> int | None:
        """The end of the stretch as known then, for who stays."""
        end = super().earliest_end(hold, t)
        if self.release != "window":
            return end
        known = self.stretch_end(t)
        return known if self.force[1] is None else min(known, self.force[1])


def kind_of(limit: Limit, said: tuple[Said, ...]) -> type[Verdicts]:
    """What judges a limit, with what has been announced."""
    kind: type[_Gated] | None = Ban if limit["kind"] == "ban" else When if limit.get("when") else None
    return Verdicts if kind is None else type(kind.__name__, (kind,), {"said": said})
