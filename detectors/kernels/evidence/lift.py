"""An operator's order that lifts a hold, taken into the rider's evidence."""

from __future__ import annotations

from detectors.kernels.evidence.events import Unsealed, index_of, insert
from detectors.kernels.jit import kernel
from detectors.kernels.layout import codes, event as Event, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.memory import blocks
from detectors.kernels.memory.seqlock import begin_change, end_change


@kernel
def take_lift(mem: Memory, row: int, limits: Limits, at: int, identity: int, begun: int) -> tuple[int, int]:
    """Take an order in that arrived at ``at``; whether an array is too small, and what became of it.

    Parameters
    ----------
    identity
        That of the limit whose hold is meant (`Limits.identity`).
    begun
        When the hold began.
    """
    if at <= mem.rows[row, Row.base_at(limits) + State.AT]:
        return codes.DONE, codes.SEALED
    packed = (codes.HEARTBEAT << Event.TYPE_SHIFT) | (1 << Event.REAL_SHIFT)
    event = Unsealed(at, identity, packed, begun)
    index, known = index_of(mem, row, event)
    if known:
        return codes.DONE, codes.REPEATED
    count = mem.rows[row, Row.EVENTS_N]
    heard = mem.rows[row, Row.LAST_EVENT]
    begin_change(mem, row)
    room = blocks.reserve(
        mem, row, Row.EVENTS, Row.EVENTS_CLASS, count * Event.WORDS, (count + 1) * Event.WORDS
    )
    if room:
        insert(mem, row, limits, event, index)
        # The rider has done nothing.
        mem.rows[row, Row.LAST_EVENT] = heard
    end_change(mem, row)
    return codes.DONE if room else codes.NEED_HEAP, codes.NEW
