"""Would an order accepted now take a rider over a limit that holds: asked beside the stream.

A reader maps a store's arrays read-only, copies one rider into a small memory of its own while his
sequence number stays even, and runs the same transition function there. The order is taken to be in hand
from *now* on and loaded from its beginning, which is the worse reading; nothing else happens.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detectors.kernels.calendar import window_index
from detectors.kernels.clocks import open_order
from detectors.kernels.ingest import blank_state, same_bytes
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.judge import apply_events, base_at, events_until, load, state_words
from detectors.kernels.layout import (
    C_EDGE,
    C_RUN,
    C_SPANS,
    CALENDAR,
    CLOCK_WORDS,
    CONTROL_WORDS,
    DONE,
    E_PACKED,
    EVENT_WORDS,
    FIRED,
    HELD,
    I64,
    INF,
    KEY_KIND,
    KEY_LIMIT,
    L_FLAGS,
    L_HOLD_FROM,
    LIMIT_REACHED,
    LIMIT_WORDS,
    M_MOVES,
    M_OVERFLOW,
    M_SEALING,
    M_VERDICTS,
    M_WARM,
    MEMBER_WORDS,
    MOST_MEMBERS,
    NEED_HEAP,
    NEED_OPEN,
    NONE,
    ORDER_WORDS,
    PAST,
    PLATFORM_WORDS,
    R_APPLIED,
    R_BASE_OPEN,
    R_ENDED,
    R_ENDED_N,
    R_EVENTS,
    R_EVENTS_N,
    R_FLAGS,
    R_HEAD_OPEN,
    R_MEMBERS,
    R_MEMBERS_N,
    R_SPANS,
    REMIND,
    ROLLING,
    ROW_DIRTY,
    S_CLOCKS,
    S_LIMITS,
    S_NEXT,
    S_ORDERS,
    S_PLATFORMS,
    S_T,
    S_ZONE,
    SPAN_WORDS,
    U8,
    U64,
    V_KEY,
    V_SPANS,
    VERDICT_WORDS,
    ZONE_MASK,
    Limits,
    Memory,
    Rules,
)
from detectors.kernels.sequence import fence
from detectors.kernels.status import not_before, status_of
from detectors.kernels.transition import counted, hold_until, next_instant, step, window_start

#: How often a copy is begun anew before the rider counts as busy: some ten microseconds.
TRIES = 4096
BLOCK = 64
#: Hash of the order that is asked about; a real one like it would change nothing but its own end.
ASKED = -(1 << 62) + 20_261_124
#: Room for what the asked order and the rider's own open things may yet close.
SPARE_SPANS = 8

# What is found of a rider.
FOUND, ABSENT, BUSY = 0, 1, 2
# What is answered: columns of the output.
A_VERDICT, A_LIMIT, A_LEFT, A_RESUME, A_KNOWN, A_AS_OF, A_STATUS, A_ZONE, ANSWER_WORDS = range(9)
PASSES, FAILS, UNSURE = 0, 1, 2
# What a limit says of a rider: columns of `describe`.
D_COUNTED, D_START, D_HOLD_FROM, D_HOLD_UNTIL, D_FIRED, D_RESUME, DESCRIPTION_WORDS = range(7)


class Shared(NamedTuple):
    """A store's arrays as a reader maps them."""

    rows: I64
    ids: U8
    id_lengths: U8
    table: I64
    table_hash: U64
    heap: I64
    seq: I64
    misc: I64


class Asked(NamedTuple):
    """Riders asked about, as columns over one buffer, and the answers, (n, ANSWER_WORDS)."""

    buf: U8
    off: I64
    length: I64
    hash: U64
    seconds: I64
    answers: I64


class Asker(NamedTuple):
    """For whom: a platform's number sees only riders for whom it has sent events since ``since``."""

    platform: int  # EVERYONE sees all, NONE is a platform that has sent nothing yet
    since: int


EVERYONE = -2


@inlined
def find(shared: Shared, buf: U8, at: int, length: int, mixed: np.uint64) -> int:
    """Row of a rider; NONE when he is not in the table. Bounded, for the table may be changing."""
    mask = shared.table.shape[0] - 1
    slot = np.int64(mixed >> np.uint64(8)) & mask
    for _ in range(mask + 1):
        entry = shared.table[slot]
        if entry == 0:
            return NONE
        row = entry - 1
        if shared.table_hash[slot] == mixed and row < shared.rows.shape[0]:
            if same_bytes(buf, at, length, shared.ids, shared.id_lengths, row):
                return row
        slot = (slot + 1) & mask
    return NONE


