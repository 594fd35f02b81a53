"""The records of what is to be told, appended to `Memory.verdicts` (CONTRACT 7; words: `layout.record`)."""

from __future__ import annotations

from detectors.kernels.clocks.spans import evidence
from detectors.kernels.jit import kernel
from detectors.kernels.layout import codes, misc as Misc, record as Record, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import EVIDENCE_SPANS, NONE
from detectors.kernels.limits import hours
from detectors.kernels.limits.dispatch import BAN, shift, window_start
from detectors.kernels.limits.holds import hold_until, is_held
from detectors.kernels.timeline.lifting import is_lifted


@kernel
def note(
    mem: Memory, row: int, limits: Limits, limit: int, at: int, kind: int, count: int, platform: int
) -> None:
    """Write what a limit says at ``at``, unless there is no room (the caller sees the mark and comes again).

    Parameters
    ----------
    kind
        Of verdict, a code.
    count
        Seconds counted; of a hold that ends, those counted when it was reached last stand instead.
    platform
        The number of the platform that breached; NONE.
    """
    if at < limits.since[limit]:
        return
    used = mem.misc[Misc.VERDICTS]
    if used + Record.WORDS + Record.SPAN_WORDS * EVIDENCE_SPANS > mem.verdicts.shape[0]:
        mem.misc[Misc.OVERFLOW] = 1
        return
    state = mem.state
    word = State.limit_at(limit)
    out = mem.verdicts
    start, end = window_start(state, limits, limit, at), at
    if kind == codes.HOLD_RELEASED:
        start, end = state[word + State.LIMIT_HOLD_WINDOW], state[word + State.LIMIT_HOLD_NEWEST]
        count = state[word + State.LIMIT_HOLD_COUNTED]
    out[used + Record.INSTANT] = at
    out[used + Record.KEY] = Record.key_of(kind, limit, platform)
    out[used + Record.COUNTED] = count + shift(limits, limit, start)
    out[used + Record.START] = start
    out[used + Record.END] = end
    out[used + Record.HOLD_FROM] = state[word + State.LIMIT_HOLD_FROM]
    out[used + Record.HOLD_UNTIL] = NONE
    if kind == codes.HOLD_RELEASED:
        out[used + Record.HOLD_UNTIL] = Record.BY_REVIEW if is_lifted(mem, limit) else at
    elif is_held(state, limit):
        out[used + Record.HOLD_UNTIL] = hold_until(state, limits, limit, at)
    out[used + Record.ZONE] = state[State.ZONE]
    out[used + Record.TOLD_AT] = NONE
    out[used + Record.META] = 0
    if limits.kind[limit] == BAN:
        shown = 0
    elif hours.is_masked(limits, limit):
        shown = hours.evidence(mem, row, state, limits, limit, start, end, out, used + Record.WORDS)
    else:
        shown = evidence(mem, row, state, limits.clock[limit], start, end, out, used + Record.WORDS)
    out[used + Record.SPANS] = shown
    mem.misc[Misc.VERDICTS] = used + Record.size_at(out, used)
