"""The one place that knows which file judges which kind of limit.

A kind is a file with the functions below that it does not share with the others, and its branch in each of
them; policies name it by its line in `KINDS`. Whoever needs to know what a kind does asks here.
"""

from __future__ import annotations

from typing import NamedTuple

from detectors.kernels.jit import inlined
from detectors.kernels.layout import misc as Misc, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, INF, NONE
from detectors.kernels.limits import (
    ban,
    calendar,
    continuous,
    elapsed,
    episode,
    gates,
    hours,
    rolling,
    week_rest,
)

CONTINUOUS, CALENDAR, ROLLING, ELAPSED, WEEK_REST, BAN = range(6)


class Kind(NamedTuple):
    """What a kind of limit is judged by, and what a limit of it must have."""

    code: int
    needs_reset: bool = False
    #: It is counted in windows whose first instants are given (`detectors.calendar`).
    needs_starts: bool = False
    #: Its window is at least as long as its amount.
    needs_window: bool = False
    #: It counts nothing and has no amount.
    counts: bool = True


#: By the name that policies give it (CONTRACT 5); of those with ``per``, behind a stroke.
KINDS = {
    "continuous": Kind(CONTINUOUS, needs_reset=True),
    "day": Kind(CALENDAR, needs_starts=True),
    "week": Kind(CALENDAR, needs_starts=True),
    "month": Kind(CALENDAR, needs_starts=True),
    "rolling": Kind(ROLLING, needs_window=True),
    "span": Kind(ELAPSED, needs_reset=True),
    "rest_within": Kind(ELAPSED, needs_reset=True),
    "rest_within/week": Kind(WEEK_REST, needs_reset=True, needs_starts=True),
    "ban": Kind(BAN, counts=False),
}


