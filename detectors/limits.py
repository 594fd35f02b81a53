"""Limits as data, and the packed table that the kernels read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from detectors.calendar import hours_of_day, hours_on_dates
from detectors.conditions import Gates, GateSource
from detectors.errors import InvalidLimit
from detectors.kernels.layout import codes
from detectors.kernels.layout.arrays import Limits
from detectors.kernels.layout.values import I64, INF, MAX_LIMITS, MAX_PARTS, MAX_WARNINGS, PAST
from detectors.kernels.limits.dispatch import KINDS, Kind

#: Of (time zone, kind, beginning of the day in seconds, weekday on which weeks begin).
WindowStarts = Callable[[str, str, int, int], npt.NDArray[np.int64]]


#: What says when and where a limit is on and off.
_OF_GATES = ("condition", "when", "zones", "dates")


@dataclass(frozen=True, slots=True)
class Limit:
    """One rule of a policy; durations in whole seconds, 0 where the rule has none.

    ``rest_within`` arrives already turned into elapsed time: ``limit_s`` is window minus rest and
    ``reset_s`` is the rest; with ``per`` = "week" the window is a week without a change of clocks.
    ``release`` is empty for ``remind``. ``between_s`` are two times of the day in seconds from midnight.
    A ``ban`` names a ``condition``, or hours ``between_s`` with ``dates`` (two of the form "06-01", or none)
    and the patterns of its ``zones``; other kinds may name a condition in ``when``.
    The limit is in force from ``begins_s`` to before ``ends_s``, epoch seconds.
    """

    policy: str
    name: str
    kind: str
    clock: str
    limit_s: int
    time_zone: str
    effect: str = "remind"
    release: str = ""
    reset_s: int = 0
    window_s: int = 0
    warn_before_s: tuple[int, ...] = ()
    remind_every_s: int = 0
    hold_for_s: int = 0
    day_start_s: int = 0
    reset_parts_s: tuple[int, ...] = ()
    reset_sum_s: int = 0
    sum_part_s: int = 0
    reset_clock: str = ""
    weeks: int = 1
    week_start: int = 0
    per: str = ""
    between_s: tuple[int, ...] = ()
    condition: str = ""
    when: str = ""
    zones: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    begins_s: int = PAST
    ends_s: int = INF

    def __repr__(self) -> str:
        """As any value's, but what few limits have is shown only where it is.

        Checkpoints are told apart by it: those of limits that have none of it stay good.
        """
        shown = [
            f"{one.name}={value!r}"
            for one in fields(self)
            if (value := getattr(self, one.name)) or one.name not in _OF_GATES
        ]
        return f"Limit({', '.join(shown)})"

    @property
    def judged_as(self) -> Kind:
        """What it is judged by."""
        return KINDS[f"{self.kind}/{self.per}" if self.per else self.kind]

    @property
    def window_kind(self) -> str:
        """What its windows of the calendar are."""
        return self.per or self.kind


class LimitTable:
    """The limits of a run in the order (policy, name), packed for the kernels.

    Parameters
    ----------
    limits
        At most 32, names unique within a policy.
    window_starts
        Gives the sorted first instants of the calendar windows of a zone.
    kept
        Clocks that are kept beside those that the limits look at.

    Raises
    ------
    InvalidLimit
        With every fault found.
    """

    def __init__(
        self, limits: Sequence[Limit], window_starts: WindowStarts, kept: Sequence[str] = ()
    ) -> None:
        _refuse_faults(limits)
        self._kept = (*codes.ALWAYS_KEPT, *kept)
        self.limits: tuple[Limit, ...] = tuple(sorted(limits, key=_rank))
        self.policies: tuple[str, ...] = tuple(sorted({one.policy for one in limits}))
        self.packed: Limits = self._pack(window_starts)

    def _pack(self, window_starts: WindowStarts) -> Limits:
        """The limits as columns; longer because it is a table of them."""
        count = len(self.limits)
        warn = np.zeros((count, MAX_WARNINGS), dtype=np.int64)
        parts = np.zeros((count, MAX_PARTS), dtype=np.int64)
        bounds: dict[tuple[str, str, int, int], tuple[int, npt.NDArray[np.int64]]] = {}
        calendar = np.zeros((count, 2), dtype=np.int64)
        used = 0
        for index, one in enumerate(self.limits):
            # Largest amount first: of several warnings on one instant the shortest lead is told.
            amounts = sorted((one.limit_s - lead for lead in one.warn_before_s), reverse=True)
            warn[index, : len(amounts)] = amounts
            parts[index, : len(one.reset_parts_s)] = one.reset_parts_s
            if one.judged_as.needs_starts:
                key = (one.time_zone, one.window_kind, one.day_start_s, one.week_start)
                if key not in bounds:
                    bounds[key] = (used, window_starts(*key))
                    used += len(bounds[key][1])
                calendar[index] = bounds[key][0], len(bounds[key][1])
        columns = [part for _, part in bounds.values()]
        hours, hour_bounds, hours_before = self._hours()
        return Limits(
            kind=self._column(lambda one: one.judged_as.code),
            clock=self._column(lambda one: codes.CLOCKS.index(one.clock)),
            amount=self._column(lambda one: one.limit_s),
            reset=self._column(lambda one: one.reset_s),
            reset_clock=self._column(lambda one: codes.CLOCKS.index(one.reset_clock or one.clock)),
            part_count=self._column(lambda one: len(one.reset_parts_s)),
            parts=parts,
            reset_sum=self._column(lambda one: one.reset_sum_s),
            sum_part=self._column(lambda one: one.sum_part_s),
            window=self._column(lambda one: one.window_s),
            effect=self._column(lambda one: codes.EFFECTS.index(one.effect)),
            release=self._column(lambda one: codes.RELEASES.index(one.release)),
            hold_for=self._column(lambda one: one.hold_for_s),
            remind=self._column(lambda one: one.remind_every_s),
            warnings=self._column(lambda one: len(one.warn_before_s)),
            warn=warn,
            policy=self._column(lambda one: self.policies.index(one.policy)),
            calendar=calendar,
            bounds=np.concatenate(columns) if columns else np.zeros(0, dtype=np.int64),
            **self.gates().arrays(),
            kept=np.array([self._is_kept(clock) for clock in codes.CLOCKS], dtype=np.int64),
            hours=hours,
            hour_bounds=hour_bounds,
            hours_before=hours_before,
            weeks=self._column(lambda one: one.weeks),
            since=np.full(count, PAST, dtype=np.int64),
            begins=self._column(lambda one: one.begins_s),
            ends=self._column(lambda one: one.ends_s),
            identity=self._column(lambda one: identity_of(one.policy, one.name)),
        )

    def _hours(self) -> tuple[I64, I64, I64]:
        """Of each limit where its hours lie, the intervals, and what those of its before have lasted."""
        places = np.zeros((len(self.limits), 2), dtype=np.int64)
        found: dict[tuple[str, tuple[int, ...]], tuple[int, I64]] = {}
        used = 0
        for index, one in enumerate(self.limits):
            if one.between_s and one.judged_as.counts:
                key = (one.time_zone, one.between_s)
                if key not in found:
                    found[key] = used, hours_of_day(one.time_zone, *one.between_s)
                    used += len(found[key][1])
                places[index] = found[key][0], len(found[key][1])
        bounds = np.concatenate([np.zeros((0, 2), np.int64), *(part for _, part in found.values())])
        lasts = [(part[:, 1] - part[:, 0]).cumsum() - (part[:, 1] - part[:, 0]) for _, part in found.values()]
        return places, bounds, np.concatenate([np.zeros(0, np.int64), *lasts])

    @property
    def conditions(self) -> frozenset[str]:
        """The names of the conditions that limits look at."""
        return frozenset(name for one in self.limits for name in (one.condition, one.when) if name)

    @property
    def is_gated(self) -> bool:
        """Whether a limit is on and off: by a condition, or in hours, dates or zones."""
        return any(one.kind == "ban" or one.when for one in self.limits)

    def gates(self) -> Gates:
        """When and in which zones the limits are on, to be told conditions and zones."""
        return Gates([_gate_of(one) for one in self.limits])

    def _is_kept(self, clock: str) -> bool:
        return clock in self._kept or any(clock in (one.clock, one.reset_clock) for one in self.limits)

    def _column(self, of: Callable[[Limit], int]) -> npt.NDArray[np.int64]:
        return np.array([of(one) for one in self.limits], dtype=np.int64)


def _gate_of(one: Limit) -> GateSource:
    if one.judged_as.counts:
        return GateSource(condition=one.when)
    if one.condition:
        return GateSource(condition=one.condition, is_ban=True)
    first, last = one.dates or ("01-01", "12-31")
    stretches = hours_on_dates(one.time_zone, *one.between_s, first, last)
    return GateSource(stretches=stretches, zones=one.zones, is_ban=True)


def identity_of(policy: str, name: str) -> int:
    """What orders name a limit by, whatever its place in a table: a hash of ``name@version`` and its name."""
    digest = hashlib.blake2b(f"{policy}\n{name}".encode(), digest_size=8).digest()
    # Never 0: that is what a heartbeat has in its place.
    return int.from_bytes(digest, "little", signed=True) or 1


def _rank(one: Limit) -> tuple[str, int, str]:
    """By the policy's name, not by "name@version": "p" comes before "p.1" whatever stands behind it."""
    name, _, version = one.policy.rpartition("@")
    return name, int(version) if version.isdecimal() else 0, one.name


def _refuse_faults(limits: Sequence[Limit]) -> None:
    faults: list[str] = []
    if len(limits) > MAX_LIMITS:
        faults.append(f"{len(limits)} limits in one run, at most {MAX_LIMITS}: name fewer policies")
    seen: set[tuple[str, str]] = set()
    for one in limits:
        place = f"{one.policy}/{one.name}"
        if (one.policy, one.name) in seen:
            faults.append(f"{place}: named twice, names of limits are unique in a policy")
        seen.add((one.policy, one.name))
        if len(one.warn_before_s) > MAX_WARNINGS:
            faults.append(f"{place}: {len(one.warn_before_s)} warnings, at most {MAX_WARNINGS}")
        if one.limit_s <= 0 and one.judged_as.counts:
            faults.append(f"{place}: limit of {one.limit_s} s, must be above zero")
        if one.judged_as.needs_reset and one.reset_s <= 0:
            faults.append(f"{place}: reset of {one.reset_s} s, a {one.kind} limit needs one above zero")
        if one.judged_as.needs_window and one.window_s < one.limit_s:
            faults.append(f"{place}: window of {one.window_s} s is shorter than its limit of {one.limit_s} s")
    if faults:
        raise InvalidLimit("; ".join(faults))
