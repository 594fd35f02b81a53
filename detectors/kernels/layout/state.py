"""Words of a rider's state: ``[instant and what is open | clocks | limits]``, and of a clock's closed spans.

Times are epoch seconds, amounts are seconds; spans are half-open.
"""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout.codes import CLOCK_COUNT
from detectors.kernels.layout.values import MAX_WARNINGS
from detectors.kernels.layout.words import Words

_clock = Words()
#: Whether the clock runs, since when it runs or rests, what it had run before that, its closed spans.
CLOCK_RUN, CLOCK_EDGE, CLOCK_TOTAL, CLOCK_SPANS = _clock.each(4)
CLOCK_WORDS = _clock.size

_limit = Words()
#: The clock's total when counting began; where the episode or window began; where the window ends.
LIMIT_COUNT0, LIMIT_EPISODE, LIMIT_WINDOW_END = _limit.each(3)
#: Of a limit of rests, which has no such window: what has been taken of them (`kernels.limits.rests`).
LIMIT_TAKEN = LIMIT_WINDOW_END
#: What has fired (below), and how many reminders.
LIMIT_FLAGS, LIMIT_REMINDED = _limit.each(2)
#: The hold: its beginning (NONE: none); the newest instant reached in it, what was counted then, from where.
LIMIT_HOLD_FROM, LIMIT_HOLD_NEWEST, LIMIT_HOLD_COUNTED, LIMIT_HOLD_WINDOW = _limit.each(4)
LIMIT_WORDS = _limit.size

_state = Words()
#: The instant it stands at; the next one at which anything changes by itself; the newest order's zone.
AT, NEXT, ZONE = _state.each(3)
#: How many orders and platforms are open.
ORDERS, PLATFORMS = _state.each(2)
CLOCKS = _state.block(CLOCK_COUNT * CLOCK_WORDS)
LIMITS = _state.size

# Bits of LIMIT_FLAGS: the limit has fired; from WARN_FIRED_BIT its warnings have; from WARN_TOLD_BIT they
# have been told.
FIRED = 1
WARN_FIRED_BIT = 1
WARN_TOLD_BIT = 32
assert WARN_FIRED_BIT + MAX_WARNINGS <= WARN_TOLD_BIT <= 63 - MAX_WARNINGS

_span = Words()
#: A closed span: start; end * 2 + (a maximum ended it); what the clock had run before it.
SPAN_START, SPAN_END, SPAN_BEFORE = _span.each(3)
SPAN_WORDS = _span.size


def state_words_for(limits: int) -> int:
    """Words of a state under so many limits."""
    return LIMITS + LIMIT_WORDS * limits


@inlined
def clock_at(clock: int) -> int:
    """Word of a state at which a clock begins."""
    return CLOCKS + clock * CLOCK_WORDS


@inlined
def limit_at(limit: int) -> int:
    """Word of a state at which a limit begins."""
    return LIMITS + limit * LIMIT_WORDS
