"""Many riders asked about at once."""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    brief as Brief,
    codes,
    event as Event,
    misc as Misc,
    row as Row,
    state as State,
)
from detectors.kernels.layout.arrays import Limits, Memory, Rules
from detectors.kernels.layout.values import I64, INF, LINE_WORDS, NONE
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
    EVERYONE,
    FAILS,
    PASSES,
    UNSURE,
    Asker,
    Question,
    Shared,
)
from detectors.kernels.reading.eligibility import answer_closely, answer_unknown
from detectors.kernels.reading.snapshot import (
    copy_rider,
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


@inlined
def answer_whole(
    shared: Shared, row: int, mem: Memory, limits: Limits, rules: Rules, question: Question, index: int
) -> int:
    """Answer from the whole of a rider; a result as of `snapshot.copy_rider`."""
    result = copy_rider(shared, row, mem, limits, question, index)
    if result == codes.DONE:
        at = max(question.now, mem.rows[0, Row.head_at(limits) + State.AT])
        asked = question.asked
        answer_closely(mem, limits, rules, at, asked.seconds[index], asked.answers, index)
    return result


@inlined
def is_own(told: int, begin: int, asker: Asker) -> bool:
    """Whether the brief says by itself that the asker may see the rider; where not, the members say it."""
    if asker.platform == EVERYONE:
        return True
    if asker.platform < 0 or asker.platform >= Brief.TOLD_PLATFORMS:
        return False
    named = told >> (Brief.TOLD_PLATFORMS_SHIFT + asker.platform) & 1 == 1
    return named and begin - Brief.LATELY_S >= asker.since


@inlined
def answer_briefly(shared: Shared, row: int, question: Question, index: int) -> bool:
    """Answer from the rider's brief; False when it does not say enough."""
    asked = question.asked
    before = shared.seq[row]
    fence()
    if not is_asked(shared, row, asked, index):
        return False
    brief = shared.briefs[row]
    stamp, begin, until, told = brief[Brief.STAMP], brief[Brief.FROM], brief[Brief.UNTIL], brief[Brief.TOLD]
    run_far, still_far = brief[Brief.RUN_FAR], brief[Brief.STILL_FAR]
    run, still = brief[Brief.RUN], brief[Brief.STILL]
    # The same words, of a rider on hold.
    fixed, moving, naming = brief[Brief.HELD_FIXED], brief[Brief.HELD_MOVING], brief[Brief.HELD_NAMING]
    fence()
    at = max(question.now, begin)
    if before & 1 == 1 or shared.seq[row] != before or stamp != before or at >= until:
        return False
    if not is_own(told, begin, question.asker):
        return False
    answers = asked.answers
    if told & Brief.TOLD_STATUS_MASK == codes.HELD:
        moves, resume = not_before(fixed, moving, at)
        answers[index, A_VERDICT] = FAILS
        answers[index, A_LIMIT] = naming
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
    answers[index, A_STATUS] = told & Brief.TOLD_STATUS_MASK
    answers[index, A_ZONE] = ((told & Brief.TOLD_ZONE_MASK) >> Brief.TOLD_ZONE_SHIFT) - 1
    return True


@inlined
def likely_rows(shared: Shared, mem: Memory, question: Question, which: I64, first: int, last: int) -> None:
    """The rows where candidates are, by their hashes alone, into ``touched``; NONE where there is none.

    What lies there is read, so that the cache misses of all of them are under way together.
    """
    asker = question.asker
    for i in range(first, last):
        key = key_of(question.asked.hash[which[i]], asker)
        mem.touched[i - first], _ = first_row(shared, asker, key)
    seen = 0
    for i in range(last - first):
        row = mem.touched[i]
        if row != NONE:
            seen += shared.ids[row, 0] + shared.briefs[row, 0] + shared.seq[row]
    mem.misc[Misc.PREFETCHED] = seen


@kernel
def answer_by_briefs(shared: Shared, mem: Memory, question: Question, which: I64, left: I64) -> int:
    """Answer for the candidates ``which`` whose briefs suffice; the others into ``left``: how many."""
    count = 0
    for first in range(0, which.shape[0], BLOCK):
        last = min(first + BLOCK, which.shape[0])
        likely_rows(shared, mem, question, which, first, last)
        for i in range(first, last):
            row = mem.touched[i - first]
            if row == NONE or not answer_briefly(shared, row, question, which[i]):
                left[count] = which[i]
                count += 1
    return count


@inlined
def prefetch_block(shared: Shared, row: int, word: int, words: int) -> int:
    """Read a word of each cache line of a block, as far as it can be one."""
    seen = 0
    offset = shared.rows[row, word]
    if offset >= 0:
        for at in range(offset, min(offset + words, shared.heap.shape[0]), LINE_WORDS):
            seen += shared.heap[at]
    return seen


@inlined
def prefetch_whole(
    shared: Shared, mem: Memory, question: Question, which: I64, first: int, last: int
) -> None:
    """Read where all of some coming candidates lies, so that their cache misses are under way together."""
    likely_rows(shared, mem, question, which, first, last)
    seen = 0
    for i in range(last - first):
        if mem.touched[i] != NONE:
            for word in range(0, shared.rows.shape[1], LINE_WORDS):
                seen += shared.rows[mem.touched[i], word]
    for i in range(last - first):
        row = mem.touched[i]
        if row != NONE:
            seen += prefetch_block(shared, row, Row.EVENTS, shared.rows[row, Row.EVENTS_N] * Event.WORDS)
            seen += prefetch_block(shared, row, Row.ENDED, shared.rows[row, Row.ENDED_N])
            for clock in range(codes.CLOCK_COUNT):
                seen += prefetch_block(shared, row, Row.SPANS + clock, LINE_WORDS)
            for word in (Row.BASE_OPEN, Row.HEAD_OPEN, Row.MEMBERS):
                seen += prefetch_block(shared, row, word, LINE_WORDS)
    mem.misc[Misc.PREFETCHED] = seen


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
    question: Question,
    which: I64,
    start: int,
) -> tuple[int, int]:
    """Answer for the candidates ``which[start:]``; DONE or an array too small, and the index reached.

    A rider who was being changed all the while is answered UNSURE, and so are all who are left when the
    arrays are replaced.
    """
    asked = question.asked
    answers = asked.answers
    for i in range(start, which.shape[0]):
        if is_replaced(shared):
            leave_open(answers, which, i)
            return codes.DONE, which.shape[0]
        if (i - start) % WHOLE_BLOCK == 0:
            prefetch_whole(shared, mem, question, which, i, min(i + WHOLE_BLOCK, which.shape[0]))
        index = which[i]
        row, settled = find_settled(
            shared, question.asker, asked.buf, asked.off[index], asked.length[index], asked.hash[index]
        )
        result = codes.ABSENT if settled else codes.BUSY
        if row != NONE:
            result = answer_whole(shared, row, mem, limits, rules, question, index)
        answers[index, A_KNOWN] = 1 if result == codes.DONE else 0
        if result == codes.ABSENT:
            answer_unknown(mem, limits, rules, question.now, asked.seconds[index], answers, index)
        elif result == codes.BUSY:
            answers[index, A_VERDICT] = UNSURE
            answers[index, A_LIMIT] = NONE
            answers[index, A_LEFT] = NONE
            answers[index, A_RESUME] = NONE
            answers[index, A_AS_OF] = question.now
        elif result != codes.DONE:
            return result, i
    return codes.DONE, 0


@kernel
def bring_rider(
    shared: Shared, mem: Memory, limits: Limits, rules: Rules, question: Question
) -> tuple[int, int]:
    """Copy the one rider asked about and bring it to *now*: a result, and *now*."""
    asked, now = question.asked, question.now
    row, settled = find_settled(
        shared, question.asker, asked.buf, asked.off[0], asked.length[0], asked.hash[0]
    )
    if row == NONE:
        return codes.ABSENT if settled else codes.BUSY, now
    result = copy_rider(shared, row, mem, limits, question, 0)
    if result == codes.DONE:
        now = max(now, mem.rows[0, Row.head_at(limits) + State.AT])
        bring(mem, limits, rules, now, INF)
    return result, now
