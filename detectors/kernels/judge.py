"""Judge riders: roll back where evidence came late, go forward to now, tell only what differs.

For each rider the verdicts of the part of time that was judged again are compared with what was told;
new and changed ones are told, vanished ones retracted. A pass stops when an array is too small and says
which; the rider it stopped at is judged again from unchanged or rebuildable state.
"""

from __future__ import annotations

from detectors.kernels import heap
from detectors.kernels.brief import write_brief
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    C_SPANS,
    CLEAR,
    CLOCK_WORDS,
    CONTROL_WORDS,
    DONE,
    E_PACKED,
    E_T,
    EVENT_WORDS,
    HEARTBEAT,
    HELD,
    I64,
    INF,
    KEY_LIMIT,
    LIMIT_WORDS,
    M_LIVE,
    M_OUT,
    M_OVERFLOW,
    M_SEALING,
    M_VERDICTS,
    M_WALL,
    META_CHANGED,
    META_ESTIMATED,
    META_PENDING,
    NEED_HEAP,
    NEED_OPEN,
    NEED_OUT,
    NEED_VERDICTS,
    NONE,
    ORDER_WORDS,
    OUT_WORDS,
    PACK_TYPE,
    PLATFORM_WORDS,
    R_APPLIED,
    R_BASE_OPEN,
    R_ESTIMATED_UNTIL,
    R_EVENTS,
    R_EVENTS_N,
    R_FLAGS,
    R_HEAD_OPEN,
    R_SPANS,
    R_SPANS_CLASS,
    R_STATUS,
    R_STATUS_FIXED,
    R_STATUS_LIMIT,
    R_STATUS_MOVING,
    R_TOLD,
    R_TOLD_CLASS,
    R_TOLD_WORDS,
    RETRACT,
    ROW_DIRTY,
    ROW_JOINED,
    ROW_SEEN,
    ROW_TOUCHED,
    S_CLOCKS,
    S_LIMITS,
    S_NEXT,
    S_ORDERS,
    S_PLATFORMS,
    S_T,
    SPAN_WORDS,
    STATUS,
    STATUS_WORDS,
    TELL,
    V_CONTENT_END,
    V_END,
    V_HOLD_FROM,
    V_INSTANT,
    V_KEY,
    V_META,
    V_SPANS,
    V_START,
    V_TOLD_AT,
    VERDICT_WORDS,
    Limits,
    Memory,
    Rules,
)
from detectors.kernels.spans import estimated
from detectors.kernels.status import Status, nearest, not_before, status_of
from detectors.kernels.transition import advance, next_instant, step


@inlined
def state_words(limits: Limits) -> int:
    return S_LIMITS + LIMIT_WORDS * limits.kind.shape[0]


@inlined
def base_at(limits: Limits) -> int:
    """Word of a row at which the base state begins."""
    return CONTROL_WORDS + 2 * limits.kind.shape[0]


@inlined
def load(mem: Memory, row: int, state: I64, open_word: int) -> None:
    """Copy a state and what is open in it to the scratch arrays."""
    for word in range(state.shape[0]):
        mem.state[word] = state[word]
    block = mem.rows[row, open_word]
    for index in range(state[S_ORDERS]):
        for word in range(ORDER_WORDS):
            mem.orders[index, word] = mem.heap[block + index * ORDER_WORDS + word]
    block += state[S_ORDERS] * ORDER_WORDS
    for index in range(state[S_PLATFORMS]):
        for word in range(PLATFORM_WORDS):
            mem.open_platforms[index, word] = mem.heap[block + index * PLATFORM_WORDS + word]


@inlined
def store(mem: Memory, row: int, state: I64, open_word: int) -> bool:
    """Copy the scratch state back; False when the heap is too small, nothing changed then."""
    wanted = mem.state[S_ORDERS] * ORDER_WORDS + mem.state[S_PLATFORMS] * PLATFORM_WORDS
    if wanted > 0 and not heap.reserve(mem, row, open_word, open_word + 1, 0, wanted):
        return False
    block = mem.rows[row, open_word]
    for index in range(mem.state[S_ORDERS]):
        for word in range(ORDER_WORDS):
            mem.heap[block + index * ORDER_WORDS + word] = mem.orders[index, word]
    block += mem.state[S_ORDERS] * ORDER_WORDS
    for index in range(mem.state[S_PLATFORMS]):
        for word in range(PLATFORM_WORDS):
            mem.heap[block + index * PLATFORM_WORDS + word] = mem.open_platforms[index, word]
    for word in range(state.shape[0]):
        state[word] = mem.state[word]
    return True


