"""Conditions of zones, and bans: what is on where at a second, as known at a second."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.evidence import instant
from tests.oracle.windows import hours_between

Doc = dict[str, Any]
Interval = tuple[int, int]


def is_among(patterns: list[str], zone: str | None) -> bool:
    """Whether one of the patterns is the zone, or ends in a star and is how the zone begins."""
    if zone is None:
        return False
    return any(one == zone or (one[-1] == "*" and zone[: len(one) - 1] == one[:-1]) for one in patterns)


def in_force(messages: list[bytes], t: int) -> list[Doc]:
    """Of each id the version announced last by a second; of two at one second the greater bytes."""
    newest: dict[str, tuple[int, bytes]] = {}
    for value in messages:
        one = json.loads(value)
        at = instant(one["announced_at"])
        if at <= t:
            name = one["condition_id"]
            newest[name] = max(newest.get(name, (at, value)), (at, value))
    return [json.loads(value) for _, value in newest.values()]


class Gate:
    """When a limit is on: by a condition, or in hours, on dates and in zones."""

    def __init__(self, limit: Doc, zone: str, messages: list[bytes]) -> None:
        self.limit, self.zone, self.messages = limit, zone, messages
        self.condition = limit.get("condition") or limit.get("when")
        self._known: dict[int, list[Doc]] = {}
        changes = {instant(json.loads(value)["announced_at"]) for value in messages}
        self._changes = sorted(changes)

    def _versions(self, known_at: int) -> list[Doc]:
        newest = max((at for at in self._changes if at <= known_at), default=known_at)
        if newest not in self._known:
            self._known[newest] = in_force(self.messages, known_at)
        return self._known[newest]

    def intervals(self, zone: str | None, known_at: int, first: int, last: int) -> list[Interval]:
        """What is on in a zone near the seconds from first to last, as known at a second; may overlap."""
        if self.condition:
            return [
                (instant(one["from"]), instant(one["until"]))
                for one in self._versions(known_at)
                if one["condition"] == self.condition and not one.get("void") and is_among(one["zones"], zone)
            ]
        zones = self.limit.get("zones")
        if zones and not is_among(zones, zone):
            return []
        return hours_between(list(self.limit["between"]), self.zone, first, last)

    def is_on(self, zone: str | None, t: int, known_at: int) -> bool:
        """Whether it is on in a zone at a second, as known at another."""
        if not any(start <= t < end for start, end in self.intervals(zone, known_at, t, t)):
            return False
        dates = self.limit.get("dates")
        if self.condition or not dates:
            return True
        day = datetime.fromtimestamp(t, ZoneInfo(self.zone))
        today, (first, last) = f"{day.month:02}-{day.day:02}", dates
        return first <= today <= last if first <= last else today >= first or today <= last

    def end(self, zone: str | None, t: int) -> int:
        """Where the stretch of being on that contains a second ends, as known then."""
        at = t
        while self.is_on(zone, at, t):
            ends = [end for _, end in self.intervals(zone, t, at, at) if end > at]
            at = at // 60 * 60 + 60 if self.limit.get("dates") else min(ends)
        return at

    def begins(self, zone: str | None, at: int, known_at: int) -> bool:
        """Whether a stretch of being on begins at a second, as known at another."""
        return self.is_on(zone, at, known_at) and not self.is_on(zone, at - 1, known_at)

    def is_near(self, zone: str | None, t: int, lead: int) -> bool:
        """Whether it is on at a second or a stretch begins within the lead, as known then."""
        if self.is_on(zone, t, t):
            return True
        edges = [max(start, t) for start, end in self.intervals(zone, t, t, t + lead) if end > t]
        edges += range(t // 60 * 60 + 60, t + lead + 1, 60) if self.limit.get("dates") else []
        return any(at <= t + lead and self.is_on(zone, at, t) for at in edges)

    def since(self, zone: str | None, t: int) -> int:
        """Since when it has been on at a second, of a rider who has always been there; whole minutes."""
        at = t
        while self.is_on(zone, at - 1, at - 1):
            at = (at - 1) // 60 * 60
        return at
