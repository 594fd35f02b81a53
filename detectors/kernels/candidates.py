"""Many riders asked about at once."""

from __future__ import annotations

import numpy as np

from detectors.kernels.brief import nearest_of
from detectors.kernels.copying import (
    ABSENT,
    BUSY,
    EVERYONE,
    FOUND,
    Asked,
    Asker,
    Shared,
    bring,
    fetch_whole,
    find_settled,
    is_asked,
    is_replaced,
    see,
)
from detectors.kernels.eligibility import (
    A_AS_OF,
    A_KNOWN,
    A_LEFT,
    A_LIMIT,
    A_RESUME,
    A_STATUS,
    A_VERDICT,
    A_ZONE,
    FAILS,
    PASSES,
    UNSURE,
    answer_closely,
    answer_unknown,
)
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.judge import base_at, state_words
from detectors.kernels.layout import (
    B_FROM,
    B_RUN,
    B_RUN_FAR,
    B_STAMP,
    B_STILL,
    B_STILL_FAR,
    B_TOLD,
    B_UNTIL,
    DONE,
    HELD,
    I64,
    INF,
    M_WARM,
    NONE,
    R_MEMBERS,
    S_T,
    Limits,
    Memory,
    Rules,
)
from detectors.kernels.sequence import fence
from detectors.kernels.status import not_before

BLOCK = 64


@kernel
def answer_whole(
    shared: Shared,
    row: int,
    mem: Memory,
    limits: Limits,
    rules: Rules,
    now: int,
    asked: Asked,
    index: int,
    asker: Asker,
) -> int:
    """Answer from the whole of a rider; FOUND, ABSENT, BUSY or an array that is too small."""
    found = fetch_whole(shared, row, mem, limits, asked, index, asker)
    if found == FOUND:
        at = max(now, mem.rows[0, base_at(limits) + state_words(limits) + S_T])
        answer_closely(mem, limits, rules, at, asked.seconds[index], asked.answers, index)
    return found


@inlined
def answer_briefly(shared: Shared, row: int, now: int, asked: Asked, index: int, asker: Asker) -> int:
    """Answer from the rider's brief; FOUND or ABSENT, NONE when it does not say enough."""
    before = shared.seq[row]
    fence()
    if not is_asked(shared, row, asked, index):
        return NONE
    seen = see(shared, row, asker)
    stamp, begin, until = shared.briefs[row, B_STAMP], shared.briefs[row, B_FROM], shared.briefs[row, B_UNTIL]
    run_far, still_far = shared.briefs[row, B_RUN_FAR], shared.briefs[row, B_STILL_FAR]
    run, still = shared.briefs[row, B_RUN], shared.briefs[row, B_STILL]
    told = shared.briefs[row, B_TOLD]
    fence()
    if before & 1 == 1 or shared.seq[row] != before:
        return NONE
    if not seen:
        return ABSENT
    at = max(now, begin)
    if stamp != before or at >= until:
        return NONE
    answers = asked.answers
    if told & 3 == HELD:
        # On hold the words say other things: "not before", fixed and moving, and what names it.
        moves, resume = not_before(run_far, still_far, at)
        answers[index, A_VERDICT] = FAILS
        answers[index, A_LIMIT] = run
        answers[index, A_LEFT] = 0
        answers[index, A_RESUME] = at + resume if moves else resume
    elif min(run_far - (at - begin), still_far) <= asked.seconds[index]:
        return NONE
    else:
        limit, left = nearest_of(run, still, at - begin)
        answers[index, A_VERDICT] = PASSES
        answers[index, A_LIMIT] = limit
        answers[index, A_LEFT] = left
        answers[index, A_RESUME] = NONE
    answers[index, A_AS_OF] = at
    answers[index, A_STATUS] = told & 3
    answers[index, A_ZONE] = (told >> 2) - 1
    return FOUND


