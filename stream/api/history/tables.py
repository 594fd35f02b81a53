"""Counts over time: riders by status every five minutes, and what was told by the hour.

All instants are those of the city (*now*, and the alerts' own), so that a recorded day fills its own hours.
An alert is counted once, in the hour of its event time; what late evidence takes back stays counted, and is
counted as taken back. Nothing here names a rider.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

SAMPLE_S = 300
SAMPLES_S = 24 * 3600
HOUR_S = 3600
#: As long as alerts are kept in their topic.
HOURS = 8 * 24
#: An hour stands still so long after it ended; what comes later changes nothing that a regulator has seen.
CLOSES_AFTER_S = 3600
MOST_ZONES = 200
MOST_PLATFORMS = 50
#: Holds that are remembered as breached, of all hours.
MOST_BREACHED = 100_000
OTHER = "other"
_VERSION = 1


class Sample(msgspec.Struct):
    """Riders by status at an instant; ``is_gap``: between it and the sample before nothing was seen."""

    at_s: int
    clear: int
    approaching: int
    hold: int
    is_gap: bool


class PlatformFigures(msgspec.Struct):
    """Of a platform's own riders: holds begun; of these, those that it breached; and its breaches.

    Breaches are those that count, by `stream.api.documents.honour`.
    """

    holds: int = 0
    breached: int = 0
    breaches: int = 0


class Figures(msgspec.Struct):
    """What was told in an hour: alerts by kind, holds begun by zone, and by platform."""

    kinds: dict[str, int]
    zones: dict[str, int]
    platforms: dict[str, PlatformFigures]

    @classmethod
    def none(cls) -> Figures:
        """Of an hour in which nothing was told."""
        return cls({}, {}, {})

    def platform(self, name: str) -> PlatformFigures:
        """A platform's; those beyond the fiftieth share one."""
        if name not in self.platforms and len(self.platforms) >= MOST_PLATFORMS:
            name = OTHER
        return self.platforms.setdefault(name, PlatformFigures())

    def begin_hold(self, zone: str | None) -> None:
        """Count a hold in its zone."""
        name = zone or "-"
        if name not in self.zones and len(self.zones) >= MOST_ZONES:
            name = OTHER
        self.zones[name] = self.zones.get(name, 0) + 1


class Hour(msgspec.Struct):
    """An hour's figures; ``closed`` are those as they were when it was over, and these change no more.

    ``breached`` are marks of the holds begun in it that were breached, by whom.
    """

    at_s: int
    figures: Figures
    closed: Figures | None = None
    breached: list[int] = []


class Told(msgspec.Struct, frozen=True):
    """What is counted of an alert."""

    kind: str
    at_s: int
    rider: str
    limit: str
    zone: str | None
    platform: str | None
    hold_from_s: int | None
    #: Of a breach: the hold had been told too short a time before.
    is_excused: bool = False


class Place(msgspec.Struct):
    """How far a partition of the topic has been counted: an offset, and when that record was told."""

    offset: int = -1
    told_s: float = 0.0

    def takes(self, offset: int, told_s: float) -> bool:
        """Whether a record is counted now; a later one at a smaller offset is of a topic made anew."""
        if offset <= self.offset and told_s <= self.told_s:
            return False
        self.offset, self.told_s = offset, told_s
        return True


class History(msgspec.Struct):
    """All of it, bounded; ``of`` is the installation that it is about.

    ``read`` and ``owned`` say by partition how far alerts have been counted as such, and by platform.
    """

    of: str
    version: int = _VERSION
    samples: list[Sample] = []
    hours: dict[int, Hour] = {}
    read: dict[int, Place] = {}
    owned: dict[int, Place] = {}

    def is_due(self, at_s: int) -> bool:
        """Whether five minutes of the city have passed since the last sample."""
        return not self.samples or at_s // SAMPLE_S > self.samples[-1].at_s // SAMPLE_S

    def sample(self, at_s: int, statuses: Sequence[int], *, is_gap: bool) -> bool:
        """Take in how many are clear, near and on hold, once in five minutes; whether it was taken."""
        if not self.is_due(at_s):
            return False
        clear, approaching, hold = statuses
        self.samples.append(Sample(at_s, clear, approaching, hold, is_gap or not self.samples))
        while self.samples[0].at_s <= at_s - SAMPLES_S:
            self.samples.pop(0)
        return True

    def hour(self, at_s: int) -> Hour:
        """The hour of an instant; a new one drives out those that are too old."""
        begin_s = at_s // HOUR_S * HOUR_S
        found = self.hours.get(begin_s)
        if found is None:
            found = self.hours[begin_s] = Hour(begin_s, Figures.none())
            newest = max(self.hours)
            for old in [one for one in self.hours if one <= newest - HOURS * HOUR_S]:
                del self.hours[old]
        return found

    def count(self, told: Told) -> None:
        """Count an alert by its kind, and a hold in its zone."""
        figures = self.hour(told.at_s).figures
        figures.kinds[told.kind] = figures.kinds.get(told.kind, 0) + 1
        if told.kind == "limit_reached" and told.hold_from_s is not None:
            figures.begin_hold(told.zone)

    def count_platforms(self, told: Told, platforms: Sequence[str]) -> None:
        """Count a hold with each platform whose own the rider is, a breach with the one that breached."""
        if told.kind == "limit_reached" and told.hold_from_s is not None:
            for name in platforms:
                self.hour(told.at_s).figures.platform(name).holds += 1
        if told.kind != "hold_breached" or told.platform is None or told.is_excused:
            return
        self.hour(told.at_s).figures.platform(told.platform).breaches += 1
        if told.hold_from_s is None:
            return
        begun, mark = self.hour(told.hold_from_s), _mark(told)
        if mark not in begun.breached:
            begun.breached.append(mark)
            begun.figures.platform(told.platform).breached += 1
            self._forget_marks()

    def _forget_marks(self) -> None:
        while sum(len(one.breached) for one in self.hours.values()) > MOST_BREACHED:
            oldest = min((one for one in self.hours.values() if one.breached), key=lambda one: one.at_s)
            oldest.breached.clear()

    def close(self, now_s: int) -> None:
        """Let the hours that are over stand still."""
        for one in self.hours.values():
            if one.closed is None and one.at_s + HOUR_S + CLOSES_AFTER_S <= now_s:
                one.closed = msgspec.convert(msgspec.to_builtins(one.figures), Figures)

    def packed(self) -> bytes:
        """All of it, to be kept."""
        return msgspec.json.encode(self)

    @property
    def is_known(self) -> bool:
        """Whether this version wrote it."""
        return self.version == _VERSION


def _mark(told: Told) -> int:
    """A number for a hold and who breached it, from which nobody is read."""
    text = f"{told.platform} {told.rider} {told.limit} {told.hold_from_s}"
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big")