@inlined
def counted(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> int:
    """What the limit counts at ``at``, seconds, when nothing has happened since the state's instant.

    Told is that and `shift`.
    """
    kind = limits.kind[limit]
    if kind == CONTINUOUS:
        return continuous.counted(state, limits, limit, at)
    if kind == CALENDAR:
        return calendar.counted(mem, row, state, limits, limit, at)
    if kind == ROLLING:
        return rolling.counted(mem, row, state, limits, limit, at)
    if kind == WEEK_REST:
        return week_rest.counted(state, limits, limit, at)
    if kind == BAN:
        return 0
    return elapsed.counted(state, limits, limit, at)


@inlined
def shift(limits: Limits, limit: int, begin: int) -> int:
    """What is added to count and amount of the window that begins at ``begin`` when they are told."""
    if limits.kind[limit] == WEEK_REST:
        return week_rest.shift(limits, limit, begin)
    return 0


@inlined
def can_reach(state: I64, limits: Limits, limit: int) -> bool:
    """Whether an amount can be reached at the state's instant."""
    kind = limits.kind[limit]
    if kind == BAN:
        return ban.is_met(state, limits, limit)
    if state[State.clock_at(limits.clock[limit]) + State.CLOCK_RUN] == 1:
        return kind != WEEK_REST or state[State.limit_at(limit) + State.LIMIT_COUNT0] == 0
    return kind != ELAPSED and kind != WEEK_REST and limits.weeks[limit] == 1


@inlined
def is_settled(state: I64, limits: Limits, limit: int, at: int) -> bool:
    """Whether no amount can be reached any more in the window that contains ``at``, whatever happens."""
    return limits.kind[limit] == WEEK_REST and week_rest.is_rested(state, limits, limit, at)


@inlined
def counted_for_an_order(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> int:
    """What an order that begins at ``at`` can be added to at most, until it reaches an amount."""
    if is_settled(state, limits, limit, at):
        # It can still do so in the next window.
        return week_rest.LEAST_SHORTER_S
    return counted(mem, row, state, limits, limit, at)


@inlined
def turn(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> bool:
    """Turn episode or window at ``at``; True when that ends a ``window`` or ``confirm`` hold."""
    kind = limits.kind[limit]
    if kind == CALENDAR:
        return calendar.turn(mem, row, state, limits, limit, at)
    if kind == ROLLING:
        return rolling.turn(mem, row, state, limits, limit, at)
    if kind == WEEK_REST:
        return week_rest.turn(mem, state, limits, limit, at)
    if kind == BAN:
        return ban.turn(mem, state, limits, limit, at)
    return episode.turn(mem, state, limits, limit, at, False)


@inlined
def next_instant(mem: Memory, row: int, state: I64, limits: Limits, limit: int, horizon: int) -> int:
    """The next instant at which the limit changes, if nothing else happens; a lower bound past horizon."""
    kind = limits.kind[limit]
    if kind == CONTINUOUS:
        return continuous.next_instant(state, limits, limit)
    if kind == CALENDAR:
        return calendar.next_instant(state, limits, limit)
    if kind == ROLLING:
        return rolling.next_instant(mem, row, state, limits, limit, horizon)
    if kind == WEEK_REST:
        return week_rest.next_instant(state, limits, limit)
    if kind == BAN:
        return ban.next_instant(state, limits, limit)
    return elapsed.next_instant(state, limits, limit)


@inlined
def window_start(state: I64, limits: Limits, limit: int, at: int) -> int:
    """Where what is counted at ``at`` begins; ``at`` itself when no episode is under way."""
    kind = limits.kind[limit]
    if kind == CALENDAR:
        return calendar.window_start(state, limits, limit, at)
    if kind == ROLLING:
        return rolling.window_start(state, limits, limit, at)
    if kind == WEEK_REST:
        begin, _ = week_rest.week_of(state, limits, limit, at)
        return begin
    if kind == BAN:
        return ban.window_start(state, limits, limit, at)
    return episode.window_start(state, limits, limit, at)


@inlined
def window_end(state: I64, limits: Limits, limit: int, at: int) -> int:
    """Where the window that the state stands in ends, as known at ``at``; NONE where it is not known."""
    if limits.kind[limit] == CALENDAR or limits.kind[limit] == WEEK_REST:
        return calendar.window_end(state, limit)
    if limits.kind[limit] == BAN:
        return gates.known_end(limits, limit, state[State.ZONE], at)
    return NONE


@inlined
def spans_from(state: I64, limits: Limits, limit: int) -> int:
    """Since when closed spans are needed to count from the state on; infinite where none are."""
    if limits.kind[limit] == ROLLING:
        return rolling.spans_from(state, limits, limit)
    if limits.weeks[limit] > 1 or hours.is_masked(limits, limit):
        # What earlier weeks have counted is in their spans, and of a span perhaps no hour is shown.
        return state[State.limit_at(limit) + State.LIMIT_EPISODE]
    return INF


@inlined
def steady_until(state: I64, limits: Limits, limit: int, now: int) -> tuple[bool, int]:
    """Whether the count grows with time at ``now``, and until when it goes on as it does; NONE: neither."""
    kind = limits.kind[limit]
    if kind == CALENDAR:
        return calendar.steady_until(state, limits, limit, now)
    if kind == ROLLING:
        # A sliding window lets go of what leaves it: its count is no line.
        return False, NONE
    if kind == WEEK_REST:
        _, end = week_rest.week_of(state, limits, limit, now)
        return True, end
    return episode.steady_until(state, limits, limit, now, kind == ELAPSED)


@inlined
def has_begun(state: I64, limits: Limits, limit: int, at: int) -> bool:
    """Whether it can be said at ``at`` how much is left of the limit: of a ban while it is on."""
    return limits.kind[limit] != BAN or gates.is_on(limits, limit, state[State.ZONE], at)


@inlined
def was_met_just_now(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> bool:
    """Whether the second before ``at`` made the count greater, the clock having stopped there."""
    if mem.misc[Misc.BEFORE_RUN + limits.clock[limit]] == 0:
        return False
    if limits.kind[limit] == ROLLING:
        return rolling.counted_before(mem, row, state, limits, limit, at) < rolling.counted(
            mem, row, state, limits, limit, at
        )
    return not hours.is_masked(limits, limit) or hours.between(limits, limit, at - 1, at) > 0


@inlined
def resume_after(state: I64, limits: Limits, limit: int, now: int, at: int) -> int:
    """When the limit, reached at ``at``, counts anew if the rider rests from ``now``; NONE: not known."""
    if limits.kind[limit] == BAN:
        return ban.resume_after(state, limits, limit, at)
    if limits.kind[limit] == CALENDAR or limits.kind[limit] == WEEK_REST:
        return calendar.resume_after(limits, limit, at)
    return episode.resume_after(state, limits, limit, now)
