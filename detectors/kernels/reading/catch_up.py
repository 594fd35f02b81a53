"""A copied rider brought to *now*."""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout import (
    M_OVERFLOW,
    M_SEALING,
    M_VERDICTS,
    R_APPLIED,
    R_BASE_OPEN,
    R_FLAGS,
    R_HEAD_OPEN,
    R_SPANS,
    ROW_DIRTY,
    S_NEXT,
    SPAN_WORDS,
    Limits,
    Memory,
    Rules,
)
from detectors.kernels.layout.row import base_at, state_words
from detectors.kernels.memory.rows import blank_state
from detectors.kernels.reading.snapshot import SPARE_SPANS
from detectors.kernels.timeline.scratch import load
from detectors.kernels.timeline.step import apply_events, events_until, next_instant, step


@inlined
def set_blank(mem: Memory, limits: Limits) -> None:
    """A rider of whom nothing is known."""
    mem.rows[0, :] = 0
    words = state_words(limits)
    here = base_at(limits)
    blank_state(mem.rows[0, here : here + words], limits)
    blank_state(mem.rows[0, here + words : here + 2 * words], limits)
    for clock in range(3):
        mem.rows[0, R_SPANS + clock] = 8 + clock * SPARE_SPANS * SPAN_WORDS
    for word in range(words):
        mem.state[word] = mem.rows[0, here + word]


@inlined
def bring(mem: Memory, limits: Limits, rules: Rules, now: int, horizon: int) -> None:
    """Bring the copied rider to ``now``, as judging does; his state is the scratch state then."""
    words = state_words(limits)
    here = base_at(limits)
    base = mem.rows[0, here : here + words]
    reach = events_until(mem, 0, now)
    dirty = mem.rows[0, R_FLAGS] & ROW_DIRTY != 0
    applied = 0 if dirty else mem.rows[0, R_APPLIED]
    mem.misc[M_VERDICTS] = 0
    mem.misc[M_SEALING] = 0
    if dirty:
        load(mem, 0, base, R_BASE_OPEN)
    else:
        load(mem, 0, mem.rows[0, here + words : here + 2 * words], R_HEAD_OPEN)
    if reach > applied:
        apply_events(mem, 0, base, limits, rules, applied, reach, now)
    while mem.state[S_NEXT] <= now:
        # Nothing is told here: the room for records is used again and again.
        mem.misc[M_VERDICTS] = 0
        following = next_instant(mem, 0, mem.state, limits, rules, now + 1)
        if following <= now:
            step(mem, 0, mem.state, base, limits, rules, following, 0, 0)
            following = next_instant(mem, 0, mem.state, limits, rules, horizon)
        mem.state[S_NEXT] = following
    mem.misc[M_OVERFLOW] = 0
