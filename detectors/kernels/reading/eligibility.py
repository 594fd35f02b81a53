"""Would an order accepted now take a rider over a limit that holds.

The order is taken to be in hand from *now* on and loaded from its beginning, which is the worse reading;
nothing else happens.
"""

from __future__ import annotations

from detectors.kernels.clocks.orders import open_order
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    C_EDGE,
    C_RUN,
    CALENDAR,
    CLOCK_WORDS,
    FIRED,
    HELD,
    I64,
    INF,
    KEY_KIND,
    KEY_LIMIT,
    L_FLAGS,
    LIMIT_REACHED,
    LIMIT_WORDS,
    M_VERDICTS,
    NONE,
    REMIND,
    S_CLOCKS,
    S_LIMITS,
    S_ZONE,
    V_KEY,
    V_SPANS,
    VERDICT_WORDS,
    Limits,
    Memory,
    Rules,
)
from detectors.kernels.layout.row import base_at, state_words
from detectors.kernels.limits.calendar import window_index
from detectors.kernels.limits.dispatch import counted
from detectors.kernels.reading.catch_up import bring, set_blank
from detectors.kernels.reading.columns import (
    A_AS_OF,
    A_LEFT,
    A_LIMIT,
    A_RESUME,
    A_STATUS,
    A_VERDICT,
    A_ZONE,
    FAILS,
    PASSES,
)
from detectors.kernels.timeline.step import next_instant, step
from detectors.kernels.verdicts.status import not_before, status_of

#: Hash of the order that is asked about; a real one like it would change nothing but its own end.
ASKED = -(1 << 62) + 20_261_124


@inlined
def nearest_holding(mem: Memory, state: I64, limits: Limits, now: int) -> tuple[int, int]:
    """The limit that holds with the fewest counted seconds left, of those not reached in their episode."""
    found, fewest = NONE, INF
    for limit in range(limits.kind.shape[0]):
        if limits.effect[limit] == REMIND or state[S_LIMITS + limit * LIMIT_WORDS + L_FLAGS] & FIRED != 0:
            continue
        left = max(0, limits.amount[limit] - counted(mem, 0, state, limits, limit, now))
        if left < fewest:
            found, fewest = limit, left
    return found, fewest


@inlined
def far_from_all(mem: Memory, state: I64, limits: Limits, now: int, seconds: int) -> bool:
    """Whether no limit that holds can be reached by ``seconds`` more, whatever its episode does."""
    for limit in range(limits.kind.shape[0]):
        if limits.effect[limit] == REMIND:
            continue
        if counted(mem, 0, state, limits, limit, now) + seconds >= limits.amount[limit]:
            return False
    return True


@inlined
def reached_here(mem: Memory, limits: Limits) -> int:
    """The first limit that holds among those reached by the records of the last step; NONE for none."""
    found = NONE
    at = 0
    while at < mem.misc[M_VERDICTS]:
        key = mem.verdicts[at + V_KEY]
        limit = (key >> KEY_LIMIT) & 255
        holds = key >> KEY_KIND == LIMIT_REACHED and limits.effect[limit] != REMIND
        if holds and (found == NONE or limit < found):
            found = limit
        at += VERDICT_WORDS + 2 * mem.verdicts[at + V_SPANS]
    return found


@inlined
def order_reaches(mem: Memory, limits: Limits, rules: Rules, now: int, seconds: int) -> tuple[int, int]:
    """The limit that holds which an order in hand from ``now`` for ``seconds`` reaches first, and when.

    At the order's last instant it is taken as still in hand: what is reached exactly there is reached.
    Precondition: the scratch state stands at ``now``.
    """
    here = base_at(limits)
    base = mem.rows[0, here : here + state_words(limits)]
    until = now + seconds
    open_order(mem, mem.state, ASKED, NONE, now, now)
    following = now
    while following <= until:
        mem.misc[M_VERDICTS] = 0
        step(mem, 0, mem.state, base, limits, rules, following, 0, 0)
        found = reached_here(mem, limits)
        if found != NONE:
            return found, following
        following = next_instant(mem, 0, mem.state, limits, rules, until)
    return NONE, INF


@inlined
def resume_after(state: I64, limits: Limits, limit: int, now: int, at: int) -> int:
    """When the limit would no longer stand in the way if he rested from ``now``; NONE where not known."""
    if limits.kind[limit] == CALENDAR:
        return limits.bounds[window_index(limits, limit, at) + 1]
    if limits.reset[limit] == 0:
        return NONE
    word = S_CLOCKS + limits.clock[limit] * CLOCK_WORDS
    if state[word + C_RUN] == 1:
        return now + limits.reset[limit]
    qualifies = state[word + C_EDGE] + limits.reset[limit]
    # A rested rider too: then the order alone is longer than the limit.
    return qualifies if qualifies > now else NONE


@inlined
def answer_held(mem: Memory, limits: Limits, now: int, answers: I64, index: int) -> bool:
    """Answer for a rider on hold; False when he is not."""
    status = status_of(mem.state, limits, now)
    answers[index, A_STATUS] = status.code
    answers[index, A_ZONE] = mem.state[S_ZONE]
    answers[index, A_AS_OF] = now
    if status.code != HELD:
        return False
    moves, until = not_before(status.fixed, status.moving, now)
    answers[index, A_VERDICT] = FAILS
    answers[index, A_LIMIT] = status.naming
    answers[index, A_LEFT] = 0
    answers[index, A_RESUME] = now + until if moves else until
    return True


@inlined
def answer_far(mem: Memory, limits: Limits, now: int, seconds: int, answers: I64, index: int) -> bool:
    """Answer when every limit that holds is far; False when the order must be looked at closely."""
    if answer_held(mem, limits, now, answers, index):
        return True
    if not far_from_all(mem, mem.state, limits, now, seconds):
        return False
    limit, left = nearest_holding(mem, mem.state, limits, now)
    answers[index, A_VERDICT] = PASSES
    answers[index, A_LIMIT] = limit
    answers[index, A_LEFT] = left if limit != NONE else NONE
    answers[index, A_RESUME] = NONE
    return True


@kernel
def answer_closely(
    mem: Memory, limits: Limits, rules: Rules, now: int, seconds: int, answers: I64, index: int
) -> None:
    """Answer by bringing the copied rider to ``now`` and letting the order run."""
    bring(mem, limits, rules, now, now + seconds)
    if answer_held(mem, limits, now, answers, index):
        return
    words = state_words(limits)
    here = base_at(limits) + words
    for word in range(words):
        mem.rows[0, here + word] = mem.state[word]
    head = mem.rows[0, here : here + words]
    limit, left = nearest_holding(mem, head, limits, now)
    reached, at = order_reaches(mem, limits, rules, now, seconds)
    answers[index, A_VERDICT] = PASSES
    answers[index, A_RESUME] = NONE
    if reached != NONE:
        limit = reached
        left = max(0, limits.amount[limit] - counted(mem, 0, head, limits, limit, now))
        answers[index, A_VERDICT] = FAILS
        answers[index, A_RESUME] = resume_after(head, limits, limit, now, at)
    answers[index, A_LIMIT] = limit
    answers[index, A_LEFT] = left if limit != NONE else NONE


@kernel
def answer_unknown(
    mem: Memory, limits: Limits, rules: Rules, now: int, seconds: int, answers: I64, index: int
) -> None:
    """Answer as for a rider who has rested since ever."""
    set_blank(mem, limits)
    if not answer_far(mem, limits, now, seconds, answers, index):
        set_blank(mem, limits)
        answer_closely(mem, limits, rules, now, seconds, answers, index)
