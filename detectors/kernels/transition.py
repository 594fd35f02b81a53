"""The one transition function: bring a rider's state to an instant and note what is to be told there.

Both ways into it are the same: the rider's next event in order, and judging him anew from his sealed
point after late evidence.
"""

from __future__ import annotations

from detectors.kernels import calendar, continuous, rolling, span
from detectors.kernels.clocks import apply_instant
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    APPROACHING,
    BY_CONFIRM,
    BY_ELAPSED,
    BY_REST,
    BY_WINDOW,
    C_EDGE,
    C_RUN,
    CALENDAR,
    CLOCK_WORDS,
    CONTINUOUS,
    EVIDENCE_SPANS,
    FIRED,
    HOLD_BREACHED,
    HOLD_RELEASED,
    I64,
    INF,
    KEY_KIND,
    KEY_LIMIT,
    L_EPISODE,
    L_FLAGS,
    L_HOLD_COUNTED,
    L_HOLD_FROM,
    L_HOLD_NEWEST,
    L_HOLD_WINDOW,
    L_REMINDED,
    L_WINDOW_END,
    LIMIT_REACHED,
    LIMIT_WORDS,
    M_BREACHES,
    M_CONFIRMED,
    M_OVERFLOW,
    M_PRE_EDGE,
    M_PRE_RUN,
    M_VERDICTS,
    NONE,
    O_START,
    P_BREAK,
    P_SESSION,
    REMIND,
    REMINDER,
    ROLLING,
    S_CLOCKS,
    S_LIMITS,
    S_NEXT,
    S_ORDERS,
    S_PLATFORMS,
    S_T,
    S_ZONE,
    SPAN,
    V_COUNTED,
    V_END,
    V_HOLD_FROM,
    V_HOLD_UNTIL,
    V_INSTANT,
    V_KEY,
    V_META,
    V_SPANS,
    V_START,
    V_TOLD_AT,
    V_ZONE,
    VERDICT_WORDS,
    WARN_FIRED_BIT,
    WARN_TOLD_BIT,
    Limits,
    Memory,
    Rules,
)
from detectors.kernels.spans import evidence


