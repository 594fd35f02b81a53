"""Would an order accepted now take a rider over a limit that holds (the dispatcher's question).

The order is taken to be in hand from *now* on and loaded from its beginning, which is the worse reading;
nothing else happens. The rider is the one copied to row 0; answers go to the columns ``A_``.
"""

from __future__ import annotations

from detectors.kernels.clocks.orders import open_order
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import codes, misc as Misc, record as Record, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory, Rules
from detectors.kernels.layout.values import I64, INF, NONE
from detectors.kernels.limits.dispatch import BAN, counted, counted_for_an_order, resume_after
from detectors.kernels.limits.gates import is_on, next_turn
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
from detectors.kernels.verdicts.status import nearest, not_before, status_of

#: Hash of the order that is asked about; a real one like it would change nothing but its own end.
ASKED = -(1 << 62) + 20_261_124


@inlined
def far_from_all(mem: Memory, state: I64, limits: Limits, now: int, seconds: int) -> bool:
    """Whether no limit that holds can be reached by ``seconds`` more, whatever its episode does."""
    for limit in range(limits.kind.shape[0]):
        if limits.effect[limit] == codes.REMIND:
            continue
        if now >= limits.ends[limit] or now + seconds < limits.begins[limit]:
            continue
        if limits.kind[limit] == BAN:
            zone = state[State.ZONE]
            if is_on(limits, limit, zone, now) or next_turn(limits, limit, zone, now) <= now + seconds:
                return False
            continue
        if counted_for_an_order(mem, 0, state, limits, limit, now) + seconds >= limits.amount[limit]:
            return False
    return True


@inlined
def reached_here(mem: Memory, limits: Limits) -> int:
    """The first limit that holds among those reached by the records of the last step; NONE for none."""
    found = NONE
    at = 0
    while at < mem.misc[Misc.VERDICTS]:
        key = mem.verdicts[at + Record.KEY]
        limit = Record.limit_of(key)
        holds = Record.kind_of(key) == codes.LIMIT_REACHED and limits.effect[limit] != codes.REMIND
        if holds and (found == NONE or limit < found):
            found = limit
        at += Record.size_at(mem.verdicts, at)
    return found


@inlined
def order_reaches(mem: Memory, limits: Limits, rules: Rules, now: int, seconds: int) -> tuple[int, int]:
    """The limit that holds which an order in hand from ``now`` for ``seconds`` reaches first, and when.

    At the order's last instant it is taken as still in hand: what is reached exactly there is reached.
    Precondition: the scratch state stands at ``now``.
    """
    base = mem.rows[0, Row.base_at(limits) : Row.head_at(limits)]
    until = now + seconds
    open_order(mem, mem.state, ASKED, NONE, now, now)
    following = now
    while following <= until:
        mem.misc[Misc.VERDICTS] = 0
        step(mem, 0, base, limits, rules, following, 0, 0)
        found = reached_here(mem, limits)
        if found != NONE:
            return found, following
        following = next_instant(mem, 0, limits, rules, until)
    return NONE, INF


@inlined
def answer_held(mem: Memory, limits: Limits, now: int, answers: I64, index: int) -> bool:
    """Answer for a rider on hold; False for one who is not."""
    status = status_of(mem.state, limits, now)
    answers[index, A_STATUS] = status.code
    answers[index, A_ZONE] = mem.state[State.ZONE]
    answers[index, A_AS_OF] = now
    if status.code != codes.HELD:
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
    limit, left = nearest(mem, 0, mem.state, limits, now, True)
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
    head = mem.rows[0, Row.head_at(limits) :]
    for word in range(head.shape[0]):
        head[word] = mem.state[word]
    limit, left = nearest(mem, 0, head, limits, now, True)
    reached, at = order_reaches(mem, limits, rules, now, seconds)
    answers[index, A_VERDICT] = PASSES
    answers[index, A_RESUME] = NONE
    if reached != NONE:
        limit = reached
        left = max(0, limits.amount[limit] - counted(mem, 0, head, limits, limit, now))
        if limits.kind[limit] == BAN:
            left = at - now
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
