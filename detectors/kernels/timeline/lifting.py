"""Holds that an operator's review ends: the order is evidence of the instant at which it arrived."""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout import event as Event, misc as Misc, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64


@inlined
def see_lifts(mem: Memory, row: int, state: I64, limits: Limits, first: int, last: int) -> None:
    """Mark the limits whose hold under way the events ``first..last`` of an instant lift."""
    mem.misc[Misc.LIFTED] = 0
    block = mem.rows[row, Row.EVENTS]
    for index in range(first, last):
        word = block + index * Event.WORDS
        order = mem.heap[word + Event.ORDER]
        if not Event.is_lift(mem.heap[word + Event.PACKED], order):
            continue
        for limit in range(limits.kind.shape[0]):
            begun = state[State.limit_at(limit) + State.LIMIT_HOLD_FROM]
            if limits.identity[limit] == order and begun == mem.heap[word + Event.ID]:
                mem.misc[Misc.LIFTED] |= 1 << limit


@inlined
def is_lifted(mem: Memory, limit: int) -> bool:
    """Whether the hold of a limit is lifted at the instant."""
    return (mem.misc[Misc.LIFTED] >> limit) & 1 == 1


@inlined
def no_longer_lifted(mem: Memory, limit: int) -> None:
    """What else ends a hold of the limit at the instant is no review."""
    mem.misc[Misc.LIFTED] &= ~(1 << limit)
