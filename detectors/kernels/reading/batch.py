"""Many riders asked about at once."""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    B_FROM,
    B_PLATFORMS,
    B_RUN,
    B_RUN_FAR,
    B_STAMP,
    B_STILL,
    B_STILL_FAR,
    B_TOLD,
    B_TOLD_PLATFORMS,
    B_TOLD_ZONE,
    B_UNTIL,
    DONE,
    EVENT_WORDS,
    HELD,
    I64,
    INF,
    LATELY_S,
    M_WARM,
    NONE,
    R_BASE_OPEN,
    R_ENDED,
    R_ENDED_N,
    R_EVENTS,
    R_EVENTS_N,
    R_HEAD_OPEN,
    R_MEMBERS,
    R_SPANS,
    S_T,
    Limits,
    Memory,
    Rules,
)
from detectors.kernels.layout.row import base_at, state_words
from detectors.kernels.memory.prefetch import LINE_WORDS
from detectors.kernels.memory.seqlock import fence
from detectors.kernels.reading.catch_up import bring
from detectors.kernels.reading.columns import (
    A_AS_OF,
    A_KNOWN,
    A_LEFT,
    A_LIMIT,
    A_RESUME,
    A_STATUS,
    A_VERDICT,
    A_ZONE,
    ABSENT,
    BUSY,
    EVERYONE,
    FAILS,
    FOUND,
    PASSES,
    UNSURE,
    Asked,
    Asker,
    Shared,
)
from detectors.kernels.reading.eligibility import answer_closely, answer_unknown
from detectors.kernels.reading.snapshot import (
    fetch_whole,
    find_settled,
    first_row,
    is_asked,
    is_replaced,
    key_of,
)
from detectors.kernels.verdicts.brief import nearest_of
from detectors.kernels.verdicts.status import not_before

#: Candidates whose cache misses are under way together; of those that are read whole, so that they fit.
BLOCK, WHOLE_BLOCK = 64, 16
TOLD_MASK = (1 << B_TOLD_PLATFORMS) - 1


@inlined
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
def is_own(told: int, begin: int, asker: Asker) -> bool:
    """Whether the brief says by itself that the asker may see the rider; where not, his members say it."""
    if asker.platform == EVERYONE:
        return True
    named = asker.platform >= 0 and asker.platform < B_PLATFORMS
    return named and told >> (B_TOLD_PLATFORMS + asker.platform) & 1 == 1 and begin - LATELY_S >= asker.since


@inlined
def answer_briefly(shared: Shared, row: int, now: int, asked: Asked, index: int, asker: Asker) -> bool:
    """Answer from the rider's brief; False when it does not say enough."""
    before = shared.seq[row]
    fence()
    if not is_asked(shared, row, asked, index):
        return False
    stamp, begin, until = shared.briefs[row, B_STAMP], shared.briefs[row, B_FROM], shared.briefs[row, B_UNTIL]
    run_far, still_far = shared.briefs[row, B_RUN_FAR], shared.briefs[row, B_STILL_FAR]
    run, still = shared.briefs[row, B_RUN], shared.briefs[row, B_STILL]
    told = shared.briefs[row, B_TOLD]
    fence()
    at = max(now, begin)
    if before & 1 == 1 or shared.seq[row] != before or stamp != before or at >= until:
        return False
    if not is_own(told, begin, asker):
        return False
    answers = asked.answers
    if told & 3 == HELD:
        # On hold the words say other things: "not before", fixed and moving, and what names it.
        moves, resume = not_before(run_far, still_far, at)
        answers[index, A_VERDICT] = FAILS
        answers[index, A_LIMIT] = run
        answers[index, A_LEFT] = 0
        answers[index, A_RESUME] = at + resume if moves else resume
    elif min(run_far - (at - begin), still_far) <= asked.seconds[index]:
        return False
    else:
        limit, left = nearest_of(run, still, at - begin)
        answers[index, A_VERDICT] = PASSES
        answers[index, A_LIMIT] = limit
        answers[index, A_LEFT] = left
        answers[index, A_RESUME] = NONE
    answers[index, A_KNOWN] = 1
    answers[index, A_AS_OF] = at
    answers[index, A_STATUS] = told & 3
    answers[index, A_ZONE] = ((told & TOLD_MASK) >> B_TOLD_ZONE) - 1
    return True