@inlined
def counted(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> int:
    """What the limit counts at ``at``, when nothing has happened since the state's instant."""
    kind = limits.kind[limit]
    if kind == CONTINUOUS:
        return continuous.counted(state, limits, limit, at)
    if kind == CALENDAR:
        return calendar.counted(state, limits, limit, at)
    if kind == ROLLING:
        return rolling.counted(mem, row, state, limits, limit, at)
    return span.counted(state, limits, limit, at)


@inlined
def window_start(state: I64, limits: Limits, limit: int, at: int) -> int:
    """Where the window of an alert at ``at`` begins."""
    if limits.kind[limit] == ROLLING:
        return rolling.window_start(state, limits, limit, at)
    if limits.kind[limit] != CALENDAR and not continuous.in_episode(state, limits, limit, at):
        return at
    return state[S_LIMITS + limit * LIMIT_WORDS + L_EPISODE]


@inlined
def hold_until(state: I64, limits: Limits, limit: int, at: int) -> int:
    """The earliest instant at which the hold can end, as seen from ``at``; NONE where it is not known."""
    word = S_LIMITS + limit * LIMIT_WORDS
    release = limits.release[limit]
    if release == BY_ELAPSED:
        return state[word + L_HOLD_NEWEST] + limits.hold_for[limit]
    if release == BY_REST:
        base = S_CLOCKS + limits.clock[limit] * CLOCK_WORDS
        if state[base + C_RUN] == 1:
            return at + limits.reset[limit]
        return state[base + C_EDGE] + limits.reset[limit]
    if release == BY_WINDOW and limits.kind[limit] == CALENDAR:
        return state[word + L_WINDOW_END]
    return NONE


@kernel
def note(
    mem: Memory,
    row: int,
    state: I64,
    limits: Limits,
    limit: int,
    at: int,
    kind: int,
    count: int,
    platform: int,
) -> None:
    """Write a verdict record, unless the buffer is full (the caller sees the mark and comes again)."""
    if at < limits.since[limit]:
        return
    used = mem.misc[M_VERDICTS]
    if used + VERDICT_WORDS + 2 * EVIDENCE_SPANS > mem.verdicts.shape[0]:
        mem.misc[M_OVERFLOW] = 1
        return
    word = S_LIMITS + limit * LIMIT_WORDS
    out = mem.verdicts
    start, end = window_start(state, limits, limit, at), at
    if kind == HOLD_RELEASED:
        start, end = state[word + L_HOLD_WINDOW], state[word + L_HOLD_NEWEST]
        count = state[word + L_HOLD_COUNTED]
    out[used + V_INSTANT] = at
    out[used + V_KEY] = (kind << KEY_KIND) | (limit << KEY_LIMIT) | (platform + 1)
    out[used + V_COUNTED] = count
    out[used + V_START] = start
    out[used + V_END] = end
    out[used + V_HOLD_FROM] = state[word + L_HOLD_FROM]
    out[used + V_HOLD_UNTIL] = NONE
    if kind == HOLD_RELEASED:
        out[used + V_HOLD_UNTIL] = at
    elif state[word + L_HOLD_FROM] != NONE:
        out[used + V_HOLD_UNTIL] = hold_until(state, limits, limit, at)
    out[used + V_ZONE] = state[S_ZONE]
    out[used + V_TOLD_AT] = NONE
    out[used + V_META] = 0
    shown = evidence(mem, row, state, limits.clock[limit], start, end, out, used + VERDICT_WORDS)
    out[used + V_SPANS] = shown
    mem.misc[M_VERDICTS] = used + VERDICT_WORDS + 2 * shown


@kernel
def end_hold(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> None:
    note(mem, row, state, limits, limit, at, HOLD_RELEASED, 0, NONE)
    state[S_LIMITS + limit * LIMIT_WORDS + L_HOLD_FROM] = NONE


@inlined
def turn(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> bool:
    """Turn episode or window at ``at``; True when that ends a ``window`` or ``confirm`` hold."""
    kind = limits.kind[limit]
    if kind == CALENDAR:
        return calendar.turn_window(state, limits, limit, at)
    if kind == ROLLING:
        if limits.reset[limit] > 0:
            flags = state[S_LIMITS + limit * LIMIT_WORDS + L_FLAGS]
            continuous.turn_episode(mem, state, limits, limit, at)
            state[S_LIMITS + limit * LIMIT_WORDS + L_FLAGS] = flags
        count = rolling.counted(mem, row, state, limits, limit, at)
        return rolling.drop_flags_below(state, limits, limit, count)
    return continuous.turn_episode(mem, state, limits, limit, at)


@inlined
def hold_is_over(mem: Memory, state: I64, limits: Limits, limit: int, at: int, ended: bool) -> bool:
    """Whether the hold under way ends at ``at`` by anything but a confirmation."""
    newest = state[S_LIMITS + limit * LIMIT_WORDS + L_HOLD_NEWEST]
    release = limits.release[limit]
    if release == BY_ELAPSED:
        return at >= newest + limits.hold_for[limit]
    if release == BY_REST:
        clock = limits.clock[limit]
        rest = mem.misc[M_PRE_EDGE + clock]
        return mem.misc[M_PRE_RUN + clock] == 0 and rest >= newest and at - rest >= limits.reset[limit]
    return ended


@inlined
def reach(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int, count: int) -> None:
    """The limit is reached at ``at``: fire, begin or renew the hold, tell."""
    word = S_LIMITS + limit * LIMIT_WORDS
    state[word + L_FLAGS] |= FIRED
    if limits.remind[limit] > 0:
        state[word + L_REMINDED] = (count - limits.amount[limit]) // limits.remind[limit]
    if limits.effect[limit] != REMIND:
        if state[word + L_HOLD_FROM] == NONE:
            state[word + L_HOLD_FROM] = at
        state[word + L_HOLD_NEWEST] = at
        state[word + L_HOLD_COUNTED] = count
        state[word + L_HOLD_WINDOW] = window_start(state, limits, limit, at)
    note(mem, row, state, limits, limit, at, LIMIT_REACHED, count, NONE)


@inlined
def warn(
    mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int, count: int, reached: bool
) -> None:
    """Fire the warnings whose amount is reached; tell the one with the shortest lead where one is told."""
    word = S_LIMITS + limit * LIMIT_WORDS
    told = NONE
    for index in range(limits.warnings[limit]):
        bit = 1 << (WARN_FIRED_BIT + index)
        if state[word + L_FLAGS] & bit == 0 and count >= limits.warn[limit, index]:
            state[word + L_FLAGS] |= bit
            if told == NONE:
                told = index
    if told != NONE and not reached and state[word + L_HOLD_FROM] == NONE:
        if at >= limits.since[limit]:
            state[word + L_FLAGS] |= 1 << (WARN_TOLD_BIT + told)
        note(mem, row, state, limits, limit, at, APPROACHING, count, NONE)


@inlined
def judge_limit(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> None:
    """What happens to one limit at ``at``, the clocks having been brought there."""
    word = S_LIMITS + limit * LIMIT_WORDS
    ended = turn(mem, row, state, limits, limit, at)
    if state[word + L_HOLD_FROM] != NONE and hold_is_over(mem, state, limits, limit, at, ended):
        end_hold(mem, row, state, limits, limit, at)
    runs = state[S_CLOCKS + limits.clock[limit] * CLOCK_WORDS + C_RUN] == 1
    # Elapsed time reaches an amount only while the clock runs; counted time does so by itself.
    if limits.kind[limit] == SPAN and not runs:
        confirm(mem, row, state, limits, limit, at)
        return
    count = counted(mem, row, state, limits, limit, at)
    reached = state[word + L_FLAGS] & FIRED == 0 and count >= limits.amount[limit]
    if reached:
        reach(mem, row, state, limits, limit, at, count)
    confirm(mem, row, state, limits, limit, at)
    if limits.remind[limit] > 0 and not reached and state[word + L_FLAGS] & FIRED != 0:
        passed = (count - limits.amount[limit]) // limits.remind[limit]
        if passed > state[word + L_REMINDED]:
            state[word + L_REMINDED] = passed
            note(mem, row, state, limits, limit, at, REMINDER, count, NONE)
    if limits.warnings[limit] > 0:
        warn(mem, row, state, limits, limit, at, count, reached)


@inlined
def confirm(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> None:
    """A confirmation at ``at`` ends the hold of a ``confirm`` limit."""
    held = state[S_LIMITS + limit * LIMIT_WORDS + L_HOLD_FROM] != NONE
    if held and limits.release[limit] == BY_CONFIRM and mem.misc[M_CONFIRMED] == 1:
        end_hold(mem, row, state, limits, limit, at)


@kernel
def judge_breaches(mem: Memory, row: int, state: I64, limits: Limits, at: int, rules: Rules) -> None:
    """Tell the acceptances that began an order inside a hold, once per policy and platform."""
    for breach in range(mem.misc[M_BREACHES]):
        platform = mem.breaches[breach]
        limit = 0
        while limit < limits.kind.shape[0]:
            policy = limits.policy[limit]
            named = NONE
            earliest = INF
            # Limits lie in the order (policy, name), so the first of equals is the first by name.
            while limit < limits.kind.shape[0] and limits.policy[limit] == policy:
                begun = state[S_LIMITS + limit * LIMIT_WORDS + L_HOLD_FROM]
                if begun != NONE and at - begun >= rules.breach_grace and begun < earliest:
                    named, earliest = limit, begun
                limit += 1
            if named != NONE:
                count = counted(mem, row, state, limits, named, at)
                note(mem, row, state, limits, named, at, HOLD_BREACHED, count, platform)


@inlined
def next_of_limit(mem: Memory, row: int, state: I64, limits: Limits, limit: int, horizon: int) -> int:
    """The next instant at which this limit or its hold changes, if no event comes."""
    kind = limits.kind[limit]
    if kind == CONTINUOUS:
        found = continuous.next_instant(state, limits, limit)
    elif kind == CALENDAR:
        found = calendar.next_instant(state, limits, limit)
    elif kind == ROLLING:
        found = rolling.next_instant(mem, row, state, limits, limit, horizon)
    else:
        found = span.next_instant(state, limits, limit)
    word = S_LIMITS + limit * LIMIT_WORDS
    if state[word + L_HOLD_FROM] != NONE:
        if limits.release[limit] == BY_ELAPSED:
            found = min(found, state[word + L_HOLD_NEWEST] + limits.hold_for[limit])
        elif limits.release[limit] == BY_REST:
            found = min(found, continuous.rest_qualifies_at(state, limits, limit))
    return found


@kernel
def next_instant(mem: Memory, row: int, state: I64, limits: Limits, rules: Rules, horizon: int) -> int:
    """The next instant after the state's at which anything changes if no event comes.

    Exact up to ``horizon``, beyond it a lower bound that lies beyond it too.
    """
    found = INF
    for index in range(state[S_ORDERS]):
        found = min(found, mem.orders[index, O_START] + rules.max_open_order)
    for index in range(state[S_PLATFORMS]):
        if mem.open_platforms[index, P_SESSION] != NONE:
            found = min(found, mem.open_platforms[index, P_SESSION] + rules.max_open_session)
        if mem.open_platforms[index, P_BREAK] != NONE:
            found = min(found, mem.open_platforms[index, P_BREAK] + rules.max_open_break)
    for limit in range(limits.kind.shape[0]):
        found = min(found, next_of_limit(mem, row, state, limits, limit, horizon))
    return found


@kernel
def step(
    mem: Memory, row: int, state: I64, base: I64, limits: Limits, rules: Rules, at: int, first: int, last: int
) -> None:
    """Bring the state to ``at``, where the events ``first..last`` (perhaps none) happen.

    Precondition: nothing else changes between the state's instant and ``at``.
    """
    apply_instant(mem, row, state, base, at, first, last, rules)
    state[S_T] = at
    for limit in range(limits.kind.shape[0]):
        judge_limit(mem, row, state, limits, limit, at)
    if mem.misc[M_BREACHES] > 0:
        judge_breaches(mem, row, state, limits, at, rules)


@inlined
def advance(
    mem: Memory, row: int, state: I64, base: I64, limits: Limits, rules: Rules, before: int, horizon: int
) -> None:
    """Step through every instant before ``before`` at which something changes by itself.

    Afterwards ``S_NEXT`` is exact up to ``horizon``.
    """
    while state[S_NEXT] < before:
        following = next_instant(mem, row, state, limits, rules, before)
        if following < before:
            step(mem, row, state, base, limits, rules, following, 0, 0)
            following = next_instant(mem, row, state, limits, rules, horizon)
        state[S_NEXT] = following
