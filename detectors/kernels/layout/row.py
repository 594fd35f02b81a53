"""Words of a rider's row: ``[control words | times of holds | base state | head state]``.

*Base* is the state at the rider's sealed point, *head* the state after the newest event; both are laid out
as `layout.state` says, so the one transition function works on a copy of either: base is
``rows[row, base_at(limits) : head_at(limits)]``, head ``rows[row, head_at(limits) :]``. A block is named by
two words: where it lies (`kernels.memory.blocks`) and its size class.
"""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout.arrays import Limits
from detectors.kernels.layout.codes import CLOCK_COUNT
from detectors.kernels.layout.state import state_words_for
from detectors.kernels.layout.words import Words

_row = Words()
#: Unsealed events; how many of them the head has applied.
EVENTS, EVENTS_CLASS, EVENTS_N, APPLIED = _row.each(4)
#: Closed spans, a block for each clock.
SPANS = _row.block(CLOCK_COUNT)
SPANS_CLASS = _row.block(CLOCK_COUNT)
#: Records of what was told and is not sealed.
TOLD, TOLD_CLASS, TOLD_WORDS = _row.each(3)
#: Orders that ended before the sealed point (`ended_word`).
ENDED, ENDED_CLASS, ENDED_N = _row.each(3)
#: What is open (`layout.open`) at base and at head.
BASE_OPEN, BASE_OPEN_CLASS, HEAD_OPEN, HEAD_OPEN_CLASS = _row.each(4)
FLAGS = _row.one()
#: The status told last.
STATUS, STATUS_LIMIT, STATUS_FIXED, STATUS_MOVING = _row.each(4)
LAST_EVENT = _row.one()
#: Platforms whose own the rider is.
MEMBERS, MEMBERS_CLASS, MEMBERS_N = _row.each(3)
#: The page of the checkpoint, the next rider of that page (row + 1), the hash the rider is looked up by.
PAGE, PAGE_NEXT, HASH = _row.each(3)
#: What arrived before this (epoch milliseconds) has been forgotten.
FORGOTTEN_MS = _row.one()
#: Verdicts before this (epoch seconds) rest on a history that may lack its beginning.
ESTIMATED_UNTIL = _row.one()
WORDS = _row.size

# Bits of FLAGS: to be judged; to be judged from base; an event other than a heartbeat has been seen.
FLAG_TOUCHED, FLAG_DIRTY, FLAG_SEEN = 1, 2, 4
# Judged while nothing was told; all is to be told again; a platform is new to the rider.
FLAG_BEHIND, FLAG_AGAIN, FLAG_JOINED = 8, 16, 32

_member = Words()
#: A platform's number, the last event time by which it claims the rider, whether it has been told the status.
MEMBER_PLATFORM, MEMBER_LAST, MEMBER_TOLD = _member.each(3)
#: The first such time since it claims the rider without a pause of `keep`, and the last time of an order.
MEMBER_FIRST, MEMBER_ORDER = _member.each(2)
MEMBER_WORDS = _member.size

_hold = Words()
#: Of each limit: when its hold began, and when the hold's first alert was published.
HOLD_FROM, HOLD_TOLD_AT = _hold.each(2)
HOLD_WORDS = _hold.size


def base_for(limits: int) -> int:
    """Word of a row at which the base state begins, under so many limits."""
    return WORDS + HOLD_WORDS * limits


def head_for(limits: int) -> int:
    """Word of a row at which the head state begins, under so many limits."""
    return base_for(limits) + state_words_for(limits)


def row_words_for(limits: int) -> int:
    """Words of a row under so many limits."""
    return base_for(limits) + 2 * state_words_for(limits)


_base_for, _state_words_for = inlined(base_for), inlined(state_words_for)


@inlined
def hold_at(limit: int) -> int:
    """Word of a row at which the times of a limit's hold lie."""
    return WORDS + HOLD_WORDS * limit


@inlined
def state_words(limits: Limits) -> int:
    """Words of a state."""
    return _state_words_for(limits.kind.shape[0])


@inlined
def base_at(limits: Limits) -> int:
    """Word of a row at which the base state begins."""
    return _base_for(limits.kind.shape[0])


@inlined
def head_at(limits: Limits) -> int:
    """Word of a row at which the head state begins."""
    return base_at(limits) + state_words(limits)
