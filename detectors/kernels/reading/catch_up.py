"""A copied rider brought to *now*, as judging does; nothing is told of it."""

from __future__ import annotations

from detectors.kernels.evidence.events import events_until
from detectors.kernels.jit import inlined
from detectors.kernels.layout import codes, misc as Misc, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory, Rules
from detectors.kernels.memory import blocks
from detectors.kernels.memory.rows import blank_state
from detectors.kernels.reading.snapshot import SPARE_SPANS
from detectors.kernels.timeline.scratch import load
from detectors.kernels.timeline.step import advance, apply_events


@inlined
def set_blank(mem: Memory, limits: Limits) -> None:
    """A rider of whom nothing is known."""
    mem.rows[0, :] = 0
    base = mem.rows[0, Row.base_at(limits) : Row.head_at(limits)]
    blank_state(base, limits)
    blank_state(mem.rows[0, Row.head_at(limits) :], limits)
    for clock in range(codes.CLOCK_COUNT):
        mem.rows[0, Row.SPANS + clock] = blocks.SMALLEST + clock * SPARE_SPANS * State.SPAN_WORDS
    for word in range(base.shape[0]):
        mem.state[word] = base[word]


@inlined
def bring(mem: Memory, limits: Limits, rules: Rules, now: int, horizon: int) -> None:
    """Bring the copied rider's scratch state to ``now``; `State.NEXT` is exact up to ``horizon``."""
    base = mem.rows[0, Row.base_at(limits) : Row.head_at(limits)]
    reach = events_until(mem, 0, now)
    dirty = mem.rows[0, Row.FLAGS] & Row.FLAG_DIRTY != 0
    applied = 0 if dirty else mem.rows[0, Row.APPLIED]
    mem.misc[Misc.VERDICTS] = 0
    mem.misc[Misc.SEALING] = 0
    if dirty:
        load(mem, 0, base, Row.BASE_OPEN)
    else:
        load(mem, 0, mem.rows[0, Row.head_at(limits) :], Row.HEAD_OPEN)
    if reach > applied:
        apply_events(mem, 0, base, limits, rules, applied, reach, now)
    advance(mem, 0, base, limits, rules, now + 1, horizon)
    # Records are not read here: that there was no room for them is no fault.
    mem.misc[Misc.OVERFLOW] = 0