@inlined
def find_settled(shared: Shared, buf: U8, at: int, length: int, mixed: np.uint64) -> tuple[int, bool]:
    """Row of a rider, and whether that may be relied on: rows move when riders are forgotten."""
    for _ in range(TRIES):
        moves = shared.misc[M_MOVES]
        fence()
        row = find(shared, buf, at, length, mixed)
        if row != NONE:
            return row, True
        fence()
        if moves & 1 == 0 and shared.misc[M_MOVES] == moves:
            return NONE, True
    return NONE, False


@inlined
def copy_head(shared: Shared, row: int, mem: Memory, limits: Limits) -> None:
    """Copy the control words and the head state, which goes to the scratch state."""
    for word in range(CONTROL_WORDS):
        mem.rows[0, word] = shared.rows[row, word]
    words = state_words(limits)
    head = base_at(limits) + words
    for word in range(words):
        mem.state[word] = shared.rows[row, head + word]


@inlined
def copy_block(shared: Shared, mem: Memory, word: int, words: int, to: int, room: int) -> int:
    """Copy a block to ``to`` of the private heap and name it there; the next free word, or a negative code."""
    offset = mem.rows[0, word]
    if words < 0 or offset < 0 or offset + words > shared.heap.shape[0]:
        return -BUSY
    if to + room > mem.heap.shape[0]:
        return -NEED_HEAP - 100
    for index in range(words):
        mem.heap[to + index] = shared.heap[offset + index]
    mem.rows[0, word] = to
    return to + room


@inlined
def open_words(state: I64) -> int:
    return state[S_ORDERS] * ORDER_WORDS + state[S_PLATFORMS] * PLATFORM_WORDS


@kernel
def copy_all(shared: Shared, row: int, mem: Memory, limits: Limits, before: int) -> int:
    """Copy the row and its blocks; FOUND, BUSY (it changed meanwhile) or an array that is too small."""
    for word in range(mem.rows.shape[1]):
        mem.rows[0, word] = shared.rows[row, word]
    fence()
    if shared.seq[row] != before:
        # What the words name need not be blocks.
        return BUSY
    words = state_words(limits)
    here = base_at(limits)
    base = mem.rows[0, here : here + words]
    head = mem.rows[0, here + words : here + 2 * words]
    events = mem.rows[0, R_EVENTS_N]
    things = max(base[S_ORDERS], head[S_ORDERS]) + 2 * max(base[S_PLATFORMS], head[S_PLATFORMS])
    if things + events + SPARE_SPANS > mem.orders.shape[0]:
        return -NEED_OPEN - 100
    to = copy_block(shared, mem, R_EVENTS, events * EVENT_WORDS, 8, events * EVENT_WORDS)
    for clock in range(3):
        word = S_CLOCKS + clock * CLOCK_WORDS + C_SPANS
        spans = max(base[word], head[word])
        room = (spans + things + 2 * events + SPARE_SPANS) * SPAN_WORDS
        if to > 0:
            to = copy_block(shared, mem, R_SPANS + clock, spans * SPAN_WORDS, to, room)
    if to > 0:
        to = copy_block(shared, mem, R_ENDED, mem.rows[0, R_ENDED_N], to, mem.rows[0, R_ENDED_N])
    if to > 0:
        to = copy_block(shared, mem, R_BASE_OPEN, open_words(base), to, open_words(base))
    if to > 0:
        to = copy_block(shared, mem, R_HEAD_OPEN, open_words(head), to, open_words(head))
    fence()
    if shared.seq[row] != before:
        return BUSY
    if to < 0:
        return to if to != -BUSY else BUSY
    # Zones are told, not counted, and their names were not copied.
    for index in range(events):
        mem.heap[mem.rows[0, R_EVENTS] + index * EVENT_WORDS + E_PACKED] &= ~ZONE_MASK
    return FOUND


