"""Limits as data, and the packed table that the kernels read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.errors import InvalidLimit
from detectors.kernels.layout import codes
from detectors.kernels.layout.arrays import Limits
from detectors.kernels.layout.values import MAX_LIMITS, MAX_PARTS, MAX_WARNINGS, PAST
from detectors.kernels.limits.dispatch import KINDS

#: Of (time zone, kind, beginning of the day in seconds, weekday on which weeks begin).
WindowStarts = Callable[[str, str, int, int], npt.NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Limit:
    """One rule of a policy; durations in whole seconds, 0 where the rule has none.

    ``rest_within`` arrives already turned into elapsed time: ``limit_s`` is window minus rest and
    ``reset_s`` is the rest. ``release`` is empty for ``remind``.
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


class LimitTable:
    """The limits of a run in the order (policy, name), packed for the kernels.

    Parameters
    ----------
    limits
        At most 32, names unique within a policy.
    window_starts
        Gives the sorted first instants of the calendar windows of a zone.

    Raises
    ------
    InvalidLimit
        With every fault found.
    """

    def __init__(self, limits: Sequence[Limit], window_starts: WindowStarts) -> None:
        _refuse_faults(limits)
        self.limits: tuple[Limit, ...] = tuple(sorted(limits, key=_rank))
        self.policies: tuple[str, ...] = tuple(sorted({one.policy for one in limits}))
        self.packed: Limits = self._pack(window_starts)

    def _pack(self, window_starts: WindowStarts) -> Limits:
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
            if KINDS[one.kind].needs_starts:
                key = (one.time_zone, one.kind, one.day_start_s, one.week_start)
                if key not in bounds:
                    bounds[key] = (used, window_starts(*key))
                    used += len(bounds[key][1])
                calendar[index] = bounds[key][0], len(bounds[key][1])
        columns = [part for _, part in bounds.values()]
        return Limits(
            kind=self._column(lambda one: KINDS[one.kind].code),
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
            kept=np.array([self._is_kept(clock) for clock in codes.CLOCKS], dtype=np.int64),
            weeks=self._column(lambda one: one.weeks),
            since=np.full(count, PAST, dtype=np.int64),
        )

    def _is_kept(self, clock: str) -> bool:
        return clock in codes.ALWAYS_KEPT or any(clock in (one.clock, one.reset_clock) for one in self.limits)

    def _column(self, of: Callable[[Limit], int]) -> npt.NDArray[np.int64]:
        return np.array([of(one) for one in self.limits], dtype=np.int64)


def _rank(one: Limit) -> tuple[str, str]:
    """By the policy's name, not by "name@version": "p" comes before "p.1" whatever stands behind it."""
    return one.policy.rpartition("@")[0], one.name


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
        if one.limit_s <= 0:
            faults.append(f"{place}: limit of {one.limit_s} s, must be above zero")
        if KINDS[one.kind].needs_reset and one.reset_s <= 0:
            faults.append(f"{place}: reset of {one.reset_s} s, a {one.kind} limit needs one above zero")
        if KINDS[one.kind].needs_window and one.window_s < one.limit_s:
            faults.append(f"{place}: window of {one.window_s} s is shorter than its limit of {one.limit_s} s")
    if faults:
        raise InvalidLimit("; ".join(faults))
