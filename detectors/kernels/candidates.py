"""Many riders asked about at once."""

from __future__ import annotations

import numpy as np

from detectors.kernels.copying import (
    ABSENT,
    BUSY,
    FOUND,
    Asked,
    Asker,
    Shared,
    bring,
    fetch_head,
    fetch_whole,
    find_settled,
)
from detectors.kernels.eligibility import (
    A_AS_OF,
    A_KNOWN,
    A_LEFT,
    A_LIMIT,
    A_RESUME,
    A_VERDICT,
    UNSURE,
    answer_closely,
    answer_far,
    answer_unknown,
    can_be_told_from_head,
)
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.judge import base_at, state_words
from detectors.kernels.layout import (
    DONE,
    I64,
    INF,
    M_WARM,
    NONE,
    R_FLAGS,
    S_T,
    Limits,
    Memory,
    Rules,
)

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
    found = fetch_head(shared, row, mem, limits, asked, index, asker)
    if found != FOUND:
        return found
    at = max(now, mem.state[S_T])
    if can_be_told_from_head(mem, limits, at) and answer_far(
        mem, limits, at, asked.seconds[index], asked.answers, index
    ):
        return FOUND
    return answer_whole(shared, row, mem, limits, rules, now, asked, index, asker)


@inlined
def warm_candidates(
    shared: Shared, mem: Memory, asked: Asked, which: I64, first: int, last: int, head: int
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
        seen += shared.ids[row, 0] + shared.rows[row, 0] + shared.rows[row, R_FLAGS] + shared.seq[row]
        for word in range(head, shared.rows.shape[1], 8):
            seen += shared.rows[row, word]
    mem.misc[M_WARM] = seen


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

    A rider who was being changed all the while is answered UNSURE.
    """
    head = base_at(limits) + state_words(limits)
    answers = asked.answers
    for i in range(start, which.shape[0]):
        if (i - start) % BLOCK == 0:
            warm_candidates(shared, mem, asked, which, i, min(i + BLOCK, which.shape[0]), head)
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