@inlined
def see(shared: Shared, row: int, asker: Asker) -> bool:
    """Whether the asker may see the rider whose control words were copied: he has sent events for him."""
    if asker.platform == EVERYONE:
        return True
    members = shared.rows[row, R_MEMBERS]
    count = shared.rows[row, R_MEMBERS_N]
    if members < 0 or count > MOST_MEMBERS or members + count * MEMBER_WORDS > shared.heap.shape[0]:
        return False
    for index in range(count):
        word = members + index * MEMBER_WORDS
        if shared.heap[word] == asker.platform and shared.heap[word + 1] >= asker.since:
            return True
    return False


@inlined
def fetch(
    shared: Shared, row: int, mem: Memory, limits: Limits, asked: Asked, index: int, asker: Asker, whole: bool
) -> int:
    """Copy a rider consistently, his head alone or the ``whole`` of him."""
    for _ in range(TRIES):
        before = shared.seq[row]
        if before & 1 == 1:
            continue
        fence()
        # A row that was found by number is whoever stands there.
        found = FOUND
        if index != NONE and not same_bytes(
            asked.buf, asked.off[index], asked.length[index], shared.ids, shared.id_lengths, row
        ):
            found = BUSY
        elif whole:
            found = copy_all(shared, row, mem, limits, before)
        else:
            copy_head(shared, row, mem, limits)
        if found == FOUND and not see(shared, row, asker):
            found = ABSENT
        fence()
        if shared.seq[row] == before and found != BUSY:
            return found
    return BUSY


@inlined
def set_blank(mem: Memory, limits: Limits) -> None:
    """A rider of whom nothing is known."""
    mem.rows[0, :] = 0
    words = state_words(limits)
    here = base_at(limits)
    blank_state(mem.rows[0, here : here + words], limits)
    blank_state(mem.rows[0, here + words : here + 2 * words], limits)
    for clock in range(3):
        mem.rows[0, R_SPANS + clock] = 8 + clock * SPARE_SPANS * SPAN_WORDS
    for word in range(words):
        mem.state[word] = mem.rows[0, here + word]


@kernel
def bring(mem: Memory, limits: Limits, rules: Rules, now: int, horizon: int) -> None:
    """Bring the copied rider to ``now``, as judging does; his state is the scratch state then."""
    words = state_words(limits)
    here = base_at(limits)
    base = mem.rows[0, here : here + words]
    reach = events_until(mem, 0, now)
    dirty = mem.rows[0, R_FLAGS] & ROW_DIRTY != 0
    applied = 0 if dirty else mem.rows[0, R_APPLIED]
    mem.misc[M_VERDICTS] = 0
    mem.misc[M_SEALING] = 0
    if dirty:
        load(mem, 0, base, R_BASE_OPEN)
    else:
        load(mem, 0, mem.rows[0, here + words : here + 2 * words], R_HEAD_OPEN)
    if reach > applied:
        apply_events(mem, 0, base, limits, rules, applied, reach, now)
    while mem.state[S_NEXT] <= now:
        # Nothing is told here: the room for records is used again and again.
        mem.misc[M_VERDICTS] = 0
        following = next_instant(mem, 0, mem.state, limits, rules, now + 1)
        if following <= now:
            step(mem, 0, mem.state, base, limits, rules, following, 0, 0)
            following = next_instant(mem, 0, mem.state, limits, rules, horizon)
        mem.state[S_NEXT] = following
    mem.misc[M_OVERFLOW] = 0


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
        if key >> KEY_KIND == LIMIT_REACHED and limits.effect[limit] != REMIND:
            if found == NONE or limit < found:
                found = limit
        at += VERDICT_WORDS + 2 * mem.verdicts[at + V_SPANS]
    return found


@kernel
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
    code, naming, fixed, moving, _ = status_of(mem.state, limits, now)
    answers[index, A_STATUS] = code
    answers[index, A_ZONE] = mem.state[S_ZONE]
    answers[index, A_AS_OF] = now
    if code != HELD:
        return False
    moves, until = not_before(fixed, moving, now)
    answers[index, A_VERDICT] = FAILS
    answers[index, A_LIMIT] = naming
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


