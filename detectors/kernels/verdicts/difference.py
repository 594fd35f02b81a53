"""Verdicts made anew beside those told: what is new or changed is told, what vanished is retracted.

Both lie sorted by instant and key: the new ones in `Memory.verdicts`, the told ones in the rider's block.
Nothing that arrives in time ever undoes an alert, only late evidence does (CONTRACT 1).
"""

from __future__ import annotations

from detectors.kernels.clocks.spans import estimated
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import codes, misc as Misc, record as Record, row as Row
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64
from detectors.kernels.limits import hours
from detectors.kernels.memory import blocks
from detectors.kernels.verdicts.output import emit, has_room, stamp


@kernel
def sort_verdicts(mem: Memory) -> None:
    """Order the records of one instant by key; instants ascend already.

    Records differ in length, so neighbours are exchanged by rotation, which is rare and short.
    """
    words = mem.misc[Misc.VERDICTS]
    out = mem.verdicts
    at = 0
    while at < words:
        size = Record.size_at(out, at)
        place = 0
        while place < at and before(out, place, out, at):
            place += Record.size_at(out, place)
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
    """Whether two records say the same."""
    for word in range(Record.CONTENT_END):
        if a[at + word] != b[place + word]:
            return False
    for word in range(Record.WORDS, Record.size_at(a, at)):
        if a[at + word] != b[place + word]:
            return False
    return True


@inlined
def told_upto(mem: Memory, row: int, instant: int) -> int:
    """Words of the rider's told records whose instants are not after ``instant``."""
    block = mem.rows[row, Row.TOLD]
    words = mem.rows[row, Row.TOLD_WORDS]
    at = 0
    while at < words and mem.heap[block + at + Record.INSTANT] <= instant:
        at += Record.size_at(mem.heap, block + at)
    return at


@kernel
def mark_estimates(mem: Memory, row: int, limits: Limits) -> None:
    """Set the mark of records whose evidence rests on an open interval or on a maximum, as of now."""
    at = 0
    while at < mem.misc[Misc.VERDICTS]:
        limit = Record.limit_of(mem.verdicts[at + Record.KEY])
        start, end = mem.verdicts[at + Record.START], mem.verdicts[at + Record.END]
        shown = mem.verdicts[at + Record.SPANS]
        unsure = mem.verdicts[at + Record.INSTANT] < mem.rows[row, Row.ESTIMATED_UNTIL]
        clock = limits.clock[limit]
        if not unsure and hours.is_masked(limits, limit):
            unsure = hours.estimated(mem, row, mem.state, clock, mem.verdicts, at + Record.WORDS, shown)
        elif not unsure:
            unsure = estimated(mem, row, mem.state, clock, start, end, shown)
        if unsure:
            mem.verdicts[at + Record.META] |= Record.META_ESTIMATED
        at += Record.size_at(mem.verdicts, at)


@inlined
def before(a: I64, at: int, b: I64, place: int) -> bool:
    """Whether the record at ``at`` of ``a`` stands before that at ``place`` of ``b``."""
    if a[at + Record.INSTANT] != b[place + Record.INSTANT]:
        return a[at + Record.INSTANT] < b[place + Record.INSTANT]
    return a[at + Record.KEY] < b[place + Record.KEY]


@inlined
def was_told(meta: int) -> bool:
    """Whether something was told under the record's id: it is not pending, or has changed since."""
    return meta & (Record.META_PENDING | Record.META_CHANGED) != Record.META_PENDING


@kernel
def tell_difference(mem: Memory, row: int, told_from: int) -> int:
    """Compare the scratch records with what was told from word ``told_from`` on; write what differs.

    While the state is being rebuilt nothing is told: new records are kept marked as pending, and a pending
    one that vanishes was never told, unless it is marked as a changed one.
    """
    told_words = mem.rows[row, Row.TOLD_WORDS]
    made_words = mem.misc[Misc.VERDICTS]
    if not has_room(mem, made_words + told_words):
        return codes.NEED_OUT
    wanted = told_from + made_words
    if not blocks.reserve(mem, row, Row.TOLD, Row.TOLD_CLASS, told_words, max(wanted, told_words)):
        return codes.NEED_HEAP
    live = mem.misc[Misc.LIVE] == 1
    block = mem.rows[row, Row.TOLD]
    made, told = 0, told_from
    new = mem.verdicts
    while made < made_words or told < told_words:
        if told < told_words and (made >= made_words or before(mem.heap, block + told, new, made)):
            if was_told(mem.heap[block + told + Record.META]):
                emit(mem, row, Record.RETRACT, mem.heap, block + told)
            told += Record.size_at(mem.heap, block + told)
        elif told >= told_words or before(new, made, mem.heap, block + told):
            made = tell_new(mem, row, made, live)
        else:
            meta = mem.heap[block + told + Record.META]
            new[made + Record.TOLD_AT] = mem.heap[block + told + Record.TOLD_AT]
            told_size = Record.size_at(mem.heap, block + told)
            if meta & Record.META_PENDING == 0 and same_content(new, made, mem.heap, block + told):
                new[made + Record.META] = meta
                made += Record.size_at(new, made)
            else:
                if was_told(meta):
                    new[made + Record.META] |= Record.META_CHANGED
                made = tell_new(mem, row, made, live)
            told += told_size
    for word in range(made_words):
        mem.heap[block + told_from + word] = new[word]
    mem.rows[row, Row.TOLD_WORDS] = wanted
    return codes.DONE


@kernel
def tell_new(mem: Memory, row: int, made: int, live: bool) -> int:
    """Tell one scratch record, or keep it as pending; where the next one lies."""
    if live:
        mem.verdicts[made + Record.META] &= ~(Record.META_PENDING | Record.META_CHANGED)
        stamp(mem, row, mem.verdicts, made)
        emit(mem, row, Record.TELL, mem.verdicts, made)
    else:
        mem.verdicts[made + Record.META] |= Record.META_PENDING
    return made + Record.size_at(mem.verdicts, made)
