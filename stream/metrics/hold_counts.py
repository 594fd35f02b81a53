"""Which limits hold which riders now, by a store's arrays; reads only, beside who writes them.

A hold is in the head state, which stands at the rider's newest event, or in what was told after that: records
later than the newest event are never dropped.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.kernels.layout import record as Record, row as Row, state as State
from detectors.kernels.layout.codes import HELD, HOLD_BREACHED, HOLD_RELEASED
from detectors.kernels.layout.values import EVIDENCE_SPANS, I64, NONE


class HoldCounts(NamedTuple):
    """By row and limit whether the limit holds the rider; by limit, breaches told that are not final."""

    held: npt.NDArray[np.bool_]
    breaches: Counter[int]


def holds_now(rows: I64, heap: I64, limits: int) -> HoldCounts:
    """Look at the head states, then at the told records; every place that is followed is checked first."""
    head = Row.head_for(limits)
    words = [head + State.limit_at(index) + State.LIMIT_HOLD_FROM for index in range(limits)]
    newest = rows[:, words].copy()
    released = np.full_like(newest, NONE)
    breaches: Counter[int] = Counter()
    at = rows[:, Row.TOLD].copy()
    end = at + rows[:, Row.TOLD_WORDS]
    walking = np.flatnonzero((at > 0) & (end <= len(heap)))
    while len(walking := walking[at[walking] + Record.WORDS <= end[walking]]):
        place = at[walking]
        key, spans, begun = (heap[place + word] for word in (Record.KEY, Record.SPANS, Record.HOLD_FROM))
        limit, kind = (key >> Record.KEY_LIMIT_SHIFT) & Record.KEY_LIMIT_MASK, key >> Record.KEY_KIND_SHIFT
        known = limit < limits
        breaches.update(limit[known & (kind == HOLD_BREACHED)].tolist())
        for chosen, into in (
            (known & (begun != NONE), newest),
            (known & (kind == HOLD_RELEASED), released),
        ):
            where = walking[chosen], limit[chosen]
            into[where] = np.maximum(into[where], begun[chosen])
        at[walking] += Record.WORDS + 2 * spans
        walking = walking[(spans >= 0) & (spans <= EVIDENCE_SPANS)]
    held = (newest != NONE) & (newest > released) & (rows[:, Row.STATUS] == HELD)[:, None]
    return HoldCounts(held, breaches)