@inlined
def can_be_told_from_head(mem: Memory, limits: Limits, now: int) -> bool:
    """Whether the copied head is all there is to him at ``now``."""
    if mem.rows[0, R_FLAGS] & ROW_DIRTY != 0 or mem.rows[0, R_APPLIED] < mem.rows[0, R_EVENTS_N]:
        return False
    if mem.state[S_NEXT] <= now:
        return False
    for limit in range(limits.kind.shape[0]):
        if limits.kind[limit] == ROLLING:
            return False
    return True


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
    place: int,
    seconds: int,
    asker: Asker,
) -> int:
    """Answer for the rider of a row; FOUND, ABSENT, BUSY or an array that is too small."""
    found = fetch(shared, row, mem, limits, asked, index, asker, False)
    if found != FOUND:
        return found
    at = max(now, mem.state[S_T])
    if can_be_told_from_head(mem, limits, at) and answer_far(mem, limits, at, seconds, asked.answers, place):
        return FOUND
    found = fetch(shared, row, mem, limits, asked, index, asker, True)
    if found == FOUND:
        words = state_words(limits)
        at = max(now, mem.rows[0, base_at(limits) + words + S_T])
        answer_closely(mem, limits, rules, at, seconds, asked.answers, place)
    return found


@inlined
def answer_unknown(
    mem: Memory, limits: Limits, rules: Rules, now: int, seconds: int, answers: I64, index: int
) -> None:
    """Answer as for a rider who has rested since ever."""
    set_blank(mem, limits)
    if not answer_far(mem, limits, now, seconds, answers, index):
        set_blank(mem, limits)
        answer_closely(mem, limits, rules, now, seconds, answers, index)


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
        seconds = asked.seconds[index]
        if row != NONE:
            found = answer_row(shared, row, mem, limits, rules, now, asked, index, index, seconds, asker)
        if found < 0:
            return -found - 100, i
        answers[index, A_KNOWN] = 1 if found == FOUND else 0
        if found == ABSENT:
            answer_unknown(mem, limits, rules, now, seconds, answers, index)
        elif found == BUSY:
            answers[index, A_VERDICT] = UNSURE
            answers[index, A_LIMIT] = NONE
            answers[index, A_LEFT] = NONE
            answers[index, A_RESUME] = NONE
            answers[index, A_AS_OF] = now
    return DONE, 0


@kernel
def survey(
    shared: Shared,
    mem: Memory,
    limits: Limits,
    rules: Rules,
    now: int,
    asked: Asked,
    start: int,
    asker: Asker,
) -> tuple[int, int]:
    """Answer for the riders of all rows, as far as there are answers for them; as `answer_candidates`."""
    for row in range(start, asked.answers.shape[0]):
        found = answer_row(shared, row, mem, limits, rules, now, asked, NONE, row, 0, asker)
        if found < 0:
            return -found - 100, row
        asked.answers[row, A_KNOWN] = 1 if found == FOUND else 0
    return DONE, 0


@kernel
def copy_rider(
    shared: Shared, mem: Memory, limits: Limits, rules: Rules, now: int, asked: Asked, asker: Asker
) -> tuple[int, int]:
    """Copy the one rider asked about and bring him to *now*: FOUND, ABSENT, BUSY or what is too small; *now*."""
    row, settled = find_settled(shared, asked.buf, asked.off[0], asked.length[0], asked.hash[0])
    if row == NONE:
        return ABSENT if settled else BUSY, now
    found = fetch(shared, row, mem, limits, asked, 0, asker, True)
    if found == FOUND:
        now = max(now, mem.rows[0, base_at(limits) + state_words(limits) + S_T])
        bring(mem, limits, rules, now, INF)
    return found, now


@kernel
def describe(mem: Memory, limits: Limits, now: int, out: I64) -> None:
    """Write what each limit says of the copied rider at ``now``, (limits, DESCRIPTION_WORDS)."""
    state = mem.state
    for limit in range(limits.kind.shape[0]):
        word = S_LIMITS + limit * LIMIT_WORDS
        out[limit, D_COUNTED] = counted(mem, 0, state, limits, limit, now)
        start = window_start(state, limits, limit, now)
        if limits.kind[limit] == CALENDAR:
            start = limits.bounds[window_index(limits, limit, now)]
        out[limit, D_START] = max(start, PAST)
        out[limit, D_HOLD_FROM] = state[word + L_HOLD_FROM]
        out[limit, D_HOLD_UNTIL] = NONE
        if state[word + L_HOLD_FROM] != NONE:
            out[limit, D_HOLD_UNTIL] = hold_until(state, limits, limit, now)
        out[limit, D_FIRED] = state[word + L_FLAGS] & FIRED
        out[limit, D_RESUME] = resume_after(state, limits, limit, now, now)
