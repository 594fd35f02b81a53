"""Conditions of zones as they were announced, and from them when and where each limit is on (BEYOND-HOURS 1).

Nothing is on before it was announced: at each instant the newest versions announced by then hold. So what
this makes of all messages is a function of time that later messages do not change behind their announcement.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from detectors.kernels.layout.values import I64, PAST
from detectors.kernels.limits.gates import BAN_GATE, OPEN, WHEN_GATE

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Announcement:
    """A version of a condition; epoch seconds. ``value`` are the message's bytes, which order equals."""

    condition_id: str
    condition: str
    zones: tuple[str, ...]
    from_s: int
    until_s: int
    announced_s: int
    void: bool = False
    value: bytes = b""


def matches(patterns: Iterable[str], zone: str) -> bool:
    """Whether a zone is among these; a trailing ``*`` stands for any rest.

    Examples
    --------
    >>> matches(["310105", "3102*"], "310230"), matches(["3101"], "310105")
    (True, False)
    """
    return any(zone.startswith(one[:-1]) if one.endswith("*") else zone == one for one in patterns)


class Conditions:
    """All versions that are known: a set, whatever the order they came in and how often."""

    def __init__(self) -> None:
        self._versions: dict[str, list[tuple[int, bytes, Announcement]]] = {}

    def __len__(self) -> int:
        """How many versions."""
        return sum(map(len, self._versions.values()))

    def add(self, one: Announcement) -> bool:
        """Take a version in; False for one that is known."""
        versions = self._versions.setdefault(one.condition_id, [])
        entry = (one.announced_s, one.value, one)
        if any(known[:2] == entry[:2] for known in versions):
            return False
        insort(versions, entry, key=lambda known: known[:2])
        return True

    def versions(self) -> list[list[Announcement]]:
        """Of each id its versions in the order in which they are in force; of one second only the last."""
        found = []
        # A list, for metrics look while more is announced.
        for versions in list(self._versions.values()):
            last = {at: one for at, _, one in versions}
            found.append(list(last.values()))
        return found

    def on_at(self, at: int) -> dict[str, list[Announcement]]:
        """By condition, the versions that are in force and on at ``at``."""
        found: dict[str, list[Announcement]] = {}
        for versions in self.versions():
            known = [one for one in versions if one.announced_s <= at]
            if known and not known[-1].void and known[-1].from_s <= at < known[-1].until_s:
                found.setdefault(known[-1].condition, []).append(known[-1])
        return found

    def patterns(self, condition: str) -> frozenset[str]:
        """The patterns of zones that versions of a condition name."""
        return frozenset(
            zone
            for versions in self._versions.values()
            for _, _, one in versions
            if one.condition == condition
            for zone in one.zones
        )

    def projections(self, condition: str, matched: frozenset[str]) -> list[tuple[int, list[Interval]]]:
        """When a condition is on where these patterns match, as known from each announcement on.

        Returns
        -------
        Announced at, and the merged half-open stretches that end after that, as known from there on.
        """
        changes: list[tuple[int, str, Interval | None]] = []
        for versions in self.versions():
            before = False
            for one in versions:
                is_on = one.condition == condition and not one.void and not matched.isdisjoint(one.zones)
                if is_on or before:
                    stretch = (one.from_s, one.until_s) if is_on else None
                    changes.append((one.announced_s, one.condition_id, stretch))
                before = is_on
        changes.sort(key=lambda change: change[0])
        active: dict[str, Interval] = {}
        found: list[tuple[int, list[Interval]]] = []
        for index, (at, name, stretch) in enumerate(changes):
            if stretch is None:
                active.pop(name, None)
            else:
                active[name] = stretch
            if index + 1 < len(changes) and changes[index + 1][0] == at:
                continue
            active = {name: one for name, one in active.items() if one[1] > at}
            found.append((at, merged(active.values())))
        return found


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Intervals as one sorted list of disjoint ones that do not touch."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