@inlined
def answer_row(
    shared: Shared,
    row: int,
    mem: Memory,
    limits: Limits,
    rules: Rules,
    now: int,
    asked: Asked,
    index: int,
    asker: Asker,
) -> int:
    """Answer for the rider of a row; FOUND, ABSENT, BUSY or an array that is too small."""
    found = answer_briefly(shared, row, now, asked, index, asker)
    if found != NONE:
        return found
    return answer_whole(shared, row, mem, limits, rules, now, asked, index, asker)


@inlined
def warm_candidates(
    shared: Shared, mem: Memory, asked: Asked, which: I64, first: int, last: int, members: bool
) -> None:
    """Read where coming candidates lie, so that their cache misses are under way together."""
    mask = shared.table.shape[0] - 1
    seen = 0
    for i in range(first, last):
        slot = np.int64(asked.hash[which[i]] >> np.uint64(8)) & mask
        mem.touched[i - first] = min(max(0, shared.table[slot] - 1), shared.rows.shape[0] - 1)
        seen += np.int64(shared.table_hash[slot] & np.uint64(1))
    for i in range(last - first):
        row = mem.touched[i]
        seen += shared.ids[row, 0] + shared.briefs[row, 0] + shared.seq[row]
        if members:
            seen += shared.rows[row, R_MEMBERS]
    mem.misc[M_WARM] = seen


@inlined
def leave_open(answers: I64, which: I64, first: int) -> None:
    """Nothing is said of the candidates from ``first`` on."""
    for i in range(first, which.shape[0]):
        answers[which[i], A_VERDICT] = UNSURE


@kernel
def answer_candidates(
    shared: Shared,
    mem: Memory,
    limits: Limits,
    rules: Rules,
    now: int,
    asked: Asked,
    which: I64,
    start: int,
    asker: Asker,
) -> tuple[int, int]:
    """Answer for the candidates ``which[start:]``; DONE or an array too small, and the index reached.

    A rider who was being changed all the while is answered UNSURE, and so are all who are left when the
    arrays are replaced.
    """
    answers = asked.answers
    members = asker.platform != EVERYONE
    for i in range(start, which.shape[0]):
        if is_replaced(shared):
            leave_open(answers, which, i)
            return DONE, which.shape[0]
        if (i - start) % BLOCK == 0:
            warm_candidates(shared, mem, asked, which, i, min(i + BLOCK, which.shape[0]), members)
        index = which[i]
        row, settled = find_settled(
            shared, asked.buf, asked.off[index], asked.length[index], asked.hash[index]
        )
        found = ABSENT if settled else BUSY
        if row != NONE:
            found = answer_row(shared, row, mem, limits, rules, now, asked, index, asker)
        if found < 0:
            return -found - 100, i
        answers[index, A_KNOWN] = 1 if found == FOUND else 0
        if found == ABSENT:
            answer_unknown(mem, limits, rules, now, asked.seconds[index], answers, index)
        elif found == BUSY:
            answers[index, A_VERDICT] = UNSURE
            answers[index, A_LIMIT] = NONE
            answers[index, A_LEFT] = NONE
            answers[index, A_RESUME] = NONE
            answers[index, A_AS_OF] = now
    return DONE, 0


@kernel
def copy_rider(
    shared: Shared, mem: Memory, limits: Limits, rules: Rules, now: int, asked: Asked, asker: Asker
) -> tuple[int, int]:
    """Copy the one rider asked about, bring him to *now*: what is found, or what is too small, and *now*."""
    row, settled = find_settled(shared, asked.buf, asked.off[0], asked.length[0], asked.hash[0])
    if row == NONE:
        return ABSENT if settled else BUSY, now
    found = fetch_whole(shared, row, mem, limits, asked, 0, asker)
    if found == FOUND:
        now = max(now, mem.rows[0, base_at(limits) + state_words(limits) + S_T])
        bring(mem, limits, rules, now, INF)
    return found, now
