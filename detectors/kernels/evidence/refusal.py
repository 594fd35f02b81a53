"""Why an event is not believed: it lies in the future, or came too late (CONTRACT 3)."""

from __future__ import annotations

from detectors.kernels.evidence.arrivals import Arrivals, Place
from detectors.kernels.evidence.events import events_until
from detectors.kernels.jit import inlined
from detectors.kernels.layout import codes, row as Row
from detectors.kernels.layout.arrays import Memory, Rules
from detectors.kernels.layout.values import FINALITY_SLACK_S, PAST

#: How far an event may lie after its arrival, in milliseconds.
FUTURE_MS = 300_000


@inlined
def final_until(rules: Rules, now: int) -> int:
    """The last instant whose verdicts are final at ``now`` (CONTRACT 1)."""
    return now - rules.lateness - FINALITY_SLACK_S - 1


@inlined
def not_final(mem: Memory, row: int, now: int, rules: Rules) -> int:
    """How many of the rider's events are not final at ``now``."""
    return mem.rows[row, Row.EVENTS_N] - events_until(mem, row, final_until(rules, now))


@inlined
def refusal(cols: Arrivals, i: int, now_s: int, rules: Rules, place: Place) -> int:
    """NEW when the event may be believed where it lies, else why not."""
    event_ms = cols.event_s[i] * 1000
    measured_ms = cols.arrival_ms[i]
    if place.event_clock == 1:
        if cols.hop[i] == 0:
            measured_ms = now_s * 1000 if now_s > PAST else event_ms
    elif event_ms > measured_ms + FUTURE_MS:
        return codes.FUTURE
    if measured_ms - event_ms > rules.lateness * 1000:
        return codes.TOO_LATE
    return codes.NEW