@inlined
def room_for(mem: Memory, row: int, state: I64, limits: Limits, events: int) -> int:
    """Make room for the spans that so many events, and what is open, can close; the head's are kept."""
    head = base_at(limits) + state_words(limits)
    opened = state[S_ORDERS] + 2 * state[S_PLATFORMS] + 2 * events + 2
    if max(state[S_ORDERS] + events, state[S_PLATFORMS] + events) + 2 > mem.orders.shape[0]:
        return NEED_OPEN
    for clock in range(3):
        word = S_CLOCKS + clock * CLOCK_WORDS + C_SPANS
        kept = max(state[word], mem.rows[row, head + word])
        wanted = max(kept, state[word] + opened) * SPAN_WORDS
        if not heap.reserve(mem, row, R_SPANS + clock, R_SPANS_CLASS + clock, kept * SPAN_WORDS, wanted):
            return NEED_HEAP
    return DONE


@inlined
def apply_events(
    mem: Memory, row: int, base: I64, limits: Limits, rules: Rules, first: int, last: int, horizon: int
) -> None:
    """Run the scratch state over the unsealed events ``first..last``, second by second."""
    block = mem.rows[row, R_EVENTS]
    while first < last:
        at = mem.heap[block + first * EVENT_WORDS + E_T]
        group = first
        while group < last and mem.heap[block + group * EVENT_WORDS + E_T] == at:
            if (mem.heap[block + group * EVENT_WORDS + E_PACKED] >> PACK_TYPE) & 15 != HEARTBEAT:
                mem.rows[row, R_FLAGS] |= ROW_SEEN
            group += 1
        advance(mem, row, mem.state, base, limits, rules, at, horizon)
        step(mem, row, mem.state, base, limits, rules, at, first, group)
        until = horizon
        if group < last:
            until = min(until, mem.heap[block + group * EVENT_WORDS + E_T])
        mem.state[S_NEXT] = next_instant(mem, row, mem.state, limits, rules, until)
        first = group


@inlined
def events_until(mem: Memory, row: int, instant: int) -> int:
    """How many unsealed events lie at or before ``instant``."""
    block = mem.rows[row, R_EVENTS]
    low, high = 0, mem.rows[row, R_EVENTS_N]
    while low < high:
        middle = (low + high) // 2
        if mem.heap[block + middle * EVENT_WORDS + E_T] <= instant:
            low = middle + 1
        else:
            high = middle
    return low


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


@kernel
def emit(mem: Memory, row: int, action: int, source: I64, at: int) -> None:
    """Append a record to the output; room was made."""
    out = mem.out
    place = mem.misc[M_OUT]
    size = VERDICT_WORDS + 2 * source[at + V_SPANS]
    out[place] = row
    out[place + 1] = action
    out[place + 2] = size
    for word in range(size):
        out[place + OUT_WORDS + word] = source[at + word]
    mem.misc[M_OUT] = place + OUT_WORDS + size


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
    if not heap.reserve(mem, row, R_TOLD, R_TOLD_CLASS, told_words, max(wanted, told_words)):
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
def stamp(mem: Memory, row: int, record: I64, at: int) -> None:
    """Give a record with a hold the second at which the hold's first alert was published."""
    if record[at + V_HOLD_FROM] == NONE or mem.misc[M_WALL] == NONE:
        return
    word = CONTROL_WORDS + 2 * ((record[at + V_KEY] >> KEY_LIMIT) & 255)
    if mem.rows[row, word] != record[at + V_HOLD_FROM]:
        mem.rows[row, word] = record[at + V_HOLD_FROM]
        mem.rows[row, word + 1] = mem.misc[M_WALL]
    record[at + V_TOLD_AT] = mem.rows[row, word + 1]


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


@inlined
def write_status(mem: Memory, row: int, limits: Limits, now: int, again: bool, status: Status) -> None:
    """Write the rider's status where the contract asks for it.

    ``again`` writes it whatever was told before.
    """
    code, naming, fixed, moving, _ = status
    rows = mem.rows
    told = rows[row, R_STATUS]
    if mem.misc[M_LIVE] == 0 or (told == NONE and rows[row, R_FLAGS] & ROW_SEEN == 0 and code == CLEAR):
        return
    moves, until = not_before(fixed, moving, now)
    old_moves, old_until = not_before(rows[row, R_STATUS_FIXED], rows[row, R_STATUS_MOVING], now)
    changed = code != told or again
    if code == HELD and not changed:
        changed = naming != rows[row, R_STATUS_LIMIT] or moves != old_moves or until != old_until
    rows[row, R_STATUS_FIXED] = fixed
    rows[row, R_STATUS_MOVING] = moving
    joined = rows[row, R_FLAGS] & ROW_JOINED != 0
    rows[row, R_FLAGS] &= ~ROW_JOINED
    if not changed and not joined:
        return
    rows[row, R_STATUS] = code
    if changed:
        rows[row, R_STATUS_LIMIT] = naming
    emit_status(mem, row, limits, now, code, naming, now + until if moves else until, not changed)


