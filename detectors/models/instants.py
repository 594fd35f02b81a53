"""At which instants a model is asked, and what a wall clock says then. Epoch seconds; spans are half-open."""

from __future__ import annotations

from datetime import tzinfo
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.calendar import segments
from detectors.models.jit import inlined, kernel

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
HOUR_S = 3_600
#: Later than everything.
NEVER = 1 << 60


class Zone(NamedTuple):
    """Offsets of a time zone: ``offset`` seconds hold from ``start`` to the next one's."""

    start: I64
    offset: I64


def zone_of(zone: tzinfo) -> Zone:
    """A time zone for the kernels."""
    found = np.array(segments(zone), dtype=np.int64)
    return Zone(np.ascontiguousarray(found[:, 0]), np.ascontiguousarray(found[:, 2]))


@inlined
def offset_at(zone: Zone, at: int) -> int:
    """Seconds that the wall clock is ahead of UTC."""
    low, high = 0, zone.start.shape[0]
    while high - low > 1:
        middle = (low + high) // 2
        if zone.start[middle] <= at:
            low = middle
        else:
            high = middle
    return zone.offset[low]


@inlined
def instant_of(zone: Zone, local: int) -> int:
    """When the wall clock shows so many seconds since 1970 began there."""
    return local - offset_at(zone, local - offset_at(zone, local))


@kernel
def whole_hours_and_ends(zone: Zone, spans: I64, open_end: int, now: int, out: I64) -> int:
    """Write the whole local hours from the first work to ``now`` and the ends of work, ascending, each once.

    ``spans`` are disjoint and ascending; ``open_end``: the last one has not ended. Returns how many there
    are; those beyond the room of ``out`` are not written.
    """
    found = 0
    ends = spans.shape[0] - open_end
    if spans.shape[0] == 0:
        return 0
    at, index = spans[0, 0], 0
    past = (at + offset_at(zone, at)) % HOUR_S
    hour = at if past == 0 else at + HOUR_S - past
    while True:
        end = spans[index, 1] if index < ends else NEVER
        at = min(hour, end)
        if at > now:
            return found
        if found < out.shape[0]:
            out[found] = at
        found += 1
        if end == at:
            index += 1
        if hour == at:
            # Offsets change at whole hours of UTC or of the clock, so the next whole hour is looked for anew.
            hour = at + HOUR_S - (at + HOUR_S + offset_at(zone, at + HOUR_S)) % HOUR_S
            if hour <= at:
                hour += HOUR_S


def instants_of(zone: Zone, spans: I64, now_s: int, *, open_end: bool) -> I64:
    """The instants at which a rider's models are asked (`whole_hours_and_ends`)."""
    if not len(spans):
        return np.zeros(0, dtype=np.int64)
    out = np.zeros((now_s - int(spans[0, 0])) // HOUR_S * 2 + len(spans) + 2, dtype=np.int64)
    return out[: int(whole_hours_and_ends(zone, spans, int(open_end), now_s, out))]