@inlined
def likely_rows(
    shared: Shared, mem: Memory, asked: Asked, which: I64, first: int, last: int, asker: Asker
) -> None:
    """The rows where candidates are, by their hashes alone, into ``touched``; NONE where there is none.

    What lies there is read, so that the cache misses of all of them are under way together.
    """
    for i in range(first, last):
        mem.touched[i - first], _ = first_row(shared, asker, key_of(asked.hash[which[i]], asker))
    seen = 0
    for i in range(last - first):
        row = mem.touched[i]
        if row != NONE:
            seen += shared.ids[row, 0] + shared.briefs[row, 0] + shared.seq[row]
    mem.misc[M_WARM] = seen


@kernel
def answer_by_briefs(
    shared: Shared, mem: Memory, now: int, asked: Asked, which: I64, left: I64, asker: Asker
) -> int:
    """Answer for the candidates ``which`` whose briefs suffice; the others into ``left``: how many."""
    count = 0
    for first in range(0, which.shape[0], BLOCK):
        last = min(first + BLOCK, which.shape[0])
        likely_rows(shared, mem, asked, which, first, last, asker)
        for i in range(first, last):
            row = mem.touched[i - first]
            if row == NONE or not answer_briefly(shared, row, now, asked, which[i], asker):
                left[count] = which[i]
                count += 1
    return count


@inlined
def warm_block(shared: Shared, row: int, word: int, words: int) -> int:
    """Read a word of each cache line of a block, as far as it can be one."""
    seen = 0
    offset = shared.rows[row, word]
    if offset >= 0:
        for at in range(offset, min(offset + words, shared.heap.shape[0]), LINE_WORDS):
            seen += shared.heap[at]
    return seen


@inlined
def warm_whole(
    shared: Shared, mem: Memory, asked: Asked, which: I64, first: int, last: int, asker: Asker
) -> None:
    """Read where all of some coming candidates lies, so that their cache misses are under way together."""
    likely_rows(shared, mem, asked, which, first, last, asker)
    seen = 0
    for i in range(last - first):
        if mem.touched[i] != NONE:
            for word in range(0, shared.rows.shape[1], LINE_WORDS):
                seen += shared.rows[mem.touched[i], word]
    for i in range(last - first):
        row = mem.touched[i]
        if row != NONE:
            seen += warm_block(shared, row, R_EVENTS, shared.rows[row, R_EVENTS_N] * EVENT_WORDS)
            seen += warm_block(shared, row, R_ENDED, shared.rows[row, R_ENDED_N])
            for word in (R_SPANS, R_SPANS + 1, R_SPANS + 2, R_BASE_OPEN, R_HEAD_OPEN, R_MEMBERS):
                seen += warm_block(shared, row, word, LINE_WORDS)
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
    for i in range(start, which.shape[0]):
        if is_replaced(shared):
            leave_open(answers, which, i)
            return DONE, which.shape[0]
        if (i - start) % WHOLE_BLOCK == 0:
            warm_whole(shared, mem, asked, which, i, min(i + WHOLE_BLOCK, which.shape[0]), asker)
        index = which[i]
        row, settled = find_settled(
            shared, asker, asked.buf, asked.off[index], asked.length[index], asked.hash[index]
        )
        found = ABSENT if settled else BUSY
        if row != NONE:
            found = answer_whole(shared, row, mem, limits, rules, now, asked, index, asker)
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
    row, settled = find_settled(shared, asker, asked.buf, asked.off[0], asked.length[0], asked.hash[0])
    if row == NONE:
        return ABSENT if settled else BUSY, now
    found = fetch_whole(shared, row, mem, limits, asked, 0, asker)
    if found == FOUND:
        now = max(now, mem.rows[0, base_at(limits) + state_words(limits) + S_T])
        bring(mem, limits, rules, now, INF)
    return found, now
