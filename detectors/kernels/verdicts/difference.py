"""Verdicts made anew beside those told: what is new, changed or vanished."""

from __future__ import annotations

from detectors.kernels.clocks.spans import estimated
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    DONE,
    I64,
    KEY_LIMIT,
    M_LIVE,
    M_OUT,
    M_VERDICTS,
    META_CHANGED,
    META_ESTIMATED,
    META_PENDING,
    NEED_HEAP,
    NEED_OUT,
    R_ESTIMATED_UNTIL,
    R_TOLD,
    R_TOLD_CLASS,
    R_TOLD_WORDS,
    RETRACT,
    TELL,
    V_CONTENT_END,
    V_END,
    V_INSTANT,
    V_KEY,
    V_META,
    V_SPANS,
    V_START,
    V_TOLD_AT,
    VERDICT_WORDS,
    Limits,
    Memory,
)
from detectors.kernels.memory import blocks
from detectors.kernels.verdicts.output import emit, stamp


@kernel
def sort_verdicts(mem: Memory) -> None:
    """Order the records of one instant by key; instants ascend already.

    Records differ in length, so neighbours are exchanged by rotation, which is rare and short.
    """
    words = mem.misc[M_VERDICTS]
    out = mem.verdicts
    at = 0
    while at < words:
        size = VERDICT_WORDS + 2 * out[at + V_SPANS]
        place = 0
        while place < at and (
            out[place + V_INSTANT] < out[at + V_INSTANT]
            or (out[place + V_INSTANT] == out[at + V_INSTANT] and out[place + V_KEY] < out[at + V_KEY])
        ):
            place += VERDICT_WORDS + 2 * out[place + V_SPANS]
        if place < at:
            reverse(out, place, at)
            reverse(out, at, at + size)
            reverse(out, place, at + size)
        at += size


@inlined
def reverse(words: I64, first: int, last: int) -> None:
    last -= 1
    while first < last:
        words[first], words[last] = words[last], words[first]
        first += 1
        last -= 1


@inlined
def same_content(a: I64, at: int, b: I64, place: int) -> bool:
    for word in range(V_CONTENT_END):
        if a[at + word] != b[place + word]:
            return False
    for word in range(2 * a[at + V_SPANS]):
        if a[at + VERDICT_WORDS + word] != b[place + VERDICT_WORDS + word]:
            return False
    return True


@inlined
def told_after(mem: Memory, row: int, instant: int) -> int:
    """Words of the rider's told records whose instants are not after ``instant``."""
    block = mem.rows[row, R_TOLD]
    words = mem.rows[row, R_TOLD_WORDS]
    at = 0
    while at < words and mem.heap[block + at + V_INSTANT] <= instant:
        at += VERDICT_WORDS + 2 * mem.heap[block + at + V_SPANS]
    return at


@kernel
def mark_estimates(mem: Memory, row: int, limits: Limits) -> None:
    """Set the mark of records whose evidence rests on an open interval or on a maximum, as of now."""
    at = 0
    while at < mem.misc[M_VERDICTS]:
        limit = (mem.verdicts[at + V_KEY] >> KEY_LIMIT) & 255
        start, end = mem.verdicts[at + V_START], mem.verdicts[at + V_END]
        shown = mem.verdicts[at + V_SPANS]
        unsure = mem.verdicts[at + V_INSTANT] < mem.rows[row, R_ESTIMATED_UNTIL]
        if unsure or estimated(mem, row, mem.state, limits.clock[limit], start, end, shown):
            mem.verdicts[at + V_META] |= META_ESTIMATED
        at += VERDICT_WORDS + 2 * shown


@inlined
def before(a: I64, at: int, b: I64, place: int) -> bool:
    if a[at + V_INSTANT] != b[place + V_INSTANT]:
        return a[at + V_INSTANT] < b[place + V_INSTANT]
    return a[at + V_KEY] < b[place + V_KEY]


@kernel
def tell_difference(mem: Memory, row: int, told_from: int) -> int:
    """Compare the scratch records with what was told from word ``told_from`` on; write what differs.

    While the state is being rebuilt nothing is told: new records are kept marked as pending, and a pending
    one that vanishes was never told, unless it is marked as a changed one.
    """
    told_words = mem.rows[row, R_TOLD_WORDS]
    made_words = mem.misc[M_VERDICTS]
    if mem.misc[M_OUT] + 4 * (made_words + told_words) + 64 > mem.out.shape[0]:
        return NEED_OUT
    wanted = told_from + made_words
    if not blocks.reserve(mem, row, R_TOLD, R_TOLD_CLASS, told_words, max(wanted, told_words)):
        return NEED_HEAP
    live = mem.misc[M_LIVE] == 1
    block = mem.rows[row, R_TOLD]
    made, told = 0, told_from
    new = mem.verdicts
    while made < made_words or told < told_words:
        if told < told_words and (made >= made_words or before(mem.heap, block + told, new, made)):
            if mem.heap[block + told + V_META] & (META_PENDING | META_CHANGED) != META_PENDING:
                emit(mem, row, RETRACT, mem.heap, block + told)
            told += VERDICT_WORDS + 2 * mem.heap[block + told + V_SPANS]
        elif told >= told_words or before(new, made, mem.heap, block + told):
            made = tell_new(mem, row, made, live)
        else:
            meta = mem.heap[block + told + V_META]
            new[made + V_TOLD_AT] = mem.heap[block + told + V_TOLD_AT]
            told_size = VERDICT_WORDS + 2 * mem.heap[block + told + V_SPANS]
            if meta & META_PENDING == 0 and same_content(new, made, mem.heap, block + told):
                new[made + V_META] = meta
                made += VERDICT_WORDS + 2 * new[made + V_SPANS]
            else:
                if meta & (META_PENDING | META_CHANGED) != META_PENDING:
                    new[made + V_META] |= META_CHANGED
                made = tell_new(mem, row, made, live)
            told += told_size
    for word in range(made_words):
        mem.heap[block + told_from + word] = new[word]
    mem.rows[row, R_TOLD_WORDS] = wanted
    return DONE


@kernel
def tell_new(mem: Memory, row: int, made: int, live: bool) -> int:
    """Tell one scratch record, or keep it as pending; where the next one lies."""
    if live:
        mem.verdicts[made + V_META] &= ~(META_PENDING | META_CHANGED)
        stamp(mem, row, mem.verdicts, made)
        emit(mem, row, TELL, mem.verdicts, made)
    else:
        mem.verdicts[made + V_META] |= META_PENDING
    return made + VERDICT_WORDS + 2 * mem.verdicts[made + V_SPANS]