@dataclass(frozen=True, slots=True)
class GateSource:
    """What a limit is gated by: a condition, or ``stretches`` (n, 2) in ``zones``; neither: by nothing."""

    condition: str = ""
    stretches: I64 | None = None
    zones: tuple[str, ...] = ()
    is_ban: bool = False

    @property
    def code(self) -> int:
        """The code of its kind."""
        if self.is_ban:
            return BAN_GATE
        return WHEN_GATE if self.condition else OPEN


@dataclass(slots=True)
class _Sets:
    """Sets of stretches as they are packed; the first is never on."""

    places: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    versions: list[tuple[int, int, int]] = field(default_factory=list)
    stretches: list[I64] = field(default_factory=list)
    used: int = 0

    def add(self, versions: Sequence[tuple[int, I64]]) -> int:
        self.places.append((len(self.versions), len(versions)))
        for announced_s, stretches in versions:
            self.versions.append((announced_s, self.used, len(stretches)))
            self.stretches.append(stretches.reshape(-1, 2))
            self.used += len(stretches)
        return len(self.places) - 1


class Gates:
    """When each limit is on, zone by zone, as arrays for the kernels.

    Parameters
    ----------
    sources
        What each limit is gated by.
    """

    def __init__(self, sources: Sequence[GateSource]) -> None:
        self._sources = sources
        self._zones: list[str] = []
        self._conditions = Conditions()
        self._begin_anew()

    @property
    def zones(self) -> int:
        """How many zones are known."""
        return len(self._zones)

    def tell(self, conditions: Conditions) -> None:
        """Take what is announced now in place of what was."""
        self._conditions = conditions
        zones = self._zones
        self._begin_anew()
        self.enter(zones)

    def enter(self, zones: Sequence[str]) -> None:
        """Take further zones in, in the order of their numbers."""
        self._zones = [*self._zones, *zones]
        for index, source in enumerate(self._sources):
            self._rows[index] += [self._set_of(index, source, zone) for zone in zones]

    def arrays(self) -> dict[str, I64]:
        """The arrays of `kernels.layout.arrays.Limits` that say it."""
        sets = self._sets
        return {
            "gate": np.array([one.code for one in self._sources], dtype=np.int64),
            "gates": np.array(self._rows, dtype=np.int64).reshape(len(self._sources), 1 + len(self._zones)),
            "gate_sets": np.array(sets.places, dtype=np.int64),
            "gate_versions": np.array(sets.versions, dtype=np.int64).reshape(-1, 3),
            "gate_stretches": np.concatenate([np.zeros((0, 2), np.int64), *sets.stretches]),
        }

    def concerned(self, announcements: Iterable[Announcement], conditions: frozenset[str]) -> list[bool]:
        """Which zones, the first for none, announcements of these conditions can change anything in."""
        patterns = {zone for one in announcements if one.condition in conditions for zone in one.zones}
        return [False, *(matches(patterns, zone) for zone in self._zones)]

    def _begin_anew(self) -> None:
        self._zones = []
        self._sets = _Sets()
        self._known: dict[tuple[int | str, frozenset[str] | bool], int] = {}
        names = {one.condition for one in self._sources if one.condition}
        self._patterns = {name: self._conditions.patterns(name) for name in names}
        self._rows = [
            [self._set_of(index, one, None)] if one.code != OPEN else [0]
            for index, one in enumerate(self._sources)
        ]

    def _set_of(self, index: int, source: GateSource, zone: str | None) -> int:
        """The set of a limit in a zone; None for a rider without one, whom no pattern matches."""
        if source.stretches is not None:
            is_in = not source.zones or (zone is not None and matches(source.zones, zone))
            return self._made((index, True), [(PAST, source.stretches)]) if is_in else 0
        if not source.condition or zone is None:
            return 0
        matched = frozenset(one for one in self._patterns[source.condition] if matches((one,), zone))
        key = (source.condition, matched)
        if not matched:
            return 0
        if key in self._known:
            return self._known[key]
        versions = self._conditions.projections(source.condition, matched)
        return self._made(key, [(at, np.array(one, dtype=np.int64)) for at, one in versions])

    def _made(self, key: tuple[int | str, frozenset[str] | bool], versions: Sequence[tuple[int, I64]]) -> int:
        if key not in self._known:
            self._known[key] = self._sets.add(versions)
        return self._known[key]
