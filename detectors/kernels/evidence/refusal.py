"""Why an event is not believed: it lies in the future, or came too late (CONTRACT 3)."""

from __future__ import annotations

from detectors.kernels.evidence.arrivals import Arrivals, Place
from detectors.kernels.jit import inlined
from detectors.kernels.layout import (
    E_T,
    EVENT_WORDS,
    FINALITY_SLACK_S,
    FUTURE,
    NEW,
    PAST,
    R_EVENTS,
    R_EVENTS_N,
    TOO_LATE,
    Memory,
    Rules,
)

FUTURE_MS = 300_000


@inlined
def not_final(mem: Memory, row: int, now: int, rules: Rules) -> int:
    """How many of the rider's events are not final at ``now``."""
    block = mem.rows[row, R_EVENTS]
    bound = now - rules.lateness - FINALITY_SLACK_S
    low, high = 0, mem.rows[row, R_EVENTS_N]
    count = high
    while low < high:
        middle = (low + high) // 2
        if mem.heap[block + middle * EVENT_WORDS + E_T] < bound:
            low = middle + 1
        else:
            high = middle
    return count - low


@inlined
def refusal(cols: Arrivals, i: int, now_s: int, rules: Rules, place: Place) -> int:
    """NEW when the event may be believed where it lies, else why not."""
    event_ms = cols.event_s[i] * 1000
    measured_ms = cols.arrival_ms[i]
    if place.event_clock == 1:
        if cols.hop[i] == 0:
            measured_ms = now_s * 1000 if now_s > PAST else event_ms
    elif event_ms > measured_ms + FUTURE_MS:
        return FUTURE
    if measured_ms - event_ms > rules.lateness * 1000:
        return TOO_LATE
    return NEW