@kernel
def emit_status(
    mem: Memory, row: int, limits: Limits, now: int, code: int, naming: int, until: int, only_joined: bool
) -> None:
    """Append a status to the output; ``only_joined``: it is news just to a platform new to the rider."""
    left = 0
    if code != HELD:
        until = NONE
        naming, left = nearest(mem, row, mem.state, limits, now)
        if naming == NONE:
            left = NONE
    place = mem.misc[M_OUT]
    mem.out[place] = row
    mem.out[place + 1] = STATUS
    mem.out[place + 2] = STATUS_WORDS
    mem.out[place + OUT_WORDS] = code
    mem.out[place + OUT_WORDS + 1] = until
    mem.out[place + OUT_WORDS + 2] = naming
    mem.out[place + OUT_WORDS + 3] = left
    mem.out[place + OUT_WORDS + 4] = now
    mem.out[place + OUT_WORDS + 5] = 1 if only_joined else 0
    mem.misc[M_OUT] = place + OUT_WORDS + STATUS_WORDS


@kernel
def judge_rider(mem: Memory, row: int, limits: Limits, rules: Rules, now: int, again: bool) -> int:
    """Bring one rider to ``now`` and write what differs from what was told."""
    words = state_words(limits)
    here = base_at(limits)
    base = mem.rows[row, here : here + words]
    head = mem.rows[row, here + words : here + 2 * words]
    if mem.misc[M_OUT] + 64 > mem.out.shape[0]:
        return NEED_OUT
    reach = events_until(mem, row, now)
    dirty = mem.rows[row, R_FLAGS] & ROW_DIRTY != 0
    start = base if dirty else head
    applied = 0 if dirty else mem.rows[row, R_APPLIED]
    result = room_for(mem, row, start, limits, reach - applied)
    if result != DONE:
        return result
    since = start[S_T]
    load(mem, row, start, R_BASE_OPEN if dirty else R_HEAD_OPEN)
    mem.misc[M_VERDICTS] = 0
    mem.misc[M_OVERFLOW] = 0
    mem.misc[M_SEALING] = 0
    if reach > applied or dirty:
        apply_events(mem, row, base, limits, rules, applied, reach, now)
        if mem.misc[M_OVERFLOW] == 1:
            return NEED_VERDICTS
        # Made again from base, the spans the head stood on are gone: until it is stored it stays dirty.
        if not store(mem, row, head, R_HEAD_OPEN):
            return NEED_HEAP
    advance(mem, row, mem.state, base, limits, rules, now + 1, INF)
    if mem.misc[M_OVERFLOW] == 1:
        if reach > applied or dirty:
            mem.rows[row, R_FLAGS] |= ROW_DIRTY
        return NEED_VERDICTS
    return conclude(mem, row, limits, now, since, reach, again, reach > applied or dirty)


@inlined
def conclude(
    mem: Memory, row: int, limits: Limits, now: int, since: int, reach: int, again: bool, stored: bool
) -> int:
    """Tell the difference and the status, set the next waking."""
    told_from = told_after(mem, row, since)
    if mem.misc[M_VERDICTS] > 0 or told_from < mem.rows[row, R_TOLD_WORDS]:
        sort_verdicts(mem)
        mark_estimates(mem, row, limits)
        result = tell_difference(mem, row, told_from)
        if result != DONE:
            if stored:
                mem.rows[row, R_FLAGS] |= ROW_DIRTY
            return result
    status = status_of(mem.state, limits, now)
    write_status(mem, row, limits, now, again, status)
    mem.rows[row, R_APPLIED] = reach
    mem.rows[row, R_FLAGS] &= ~(ROW_DIRTY | ROW_TOUCHED)
    wake = min(mem.state[S_NEXT], status.following)
    if reach < mem.rows[row, R_EVENTS_N]:
        wake = min(wake, mem.heap[mem.rows[row, R_EVENTS] + reach * EVENT_WORDS + E_T])
    mem.wake[row] = wake
    if reach == mem.rows[row, R_EVENTS_N]:
        write_brief(mem, row, limits, now, status)
    return DONE
